import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { EdgesmithError } from '../../contract/errors.ts'
import type { BenchSettings } from '../../contract/measurement.ts'
import { decodeModel } from '../../core/onnx/model-file.ts'
import { type TensorRtModelFacts, tensorRtModelFacts } from '../../core/tensorrt/model-facts.ts'
import { planEngine, type TrtexecSubject } from '../../core/tensorrt/trtexec-plan.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { sha256OfFile } from '../../platform/file-hash.ts'
import type { SystemRoot } from '../../platform/system-files.ts'
import { benchmarkShapes } from './benchmark-inputs.ts'
import type { Measured, ScenarioContext } from './scenario.ts'
import { type EngineIdentity, EngineStore, type StoredEngine } from './tensorrt-engines.ts'
import { readGpuMachine } from './tensorrt-machine.ts'
import { findTrtexec } from './tensorrt-program.ts'
import { buildEngine, type EngineCalls, type Trial, timeEngine, tryOutEngine } from './tensorrt-timing.ts'

/** Where TensorRT is looked for, and where its engines are kept. */
export interface TensorRtPlaces {
  readonly systemRoot: SystemRoot
  readonly enginesFolder: string | undefined
}

const MOST_WARNINGS = 100

/**
 * Latency of a model under TensorRT, with trtexec: builds the engine where this machine has none for this model, TensorRT, GPU, JetPack and
 * shapes (minutes on a board), runs a few queries in a fresh process (load, first inference), then warms up and times in another.
 *
 * A latency is what trtexec calls so: copy to the GPU + computing + copy back of one query, from CUDA events; waiting behind the query
 * before is not part of it. Source: `InferenceTime::latency` in samples/common/sampleReporting.h of NVIDIA/TensorRT. Every sample of
 * `--exportTimes` after the warm-up is kept. Inputs are random values that trtexec makes up. Throughput is what it reaches, with the copies
 * of one query beside the computing of another. Memory and CPU time are those of the trtexec process.
 *
 * @throws EdgesmithError `TENSORRT_MISSING`, `TENSORRT_FAILED`, `MODEL_UNSUPPORTED_OP` (operators TensorRT does not have), `USAGE` (batch,
 *   inputs), `JOB_CANCELLED`; those of reading the model
 */
export async function measureTensorRt(
  modelPath: string,
  settings: BenchSettings,
  context: ScenarioContext,
  { systemRoot, enginesFolder }: TensorRtPlaces,
): Promise<Measured> {
  if (enginesFolder === undefined) throw new Error('a benchmark with TensorRT needs a folder for engines')
  const { reporter, signal } = context
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  const facts = await modelFacts(modelPath)
  requireKnownOperators(facts)
  const { shapes, assumptions } = benchmarkShapes(facts.inputs, settings.batch)
  const trtexec = await findTrtexec(systemRoot)
  throwIfCancelled(signal)
  const subject: TrtexecSubject = {
    ...trtexec,
    inputs: facts.inputs.map(({ name, shape }, index) => ({
      name,
      dims: shapes[index] as number[],
      dynamic: shape.some((dim) => typeof dim !== 'number'),
    })),
  }
  const plan = planEngine(subject, { ...facts, fp16: settings.fp16, workspaceMiB: Math.floor(totalmem() / 2 ** 21) })
  const machine = await readGpuMachine(systemRoot)
  const identity: EngineIdentity = {
    modelSha256: await sha256OfFile(modelPath),
    gpu: machine.gpu,
    tensorRt: trtexec.versionText,
    jetPack: machine.jetPack,
    options: plan.options,
  }
  const calls: EngineCalls = { trtexec, subject, plan, settings, context }
  const store = new EngineStore(enginesFolder)
  const take = () =>
    store.engine(identity, (places) => buildEngine(calls, modelPath, places), {
      signal,
      onWait: () => reporter.progress({ phase: 'waiting for another build of the engine', done: 0, total: null, unit: '' }),
    })
  const folder = await mkdtemp(join(tmpdir(), 'edgesmith-trtexec-'))
  try {
    const { engine, trial } = await usableEngine(
      take,
      () => store.remove(identity),
      (stored) => tryOutEngine(calls, stored, folder),
    )
    const timed = await timeEngine(calls, engine, trial, folder)
    const options = [...plan.options, ...timed.options.filter((option) => !plan.options.includes(option))]
    const warnings = [...new Set([...engine.warnings, ...timed.log.warnings])].slice(0, MOST_WARNINGS)
    return {
      ...timed.measured,
      loadMs: trial.loadMs,
      firstInferenceMs: trial.firstInferenceMs,
      load: null,
      notes: [...assumptions, ...plan.notes, ...timed.notes, ...warnings.map((warning) => `TensorRT: ${warning}`)],
      tensorRt: {
        version: trtexec.versionText,
        gpu: timed.log.gpu ?? machine.gpu,
        jetPack: machine.jetPack,
        trtexec: trtexec.path,
        options,
        engineBytes: engine.sizeBytes,
        buildSeconds: engine.buildSeconds,
        warnings,
        ...timed.parts,
      },
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** An engine that was kept and does not load (a damaged disk, an update of the driver) is built once more. */
async function usableEngine(
  take: () => Promise<StoredEngine>,
  forget: () => Promise<void>,
  tryOut: (engine: StoredEngine) => Promise<Trial>,
): Promise<{ engine: StoredEngine; trial: Trial }> {
  const engine = await take()
  try {
    return { engine, trial: await tryOut(engine) }
  } catch (error) {
    const kept = engine.buildSeconds === null
    if (!kept || !(error instanceof EdgesmithError) || error.code !== 'TENSORRT_FAILED') throw error
    await forget()
    const fresh = await take()
    return { engine: fresh, trial: await tryOut(fresh) }
  }
}

async function modelFacts(modelPath: string): Promise<TensorRtModelFacts> {
  return tensorRtModelFacts(decodeModel(await readFile(modelPath), 'the model'))
}

/** Says early, and in our words, what a build of minutes would end with. */
function requireKnownOperators({ obstacles }: TensorRtModelFacts): void {
  if (obstacles.length === 0) return
  const named = obstacles
    .slice(0, 5)
    .map(({ op, reason, nodes, firstNode }) => `${op} ${reason} (${nodes} ${nodes === 1 ? 'node' : 'nodes'}, first "${firstNode}")`)
  throw new EdgesmithError('MODEL_UNSUPPORTED_OP', `TensorRT cannot take this model: ${named.join('; ')}.`, {
    hint: 'It was probably made for another target. Make a build for TensorRT from the original model: edgesmith optimize MODEL --target tensorrt --recipe int8-static --calibration DATASET --out FILE.',
    details: { obstacles: obstacles.slice(0, 50) },
  })
}
