import { dirname, join } from 'node:path'
import type { Worker, WorkerOptions } from 'node:worker_threads'
import type { ServiceConfig } from '../../contract/service.ts'
import { ServiceMonitor } from '../monitor/service-monitor.ts'
import { DeviceGauges } from './metrics/device-gauges.ts'
import { type RunningService, runService } from './service.ts'
import type { ServiceLog } from './service-log.ts'
import type { ModelLoaders } from './versions/load-version.ts'

export interface FileServiceOptions {
  readonly config: ServiceConfig
  readonly token: string
  /** Null where no webhook is set. */
  readonly webhookSecret: string | null
  readonly loaders: ModelLoaders
  readonly log: ServiceLog
  /** Starts the thread that writes the prediction log. */
  readonly startLogThread: (options: WorkerOptions) => Worker
}

/**
 * Starts the service of a configuration file: one version, watched as one of a folder is. What the watching writes lies beside the state file.
 * @throws as `runService`
 */
export async function startFileService(options: FileServiceOptions): Promise<RunningService> {
  const { config, token, webhookSecret, loaders, log } = options
  const folder = dirname(config.statePath)
  const monitor = new ServiceMonitor({
    config,
    predictionsPath: join(folder, 'predictions.sqlite'),
    webhookStatePath: join(folder, 'webhook.json'),
    webhookSecret,
    log,
    startThread: options.startLogThread,
    onDrift: (features) => log.info('drift', { features: features.length }),
  })
  const device = new DeviceGauges()
  try {
    const service = await runService({
      config,
      token,
      loaders,
      log,
      observers: [monitor],
      routes: monitor.routes,
      metrics: [() => monitor.metrics(), () => device.families()],
    })
    return {
      port: service.port,
      close: async () => {
        await service.stopAnswering()
        await monitor.close()
        await service.close()
      },
    }
  } catch (error) {
    await monitor.close()
    throw error
  }
}
