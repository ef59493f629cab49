import { EdgesmithError } from '../../contract/errors.ts'
import type { NamedTensors } from '../../core/inference-runtime.ts'
import type { RequestContext } from './exchange.ts'
import type { Answer } from './http-answer.ts'
import { HttpError } from './http-error.ts'
import type { RunPart } from './predictor.ts'
import { answersOf, type SampleAnswer } from './sample-outputs.ts'
import type { ServedModel, ServiceView } from './service-view.ts'

/** A prediction whose samples are being run. */
interface StartedPrediction {
  readonly context: RequestContext
  /** When the whole body was there, on the clock of `performance.now()`. */
  readonly startedAt: number
  readonly parts: Promise<readonly RunPart[]>
  /** For observers; asked for only where there are some. */
  readonly samples: () => readonly NamedTensors[]
  readonly sampleCount: number
}

/**
 * Finishes a prediction: answer, counts, observers.
 *
 * @param answer makes the answer from what the model gave; `answers` are made from the same parts where it has them already
 * @returns rejects with HttpError `MODEL_REFUSED_INPUT`, `MODEL_RUN_FAILED`, `DEADLINE_EXCEEDED`
 */
export function answerPrediction(
  view: ServiceView,
  served: ServedModel,
  { context, startedAt, parts, samples, sampleCount }: StartedPrediction,
  answer: (parts: readonly RunPart[], latencyMs: () => number) => { readonly answer: Answer; readonly answers?: readonly SampleAnswer[] },
): Promise<Answer> {
  return parts.then(
    (ready) => {
      // From the whole body to the finished answer: checking, preprocessing, waiting for other runs, the run itself, splitting.
      let latencyMs = Number.NaN
      const measured = () => {
        latencyMs = performance.now() - startedAt
        return latencyMs
      }
      const made = answer(ready, measured)
      if (Number.isNaN(latencyMs)) measured()
      view.statistics.predicted(sampleCount, latencyMs)
      if (view.feed.isIdle) return made.answer
      const sent = () =>
        view.feed.add({
          samples: samples(),
          answers: made.answers ?? answersOf(ready, served.form, false),
          latencyMs,
          requestId: context.requestId,
          at: Date.now(),
        })
      return { ...made.answer, sent }
    },
    (error: unknown) => {
      throw runFailure(view, served, error)
    },
  )
}

/** A run that failed is the client's fault where its values or sizes decide whether the model can run. */
function runFailure({ log }: ServiceView, { predictor }: ServedModel, error: unknown): unknown {
  if (!(error instanceof EdgesmithError)) return error
  if (predictor.signature.inputsCanFail)
    return new HttpError('MODEL_REFUSED_INPUT', error.message, { hint: 'Check sizes and index values against the model.' })
  log.error('run-failed', { code: error.code, message: error.message })
  return new HttpError('MODEL_RUN_FAILED', error.message)
}
