import type { Worker, WorkerOptions } from 'node:worker_threads'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { ServiceSettings } from '../../../contract/service.ts'
import { readBootId } from '../../../platform/boot-id.ts'
import { ServiceMonitor } from '../../monitor/service-monitor.ts'
import type { ServiceFolder } from '../../services/service-folder.ts'
import { DeviceGauges } from '../metrics/device-gauges.ts'
import { openService } from '../open-service.ts'
import type { RunningService } from '../service.ts'
import type { ServiceLimits } from '../service-limits.ts'
import type { ServiceLog } from '../service-log.ts'
import type { ModelLoaders } from '../versions/load-version.ts'
import { controlRoutes } from './control-routes.ts'
import { loadCurrent, routingAtStart } from './folder-boot.ts'
import { LifeMark } from './life-mark.ts'
import { RolloutController } from './rollout-controller.ts'
import { ServiceRecord } from './service-record.ts'
import { VersionStore } from './version-store.ts'

export interface FolderServiceOptions {
  readonly folder: ServiceFolder
  readonly settings: ServiceSettings
  readonly token: string
  readonly loaders: ModelLoaders
  readonly log: ServiceLog
  /** Starts the thread that writes the prediction log. */
  readonly startLogThread: (options: WorkerOptions) => Worker
  /** A listening socket that this process inherited; undefined to open one. */
  readonly fd?: number | undefined
  readonly limits?: ServiceLimits
}

/** Names in the event of a drift. */
const MOST_FEATURES_TOLD = 20

/** A service that runs, with what it serves. */
export interface RunningFolderService extends RunningService {
  readonly controller: RolloutController
}

/**
 * Starts the service of a folder with the releases its routing names. With an inherited socket it listens only once it can answer: until
 * then another process does, or connections wait in the socket.
 *
 * @throws EdgesmithError `PORT_TAKEN`, `USAGE`, `BUNDLE_CORRUPT`, `NOT_FOUND`, and what loading the model throws
 */
export async function startFolderService(options: FolderServiceOptions): Promise<RunningFolderService> {
  const { folder, settings, token, loaders, log, fd, limits } = options
  const { host, port } = settings
  const bootId = await readBootId()
  const mark = new LifeMark(folder)
  const hasCrashed = await mark.begin(bootId)
  const record = new ServiceRecord(folder, log)
  const store = new VersionStore(folder, settings, loaders)
  let controller: RolloutController | null = null
  let monitor: ServiceMonitor | null = null
  let stopListening = async () => {}
  const close = async () => {
    await controller?.close()
    await stopListening()
    await monitor?.close()
    await store.close()
    mark.end()
  }
  try {
    const planned = await routingAtStart(folder, { hasCrashed, bootId }, log)
    const initial = await store.config(planned.current)
    monitor = new ServiceMonitor({
      config: initial,
      predictionsPath: folder.predictionsPath,
      webhookStatePath: folder.webhookStatePath,
      webhookSecret: settings.retraining ? await requiredSecret(folder) : null,
      log,
      startThread: options.startLogThread,
      onDrift: (features) => void record.tell('drift', controller?.routing.current ?? null, driftText(features)),
    })
    const device = new DeviceGauges()
    const watching = monitor
    const service = openService({
      settings,
      token,
      initial,
      log,
      limits,
      observers: [watching],
      routes: new Map([...controlRoutes(() => controller, folder.predictionsPath), ...watching.routes]),
      metrics: [() => watching.metrics(), () => device.families()],
    })
    const listen = () => {
      stopListening = () => service.http.close()
      return service.http.listen({ host, port, fd })
    }
    const early = fd === undefined ? await listen() : null
    const routing = await loadCurrent(folder, planned, store, log)
    watching.watch(await store.config(routing.current))
    controller = new RolloutController(routing, { folder, store, service, monitor: watching, bootId, log })
    await controller.start()
    return { port: early ?? (await listen()), controller, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** @throws EdgesmithError `USAGE` */
async function requiredSecret(folder: ServiceFolder): Promise<string> {
  const secret = await folder.readWebhookSecret()
  if (secret !== null) return secret
  throw new EdgesmithError('USAGE', `The settings name a webhook, but there is no secret to sign with in ${folder.webhookSecretPath}.`, {
    hint: 'Deploy the service again.',
  })
}

function driftText(features: readonly string[]): string {
  const more = features.length - MOST_FEATURES_TOLD
  return `Drift in two windows in a row: ${features.slice(0, MOST_FEATURES_TOLD).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
}
