import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import { agentVersion } from '../agent-version.ts'
import { receiveRequest } from '../host-connection.ts'
import { readServiceConfig, readServiceModel, readToken } from './service-config.ts'
import { jsonLog } from './service-log.ts'
import { removeStateFile, writeStateFile } from './state-file.ts'

/** Exit codes of `agent serve`; hosts rely on that of a taken port. */
const EXIT = { stopped: 0, failed: 1, wrongConfiguration: 2, portTaken: 3 } as const

/**
 * `agent serve CONFIG`: serves until SIGTERM or SIGINT, then finishes what is in flight. Writes its state file once it can answer and
 * removes it when it ends. A host that logs out (SIGHUP) does not end it.
 *
 * Standard output gets one line of JSON for each event; why it could not start goes to standard error as one line of JSON.
 *
 * @param attached belongs to the process that started it: ends at once when its standard input ends
 * @returns the exit code: 0 stopped, 1 failed, 2 wrong configuration, 3 port taken
 */
export async function serveCommand(configPath: string, attached = false): Promise<number> {
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
    const config = await readServiceConfig(configPath)
    const token = await readToken(config.tokenPath)
    // Loaded only here: a library the device lacks becomes a line in the log instead of a stack trace.
    const { onnxRuntime, onnxRuntimeVersion } = await import('../../engine/runtimes/onnx-runtime.ts')
    const { startService } = await import('./service.ts')
    const stop = stopSignal()
    const service = await startService({
      config,
      token,
      readModel: () => readServiceModel(config),
      runtime: onnxRuntime,
      runtimeVersion: onnxRuntimeVersion,
      log,
    })
    const { port } = service
    process.on('exit', () => removeStateFile(config.statePath, process.pid))
    await writeStateFile(config.statePath, { pid: process.pid, port, startedAt: new Date().toISOString() })
    const { service: name, modelName, modelSha256, version } = config
    log.info('started', { service: name, pid: process.pid, port, model: modelName, sha256: modelSha256, version, agent: agentVersion })
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
