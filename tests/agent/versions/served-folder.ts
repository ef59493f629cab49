import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type RunningFolderService, startFolderService } from '../../../src/agent/serve/control/folder-service.ts'
import { readServiceModel } from '../../../src/agent/serve/service-config.ts'
import type { ModelLoaders } from '../../../src/agent/serve/versions/load-version.ts'
import { ServiceFolder } from '../../../src/agent/services/service-folder.ts'
import type { Rollout } from '../../../src/contract/routing.ts'
import type { ReleaseFile, ServiceSettingsFile } from '../../../src/contract/service.ts'
import type { ServiceLive, TrafficRequest } from '../../../src/contract/service-protocol.ts'
import type { InferenceRuntime } from '../../../src/core/inference-runtime.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { linearModel } from '../../engine/measure/small-models.ts'
import { send, TOKEN } from '../service-fixture.ts'

/** y = factor · x, for one number. */
export function timesModel(factor: number): Uint8Array {
  return linearModel('N', [[factor]])
}

/** A service's folder in a temporary place, and the service in this process. */
export class ServedFolder {
  readonly folder: ServiceFolder
  readonly events: Record<string, unknown>[] = []
  service: RunningFolderService | null = null
  runtime: InferenceRuntime = onnxRuntime
  inWorkers: ModelLoaders['inWorkers'] = null

  constructor() {
    this.folder = new ServiceFolder(join(mkdtempSync(join(tmpdir(), 'edgesmith-folder-')), 'services', 'test'))
  }

  async settings(changes: Partial<ServiceSettingsFile> = {}): Promise<void> {
    await mkdir(this.folder.path, { recursive: true })
    await this.folder.writeSettings({ service: 'test', host: '127.0.0.1', port: 0, ...changes })
    await writeFile(this.folder.at('token'), `${TOKEN}\n`, { mode: 0o600 })
  }

  /** Writes a release; answers its id. */
  async release(model: Uint8Array, changes: Partial<ReleaseFile> = {}): Promise<string> {
    const modelSha256 = createHash('sha256').update(model).digest('hex')
    const modelPath = this.folder.at(`${modelSha256}.onnx`)
    await writeFile(modelPath, model)
    return this.folder.writeRelease({
      modelName: 'Test model',
      modelPath,
      modelSha256,
      preprocessing: {},
      labels: null,
      accuracy: null,
      latencyP50Ms: null,
      ...changes,
    })
  }

  async start(current?: string): Promise<void> {
    if (current !== undefined) await this.folder.writeRouting({ version: 1, current, previous: null, beside: [], watch: null })
    const log = {
      info: (event: string, fields: object = {}) => void this.events.push({ level: 'info', event, ...fields }),
      error: (event: string, fields: object = {}) => void this.events.push({ level: 'error', event, ...fields }),
    }
    this.service = await startFolderService({
      folder: this.folder,
      settings: await this.folder.readSettings(),
      token: TOKEN,
      loaders: {
        onThread: async (config) => this.runtime.load(await readServiceModel(config), { intraOpThreads: config.threads }),
        inWorkers: this.inWorkers,
        runtimeVersion: 'runtime of the tests',
        log,
      },
      log,
      startLogThread: (options) => new Worker(new URL('../monitor/prediction-log-worker.ts', import.meta.url), options),
    })
  }

  get port(): number {
    if (!this.service) throw new Error('not started')
    return this.service.port
  }

  async prepare(release: string, gate: object = { runs: 20 }) {
    return send(this.port, '/control/prepare', { body: { release, gate } })
  }

  async traffic(
    request: TrafficRequest | { action: 'roll-out'; release: string; rollout: Partial<Omit<Rollout, 'limits'>> & { limits?: object } },
  ) {
    return send(this.port, '/control/traffic', { body: request })
  }

  async live(): Promise<ServiceLive> {
    return (await send(this.port, '/control/live')).body
  }

  /** Prepares a release and lets it take its place. */
  async bring(release: string, rollout: Partial<Omit<Rollout, 'limits'>> & { limits?: object }) {
    const prepared = await this.prepare(release)
    if (prepared.status !== 200 || !prepared.body.passed) throw new Error(JSON.stringify(prepared.body))
    const done = await this.traffic({ action: 'roll-out', release, rollout })
    if (done.status !== 200) throw new Error(JSON.stringify(done.body))
    return done.body as ServiceLive
  }

  async close(): Promise<void> {
    await this.service?.close()
    this.service = null
  }

  async remove(): Promise<void> {
    await this.close()
    rmSync(join(this.folder.path, '..', '..'), { recursive: true, force: true })
  }
}
