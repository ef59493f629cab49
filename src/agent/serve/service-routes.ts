import type { ServiceConfig } from '../../contract/agent-protocol.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Port } from '../../core/inference-runtime.ts'
import { agentVersion } from '../agent-version.ts'
import { HttpError } from './http-error.ts'
import { readBatchRequest, readPredictRequest, type Sample } from './predict-request.ts'
import type { Predictor } from './predictor.ts'
import type { SampleAnswer } from './sample-outputs.ts'
import type { Answer, Route } from './service-http.ts'
import type { ServiceLimits } from './service-limits.ts'
import type { ServiceLog } from './service-log.ts'
import type { ServiceStatistics } from './service-statistics.ts'

/** A model that is ready to answer. */
export interface ServedModel {
  readonly predictor: Predictor
  readonly outputs: readonly Port[]
  readonly runtimeVersion: string
}

/** What the routes speak about; `model` is null until it is loaded. */
export interface ServiceView {
  readonly config: ServiceConfig
  readonly limits: ServiceLimits
  readonly statistics: ServiceStatistics
  readonly log: ServiceLog
  readonly model: () => ServedModel | null
  readonly isDraining: () => boolean
}

/** All paths of the REST API. Names in bodies are snake_case, as in the APIs this one stands beside. */
export function serviceRoutes(view: ServiceView): ReadonlyMap<string, Route> {
  const { limits } = view
  return new Map<string, Route>([
    ['/health', { method: 'GET', handle: () => health(view) }],
    ['/ready', { method: 'GET', handle: () => readiness(view) }],
    ['/model_info', { method: 'GET', handle: () => modelInfo(view) }],
    ['/stats', { method: 'GET', handle: () => ({ status: 200, body: view.statistics.stats() }) }],
    [
      '/predict',
      {
        method: 'POST',
        isPrediction: true,
        handle: (body) =>
          predict(
            view,
            ({ signature }) => readPredictRequest(body, signature),
            ([answer]) => ({ ...answer }),
          ),
      },
    ],
    [
      '/predict/batch',
      {
        method: 'POST',
        isPrediction: true,
        handle: (body) =>
          predict(
            view,
            ({ signature }) => readBatchRequest(body, signature, limits.batchSamples),
            (answers) => ({ count: answers.length, results: answers }),
          ),
      },
    ],
  ])
}

/** Alive, and what it is. Always 200: a service that cannot answer yet says so in the body and at /ready. */
function health({ config, statistics, model, isDraining }: ServiceView): Answer {
  const loaded = model() !== null
  const status = isDraining() ? 'draining' : loaded ? 'ok' : 'loading'
  return {
    status: 200,
    body: {
      status,
      model_loaded: loaded,
      service: config.service,
      model: config.modelName,
      version: config.version,
      uptime_seconds: statistics.uptimeSeconds,
    },
  }
}

function readiness({ model, isDraining }: ServiceView): Answer {
  const ready = model() !== null && !isDraining()
  return { status: ready ? 200 : 503, body: { ready } }
}

function modelInfo(view: ServiceView): Answer {
  const { config, limits } = view
  const { predictor, outputs, runtimeVersion } = requireModel(view)
  const { inputs, batching } = predictor.signature
  const known = (shape: Port['shape']) => shape.map((dim) => dim ?? null)
  return {
    status: 200,
    body: {
      service: config.service,
      name: config.modelName,
      version: config.version,
      sha256: config.modelSha256,
      inputs: inputs.map(({ port, sampleShape, sentShape }) => ({
        name: port.name,
        type: port.type,
        shape: known(port.shape),
        sample_shape: known(sampleShape),
        // What to send: the same unless preprocessing changes the layout.
        sent_shape: known(sentShape),
      })),
      outputs: outputs.map(({ name, type, shape }) => ({ name, type, shape: known(shape) })),
      batching: batching.kind,
      labels: config.labels,
      preprocessing: config.preprocessing,
      accuracy: config.accuracy,
      latency_ms: config.latencyP50Ms === null ? null : { p50: config.latencyP50Ms },
      limits: { batch_samples: limits.batchSamples, body_bytes: limits.bodyBytes },
      edgesmith_version: agentVersion,
      onnxruntime_version: runtimeVersion,
    },
  }
}

function predict(
  view: ServiceView,
  read: (predictor: Predictor) => Sample[],
  shape: (answers: readonly SampleAnswer[]) => object,
): Promise<Answer> {
  const { config, statistics } = view
  const { predictor } = requireModel(view)
  // From the whole body to the finished answer: checking, preprocessing, waiting for other runs, the run itself, splitting.
  const start = performance.now()
  return predictor.predict(read(predictor)).then(
    (answers) => {
      const latencyMs = performance.now() - start
      statistics.predicted(answers.length, latencyMs)
      return { status: 200, body: { version: config.version, ...shape(answers), latency_ms: latencyMs } }
    },
    (error: unknown) => {
      throw runFailure(view, predictor, error)
    },
  )
}

function requireModel({ model }: ServiceView): ServedModel {
  const served = model()
  if (served) return served
  throw new HttpError('NOT_READY', 'The model is not loaded yet.', { headers: { 'retry-after': '1' } })
}

/** A run that failed is the client's fault where its values or sizes decide whether the model can run. */
function runFailure({ log }: ServiceView, { signature }: Predictor, error: unknown): unknown {
  if (!(error instanceof EdgesmithError)) return error
  if (signature.inputsCanFail)
    return new HttpError('MODEL_REFUSED_INPUT', error.message, { hint: 'Check sizes and index values against the model.' })
  log.error('run-failed', { code: error.code, message: error.message })
  return new HttpError('MODEL_RUN_FAILED', error.message)
}
