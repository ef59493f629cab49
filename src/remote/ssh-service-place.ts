import { type ServiceState, serviceStateSchema } from '../contract/agent-protocol.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { serviceNameSchema } from '../contract/names.ts'
import { runScript, type ScriptOptions } from './remote-script.ts'
import {
  type LockHolder,
  type ReleaseFiles,
  type ReleasePaths,
  type ReleaseView,
  type ServicePlace,
  type ServiceView,
  type StartOutcome,
  startTimeoutSeconds,
  stopTimeoutSeconds,
} from './service-place.ts'
import * as scripts from './service-scripts.ts'
import { shownLines, shownText } from './shown-text.ts'
import type { SshChannels } from './ssh-channels.ts'

/** Stopping one, starting another, and starting the first again, each up to its limit; then some for a slow board. */
const startScriptTimeoutMs = (stopTimeoutSeconds + 2 * startTimeoutSeconds + 30) * 1000
/** 5,000 lines of 400 characters. */
const largestLogAnswer = 2_000_000

/** Services on a device, kept by scripts over SSH. */
export class SshServicePlace implements ServicePlace {
  readonly #connection: SshChannels
  readonly #root: string

  constructor(connection: SshChannels, root: string) {
    this.#connection = connection
    this.#root = root
  }

  get machine(): string {
    return this.#connection.place
  }

  paths(service: string, release: string): ReleasePaths {
    const folder = `${this.#root}/services/${service}`
    return { tokenPath: `${folder}/token`, statePath: `${folder}/releases/${release}/state.json` }
  }

  async lock(service: string, owner: string, stealFrom: string | null): Promise<LockHolder | null> {
    const answer = await this.#run(scripts.lockScript(this.#root, service, owner, stealFrom))
    if (/^locked=yes$/m.test(answer)) return null
    const held = /^held=(-?\d{1,12}) (.*)$/m.exec(answer)
    return { owner: shownText(held?.[2] ?? ''), ageSeconds: Number(held?.[1] ?? 0) }
  }

  async unlock(service: string, owner: string): Promise<void> {
    await this.#run(scripts.unlockScript(this.#root, service, owner))
  }

  async look(service: string): Promise<ServiceView | null> {
    const answer = await this.#run(scripts.lookScript(this.#root, service))
    if (/^none=yes$/m.test(answer)) return null
    const states = new Map([...answer.matchAll(/^state=(\S+) (.*)$/gm)].map(([, release = '', json = '']) => [release, readState(json)]))
    const view = (release: string, pid: number | null, rssBytes: number | null): ReleaseView => ({
      release,
      pid,
      rssBytes,
      state: pid === null ? null : (states.get(release) ?? null),
    })
    const running = [...answer.matchAll(/^running=(\S+) (\d{1,10}) *\t? *(?:(\d{1,12}) kB)?/gm)].map(([, release = '', pid, rss]) =>
      view(release, Number(pid), rss === undefined ? null : Number(rss) * 1024),
    )
    const halted = [...answer.matchAll(/^halted=(\S+)$/gm)].map(([, release = '']) => view(release, null, null))
    return {
      current: /^current=(\S+)$/m.exec(answer)?.[1] ?? null,
      stopped: /^stopped=yes$/m.test(answer),
      releases: [...running, ...halted],
      nowMs: Number(/^now=(\d{1,12})$/m.exec(answer)?.[1] ?? 0) * 1000,
    }
  }

  async write(service: string, release: string, files: ReleaseFiles): Promise<void> {
    await this.#run(scripts.writeScript(this.#root, service, release, files.runtime), { stdin: `${files.token}\n${files.config}` })
  }

  async start(service: string, release: string, insteadOf: string | null): Promise<StartOutcome> {
    const answer = await this.#run(scripts.startScript(this.#root, service, release, insteadOf), { timeoutMs: startScriptTimeoutMs })
    const json = /^state=\S+ (.*)$/m.exec(answer)?.[1]
    return {
      state: /^started=yes$/m.test(answer) && json ? readState(json) : null,
      log: shownLines(/^log=\n([\s\S]*?)\n?^endlog=$/m.exec(answer)?.[1] ?? '', 100),
      restored: /^restored=yes$/m.test(answer),
    }
  }

  async setCurrent(service: string, release: string): Promise<void> {
    await this.#run(scripts.setCurrentScript(this.#root, service, release))
  }

  async stop(service: string, releases: readonly string[], byUser: boolean): Promise<void> {
    const timeoutMs = (stopTimeoutSeconds + 5) * 1000 * releases.length + 10_000
    await this.#run(scripts.stopScript(this.#root, service, releases, byUser), { timeoutMs })
  }

  async prune(service: string, keep: readonly string[]): Promise<void> {
    await this.#run(scripts.pruneScript(this.#root, service, keep))
  }

  async readLog(service: string, release: string, lines: number): Promise<string> {
    const answer = await this.#run(scripts.readLogScript(this.#root, service, release, lines, largestLogAnswer))
    return shownLines(answer, lines)
  }

  async readToken(service: string): Promise<string | null> {
    const answer = await this.#run(scripts.readTokenScript(this.#root, service))
    return /^token=([\x21-\x7e]{16,256})$/m.exec(answer)?.[1] ?? null
  }

  async remove(service: string): Promise<void> {
    await this.#run(scripts.removeScript(this.#root, service))
  }

  async list(): Promise<readonly string[]> {
    const answer = await this.#run(scripts.listScript(this.#root))
    return [...answer.matchAll(/^service=(.*)$/gm)].map(([, name = '']) => name).filter((name) => serviceNameSchema.safeParse(name).success)
  }

  async #run(script: string, options?: ScriptOptions): Promise<string> {
    const result = await runScript(this.#connection, script, options)
    if (result.end.exitCode === 0) return result.stdout
    const full = /No space left|[Dd]isk quota exceeded/.test(result.stderr)
    throw new EdgesmithError(
      full ? 'DEVICE_NO_SPACE' : 'DEVICE_COMMAND_FAILED',
      full
        ? `Not enough free disk on ${this.machine}`
        : `${this.machine}: ${shownText(result.stderr) || `exit code ${result.end.exitCode}`}`,
      full ? { hint: 'Free some space on the device, for example: sudo apt-get clean' } : {},
    )
  }
}

/** What a service wrote about itself; null when it is anything else. */
export function readState(json: string): ServiceState | null {
  try {
    const state = serviceStateSchema.safeParse(JSON.parse(json))
    return state.success && state.data.port >= 1 && state.data.port <= 65_535 ? state.data : null
  } catch {
    return null
  }
}
