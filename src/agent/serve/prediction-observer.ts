import type { NamedTensors } from '../../core/inference-runtime.ts'
import type { SampleAnswer } from './sample-outputs.ts'

/** One answered prediction request. Nothing of it is used again by the service: it may be kept, not changed. */
export interface ObservedPrediction {
  /** As the model took them, by input name: after preprocessing, without the batch dimension. */
  readonly samples: readonly NamedTensors[]
  /** One for each sample, in order. */
  readonly answers: readonly SampleAnswer[]
  /** From the whole body to the finished answer. */
  readonly latencyMs: number
  /** Answered as `x-request-id`. */
  readonly requestId: string
  /** When it was answered: milliseconds since 1970. */
  readonly at: number
  /** That answered. */
  readonly version: string
}

/** Sees what a service predicts: drift monitor, prediction log. */
export interface PredictionObserver {
  /** True while it wants to see nothing. */
  readonly isIdle?: boolean
  /**
   * Called once for each successful prediction request, after its answer was handed to the socket. Runs on the thread that serves: what takes
   * longer than some microseconds is put off. What it throws is logged and does not reach a client.
   */
  predicted(prediction: ObservedPrediction): void
}
