import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cleanEnvironment } from '../../platform/clean-environment.ts'
import { readIfThere } from '../../platform/read-file.ts'
import type { Launch } from './launch.ts'
import type { SupervisedLog } from './supervised-log.ts'

/** Loading a model of gigabytes from an SD card takes a while; nothing healthy takes longer. */
const readyTimeoutMs = 180_000
/** Requests in flight get this long to finish; the serving process itself gives up sooner. */
const drainTimeoutMs = 40_000
const pollMs = 50

/** How a serving process ended; `code` null for a signal. */
export interface ServingEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One serving process. */
export class ServingChild {
  readonly pid: number | null
  readonly startedAt = performance.now()
  readonly ended: Promise<ServingEnd>
  readonly #child: ChildProcess
  readonly #folder: string
  #end: ServingEnd | null = null

  /** @param fd of the listening socket; null lets the process open its own */
  constructor(folder: string, launch: Launch, fd: number | null, log: SupervisedLog) {
    this.#folder = folder
    const logFd = log.open()
    const output = logFd ?? 'ignore'
    this.#child = spawn(launch.node, [launch.agent, 'serve', folder], {
      cwd: folder,
      env: { ...cleanEnvironment(), ...(fd === null ? {} : { EDGESMITH_LISTEN_FD: '3' }) },
      // It goes on serving when its supervisor is killed.
      detached: true,
      stdio: ['ignore', output, output, ...(fd === null ? [] : [fd])],
      windowsHide: true,
    })
    if (logFd !== null) closeSync(logFd)
    this.pid = this.#child.pid ?? null
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#end ??= { code, signal }
        resolve(this.#end)
      }
      this.#child.once('error', (error) => {
        log.say('error', 'failed', { code: 'INTERNAL', message: `The serving process could not be started: ${error.message}` })
        end(1, null)
      })
      this.#child.once('exit', end)
    })
  }

  get end(): ServingEnd | null {
    return this.#end
  }

  /** Waits until the process says in `state.json` that it serves; false when it ended or takes too long. */
  async becomesReady(isUnwanted: () => boolean): Promise<boolean> {
    const path = join(this.#folder, 'state.json')
    for (let waited = 0; waited < readyTimeoutMs && this.#end === null && !isUnwanted(); waited += pollMs) {
      if (await isStateOf(path, this.pid)) return true
      await delay(pollMs)
    }
    return false
  }

  /** Asks it to finish and end, and kills it where it does not. */
  async finish(): Promise<void> {
    if (this.#end !== null) return
    this.#child.kill('SIGTERM')
    const cut = setTimeout(() => this.#child.kill('SIGKILL'), drainTimeoutMs)
    await this.ended
    clearTimeout(cut)
  }
}

async function isStateOf(path: string, pid: number | null): Promise<boolean> {
  try {
    return JSON.parse((await readIfThere(path, 100_000)) ?? '{}').pid === pid
  } catch {
    return false
  }
}
