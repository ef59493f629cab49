import type { Port } from '../../../core/inference-runtime.ts'
import { agentVersion } from '../../agent-version.ts'
import { rowsOf, samplesOf } from '../batch-feeds.ts'
import type { RequestContext } from '../exchange.ts'
import type { Answer } from '../http-answer.ts'
import { answerPrediction } from '../prediction.ts'
import type { Route } from '../service-http.ts'
import { isReady, requireModel, type ServiceView } from '../service-view.ts'
import { type InferBody, inferBody, readInferRequest } from './infer-request.ts'
import { inferAnswer, joinParts } from './infer-response.ts'
import { datatypes } from './tensor-bytes.ts'

/**
 * Paths of the Open Inference Protocol V2 (REST) with the binary tensor data extension. The service's name is the model's, its release the version.
 * Source: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md; the extension is NVIDIA Triton's.
 */
export function protocolRoutes(view: ServiceView): readonly (readonly [string, Route])[] {
  const { service, version } = view.config
  const get = (handle: () => Answer): Route => ({ method: 'GET', handle })
  const infer: Route = {
    method: 'POST',
    isPrediction: true,
    body: inferBody,
    handle: (body, context) => answerInfer(view, body as InferBody, context),
  }
  // Clients may or may not encode characters that need not be.
  const versions = [...new Set([version, encodeURIComponent(version)])]
  const models = [`/v2/models/${service}`, ...versions.map((each) => `/v2/models/${service}/versions/${each}`)]
  return [
    ['/v2', get(serverMetadata)],
    ['/v2/', get(serverMetadata)],
    ['/v2/health/live', get(() => ({ status: 200, body: { live: true } }))],
    ['/v2/health/ready', get(() => readiness(view, { live: true }))],
    ...models.flatMap((path): [string, Route][] => [
      [path, get(() => modelMetadata(view))],
      [`${path}/ready`, get(() => readiness(view, { name: service }))],
      [`${path}/infer`, infer],
    ]),
  ]
}

function serverMetadata(): Answer {
  return { status: 200, body: { name: 'edgesmith', version: agentVersion, extensions: ['binary_tensor_data'] } }
}

/** The specification writes "live" where it means "ready" for the server: both are there, and the status decides. */
function readiness(view: ServiceView, also: object): Answer {
  const ready = isReady(view)
  return { status: ready ? 200 : 503, body: { ...also, ready } }
}

function modelMetadata(view: ServiceView): Answer {
  const { predictor, outputs } = requireModel(view)
  const { service, version } = view.config
  const inputs = predictor.signature.inputs.map(({ port }) => port)
  return {
    status: 200,
    body: {
      name: service,
      versions: [version],
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

function answerInfer(view: ServiceView, body: InferBody, context: RequestContext): Promise<Answer> {
  const served = requireModel(view)
  const { predictor, outputs } = served
  const { signature } = predictor
  const { service, version } = view.config
  const startedAt = performance.now()
  const names = outputs.map(({ name }) => name)
  const request = readInferRequest(body, signature, names, view.limits.batchSamples)
  const { feeds } = request
  const started = {
    context,
    startedAt,
    parts: predictor.predictTensors(feeds, context),
    samples: () => samplesOf(feeds, signature),
    sampleCount: rowsOf(feeds, signature),
  }
  return answerPrediction(view, served, started, (parts) => {
    const wanted = request.outputs.map(({ name }) => name)
    return { answer: inferAnswer(request, joinParts(parts, wanted), { name: service, version }) }
  })
}
