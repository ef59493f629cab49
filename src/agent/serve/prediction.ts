import { EdgesmithError } from '../../contract/errors.ts'
import type { NamedTensors } from '../../core/inference-runtime.ts'
import { jsonBytes, requireJsonFits } from './answer-size.ts'
import type { RequestContext } from './exchange.ts'
import type { Answer } from './http-answer.ts'
import { HttpError } from './http-error.ts'
import type { RunPart } from './predictor.ts'
import { answersOf, type SampleAnswer } from './sample-outputs.ts'
import type { ServiceView } from './service-view.ts'
import type { ServedVersion } from './versions/served-version.ts'

/** A prediction whose samples are being run. */
interface StartedPrediction {
  readonly context: RequestContext
  /** When the whole body was there, on the clock of `performance.now()`. */
  readonly startedAt: number
  readonly parts: Promise<readonly RunPart[]>
  /** For observers; asked for only where there are some. */
  readonly samples: () => readonly NamedTensors[]
  readonly sampleCount: number
  /** What the request holds on to beside its values: an image file. */
  readonly fileBytes?: number
  /** Reads the same request as another version takes it and runs it there. @throws HttpError where it does not suit */
  readonly again: (version: ServedVersion) => Promise<readonly RunPart[]>
}

/**
 * Finishes a prediction: answer, counts, observers, copies for other versions. Answers that are larger than may be answered in JSON (those that
 * were asked for as binary data) are neither observed nor compared.
 *
 * @param answer makes the answer from what the model gave; `answers` are made from the same parts where it has them already
 * @returns rejects with HttpError `MODEL_REFUSED_INPUT`, `MODEL_RUN_FAILED`, `DEADLINE_EXCEEDED`, `RESPONSE_TOO_LARGE`
 */
export function answerPrediction(
  view: ServiceView,
  version: ServedVersion,
  { context, startedAt, parts, samples, sampleCount, fileBytes = 0, again }: StartedPrediction,
  answer: (parts: readonly RunPart[], latencyMs: () => number) => { readonly answer: Answer; readonly answers?: readonly SampleAnswer[] },
): Promise<Answer> {
  version.inFlight++
  return parts.then(
    (ready) => {
      version.inFlight--
      // From the whole body to the finished answer: checking, preprocessing, waiting for other runs, the run itself, splitting.
      let latencyMs = Number.NaN
      const measured = () => {
        latencyMs = performance.now() - startedAt
        return latencyMs
      }
      const made = answer(ready, measured)
      if (Number.isNaN(latencyMs)) measured()
      view.statistics.predicted(sampleCount, latencyMs, version.statistics)
      const isCopied = view.copies.wants(version)
      if (view.feed.isIdle && !isCopied) return made.answer
      const { answerBytes } = view.limits
      if (made.answers === undefined && jsonBytes(ready, version.form.outputs) > answerBytes) return made.answer
      let answers = made.answers
      const allAnswers = () => {
        answers ??= answersOf(ready, version.form, false)
        return answers
      }
      const sent = () => {
        if (!view.feed.isIdle) {
          const { requestId } = context
          view.feed.add({ samples: samples(), answers: allAnswers(), latencyMs, requestId, at: Date.now(), version: version.id })
        }
        if (!isCopied) return
        const compared = async (other: ServedVersion) => {
          const parts = await again(other)
          requireJsonFits(parts, other.form.outputs, answerBytes)
          return parts
        }
        const values = valuesOf(samples()) + fileBytes / VALUE_BYTES
        view.copies.offer(version, { request: { again: compared, values }, answers: allAnswers })
      }
      return { ...made.answer, sent }
    },
    (error: unknown) => {
      version.inFlight--
      throw runFailure(view, version, error)
    },
  )
}

/** Of a number of JSON while a request is kept. */
const VALUE_BYTES = 8

/** As many values as would take about the same memory: texts count by their length. */
function valuesOf(samples: readonly NamedTensors[]): number {
  let count = 0
  for (const sample of samples) {
    for (const name of Object.keys(sample)) {
      const values = sample[name]?.values ?? []
      count += values.length
      if (Array.isArray(values)) for (const text of values) count += text.length / VALUE_BYTES
    }
  }
  return count
}

/** A run that failed is the client's fault where its values or sizes decide whether the model can run. */
function runFailure({ log }: ServiceView, { signature, id }: ServedVersion, error: unknown): unknown {
  if (!(error instanceof EdgesmithError)) return error
  if (signature.inputsCanFail)
    return new HttpError('MODEL_REFUSED_INPUT', error.message, { hint: 'Check sizes and index values against the model.' })
  log.error('run-failed', { version: id, code: error.code, message: error.message })
  return new HttpError('MODEL_RUN_FAILED', error.message)
}
