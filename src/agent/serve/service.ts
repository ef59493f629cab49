import type { ServiceConfig } from '../../contract/service.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import type { MetricFamily } from './metrics/metric-text.ts'
import { openService } from './open-service.ts'
import type { PredictionObserver } from './prediction-observer.ts'
import type { Route } from './service-http.ts'
import type { ServiceLimits } from './service-limits.ts'
import type { ServiceLog } from './service-log.ts'
import { loadVersion, type ModelLoaders } from './versions/load-version.ts'

interface CommonOptions {
  readonly config: ServiceConfig
  readonly token: string
  readonly log: ServiceLog
  readonly limits?: ServiceLimits
  /** See every prediction after it was answered. */
  readonly observers?: readonly PredictionObserver[]
  /** Paths beside those of the service itself. */
  readonly routes?: ReadonlyMap<string, Route>
  /** Read whenever the metrics are asked for. */
  readonly metrics?: readonly (() => readonly MetricFamily[])[]
}

/** What a service with one version of its model is started with. */
export interface ServiceOptions extends CommonOptions {
  /** Asked for the model after the port is taken, so that a wrong port is told at once. */
  readonly loaders: ModelLoaders
}

export interface RunningService {
  readonly port: number
  /** Finishes what is in flight, then frees port and model. */
  close(): Promise<void>
}

interface StoppableService extends RunningService {
  /** Finishes what is in flight and frees the port. */
  stopAnswering(): Promise<void>
}

/**
 * Listens, loads the model, warms it up, and then answers. Until it is loaded, requests get 503 `NOT_READY`.
 *
 * @throws EdgesmithError `PORT_TAKEN`, `USAGE`, and what reading and loading the model throw; the port is free again then
 */
export async function runService({ config, loaders, ...options }: ServiceOptions): Promise<StoppableService> {
  const { http, versions, view } = openService({ settings: config, initial: config, ...options })
  const port = await http.listen({ host: config.host, port: config.port })
  try {
    const { version } = await loadVersion(config, loaders, false)
    versions.route(version, [])
    const stopAnswering = async () => {
      await http.close()
      view.copies.close()
    }
    return {
      port,
      stopAnswering,
      close: async () => {
        await stopAnswering()
        await version.close()
      },
    }
  } catch (error) {
    await http.close()
    throw error
  }
}

/** {@link runService} with a model that the answering thread runs, given as bytes. */
export function startService(
  options: CommonOptions & {
    readonly readModel: () => Promise<Uint8Array>
    readonly runtime: InferenceRuntime
    readonly runtimeVersion: string
  },
): Promise<RunningService> {
  const { readModel, runtime, runtimeVersion, ...common } = options
  const { config, log } = common
  const onThread = async () => runtime.load(await readModel(), { intraOpThreads: config.threads })
  return runService({ ...common, loaders: { onThread, inWorkers: null, runtimeVersion, log } })
}
