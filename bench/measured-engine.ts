import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runEngine } from '../src/backend/jobs/engine-process.ts'
import type { EngineCommand, EngineRequest, EngineResult } from '../src/contract/engine-protocol.ts'
import type { OptimizeSummary, RecipeStep } from '../src/contract/recipe.ts'
import { makeModel, makeNode, makeValueInfo } from '../src/core/onnx/builders.ts'
import { encodeModel } from '../src/core/onnx/model-file.ts'

const ENTRY = fileURLToPath(new URL('../src/engine/engine-entry.ts', import.meta.url))
/** Short against the hundreds of milliseconds that any step takes; the high-water mark itself never goes down. */
const POLL_MS = 10

/** What an engine process answered and the most memory it had: VmHWM, which Linux keeps for each process from its start. */
export interface Measured<T> {
  readonly value: T
  readonly peakBytes: number
  /** The most memory resident in each phase. */
  readonly phases: ReadonlyMap<string, number>
}

/** Runs a request in an engine process, as the backend does, and watches its memory. Linux only. */
export async function runMeasured<C extends EngineCommand>(
  request: Extract<EngineRequest, { command: C }>,
): Promise<Measured<EngineResult<C>>> {
  let peakBytes = 0
  let phase = 'reading'
  const phases = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  const onPid = (pid: number | null) => {
    clearInterval(timer)
    if (pid === null) return
    timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, statusBytes(pid, 'VmHWM'))
      phases.set(phase, Math.max(phases.get(phase) ?? 0, statusBytes(pid, 'VmRSS')))
    }, POLL_MS)
  }
  const reporter = {
    progress: (progress: { readonly phase: string }) => {
      phase = progress.phase
    },
    log: () => {},
  }
  const value = await runEngine<C>(request, { entry: ENTRY, onPid, reporter })
  return { value, peakBytes, phases }
}

/** Memory of an engine process with ONNX Runtime started and no work: it imports a model of a few bytes. */
export async function idleEngineBytes(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-idle-'))
  try {
    const path = join(folder, 'smallest.onnx')
    const port = (name: string) => makeValueInfo(name, 'float32', [1])
    writeFileSync(path, encodeModel(makeModel({ nodes: [makeNode('Relu', ['x'], ['y'])], inputs: [port('x')], outputs: [port('y')] })))
    return (await runMeasured({ command: 'import-model', path, outPath: join(folder, 'stored.onnx') })).peakBytes
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What {@link optimizeMeasured} is given. */
export interface OptimizeFiles {
  readonly modelPath: string
  /** .npz with one array for each input. */
  readonly samplesPath: string
  readonly samples: number
  readonly outPath: string
}

/** Applies a recipe in an engine process, for x64. */
export function optimizeMeasured(
  { modelPath, samplesPath, samples, outPath }: OptimizeFiles,
  recipe: readonly RecipeStep[],
): Promise<Measured<OptimizeSummary>> {
  return runMeasured({
    command: 'optimize',
    modelPath,
    modelName: 'model',
    recipe: [...recipe],
    target: 'x64',
    calibration: { format: 'npz', name: 'samples', files: [{ role: 'samples', path: samplesPath }], preprocessing: {} },
    samples,
    budget: null,
    outPath,
    edgesmithVersion: 'bench',
    lineage: [],
  })
}

function statusBytes(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
