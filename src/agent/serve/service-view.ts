import type { ServiceConfig } from '../../contract/agent-protocol.ts'
import type { Port } from '../../core/inference-runtime.ts'
import { HttpError } from './http-error.ts'
import type { MetricFamily } from './metrics/metric-text.ts'
import type { PredictionFeed } from './prediction-feed.ts'
import type { Predictor } from './predictor.ts'
import type { AnswerForm } from './sample-outputs.ts'
import type { ServiceLimits } from './service-limits.ts'
import type { ServiceLog } from './service-log.ts'
import type { ServiceStatistics } from './service-statistics.ts'

/** A model that is ready to answer. */
export interface ServedModel {
  readonly predictor: Predictor
  readonly outputs: readonly Port[]
  readonly form: AnswerForm
  readonly runtimeVersion: string
}

/** What the routes speak about; `model` is null until it is loaded. */
export interface ServiceView {
  readonly config: ServiceConfig
  readonly limits: ServiceLimits
  readonly statistics: ServiceStatistics
  readonly log: ServiceLog
  readonly feed: PredictionFeed
  readonly model: () => ServedModel | null
  readonly isDraining: () => boolean
  readonly openConnections: () => number
  readonly predictionsInFlight: () => number
  /** Metrics of whatever else the service does. */
  readonly otherMetrics: readonly (() => readonly MetricFamily[])[]
}

/** @throws HttpError `NOT_READY` */
export function requireModel({ model }: ServiceView): ServedModel {
  const served = model()
  if (served) return served
  throw new HttpError('NOT_READY', 'The model is not loaded yet.', { headers: { 'retry-after': '1' } })
}

export function isReady({ model, isDraining }: ServiceView): boolean {
  return model() !== null && !isDraining()
}
