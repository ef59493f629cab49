import { EdgesmithError } from '../../../contract/errors.ts'
import type { LoadedModel } from '../../../core/inference-runtime.ts'
import { percentileOfSorted } from '../../../core/statistics/percentiles.ts'
import { imageInput, imageLibrary } from '../images/image-sample.ts'
import { withFields } from '../input-fields.ts'
import { modelSignature } from '../model-signature.ts'
import { createPredictor } from '../predictor.ts'
import type { AnswerForm } from '../sample-outputs.ts'
import type { ServiceLog } from '../service-log.ts'
import { compileEarly } from '../workers/early-compilation.ts'
import { type PlacedModel, type ServedConfig, ServedVersion } from './served-version.ts'
import { timeRuns } from './timed-runs.ts'
import { VersionStatistics } from './version-statistics.ts'
import { warmUp } from './warm-up.ts'

/** Ways to load a model. */
export interface ModelLoaders {
  /** Onto the thread that answers, which does nothing else meanwhile. */
  readonly onThread: (config: ServedConfig) => Promise<LoadedModel>
  /** Into threads of their own; null where there are none. */
  readonly inWorkers: ((config: ServedConfig) => Promise<PlacedModel>) | null
  readonly runtimeVersion: string
  readonly log: ServiceLog
}

/** A version that was loaded and has run once. */
export interface LoadedVersion {
  readonly version: ServedVersion
  /** Why made-up inputs could not be run; null where they could. */
  readonly warmUpFailure: string | null
}

/** From here on a run on the answering thread would keep other requests waiting for too long, and handing it to another thread costs little beside it. */
const SHORT_RUN_MS = 1
/** A model that was measured here before is not measured again where it is far from that. */
const KNOWN_SHORT_MS = 0.5
const KNOWN_LONG_MS = 2
/** Runs that decide where the model runs. */
const PLACING_RUNS = { runs: 20, fewest: 3, longEnoughMs: 50 }

/**
 * Loads a version and decides where it runs: on the answering thread, where requests share runs and nothing is handed over, or in threads beside it.
 * `workers` of the release decides; where it leaves that open, the time of a run does.
 *
 * @param whileServing others are being answered: nothing that takes long may happen on this thread
 * @throws EdgesmithError or CoreError of reading and loading the model, `USAGE`
 */
export async function loadVersion(config: ServedConfig, loaders: ModelLoaders, whileServing: boolean): Promise<LoadedVersion> {
  const { log } = loaders
  const idleRssBytes = process.memoryUsage.rss()
  const loadStart = performance.now()
  const first = await loadFirst(config, loaders, whileServing)
  const firstRunStart = performance.now()
  let placed = first
  try {
    const form = answerForm(config, placed.model)
    const read = withFields(modelSignature(placed.model.inputs, config.preprocessing), config.fields)
    const { signature, failure } = await warmUp(placed.model, read)
    if (failure !== null) log.info('warm-up-failed', { version: config.version, message: failure })
    const firstRunMs = performance.now() - firstRunStart
    if (failure === null) placed = await settle(config, placed, loaders, whileServing)
    if (placed.workers > 0) compileEarly()
    log.info('loaded', { loadMs: firstRunStart - loadStart, firstRunMs, idleRssBytes, version: config.version, workers: placed.workers })
    // Loading it takes a moment: not when the first image comes.
    if (imageInput(signature))
      await imageLibrary().catch(({ message }: Error) => log.info('no-images', { version: config.version, message }))
    const statistics = new VersionStatistics()
    const predictor = createPredictor(placed.model, signature, statistics.metrics, placed.workers)
    const { runtimeVersion } = loaders
    const version = new ServedVersion({ config, placed, signature, predictor, form, statistics, runtimeVersion })
    return { version, warmUpFailure: failure }
  } catch (error) {
    await placed.model.close()
    throw error
  }
}

async function loadFirst(config: ServedConfig, { onThread, inWorkers }: ModelLoaders, whileServing: boolean): Promise<PlacedModel> {
  const { workers, latencyP50Ms } = config
  const isLong = latencyP50Ms !== null && latencyP50Ms >= KNOWN_LONG_MS
  if (inWorkers && (workers ?? Number(whileServing || isLong)) > 0) return inWorkers(config)
  return { model: await onThread(config), workers: 0 }
}

/** Where the model stays: decided by its runs, where nothing else decides. The old place is freed before the new one is taken, for there may be no room for both. */
async function settle(config: ServedConfig, placed: PlacedModel, loaders: ModelLoaders, whileServing: boolean): Promise<PlacedModel> {
  const { onThread, inWorkers } = loaders
  const { workers, latencyP50Ms } = config
  if (!inWorkers || (workers !== null && (workers > 0 || placed.workers === 0))) return placed
  if (placed.workers === 0 && latencyP50Ms !== null && latencyP50Ms <= KNOWN_SHORT_MS) return placed
  const times = await timeRuns(placed.model, { ...PLACING_RUNS, turns: whileServing })
  const isShort = percentileOfSorted(times, 50) < SHORT_RUN_MS
  if (isShort === (placed.workers === 0)) return placed
  if (placed.workers === 0) {
    await placed.model.close()
    return inWorkers(config)
  }
  const model = await onThread(config)
  await placed.model.close()
  return { model, workers: 0 }
}

/** @throws EdgesmithError `USAGE` for an embedding that is no output of the model */
function answerForm({ embedding, labels, accuracy }: ServedConfig, { outputs }: LoadedModel): AnswerForm {
  const names = outputs.map(({ name }) => name)
  if (embedding !== null && !names.includes(embedding)) {
    throw new EdgesmithError('USAGE', `The embedding "${embedding}" is no output of the model.`, {
      hint: `The outputs are: ${names.join(', ')}.`,
    })
  }
  return { outputs: names.filter((name) => name !== embedding), embedding, names: { labels, isClassifier: accuracy !== null } }
}
