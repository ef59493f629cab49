import type { Release, ServiceConfig } from '../../../contract/service.ts'
import type { LoadedModel, Port } from '../../../core/inference-runtime.ts'
import type { AnsweringVersion } from '../exchange.ts'
import type { ModelSignature } from '../model-signature.ts'
import type { Predictor } from '../predictor.ts'
import type { AnswerForm } from '../sample-outputs.ts'
import type { Downtime, PoolState } from '../workers/pooled-model.ts'
import type { VersionStatistics } from './version-statistics.ts'

/** Settings and release of a version, in one. */
export type ServedConfig = Omit<ServiceConfig, 'tokenPath' | 'statePath'>

/** A model that runs, and where. */
export interface PlacedModel {
  readonly model: LoadedModel
  /** Threads that run it; 0: the answering thread. */
  readonly workers: number
  /** How those threads are. */
  readonly pool?: PoolState
}

export interface ServedVersionParts {
  readonly config: ServedConfig
  readonly placed: PlacedModel
  readonly signature: ModelSignature
  readonly predictor: Predictor
  readonly form: AnswerForm
  readonly statistics: VersionStatistics
  readonly runtimeVersion: string
}

/** What fits into a header as it is. */
const HEADER_TEXT = /^[\x21-\x7e]{1,200}$/
/** Between two looks at whether the last request was answered. */
const DRAIN_LOOK_MS = 10

/** A version of the model that is loaded and can answer. */
export class ServedVersion implements AnsweringVersion {
  /** Answered as `version`. */
  readonly id: string
  readonly config: ServedConfig
  readonly placed: PlacedModel
  readonly signature: ModelSignature
  readonly predictor: Predictor
  readonly form: AnswerForm
  readonly statistics: VersionStatistics
  readonly runtimeVersion: string
  readonly headerLine: string
  /** Predictions being worked on. */
  inFlight = 0
  #closed: Promise<void> | null = null

  constructor({ config, placed, signature, predictor, form, statistics, runtimeVersion }: ServedVersionParts) {
    this.id = config.version
    this.config = config
    this.placed = placed
    this.signature = signature
    this.predictor = predictor
    this.form = form
    this.statistics = statistics
    this.runtimeVersion = runtimeVersion
    this.headerLine = HEADER_TEXT.test(this.id) ? `x-model-version: ${this.id}\r\n` : ''
  }

  get outputs(): readonly Port[] {
    return this.placed.model.outputs
  }

  /** Why it takes no runs right now; null where it does. */
  get downtime(): Downtime | null {
    return this.placed.pool?.downtime ?? null
  }

  get isClosed(): boolean {
    return this.#closed !== null
  }

  /** Finishes what is in flight, then frees the model. Nothing may be given to it any more. */
  close(): Promise<void> {
    this.#closed ??= this.#drain()
    return this.#closed
  }

  async #drain(): Promise<void> {
    while (this.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS))
    await this.placed.model.close()
  }
}

/** A release as a version of a service. */
export function releaseConfig(
  settings: Omit<ServedConfig, keyof Release | 'version'>,
  release: Release,
  id: string,
  modelPath: string,
): ServedConfig {
  return { ...settings, ...release, modelPath, version: id }
}
