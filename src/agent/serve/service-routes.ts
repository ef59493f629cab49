import { dirname } from 'node:path'
import type { Port } from '../../core/inference-runtime.ts'
import { agentVersion } from '../agent-version.ts'
import { requireJsonFits } from './answer-size.ts'
import { docsRoutes } from './docs/docs-routes.ts'
import type { RequestContext } from './exchange.ts'
import type { Answer } from './http-answer.ts'
import { predictBody } from './images/image-body.ts'
import { imageOf, predictImage } from './images/predict-image.ts'
import { METRICS_CONTENT_TYPE, metricText } from './metrics/metric-text.ts'
import { readinessFamilies } from './metrics/readiness-families.ts'
import { processFamilies, versionFamilies } from './metrics/service-metrics.ts'
import { openApiDocument } from './openapi/openapi-document.ts'
import { type PredictRequest, type RequestForm, readBatchRequest, readPredictRequest } from './predict-request.ts'
import { answerPrediction } from './prediction.ts'
import { answeredOutputs, answersOf, type SampleAnswer } from './sample-outputs.ts'
import type { Route } from './service-http.ts'
import { notReadyReason, type ServiceView } from './service-view.ts'
import { protocolRoutes } from './v2/v2-routes.ts'
import type { ServedVersion } from './versions/served-version.ts'
import { requireCurrent } from './versions/version-set.ts'

/** All paths of the REST API. Names in bodies are snake_case, as in the APIs this one stands beside. */
export function serviceRoutes(view: ServiceView): Map<string, Route> {
  const { limits } = view
  const get = (handle: () => Answer): Route => ({ method: 'GET', handle })
  return new Map<string, Route>([
    ['/health', get(() => health(view))],
    ['/ready', get(() => readiness(view))],
    ['/model_info', get(() => modelInfo(view))],
    ['/stats', get(() => ({ status: 200, body: view.statistics.stats() }))],
    ['/metrics', get(() => metrics(view))],
    ['/openapi.json', get(() => openApi(view))],
    [
      '/predict',
      {
        method: 'POST',
        isPrediction: true,
        body: predictBody,
        handle: (body, context) => {
          const image = imageOf(body, view)
          if (image) return predictImage(view, context, image)
          return predict(
            view,
            context,
            (form) => readPredictRequest(body, form),
            ([answer]) => ({ ...answer }),
          )
        },
      },
    ],
    [
      '/predict/batch',
      {
        method: 'POST',
        isPrediction: true,
        handle: (body, context) =>
          predict(
            view,
            context,
            (form) => readBatchRequest(body, form, limits.batchSamples),
            (answers) => ({ count: answers.length, results: answers }),
          ),
      },
    ],
    ...protocolRoutes(view),
    ...docsRoutes(dirname(process.argv[1] ?? '')),
  ])
}

/** Alive, and what it is. Always 200: a service that cannot answer (yet) says so in the body and at /ready. */
function health({ service, versions, statistics, isDraining }: ServiceView): Answer {
  const { current } = versions
  const loaded = current !== null
  const { modelName, version } = versions.config
  const status = isDraining() ? 'draining' : !loaded ? 'loading' : current.downtime === null ? 'ok' : 'failing'
  return {
    status: 200,
    body: {
      status,
      model_loaded: loaded,
      service,
      model: modelName,
      version,
      uptime_seconds: statistics.uptimeSeconds,
    },
  }
}

function readiness(view: ServiceView): Answer {
  const reason = notReadyReason(view)
  return reason === null ? { status: 200, body: { ready: true } } : { status: 503, body: { ready: false, reason } }
}

function metrics(view: ServiceView): Answer {
  const { service, statistics, versions, openConnections, predictionsInFlight, otherMetrics } = view
  const gauges = {
    openConnections: openConnections(),
    predictionsInFlight: predictionsInFlight(),
    queueDepth: versions.current?.predictor.depth ?? 0,
  }
  const shadows = versions.shadows.map(({ id, statistics: { metrics: counted } }) => ({ version: id, counted }))
  const answering = versions.answering.map(({ id, statistics: { metrics: counted } }) => ({ version: id, counted }))
  const counted = answering.length > 0 ? [...answering, ...shadows] : [{ version: versions.config.version, counted: statistics.metrics }]
  const families = [
    ...versionFamilies(service, counted, gauges),
    ...readinessFamilies(view),
    ...processFamilies(),
    ...otherMetrics.flatMap((read) => read()),
  ]
  return { status: 200, body: metricText(families), contentType: METRICS_CONTENT_TYPE }
}

function openApi(view: ServiceView): Answer {
  const { config, signature, outputs, form } = requireCurrent(view.versions)
  const versions = view.versions.answering.map(({ id }) => id)
  return {
    status: 200,
    body: openApiDocument({ config, versions, limits: view.limits, signature, outputs, form, serverVersion: agentVersion }),
  }
}

function modelInfo(view: ServiceView): Answer {
  const { limits } = view
  const { config, signature, outputs, runtimeVersion } = requireCurrent(view.versions)
  const { inputs, batching } = signature
  const known = (shape: Port['shape']) => shape.map((dim) => dim ?? null)
  return {
    status: 200,
    body: {
      service: config.service,
      name: config.modelName,
      version: config.version,
      sha256: config.modelSha256,
      inputs: inputs.map(({ port, sampleShape, sentShape, fields }) => ({
        name: port.name,
        type: port.type,
        shape: known(port.shape),
        sample_shape: known(sampleShape),
        // What to send: the same unless preprocessing changes the layout.
        sent_shape: known(sentShape),
        ...(fields ? { fields: [...fields.byIndex.values()].map(({ name, index, min, max }) => ({ name, index, min, max })) } : {}),
      })),
      outputs: outputs.map(({ name, type, shape }) => ({ name, type, shape: known(shape) })),
      batching: batching.kind,
      labels: config.labels,
      ...(config.embedding === null ? {} : { embedding: config.embedding }),
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
  context: RequestContext,
  read: (form: RequestForm) => PredictRequest,
  shape: (answers: readonly SampleAnswer[]) => object,
): Promise<Answer> {
  const version = view.versions.choose(context)
  const { predictor, form } = version
  const { answerBytes } = view.limits
  const startedAt = performance.now()
  const { samples, withEmbedding } = read(requestForm(version))
  const started = {
    context,
    startedAt,
    parts: predictor.predict(samples, context, answerBytes),
    samples: () => samples,
    sampleCount: samples.length,
    again: async (other: ServedVersion) => other.predictor.predict(read(requestForm(other)).samples, untilDone, answerBytes),
  }
  return answerPrediction(view, version, started, (parts, latencyMs) => {
    requireJsonFits(parts, answeredOutputs(form, withEmbedding), answerBytes)
    const answers = answersOf(parts, form, withEmbedding)
    const body = { version: version.id, ...shape(answers), latency_ms: latencyMs() }
    return { answer: { status: 200, body }, answers }
  })
}

function requestForm({ signature, form }: ServedVersion): RequestForm {
  return { signature, hasEmbedding: form.embedding !== null }
}

/** Nobody waits for a copy, and it is made to its end. */
const untilDone = { isOver: () => false }
