// Works through a range of damaged models in a process of its own, because native code may crash or hang: the test that started it watches.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toErrorReport } from '../../src/contract/errors.ts'
import type { RecipeStep } from '../../src/contract/recipe.ts'
import { decodeModel } from '../../src/core/onnx/model-file.ts'
import { validateModel } from '../../src/core/onnx/validate.ts'
import { seededRandom } from '../../src/core/statistics/seeded-random.ts'
import { importModel } from '../../src/engine/models/import-model.ts'
import { optimizeModel } from '../../src/engine/optimize/optimize.ts'
import { onnxRuntime } from '../../src/engine/runtimes/onnx-runtime.ts'
import { damagedModel } from './model-mutations.ts'

/** A model to damage, with samples for it (.npz), and the recipes that are tried on it in turn. */
export interface Original {
  readonly modelPath: string
  readonly samplesPath: string
  readonly recipes: readonly (readonly RecipeStep[])[]
}

/** What a worker is asked to do. */
export interface DamageRequest {
  readonly seed: number
  readonly from: number
  readonly to: number
  readonly step: number
  readonly originals: readonly Original[]
  /** Leave the models as they are. */
  readonly intact?: boolean
}

/** Sent before a case (`outcome` absent) and after it. */
export interface DamageMessage {
  readonly index: number
  readonly what: string
  readonly outcome?: string
  /** The build was made, or the import or the recipe refused. */
  readonly stage?: 'import' | 'recipe' | 'build'
  readonly milliseconds?: number
  readonly stack?: string | undefined
}

const CALIBRATION_SAMPLES = 2

process.on('disconnect', () => process.exit(1))
process.once('message', (request) => {
  void work(request as DamageRequest).then(() => process.exit(0))
})

async function work({ seed, from, to, step, originals, intact }: DamageRequest): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-damaged-'))
  try {
    for (let index = from; index < to; index += step) {
      const original = originals[index % originals.length]!
      const recipe = original.recipes[Math.floor(index / originals.length) % original.recipes.length]!
      const file = new Uint8Array(readFileSync(original.modelPath))
      const { bytes, damage } = intact ? { bytes: file, damage: [] } : damagedModel(file, seededRandom(seed * 1_000_003 + index))
      const what = `${original.modelPath.replace(/.*\//, '')} → ${recipe.map((entry) => entry.recipe).join(', ')}; ${damage.join('; ')}`
      await send({ index, what })
      const started = performance.now()
      const result = await attempt(folder, bytes, original.samplesPath, [...recipe])
      await send({ index, what, ...result, milliseconds: performance.now() - started })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Import and optimization as the program does them; the finished build is checked once more, as a stranger's file would be. */
async function attempt(
  folder: string,
  bytes: Uint8Array,
  samplesPath: string,
  recipe: RecipeStep[],
): Promise<Omit<DamageMessage, 'index' | 'what'>> {
  const [path, modelPath, outPath] = ['given.onnx', 'stored.onnx', 'build.onnx'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  let stage: 'import' | 'recipe' = 'import'
  try {
    await writeFile(path, bytes)
    await importModel({ path, outPath: modelPath }, onnxRuntime)
    stage = 'recipe'
    const calibration = {
      format: 'npz' as const,
      name: 'samples',
      files: [{ role: 'samples' as const, path: samplesPath }],
      preprocessing: {},
    }
    const request = { command: 'optimize' as const, modelPath, modelName: 'damaged', recipe, target: 'x64' as const, calibration }
    const rest = { samples: CALIBRATION_SAMPLES, budget: null, outPath, edgesmithVersion: '0', lineage: [] }
    await optimizeModel({ ...request, ...rest }, onnxRuntime, { progress: () => {}, log: () => {} })
    validateModel(decodeModel(readFileSync(outPath), 'build'))
    await importModel({ path: outPath, outPath: modelPath }, onnxRuntime)
    return { outcome: 'OK', stage: 'build' }
  } catch (error) {
    const { code, message } = toErrorReport(error)
    return { outcome: code, stage, stack: code === 'INTERNAL' ? ((error as Error)?.stack ?? message) : message }
  }
}

function send(message: DamageMessage): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()))
}
