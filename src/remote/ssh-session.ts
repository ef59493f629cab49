import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { AgentCommand, AgentRequest, AgentResult } from '../contract/agent-protocol.ts'
import type { DeviceReport } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import type { AgentBundle, BundleArchitecture, BundleFile } from './agent-bundle.ts'
import { type AgentHost, driveAgent } from './agent-run.ts'
import { cancelled, throwIfCancelled } from './cancellation.ts'
import { refusalOf } from './device-checks.ts'
import { DeviceServices } from './device-services.ts'
import type { DeviceFile, DeviceSession, PushSummary, Services, Tunnel } from './device-session.ts'
import { DeviceStore, type StoreFile } from './device-store.ts'
import { killAgentScript } from './device-store-scripts.ts'
import type { AcceptedHostKey } from './host-key-check.ts'
import { readProbe } from './probe-report.ts'
import { probeScript } from './probe-script.ts'
import { noShell, runScript, startScript } from './remote-script.ts'
import { shellQuote } from './shell-quote.ts'
import { shownText } from './shown-text.ts'
import { connectSsh, type SshConnectionOptions } from './ssh-connect.ts'
import type { SshConnection } from './ssh-connection.ts'
import { SshServicePlace } from './ssh-service-place.ts'
import { openTunnel, portAnswers } from './tunnel.ts'

/** Folder below the home directory of the device; everything of Edgesmith is in it. */
const rootName = '.edgesmith'
/** What `agentScript` exits with when the agent is not there. */
const noAgentExit = 90
/** Larger pieces than a stream's own 64 kB halve the time the sending takes here. */
const pieceBytes = 262_144

export interface SshSessionOptions extends SshConnectionOptions {
  /** The agent for an architecture; asked for when a device is prepared. */
  readonly bundle: (architecture: BundleArchitecture, reporter: JobReporter, signal?: AbortSignal) => Promise<AgentBundle>
}

/** A session with a device, and the host key it was opened with. */
export interface SshSession extends DeviceSession {
  readonly hostKey: AcceptedHostKey
}

/**
 * Logs in to a device.
 * @throws EdgesmithError DEVICE_UNREACHABLE, HOST_KEY_UNKNOWN (details.fingerprint), HOST_KEY_CHANGED, HOST_KEY_MISMATCH,
 *   DEVICE_AUTH_FAILED, KEY_UNREADABLE, DEVICE_UNSUPPORTED (no shell for this user)
 */
export async function openSshSession(options: SshSessionOptions): Promise<SshSession> {
  const connection = await connectSsh(options)
  try {
    return new RemoteSession(connection, await findRoot(connection), options.bundle)
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Absolute path of Edgesmith's folder on the device. */
async function findRoot(connection: SshConnection): Promise<string> {
  const { stdout } = await runScript(connection, 'cd "$HOME" 2>/dev/null && printf "home=%s\\n" "$(pwd -P)"')
  const home = /^home=(\/.*)$/m.exec(stdout)?.[1]
  // Paths go into configuration files and messages there: nothing that could not be shown.
  if (home === undefined || home.length > 1000 || shownText(home, 2000) !== home) {
    throw new EdgesmithError('FILE_NOT_WRITABLE', `The user has no usable home directory on ${connection.place}`, {
      hint: 'Give the user a home directory, and a HOME variable that names it.',
    })
  }
  return `${home === '/' ? '' : home}/${rootName}`
}

/** Becomes the agent, whose standard input and output are those of the session. */
function agentScript(runtime: string): string {
  return `run=${shellQuote(runtime)}
[ -f "$run/manifest.json" ] && cd "$run" || exit ${noAgentExit}
exec "$run/node" "$run/agent.cjs" run
`
}

class RemoteSession implements SshSession {
  readonly hostKey: AcceptedHostKey
  readonly services: Services
  readonly #connection: SshConnection
  readonly #store: DeviceStore
  readonly #bundle: SshSessionOptions['bundle']
  readonly #allServices: DeviceServices
  #runtime: string | null = null

  constructor(connection: SshConnection, root: string, bundle: SshSessionOptions['bundle']) {
    this.#connection = connection
    this.#bundle = bundle
    this.#store = new DeviceStore(connection, root)
    this.hostKey = connection.hostKey
    this.#allServices = new DeviceServices({
      place: new SshServicePlace(connection, root),
      runtime: (reporter, signal) => this.#preparedRuntime(reporter, signal),
      store: (files, reporter, signal) => this.store(files, reporter, signal),
      tunnel: (port) => this.tunnel(port),
      answers: (port) => portAnswers(connection, port),
    })
    this.services = this.#allServices
  }

  get closed(): boolean {
    return this.#connection.closed
  }

  close(): void {
    this.#connection.close()
  }

  async probe(): Promise<DeviceReport> {
    const sentAtMs = Date.now()
    const { stdout } = await runScript(this.#connection, probeScript(rootName), { maxOutputBytes: 1_000_000 })
    return readProbe(stdout, sentAtMs, Date.now())
  }

  async prepare(reporter: JobReporter, signal?: AbortSignal): Promise<PushSummary> {
    const startedAt = performance.now()
    throwIfCancelled(signal)
    reporter.progress({ phase: 'looking at the device', done: 0, total: null, unit: 'steps' })
    const report = await this.probe()
    const refusal = refusalOf(report, this.#connection.place)
    if (refusal) throw refusal
    const bundle = await this.#bundle(report.architecture === 'arm64' ? 'arm64' : 'x64', reporter, signal)
    const sent = await this.#store.bring(bundle.files.map(bundledFile), reporter, signal).catch(async (error) => {
      await discardDamaged(bundle, error)
      throw error
    })
    const runtime = await this.#store.linkRuntime(bundle.id, bundle.files)
    reporter.progress({ phase: 'self-test of the agent', done: 0, total: null, unit: 'steps' })
    const test = await this.#run(runtime, { command: 'self-test' }, reporter, signal)
    reporter.log(
      `The agent ${test.edgesmithVersion} runs there: Node ${test.nodeVersion}, ONNX Runtime ${test.onnxRuntimeVersion}, ${test.architecture}`,
    )
    this.#runtime = runtime
    return {
      sentBytes: sent.bytes,
      sentFiles: sent.files,
      totalBytes: bundle.totalBytes,
      durationMs: performance.now() - startedAt,
      agentVersion: shownText(test.edgesmithVersion, 60),
    }
  }

  async store(files: readonly DeviceFile[], reporter: JobReporter, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    await this.#store.bring(files.map(plainFile), reporter, signal)
    return new Map(files.map(({ sha256 }) => [sha256, this.#store.pathOf(sha256)]))
  }

  async runAgent<C extends AgentCommand>(
    request: Extract<AgentRequest, { command: C }>,
    reporter: JobReporter,
    signal?: AbortSignal,
  ): Promise<AgentResult<C>> {
    return this.#run(await this.#preparedRuntime(reporter, signal), request, reporter, signal)
  }

  async #preparedRuntime(reporter: JobReporter, signal: AbortSignal | undefined): Promise<string> {
    if (this.#runtime === null) await this.prepare(reporter, signal)
    if (this.#runtime === null) throw new Error('prepared without a runtime')
    return this.#runtime
  }

  async #run<C extends AgentCommand>(
    runtime: string,
    request: Extract<AgentRequest, { command: C }>,
    reporter: JobReporter,
    signal: AbortSignal | undefined,
  ): Promise<AgentResult<C>> {
    throwIfCancelled(signal)
    const script = await startScript(this.#connection, agentScript(runtime))
    const host: AgentHost = {
      place: this.#connection.place,
      kill: async (pid) => {
        await runScript(this.#connection, killAgentScript(runtime, pid), { urgent: true })
      },
      lost: () => this.#connection.lost(),
    }
    try {
      return await driveAgent(script, request, host, reporter, signal)
    } catch (error) {
      const end = await script.ended
      if (signal?.aborted) throw cancelled()
      if (!end.connectionLost && !script.started()) throw noShell(this.#connection, script, '')
      if (end.exitCode !== noAgentExit) throw error
      this.#runtime = null
      throw new EdgesmithError('DEVICE_COMMAND_FAILED', `The agent is not on ${this.#connection.place} any more`, {
        hint: 'Prepare the device again; somebody removed it meanwhile.',
      })
    }
  }

  tunnel(port: number): Promise<Tunnel> {
    return openTunnel(this.#connection, port)
  }

  async removeEverything(): Promise<{ removedBytes: number }> {
    await this.#allServices.removeAll()
    this.#runtime = null
    return { removedBytes: await this.#store.removeEverything() }
  }
}

function bundledFile({ name, sha256, sizeBytes, executable, gzipPath, gzipBytes }: BundleFile): StoreFile {
  const openGzip = () => createReadStream(gzipPath, { highWaterMark: pieceBytes })
  const unpack = async function* (): AsyncGenerator<Buffer, void> {
    const plain = createGunzip({ chunkSize: pieceBytes })
    pipeline(openGzip(), plain, () => undefined)
    try {
      yield* plain as AsyncIterable<Buffer>
    } catch (error) {
      if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
      throw new EdgesmithError('BUNDLE_CORRUPT', `${name} in the cache of this computer is damaged`, {
        hint: 'Start again: it is made anew.',
        details: { sha256 },
      })
    }
  }
  return { sha256, sizeBytes, executable, gzipBytes, openGzip, open: () => Readable.from(unpack(), { objectMode: false }) }
}

/** Models and datasets go as they are: weights hardly shrink, and compressing them would take longer than sending them. */
function plainFile({ sha256, sizeBytes, path }: DeviceFile): StoreFile {
  const open = () => createReadStream(path, { highWaterMark: pieceBytes })
  return { sha256, sizeBytes, executable: false, gzipBytes: null, open, openGzip: open }
}

/** A file whose compressed form here is damaged would fail every time: the next push makes it anew. */
async function discardDamaged(bundle: AgentBundle, error: unknown): Promise<void> {
  if (!(error instanceof EdgesmithError) || error.code !== 'BUNDLE_CORRUPT') return
  const file = bundle.files.find(({ sha256 }) => sha256 === error.details?.sha256)
  if (file) await rm(file.gzipPath, { force: true })
}
