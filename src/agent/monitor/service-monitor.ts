import { statSync } from 'node:fs'
import type { Worker, WorkerOptions } from 'node:worker_threads'
import type { ServiceLive } from '../../contract/service-protocol.ts'
import { HttpError } from '../serve/http-error.ts'
import type { MetricFamily } from '../serve/metrics/metric-text.ts'
import type { ObservedPrediction, PredictionObserver } from '../serve/prediction-observer.ts'
import type { Route } from '../serve/service-http.ts'
import type { ServiceLog } from '../serve/service-log.ts'
import type { ServedConfig } from '../serve/versions/served-version.ts'
import { DriftMonitor } from './drift-monitor.ts'
import { driftMetrics, driftReport } from './drift-report.ts'
import { PredictionLog, predictionLogMetrics } from './prediction-log.ts'
import { RetrainingWebhook } from './retraining-webhook.ts'

export interface ServiceMonitorOptions {
  /** Of the service; the release in it is that which is watched first. */
  readonly config: ServedConfig
  readonly predictionsPath: string
  readonly webhookStatePath: string
  /** Signs what is sent to the webhook; null where there is none. */
  readonly webhookSecret: string | null
  readonly log: ServiceLog
  /** Starts a thread that calls `runPredictionLog`. */
  readonly startThread: (options: WorkerOptions) => Worker
  /** Told when features begin to drift: in two windows in a row, and not in the one before, too. */
  readonly onDrift?: (features: readonly string[]) => void
}

const HOUR_MS = 3_600_000

/** What watches a service besides its answers: drift of the current version, the prediction log, the call for training. */
export class ServiceMonitor implements PredictionObserver {
  readonly #service: string
  readonly #log: PredictionLog | null
  readonly #webhook: RetrainingWebhook | null
  readonly #onDrift: (features: readonly string[]) => void
  readonly #predictionsPath: string
  #watched: { readonly config: ServedConfig; readonly drift: DriftMonitor | null }

  constructor(options: ServiceMonitorOptions) {
    const { config, log, webhookSecret, startThread, onDrift = () => {} } = options
    const { service, predictionLog, retraining } = config
    this.#service = service
    this.#predictionsPath = options.predictionsPath
    this.#onDrift = onDrift
    this.#log = predictionLog && new PredictionLog({ settings: { ...predictionLog, path: options.predictionsPath }, log, startThread })
    this.#watched = { config, drift: this.#driftMonitor(config) }
    const current = () => this.#watched.config
    this.#webhook =
      retraining && webhookSecret !== null
        ? new RetrainingWebhook({
            url: retraining.url,
            secret: webhookSecret,
            statePath: options.webhookStatePath,
            coolDownMs: retraining.coolDownHours * HOUR_MS,
            // Read anew for each call: the version changes while the service runs.
            service: {
              service,
              get model() {
                return current().modelName
              },
              get version() {
                return current().version
              },
            },
            log,
          })
        : null
  }

  /** Another version is the current one. */
  watch(config: ServedConfig): void {
    if (config.version === this.#watched.config.version) return
    this.#watched.drift?.close()
    this.#watched = { config, drift: this.#driftMonitor(config) }
  }

  predicted(prediction: ObservedPrediction): void {
    const { config, drift } = this.#watched
    if (drift && prediction.version === config.version) drift.predicted(prediction)
    this.#log?.predicted(prediction)
  }

  /** Nothing to do: predictions need not be handed over. */
  get isIdle(): boolean {
    return this.#log === null && this.#watched.drift === null
  }

  get routes(): ReadonlyMap<string, Route> {
    const handle = () => {
      const { drift } = this.#watched
      if (drift) return { status: 200, body: driftReport(drift.state) }
      throw new HttpError('NOT_FOUND', 'The release came without a reference that drift could be measured against.')
    }
    return new Map([['/drift', { method: 'GET', handle }]])
  }

  metrics(): readonly MetricFamily[] {
    const { config, drift } = this.#watched
    const labels = { model: this.#service, version: config.version }
    return [
      ...(drift ? driftMetrics(drift.state, labels) : []),
      ...(this.#log ? predictionLogMetrics(this.#log.state, { model: this.#service }) : []),
    ]
  }

  get live(): Pick<ServiceLive, 'drift' | 'predictionLog'> {
    const state = this.#watched.drift?.state
    const log = this.#log?.state
    return {
      drift: state
        ? {
            windowRows: state.windowRows,
            filledRows: state.filledRows,
            judgedWindows: state.judgedWindows,
            triggered: [...state.triggered],
            features: driftReport(state).features.map((feature) => ({
              name: feature.name,
              watches: feature.watches,
              level: feature.level,
              psi: feature.psi,
              psiLimit: feature.psi_limit,
              distance: feature.distance,
              pValue: feature.p_value,
              windowsInARow: feature.windows_in_a_row,
            })),
          }
        : null,
      predictionLog: log ? { writtenRows: log.writtenRows, droppedRows: log.droppedRows, fileBytes: bytesOf(this.#predictionsPath) } : null,
    }
  }

  /** Stops watching; what waits for the log is written. */
  async close(): Promise<void> {
    this.#watched.drift?.close()
    this.#webhook?.close()
    await this.#log?.close()
  }

  #driftMonitor({ driftReference }: ServedConfig): DriftMonitor | null {
    if (!driftReference) return null
    /** Number of the last window that triggered. */
    let triggered = Number.NaN
    const monitor = new DriftMonitor({
      reference: driftReference,
      onTrigger: (trigger) => {
        this.#webhook?.fire(trigger)
        const { judgedWindows } = monitor.state
        if (judgedWindows !== triggered + 1) this.#onDrift(trigger.features.map(({ sketch }) => sketch.name))
        triggered = judgedWindows
      },
    })
    return monitor
  }
}

/** Of the file and its write-ahead log. */
function bytesOf(path: string): number {
  return [path, `${path}-wal`].reduce((sum, each) => sum + (statSync(each, { throwIfNoEntry: false })?.size ?? 0), 0)
}
