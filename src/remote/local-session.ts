import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, link, mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentCommand, AgentRequest, AgentResult } from '../contract/agent-protocol.ts'
import { type DeviceReport, LOCAL_DEVICE_NAME } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { throwIfCancelled } from '../platform/cancellation.ts'
import { sha256OfFile } from '../platform/file-hash.ts'
import { commandLineOf, signalProcess } from '../platform/processes.ts'
import { driveAgent } from './agent-run.ts'
import { refusalOf } from './device-checks.ts'
import { DeviceServices } from './device-services.ts'
import type { AgentNeeds, DeviceFile, DeviceSession, PushSummary, Services, Tunnel } from './device-session.ts'
import { startProcess } from './local-process.ts'
import { localReport } from './local-report.ts'
import { endLocalServices, findLocalServices, readLocalLog } from './local-services.ts'
import { shownText } from './shown-text.ts'
import { type OnReading, TELEMETRY_EVERY_MS, watchThisComputer } from './telemetry-stream.ts'

export interface LocalSessionOptions {
  /** Folder for files and services; made when needed. */
  readonly root: string
  /** The built agent with its native files beside it (`out/agent`); it is run in place. */
  readonly agentFolder: string
  /** Node 22. */
  readonly nodePath: string
}

/** This computer as a device: the same agent and the same services, without SSH. */
export function openLocalSession(options: LocalSessionOptions): DeviceSession {
  return new LocalSession(options)
}

const silent: JobReporter = { progress: () => undefined, log: () => undefined }

class LocalSession implements DeviceSession {
  readonly services: Services
  readonly enginesFolder: string
  closed = false
  readonly #options: LocalSessionOptions
  readonly #allServices: DeviceServices
  readonly #checked = new Set<string>()

  constructor(options: LocalSessionOptions) {
    this.#options = options
    this.enginesFolder = join(options.root, 'engines')
    this.#allServices = new DeviceServices({
      machine: LOCAL_DEVICE_NAME,
      root: options.root,
      // Nobody wants units and cron lines on the computer he works at, out of a folder that may be a clone; asked for, a system unit is made.
      supervise: (wanted) => (wanted === 'auto' ? 'process' : wanted),
      runtime: (needs, reporter, signal) => this.runtimeFor(needs, reporter, signal),
      store: (files, reporter, signal) => this.store(files, reporter, signal),
      change: (_runtime, request, reporter, signal) => this.runAgent(request, reporter, signal),
      ask: (_runtime, request) => this.runAgent(request, silent),
      logs: (service, lines) => readLocalLog(options.root, service, lines),
      found: async () => ({
        services: await findLocalServices(options.root),
        runtime: existsSync(join(options.agentFolder, 'agent.cjs')) ? options.agentFolder : null,
      }),
    })
    this.services = this.#allServices
  }

  close(): void {
    this.closed = true
  }

  async probe(): Promise<DeviceReport> {
    return localReport(this.#options.root)
  }

  async prepare(reporter: JobReporter, signal?: AbortSignal): Promise<PushSummary> {
    const startedAt = performance.now()
    const refusal = refusalOf(await this.probe(), LOCAL_DEVICE_NAME)
    if (refusal) throw refusal
    reporter.progress({ phase: 'self-test of the agent', done: 0, total: null, unit: 'steps' })
    const test = await this.runAgent({ command: 'self-test' }, reporter, signal)
    return { sentBytes: 0, sentFiles: 0, totalBytes: 0, durationMs: performance.now() - startedAt, agentVersion: test.edgesmithVersion }
  }

  /** The agent here finds the image library in the program's own packages. */
  async runtimeFor(_needs: AgentNeeds, _reporter: JobReporter, signal?: AbortSignal): Promise<string> {
    throwIfCancelled(signal)
    return this.#agentFolder()
  }

  /** Hard links where the file system allows it: a service must keep its model when the workspace drops it. */
  async store(files: readonly DeviceFile[], reporter: JobReporter, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const folder = join(this.#options.root, 'blobs')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const paths = new Map<string, string>()
    for (const [index, file] of files.entries()) {
      throwIfCancelled(signal)
      const path = join(folder, file.sha256)
      if (!this.#checked.has(file.sha256) || !existsSync(path)) {
        reporter.progress({ phase: 'keeping files', done: index, total: files.length, unit: 'files' })
        if ((await sha256OfFile(path).catch(() => null)) !== file.sha256) await keep(file, path)
        this.#checked.add(file.sha256)
      }
      paths.set(file.sha256, path)
    }
    return paths
  }

  async runAgent<C extends AgentCommand>(
    request: Extract<AgentRequest, { command: C }>,
    reporter: JobReporter,
    signal?: AbortSignal,
  ): Promise<AgentResult<C>> {
    throwIfCancelled(signal)
    const folder = this.#agentFolder()
    const agentPath = join(folder, 'agent.cjs')
    const agent = startProcess(this.#options.nodePath, [agentPath, 'run'], folder)
    const host = {
      place: LOCAL_DEVICE_NAME,
      kill: async (pid: number) => {
        if ((await commandLineOf(pid)).includes(agentPath)) signalProcess(pid, 'SIGKILL')
      },
      lost: () => new EdgesmithError('CONNECTION_LOST', 'The agent on this computer cannot be reached any more'),
    }
    return driveAgent(agent, request, host, reporter, signal)
  }

  async tunnel(port: number): Promise<Tunnel> {
    return { port, close: () => undefined }
  }

  watchTelemetry(onReading: OnReading, signal: AbortSignal, intervalMs = TELEMETRY_EVERY_MS): Promise<void> {
    return watchThisComputer(intervalMs, onReading, signal)
  }

  async removeEverything(): Promise<{ removedBytes: number }> {
    const { root } = this.#options
    await this.#allServices.removeAll(() => undefined)
    await endLocalServices(root)
    const removedBytes = await sizeOf(root)
    for (const name of ['blobs', 'services', 'engines']) await rm(join(root, name), { recursive: true, force: true, maxRetries: 5 })
    await rmdir(root).catch(() => undefined)
    this.#checked.clear()
    return { removedBytes }
  }

  #agentFolder(): string {
    const { agentFolder } = this.#options
    if (existsSync(join(agentFolder, 'agent.cjs'))) return agentFolder
    throw new EdgesmithError('FILE_NOT_FOUND', `The agent is not built: ${join(agentFolder, 'agent.cjs')} is missing`, {
      hint: 'Build it: npm run build',
    })
  }
}

/** Links or copies a file to its place, and checks that it is the one that was meant. */
async function keep(file: DeviceFile, path: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.part`
  try {
    await link(file.path, temporary).catch(() => copyFile(file.path, temporary))
    const found = await sha256OfFile(temporary)
    if (found !== file.sha256) {
      throw new EdgesmithError(
        'FILE_UNREADABLE',
        `${shownText(file.path)} is not the file it was: ${found.slice(0, 12)} instead of ${file.sha256.slice(0, 12)}`,
        {
          hint: 'The workspace may be damaged. Import the model again.',
        },
      )
    }
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function sizeOf(path: string): Promise<number> {
  const names = await readdir(path, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(path, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
