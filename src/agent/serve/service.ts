import type { ServiceConfig } from '../../contract/agent-protocol.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { InferenceRuntime, LoadedModel, NamedTensors, Port } from '../../core/inference-runtime.ts'
import { elementCount } from '../../core/onnx/tensor-values.ts'
import { makeBenchmarkInputs } from '../../engine/measure/benchmark-inputs.ts'
import { withFields } from './input-fields.ts'
import type { MetricFamily } from './metrics/metric-text.ts'
import { type ModelSignature, modelSignature } from './model-signature.ts'
import { PredictionFeed } from './prediction-feed.ts'
import type { PredictionObserver } from './prediction-observer.ts'
import { createPredictor } from './predictor.ts'
import type { AnswerForm } from './sample-outputs.ts'
import { HttpService, type Route } from './service-http.ts'
import { type ServiceLimits, serviceLimits } from './service-limits.ts'
import type { ServiceLog } from './service-log.ts'
import { serviceRoutes } from './service-routes.ts'
import { ServiceStatistics } from './service-statistics.ts'
import type { ServedModel } from './service-view.ts'

/** What a service is started with. */
export interface ServiceOptions {
  readonly config: ServiceConfig
  readonly token: string
  /** Bytes of the model; asked for after the port is taken, so that a wrong port is told at once. */
  readonly readModel: () => Promise<Uint8Array>
  readonly runtime: InferenceRuntime
  readonly runtimeVersion: string
  readonly log: ServiceLog
  readonly limits?: ServiceLimits
  /** See every prediction after it was answered. */
  readonly observers?: readonly PredictionObserver[]
  /** Paths beside those of the service itself. */
  readonly routes?: ReadonlyMap<string, Route>
  /** Read whenever the metrics are asked for. */
  readonly metrics?: readonly (() => readonly MetricFamily[])[]
}

export interface RunningService {
  readonly port: number
  /** Finishes what is in flight, then frees port and model. */
  close(): Promise<void>
}

/**
 * Listens, loads the model, warms it up, and then answers. Until it is loaded, requests get 503 `NOT_READY`.
 *
 * @throws EdgesmithError `PORT_TAKEN`, `USAGE`, and what reading and loading the model throw; the port is free again then
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { config, runtime, runtimeVersion, log } = options
  let served: ServedModel | null = null
  const statistics = new ServiceStatistics()
  const http = httpService(options, statistics, () => served)
  const port = await http.listen(config.host, config.port)
  try {
    const idleRssBytes = process.memoryUsage.rss()
    const loadStart = performance.now()
    const model = await runtime.load(await options.readModel(), { intraOpThreads: config.threads })
    const firstRunStart = performance.now()
    const form = answerForm(config, model)
    const signature = await warmUp(model, withFields(modelSignature(model.inputs, config.preprocessing), config.fields), log)
    log.info('loaded', { loadMs: firstRunStart - loadStart, firstRunMs: performance.now() - firstRunStart, idleRssBytes })
    served = { predictor: createPredictor(model, signature, statistics.metrics), outputs: model.outputs, form, runtimeVersion }
    return {
      port,
      close: async () => {
        await http.close()
        await model.close()
      },
    }
  } catch (error) {
    await http.close()
    throw error
  }
}

function httpService(options: ServiceOptions, statistics: ServiceStatistics, model: () => ServedModel | null): HttpService {
  const { config, token, log, limits = serviceLimits } = options
  const { apiKeys, rateLimit, concurrency, deadlineMs, accessLogShare, network } = config
  const routes = serviceRoutes({
    config,
    limits,
    statistics,
    log,
    feed: new PredictionFeed(options.observers ?? [], log),
    model,
    isDraining: () => http.isDraining,
    openConnections: () => http.openConnections,
    predictionsInFlight: () => http.predictionsInFlight,
    otherMetrics: options.metrics ?? [],
  })
  for (const [path, route] of options.routes ?? []) routes.set(path, route)
  const access = { token, apiKeys, rateLimit, hosts: network?.hosts ?? [] }
  const http: HttpService = new HttpService({ access, routes, limits, concurrency, deadlineMs, accessLogShare, statistics, log })
  return http
}

/** @throws EdgesmithError `USAGE` for an embedding that is no output of the model */
function answerForm({ embedding, labels, accuracy }: ServiceConfig, { outputs }: LoadedModel): AnswerForm {
  const names = outputs.map(({ name }) => name)
  if (embedding !== null && !names.includes(embedding)) {
    throw new EdgesmithError('USAGE', `The embedding "${embedding}" is no output of the model.`, {
      hint: `The outputs are: ${names.join(', ')}.`,
    })
  }
  return { outputs: names.filter((name) => name !== embedding), embedding, names: { labels, isClassifier: accuracy !== null } }
}

/**
 * Runs the model once on made-up inputs, so that the first client does not wait for the runtime's own preparations, and sees whether the
 * outputs have one row a sample. Where they do not, or the run fails, samples are run one by one and outputs are answered whole.
 */
async function warmUp(model: LoadedModel, signature: ModelSignature, log: ServiceLog): Promise<ModelSignature> {
  const { batching } = signature
  const rows = batching.kind === 'fixed' ? batching.size : batching.kind === 'open' ? 2 : 1
  try {
    const outputs = await model.run(warmUpFeeds(model.inputs, rows))
    if (Object.values(outputs).every(({ dims }) => dims[0] === rows)) return signature
  } catch (error) {
    log.info('warm-up-failed', { message: error instanceof Error ? error.message : String(error) })
  }
  return batching.kind === 'fixed' ? signature : { ...signature, batching: { kind: 'single' } }
}

/** Made-up inputs; empty strings for string inputs, which a benchmark does not have. */
function warmUpFeeds(inputs: readonly Port[], rows: number): NamedTensors {
  const numeric = inputs.filter(({ type }) => type !== 'string')
  const strings = inputs.filter(({ type }) => type === 'string')
  const feeds = strings.map(({ name, type, shape }) => {
    const dims = shape.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? rows : 1))
    return [name, { type, dims, values: new Array<string>(elementCount(dims)).fill('') }] as const
  })
  return { ...(numeric.length > 0 ? makeBenchmarkInputs(numeric, rows).feeds : {}), ...Object.fromEntries(feeds) }
}
