import type { ObservedPrediction, PredictionObserver } from './prediction-observer.ts'
import type { ServiceLog } from './service-log.ts'

/**
 * Passes predictions on to observers after their answers: those of one turn of the event loop together, when the turn's answers are out.
 * An observer that throws is logged; the others and the clients do not notice.
 */
export class PredictionFeed {
  private readonly observers: readonly PredictionObserver[]
  private readonly log: ServiceLog
  private waiting: ObservedPrediction[] = []

  constructor(observers: readonly PredictionObserver[], log: ServiceLog) {
    this.observers = observers
    this.log = log
  }

  /** Nobody looks: what only observers need is not made. */
  get isIdle(): boolean {
    return this.observers.every(({ isIdle }) => isIdle === true)
  }

  /** To be called after the answer was sent. */
  add(prediction: ObservedPrediction): void {
    if (this.waiting.push(prediction) === 1) setImmediate(() => this.flush())
  }

  private flush(): void {
    const predictions = this.waiting
    this.waiting = []
    for (const observer of this.observers) {
      for (const prediction of predictions) {
        try {
          observer.predicted(prediction)
        } catch (error) {
          this.log.error('observer-failed', { stack: error instanceof Error ? error.stack : String(error) })
        }
      }
    }
  }
}
