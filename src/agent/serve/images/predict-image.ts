import { abandonedRequest } from '../abandoned-request.ts'
import { requireJsonFits } from '../answer-size.ts'
import type { RequestContext } from '../exchange.ts'
import type { Answer } from '../http-answer.ts'
import { HttpError } from '../http-error.ts'
import type { Sample } from '../predict-request.ts'
import { answerPrediction } from '../prediction.ts'
import type { Asker, RunPart } from '../predictor.ts'
import { answeredOutputs, answersOf } from '../sample-outputs.ts'
import type { ServiceView } from '../service-view.ts'
import type { ServedVersion } from '../versions/served-version.ts'
import { ImageRequest, imageInJson } from './image-body.ts'
import { imageInput, readImageSample } from './image-sample.ts'

/** The image a body of `POST /predict` is or holds; null where it is about values. @throws HttpError `INVALID_REQUEST` */
export function imageOf(body: unknown, { versions }: ServiceView): ImageRequest | null {
  if (body instanceof ImageRequest) return body
  // Without image files, "image" is a name like any other.
  return versions.current && imageInput(versions.current.signature) ? imageInJson(body) : null
}

/**
 * `POST /predict` with an image: decoded beside the thread that answers, then answered like values.
 * @returns rejects with HttpError as {@link readImageSample} and {@link answerPrediction}
 * @throws HttpError `INVALID_REQUEST` for an embedding the service does not have
 */
export function predictImage(view: ServiceView, context: RequestContext, { bytes, withEmbedding }: ImageRequest): Promise<Answer> {
  const version = view.versions.choose(context)
  if (withEmbedding && version.form.embedding === null) throw new HttpError('INVALID_REQUEST', 'This service has no embedding.')
  const startedAt = performance.now()
  let samples: readonly Sample[] = []
  const run = async ({ signature, predictor }: ServedVersion, asker: Asker): Promise<readonly RunPart[]> => {
    const sample = await readImageSample(bytes, signature, asker)
    if (asker.isOver()) throw abandonedRequest()
    if (asker === context) samples = [sample]
    return predictor.predict([sample], asker)
  }
  const started = {
    context,
    startedAt,
    parts: run(version, context),
    samples: () => samples,
    sampleCount: 1,
    fileBytes: bytes.length,
    again: (other: ServedVersion) => run(other, { isOver: () => false }),
  }
  return answerPrediction(view, version, started, (parts, latencyMs) => {
    requireJsonFits(parts, answeredOutputs(version.form, withEmbedding), view.limits.answerBytes)
    const answers = answersOf(parts, version.form, withEmbedding)
    return { answer: { status: 200, body: { version: version.id, ...answers[0], latency_ms: latencyMs() } }, answers }
  })
}
