import type { Port } from '../../../core/inference-runtime.ts'
import { agentVersion } from '../../agent-version.ts'
import { requireTensorsFit } from '../answer-size.ts'
import { rowsOf, samplesOf } from '../batch-feeds.ts'
import type { RequestContext } from '../exchange.ts'
import type { Answer } from '../http-answer.ts'
import { answerPrediction } from '../prediction.ts'
import type { Route } from '../service-http.ts'
import { isReady, type ServiceView } from '../service-view.ts'
import type { ServedVersion } from '../versions/served-version.ts'
import { requireCurrent } from '../versions/version-set.ts'
import { type InferBody, type InferRequest, inferBody, readInferRequest } from './infer-request.ts'
import { inferAnswer, joinParts } from './infer-response.ts'
import { datatypes } from './tensor-bytes.ts'

/**
 * Paths of the Open Inference Protocol V2 (REST) with the binary tensor data extension. The service's name is the model's, its release the version.
 * Source: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md; the extension is NVIDIA Triton's.
 */
export function protocolRoutes(view: ServiceView): readonly (readonly [string, Route])[] {
  const { service, versions } = view
  return [
    ['/v2', get(serverMetadata)],
    ['/v2/', get(serverMetadata)],
    ['/v2/health/live', get(() => ({ status: 200, body: { live: true } }))],
    ['/v2/health/ready', get(() => readiness(view, { live: true }))],
    ...modelRoutes(view, `/v2/models/${service}`, (context) => (context ? versions.choose(context) : requireCurrent(versions))),
  ]
}

/**
 * Keeps the paths of single versions among the others up to date: all that answer are there by their names. Until one is loaded, the one that is
 * on its way says that it is not ready.
 *
 * @returns to be called whenever versions have changed
 */
export function versionPaths(view: ServiceView, routes: Map<string, Route>): () => void {
  let paths: readonly string[] = []
  const update = () => {
    const { answering, config } = view.versions
    for (const path of paths) routes.delete(path)
    const entries =
      answering.length > 0
        ? answering.flatMap((version) => versionRoutes(view, version.id, () => version))
        : versionRoutes(view, config.version, () => requireCurrent(view.versions))
    for (const [path, route] of entries) routes.set(path, route)
    paths = entries.map(([path]) => path)
  }
  update()
  return update
}

/** Paths of one version, for those who ask for it by its name. */
function versionRoutes(view: ServiceView, id: string, version: () => ServedVersion): readonly (readonly [string, Route])[] {
  const choose = (context: RequestContext | null) => {
    const chosen = version()
    if (context) context.version = chosen
    return chosen
  }
  // Clients may or may not encode characters that need not be.
  return [...new Set([id, encodeURIComponent(id)])].flatMap((name) =>
    modelRoutes(view, `/v2/models/${view.service}/versions/${name}`, choose),
  )
}

/** Chooses the version that answers; without a request, the one that is spoken of. @throws HttpError `NOT_READY` */
type Chooser = (context: RequestContext | null) => ServedVersion

function modelRoutes(view: ServiceView, path: string, choose: Chooser): readonly (readonly [string, Route])[] {
  const infer: Route = {
    method: 'POST',
    isPrediction: true,
    body: inferBody,
    handle: (body, context) => answerInfer(view, choose(context), body as InferBody, context),
  }
  return [
    [path, get(() => modelMetadata(view, choose(null)))],
    [`${path}/ready`, get(() => readiness(view, { name: view.service }))],
    [`${path}/infer`, infer],
  ]
}

function get(handle: () => Answer): Route {
  return { method: 'GET', handle }
}

function serverMetadata(): Answer {
  return { status: 200, body: { name: 'edgesmith', version: agentVersion, extensions: ['binary_tensor_data'] } }
}

/** The specification writes "live" where it means "ready" for the server: both are there, and the status decides. */
function readiness(view: ServiceView, also: object): Answer {
  const ready = isReady(view)
  return { status: ready ? 200 : 503, body: { ...also, ready } }
}

function modelMetadata({ service, versions }: ServiceView, { signature, outputs }: ServedVersion): Answer {
  const inputs = signature.inputs.map(({ port }) => port)
  return {
    status: 200,
    body: {
      name: service,
      versions: versions.answering.map(({ id }) => id),
      // The specification's name for a model that ONNX Runtime runs.
      platform: 'onnx_onnxv1',
      inputs: inputs.map(describeTensor),
      outputs: outputs.map(describeTensor),
    },
  }
}

function describeTensor({ name, type, shape }: Port): object {
  return { name, datatype: datatypes[type] ?? type.toUpperCase(), shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)) }
}

function answerInfer(view: ServiceView, version: ServedVersion, body: InferBody, context: RequestContext): Promise<Answer> {
  const { predictor, signature } = version
  const startedAt = performance.now()
  const request = readRequest(view, version, body)
  const { feeds } = request
  const { answerBytes } = view.limits
  const started = {
    context,
    startedAt,
    parts: predictor.predictTensors(feeds, context, answerBytes),
    samples: () => samplesOf(feeds, signature),
    sampleCount: rowsOf(feeds, signature),
    again: async (other: ServedVersion) => other.predictor.predictTensors(readRequest(view, other, body).feeds, untilDone, answerBytes),
  }
  return answerPrediction(view, version, started, (parts) => {
    requireTensorsFit(parts, request.outputs, answerBytes)
    const wanted = request.outputs.map(({ name }) => name)
    return { answer: inferAnswer(request, joinParts(parts, wanted), { name: view.service, version: version.id }) }
  })
}

function readRequest({ limits }: ServiceView, { signature, outputs }: ServedVersion, body: InferBody): InferRequest {
  const names = outputs.map(({ name }) => name)
  return readInferRequest(body, signature, names, limits.batchSamples)
}

/** Nobody waits for a copy, and it is made to its end. */
const untilDone = { isOver: () => false }
