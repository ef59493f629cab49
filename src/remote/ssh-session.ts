import type { AgentCommand, AgentRequest, AgentResult } from '../contract/agent-protocol.ts'
import type { DeviceReport } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import type { BundleArchitecture } from './agent-bundle.ts'
import { type BringBundle, DeviceAgent } from './device-agent.ts'
import { refusalOf } from './device-checks.ts'
import { DeviceServices } from './device-services.ts'
import type { AgentNeeds, DeviceFile, DeviceSession, PushSummary, Services, Tunnel } from './device-session.ts'
import { DeviceStore } from './device-store.ts'
import type { AcceptedHostKey } from './host-key-check.ts'
import { type LinkReport, plainReport } from './link-report.ts'
import { readProbe } from './probe-report.ts'
import { probeScript } from './probe-script.ts'
import { runScript } from './remote-script.ts'
import { findServices } from './service-search.ts'
import { shownText } from './shown-text.ts'
import type { SshChannels } from './ssh-channels.ts'
import { connectSsh, type SshConnectionOptions } from './ssh-connect.ts'
import { SshLink, type SshLinkOptions } from './ssh-link.ts'
import { plainFile } from './store-file.ts'
import { type OnReading, streamTelemetry, TELEMETRY_EVERY_MS } from './telemetry-stream.ts'
import { openTunnel } from './tunnel.ts'

/** Folder below the home directory of the device; everything of Edgesmith is in it. */
const rootName = '.edgesmith'

export interface SshSessionOptions
  extends SshConnectionOptions,
    Pick<SshLinkOptions, 'onLink' | 'onLog' | 'giveUpAfterMs' | 'idleGiveUpAfterMs' | 'clock'> {
  /** The agent for an architecture; asked for when a device is prepared. */
  readonly bundle: BringBundle
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
  const link = await SshLink.open({ ...options, connect: () => connectSsh(options) })
  try {
    const { user, onLog } = options
    onLog?.(`Connected as ${user}@${link.place}; host key ${link.hostKey.fingerprint}`)
    return new RemoteSession(link, await findRoot(link), options)
  } catch (error) {
    link.close()
    options.onLink?.({ state: 'failed', attempts: 0, nextAttemptAt: null, error: plainReport(error) })
    throw error
  }
}

/** Absolute path of Edgesmith's folder on the device. */
async function findRoot(connection: SshChannels): Promise<string> {
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

class RemoteSession implements SshSession {
  readonly hostKey: AcceptedHostKey
  readonly services: Services
  readonly enginesFolder: string
  readonly #link: SshLink
  readonly #store: DeviceStore
  readonly #options: SshSessionOptions
  readonly #agent: DeviceAgent
  readonly #allServices: DeviceServices

  constructor(link: SshLink, root: string, options: SshSessionOptions) {
    this.#link = link
    this.#options = options
    this.#store = new DeviceStore(link, root)
    this.hostKey = link.hostKey
    this.enginesFolder = `${root}/engines`
    this.#agent = new DeviceAgent({
      link,
      root,
      store: this.#store,
      bundle: options.bundle,
      workspacePath: options.knownHostsPath,
      suitable: (signal) => this.#suitable(signal),
      say: (text) => options.onLog?.(text),
    })
    this.#allServices = new DeviceServices({
      machine: link.place,
      root,
      supervise: (wanted) => wanted,
      runtime: (needs, reporter, signal) => this.runtimeFor(needs, reporter, signal),
      store: (files, reporter, signal) => this.store(files, reporter, signal),
      change: (runtime, request, reporter, signal) => this.#agent.run(runtime, request, this.#saying(reporter), signal),
      ask: (runtime, request) => this.#agent.ask(runtime, request),
      logs: null,
      found: () => findServices(link, root),
    })
    this.services = this.#allServices
  }

  get closed(): boolean {
    return this.#link.closed
  }

  close(): void {
    this.#link.close()
  }

  probe(): Promise<DeviceReport> {
    return this.#probe(this.#link.impatient)
  }

  async #probe(channels: SshChannels, signal?: AbortSignal): Promise<DeviceReport> {
    const sentAtMs = Date.now()
    const { stdout } = await runScript(channels, probeScript(rootName), { maxOutputBytes: 1_000_000, signal })
    return readProbe(stdout, sentAtMs, Date.now())
  }

  async #suitable(signal: AbortSignal | undefined): Promise<BundleArchitecture> {
    const report = await this.#probe(this.#link, signal)
    const refusal = refusalOf(report, this.#link.place)
    if (refusal) throw refusal
    return report.architecture === 'arm64' ? 'arm64' : 'x64'
  }

  prepare(reporter: JobReporter, signal?: AbortSignal): Promise<PushSummary> {
    return this.#prepare({ images: false }, reporter, signal)
  }

  runtimeFor(needs: AgentNeeds, reporter: JobReporter, signal?: AbortSignal): Promise<string> {
    return this.#agent.runtime(needs, () => this.#prepare(needs, reporter, signal))
  }

  async #prepare(needs: AgentNeeds, reporter: JobReporter, signal: AbortSignal | undefined): Promise<PushSummary> {
    this.#report('preparing', null)
    try {
      const saying = this.#saying(reporter)
      const prepare = () => this.#agent.prepare(needs, saying, signal)
      const summary = await this.#link.persist(prepare, signal, () => this.#sayBroken(reporter))
      this.#report('ready', null)
      return summary
    } catch (error) {
      const wasCancelled = error instanceof EdgesmithError && error.code === 'JOB_CANCELLED'
      this.#report(wasCancelled ? 'ready' : 'failed', wasCancelled ? null : error)
      throw error
    }
  }

  async store(files: readonly DeviceFile[], reporter: JobReporter, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const bring = () => this.#store.bring(files.map(plainFile), this.#saying(reporter), signal)
    await this.#link.persist(bring, signal, () => this.#sayBroken(reporter))
    return new Map(files.map(({ sha256 }) => [sha256, this.#store.pathOf(sha256)]))
  }

  async runAgent<C extends AgentCommand>(
    request: Extract<AgentRequest, { command: C }>,
    reporter: JobReporter,
    signal?: AbortSignal,
  ): Promise<AgentResult<C>> {
    const runtime = await this.runtimeFor({ images: false }, reporter, signal)
    return this.#agent.run(runtime, request, this.#saying(reporter), signal)
  }

  tunnel(port: number): Promise<Tunnel> {
    return openTunnel(this.#link.impatient, port, this.#link.closing)
  }

  watchTelemetry(onReading: OnReading, signal: AbortSignal, intervalMs = TELEMETRY_EVERY_MS): Promise<void> {
    return streamTelemetry(this.#link.impatient, intervalMs, onReading, signal)
  }

  async removeEverything(): Promise<{ removedBytes: number }> {
    await this.#allServices.removeAll((text) => this.#options.onLog?.(text))
    this.#agent.forget()
    return { removedBytes: await this.#link.persist(() => this.#store.removeEverything()) }
  }

  /** What goes to a job's log goes to the device's log too. */
  #saying(reporter: JobReporter): JobReporter {
    return {
      progress: (progress) => reporter.progress(progress),
      log: (text) => {
        reporter.log(text)
        this.#options.onLog?.(text)
      },
    }
  }

  #sayBroken(reporter: JobReporter): void {
    reporter.log(`The link to ${this.#link.place} broke; it goes on as soon as there is one again`)
  }

  #report(state: LinkReport['state'], error: unknown): void {
    // While the link is down it reports for itself.
    if (!this.#link.up) return
    this.#options.onLink?.({ state, attempts: 0, nextAttemptAt: null, error: error === null ? null : plainReport(error) })
  }
}
