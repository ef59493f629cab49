import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LOCAL_DEVICE_NAME } from '../contract/device.ts'
import { serviceNameSchema } from '../contract/names.ts'
import { agentEnvironment, commandLineOf, residentBytesOf, signalProcess } from './local-process.ts'
import {
  failureLogLines,
  type LockHolder,
  largestLogBytes,
  type ReleaseFiles,
  type ReleasePaths,
  type ReleaseView,
  type ServicePlace,
  type ServiceView,
  type StartOutcome,
  startTimeoutSeconds,
  stopTimeoutSeconds,
} from './service-place.ts'
import { shownLines } from './shown-text.ts'
import { readState } from './ssh-service-place.ts'

const pollMs = 50

/** Services on this computer: the same layout below a folder of our own, kept by Node. Works on every system Node runs on. */
export class LocalServicePlace implements ServicePlace {
  readonly machine = LOCAL_DEVICE_NAME
  readonly #root: string
  readonly #nodePath: string

  /** @param root folder that holds `services/` */
  constructor(root: string, nodePath: string) {
    this.#root = root
    this.#nodePath = nodePath
  }

  paths(service: string, release: string): ReleasePaths {
    return { tokenPath: join(this.#service(service), 'token'), statePath: join(this.#release(service, release), 'state.json') }
  }

  async lock(service: string, owner: string, stealFrom: string | null): Promise<LockHolder | null> {
    await mkdir(join(this.#service(service), 'releases'), { recursive: true, mode: 0o700 })
    const lock = join(this.#service(service), 'lock')
    const take = async () => {
      try {
        await mkdir(lock)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      }
      await writeFile(join(lock, 'owner'), `${owner}\n`)
      return true
    }
    if (await take()) return null
    const held = (await readLine(join(lock, 'owner'))) ?? ''
    if (stealFrom !== null && held === stealFrom) {
      const aside = `${lock}.${randomBytes(4).toString('hex')}`
      // Of two that steal at once only one can move it away.
      const moved = await rename(lock, aside).then(
        () => true,
        () => false,
      )
      if (moved) await rm(aside, { recursive: true, force: true })
      if (moved && (await take())) return null
    }
    const since = await stat(lock).then(
      (found) => found.mtimeMs,
      () => Date.now(),
    )
    return { owner: held, ageSeconds: Math.round((Date.now() - since) / 1000) }
  }

  async unlock(service: string, owner: string): Promise<void> {
    const lock = join(this.#service(service), 'lock')
    if ((await readLine(join(lock, 'owner'))) === owner) await rm(lock, { recursive: true, force: true })
    // A service that was only locked and never written leaves nothing.
    await rmdir(join(this.#service(service), 'releases')).catch(() => undefined)
    await rmdir(this.#service(service)).catch(() => undefined)
  }

  async look(service: string): Promise<ServiceView | null> {
    const folder = this.#service(service)
    const names = await readdir(join(folder, 'releases')).catch(() => null)
    if (names === null) return null
    return {
      current: await readLine(join(folder, 'current')),
      stopped: existsSync(join(folder, 'stopped')),
      releases: await Promise.all(names.map((name) => this.#view(service, name))),
      nowMs: Date.now(),
    }
  }

  async #view(service: string, release: string): Promise<ReleaseView> {
    const pid = await this.#pid(service, release)
    if (pid === null) return { release, pid, rssBytes: null, state: null }
    return { release, pid, rssBytes: await residentBytesOf(pid), state: await this.#state(service, release) }
  }

  async write(service: string, release: string, files: ReleaseFiles): Promise<void> {
    const folder = this.#release(service, release)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const tokenPath = join(this.#service(service), 'token')
    if (!existsSync(tokenPath)) await replaceFile(tokenPath, `${files.token}\n`)
    await replaceFile(join(folder, 'config.json'), files.config)
    await replaceFile(join(folder, 'runtime'), `${files.runtime}\n`)
  }

  async start(service: string, release: string, insteadOf: string | null): Promise<StartOutcome> {
    if (insteadOf !== null) await this.#stopRelease(service, insteadOf)
    if (await this.#startRelease(service, release)) {
      await rm(join(this.#service(service), 'stopped'), { force: true })
      if (insteadOf !== null) await this.setCurrent(service, release)
      return { state: await this.#state(service, release), log: '', restored: false }
    }
    const log = await this.readLog(service, release, failureLogLines)
    const restored = insteadOf !== null && insteadOf !== release && (await this.#startRelease(service, insteadOf))
    return { state: null, log, restored }
  }

  async #startRelease(service: string, release: string): Promise<boolean> {
    const folder = this.#release(service, release)
    const statePath = join(folder, 'state.json')
    const logPath = join(folder, 'log')
    await rm(statePath, { force: true })
    const logBytes = await stat(logPath).then(
      (found) => found.size,
      () => 0,
    )
    if (logBytes > largestLogBytes) await rename(logPath, join(folder, 'log.1'))
    const runtime = await readLine(join(folder, 'runtime'))
    const log = await open(logPath, 'a', 0o600)
    let over = false
    try {
      const args = [join(runtime ?? '', 'agent.cjs'), 'serve', join(folder, 'config.json')]
      const stdio = ['ignore', log.fd, log.fd] as const
      const child = spawn(this.#nodePath, args, {
        cwd: folder,
        env: agentEnvironment(),
        detached: true,
        stdio: [...stdio],
        windowsHide: true,
      })
      child.once('exit', () => {
        over = true
      })
      child.once('error', (error) => {
        over = true
        void writeFile(logPath, `${error.message}\n`, { flag: 'a' })
      })
      // It outlives us.
      child.unref()
      if (child.pid !== undefined) await replaceFile(join(folder, 'pid'), `${child.pid}\n`)
    } finally {
      await log.close()
    }
    for (let waited = 0; waited < startTimeoutSeconds * 1000; waited += pollMs) {
      if ((await this.#state(service, release)) !== null) return true
      if (over) break
      await delay(pollMs)
    }
    if (!over) await writeFile(logPath, `it did not listen within ${startTimeoutSeconds} s\n`, { flag: 'a' })
    await this.#stopRelease(service, release)
    return false
  }

  async setCurrent(service: string, release: string): Promise<void> {
    await replaceFile(join(this.#service(service), 'current'), `${release}\n`)
  }

  async stop(service: string, releases: readonly string[], byUser: boolean): Promise<void> {
    if (byUser) await writeFile(join(this.#service(service), 'stopped'), '')
    for (const release of releases) await this.#stopRelease(service, release)
  }

  async #stopRelease(service: string, release: string): Promise<void> {
    for (const [signal, seconds] of [
      ['SIGTERM', stopTimeoutSeconds],
      ['SIGKILL', 2],
    ] as const) {
      const pid = await this.#pid(service, release)
      if (pid === null) break
      signalProcess(pid, signal)
      for (let waited = 0; waited < seconds * 1000 && (await this.#pid(service, release)) !== null; waited += pollMs) await delay(pollMs)
    }
    const folder = this.#release(service, release)
    await rm(join(folder, 'pid'), { force: true })
    await rm(join(folder, 'state.json'), { force: true })
  }

  async prune(service: string, keep: readonly string[]): Promise<void> {
    const folder = join(this.#service(service), 'releases')
    for (const name of await readdir(folder)) {
      if (!keep.includes(name) && (await this.#pid(service, name)) === null) await rm(join(folder, name), { recursive: true, force: true })
    }
  }

  async readLog(service: string, release: string, lines: number): Promise<string> {
    const folder = this.#release(service, release)
    const parts = await Promise.all(['log.1', 'log'].map((name) => readFile(join(folder, name), 'utf8').catch(() => '')))
    return shownLines(parts.join(''), lines)
  }

  async readToken(service: string): Promise<string | null> {
    return readLine(join(this.#service(service), 'token'))
  }

  async remove(service: string): Promise<void> {
    await rm(this.#service(service), { recursive: true, force: true, maxRetries: 5 })
  }

  async list(): Promise<readonly string[]> {
    const names = await readdir(join(this.#root, 'services')).catch(() => [])
    return names.filter((name) => serviceNameSchema.safeParse(name).success)
  }

  #service(service: string): string {
    return join(this.#root, 'services', service)
  }

  #release(service: string, release: string): string {
    return join(this.#service(service), 'releases', release)
  }

  async #pid(service: string, release: string): Promise<number | null> {
    const folder = this.#release(service, release)
    const pid = Number(await readLine(join(folder, 'pid')))
    if (!Number.isSafeInteger(pid) || pid <= 1) return null
    return (await commandLineOf(pid)).includes(join(folder, 'config.json')) ? pid : null
  }

  async #state(service: string, release: string) {
    return readState(await readFile(join(this.#release(service, release), 'state.json'), 'utf8').catch(() => ''))
  }
}

async function readLine(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n', 1)[0] || null
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
