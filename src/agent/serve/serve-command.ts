import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import { agentVersion } from '../agent-version.ts'
import { receiveRequest } from '../host-connection.ts'
import { ServiceFolder } from '../services/service-folder.ts'
import type { RunningService } from './service.ts'
import { readServiceConfig, readServiceModel, readToken, tokenFromEnvironment } from './service-config.ts'
import { jsonLog, type ServiceLog } from './service-log.ts'
import { removeStateFile, writeStateFile } from './state-file.ts'
import type { ModelLoaders } from './versions/load-version.ts'

/** Exit codes of `agent serve`; hosts rely on that of a taken port. */
const EXIT = { stopped: 0, failed: 1, wrongConfiguration: 2, portTaken: 3 } as const

/** A service that has begun to answer, and what the log says of it. */
interface StartedService {
  readonly service: RunningService
  readonly statePath: string
  readonly about: Readonly<Record<string, unknown>>
}

/**
 * `agent serve PATH`: serves until SIGTERM or SIGINT, then finishes what is in flight. PATH is the folder of a service, with versions that can be
 * changed while it runs (`src/contract/service.ts`), or a file that describes a service with one version. Writes its state file once it can answer
 * and removes it when it ends. A host that logs out (SIGHUP) does not end it.
 *
 * Standard output gets one line of JSON for each event; why it could not start goes to standard error as one line of JSON. EDGESMITH_TOKEN, where it
 * is set, is the access token; EDGESMITH_LISTEN_FD the number of an inherited listening socket.
 *
 * @param attached belongs to the process that started it: ends at once when its standard input ends
 * @returns the exit code: 0 stopped, 1 failed, 2 wrong configuration, 3 port taken
 */
export async function serveCommand(path: string, attached = false): Promise<number> {
  if (attached) void receiveRequest()
  process.on('SIGHUP', () => {})
  // A log that cannot be written (full disk, closed pipe) is no reason to stop answering.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const log = jsonLog((line) => process.stdout.write(line))
  const failures = jsonLog((line) => process.stderr.write(line))
  process.on('uncaughtException', (error) => {
    failures.error('crashed', { stack: error.stack ?? String(error) })
    process.exit(EXIT.failed)
  })
  try {
    const stop = stopSignal()
    const isFolder = (await stat(path).catch(() => null))?.isDirectory() ?? false
    const { service, statePath, about } = isFolder ? await serveFolder(new ServiceFolder(path), log) : await serveFile(path, log)
    const { port } = service
    process.on('exit', () => removeStateFile(statePath, process.pid))
    await writeStateFile(statePath, { pid: process.pid, port, startedAt: new Date().toISOString() })
    log.info('started', { ...about, pid: process.pid, port, agent: agentVersion })
    const signal = await stop
    log.info('stopping', { signal })
    await service.close()
    log.info('stopped', {})
    return EXIT.stopped
  } catch (error) {
    const { code, message, hint } = toErrorReport(error)
    failures.error('failed', { code, message, hint, ...(code === 'INTERNAL' && error instanceof Error ? { stack: error.stack } : {}) })
    if (error instanceof EdgesmithError && error.code === 'PORT_TAKEN') return EXIT.portTaken
    return error instanceof EdgesmithError && error.code === 'USAGE' ? EXIT.wrongConfiguration : EXIT.failed
  }
}

async function serveFolder(folder: ServiceFolder, log: ServiceLog): Promise<StartedService> {
  const settings = await folder.readSettings()
  const token = tokenFromEnvironment() ?? (await folder.readToken())
  const { startFolderService } = await import('./control/folder-service.ts')
  const loaders = await modelLoaders(log)
  const service = await startFolderService({ folder, settings, token, loaders, log, startLogThread, fd: inheritedSocket() })
  const about = { service: settings.service, version: service.controller.routing.current }
  return { service, statePath: folder.statePath, about }
}

async function serveFile(path: string, log: ServiceLog): Promise<StartedService> {
  const config = await readServiceConfig(path)
  const token = tokenFromEnvironment() ?? (await readToken(config.tokenPath))
  const secretPath = join(dirname(config.statePath), 'webhook-secret')
  const webhookSecret = config.retraining ? await readToken(secretPath) : null
  const loaders = await modelLoaders(log)
  const { startFileService } = await import('./file-service.ts')
  const service = await startFileService({ config, token, webhookSecret, loaders, log, startLogThread })
  const { service: name, modelName, modelSha256, version } = config
  return { service, statePath: config.statePath, about: { service: name, model: modelName, sha256: modelSha256, version } }
}

/** Loaded only here: a library the device lacks becomes a line in the log instead of a stack trace. */
async function modelLoaders(log: ServiceLog): Promise<ModelLoaders> {
  const { onnxRuntime, onnxRuntimeVersion } = await import('../../engine/runtimes/onnx-runtime.ts')
  const { loadPooledModel } = await import('./workers/pooled-model.ts')
  return {
    onThread: async (config) => onnxRuntime.load(await readServiceModel(config), { intraOpThreads: config.threads }),
    inWorkers: async ({ modelPath, modelSha256, threads, workers, version }) => {
      const onThreadEnd = (reason: string, pauseMs: number) => log.error('model-thread-ended', { version, reason, pauseMs })
      const model = await loadPooledModel({ modelPath, modelSha256, threads, workers, onThreadEnd })
      return { model, workers: model.workers, pool: model.state }
    },
    runtimeVersion: onnxRuntimeVersion,
    log,
  }
}

/** The thread of the prediction log is this program again. */
function startLogThread(options: WorkerOptions): Worker {
  const file = process.argv[1]
  if (file === undefined) throw new Error('the program does not know its file')
  return new Worker(file, { ...options, argv: ['prediction-log'] })
}

/** @throws EdgesmithError `USAGE` */
function inheritedSocket(): number | undefined {
  const text = process.env.EDGESMITH_LISTEN_FD
  if (text === undefined || text === '') return undefined
  if (/^[3-9]$/.test(text)) return Number(text)
  throw new EdgesmithError('USAGE', `EDGESMITH_LISTEN_FD must be the number of an open file from 3 to 9, found ${JSON.stringify(text)}.`)
}

/** Settles with the name of the first signal to stop; a second one ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(EXIT.failed)
        asked = true
        resolve(signal)
      })
    }
  })
}
