import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type DetachedRunEntry, detachedRunSchema, type RunOwner, runOwnerSchema } from '../contract/detached-run.ts'
import { readBootId } from '../platform/boot-id.ts'
import { commandLineOf, signalProcess } from '../platform/processes.ts'

/** How long a worker may take to end by itself when it is told to: what must be tidied takes no longer. */
const graceMs = 300
/** A killed process is gone at once, unless it waits for a disk. */
const killedMs = 3000
/** From the end of the worker to its exit code in the file. */
const recordingMs = 1000
const pollMs = 20
/** From the making of its folder to the number of its process, a slow board takes a second. */
const startingMs = 15_000
const unfinishedMs = 3_600_000
const metPrefix = 'met-'
/** Together with the runs beside it no more than a frame may name. */
const mostMet = 100
const mostBeside = 900

/** How a worker ended. Both null: nobody saw it. */
export interface JobEnd {
  readonly exitCode: number | null
  readonly signal: string | null
}

/**
 * Watches over the worker with a megabyte of memory: only a parent learns by which signal a process ended. `exit` was made before, so that
 * writing to it works on a full disk too. Last it ends what the worker left in their common process group, itself included.
 */
const supervisor = `trap '' HUP
"$1" "$2" work "$3" </dev/null >>messages 2>>stderr &
echo $! >pid.new && mv pid.new pid
wait $!
echo $? 1<>exit
kill -9 0`

/**
 * A run on this device that goes on without its host, in a folder of its own: `request`, `owner`, `runtime` (folder of the agent), `boot`
 * (which start of the system), `messages` and `stderr` (what the worker writes), `pid`, `exit` (its exit code, once it has one), `attached`
 * (touched while somebody follows it), `met-<run>` (owner of somebody else's run that was started meanwhile).
 */
export class DetachedJob {
  readonly folder: string

  /** @param folder absolute path */
  constructor(folder: string) {
    this.folder = folder
  }

  get exists(): boolean {
    return existsSync(this.folder)
  }

  /** Makes the folder and starts the worker, which is this program again. Does nothing when that was done already. */
  async start(request: string, owner: RunOwner): Promise<void> {
    if (this.exists) return
    await mkdir(dirname(this.folder), { recursive: true, mode: 0o700 })
    await removeUnfinished(dirname(this.folder))
    const unfinished = `${this.folder}.${process.pid}`
    await mkdir(unfinished, { mode: 0o700 })
    const [program, file] = [process.execPath, process.argv[1] ?? '']
    const outputs = { messages: '', stderr: '', exit: '\n\n\n\n', attached: '' }
    const files = { request, owner: JSON.stringify(owner), runtime: `${dirname(file)}\n`, boot: await readBootId(), ...outputs }
    for (const [name, content] of Object.entries(files)) await writeFile(join(unfinished, name), content, { mode: 0o600 })
    try {
      await rename(unfinished, this.folder)
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true })
      // Another process of the same run was first.
      if (this.exists) return
      throw error
    }
    await leaveWord(this.folder, owner)
    const child = spawn('sh', ['-c', supervisor, 'sh', program, file, this.folder], {
      cwd: this.folder,
      // What a killed worker leaves behind goes with the folder.
      env: { ...process.env, TMPDIR: this.folder },
      detached: true,
      stdio: 'ignore',
    })
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.unref()
  }

  /** How it ended; null while it runs. */
  async end(): Promise<JobEnd | null> {
    const recorded = await this.#recordedEnd()
    if (recorded || (await this.#isAlive())) return recorded
    // Its supervisor has the last word, a moment later; unless the power went.
    const patienceMs = (await this.outlived()) ? 0 : recordingMs
    for (let waited = 0; waited < patienceMs; waited += pollMs) {
      const late = await this.#recordedEnd()
      if (late) return late
      await delay(pollMs)
    }
    return { exitCode: null, signal: null }
  }

  /** Whether the system was started again since the run began. */
  async outlived(): Promise<boolean> {
    // Older agents wrote it with the line end it is read with.
    return (await this.#read('boot')).trim() !== (await readBootId())
  }

  /** Notes that somebody follows it. */
  async touch(): Promise<void> {
    const now = new Date()
    await utimes(join(this.folder, 'attached'), now, now).catch(() => undefined)
  }

  /** Ends the worker, and waits until it is gone. */
  async stop(): Promise<void> {
    for (const [signal, waitMs] of [
      ['SIGTERM', graceMs],
      ['SIGKILL', killedMs],
    ] as const) {
      if ((await this.end()) !== null) return
      const pid = await this.#pid()
      if (pid !== null) signalProcess(pid, signal)
      for (let waited = 0; waited < waitMs && (await this.end()) === null; waited += pollMs) await delay(pollMs)
    }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }

  /** What others need to know of it; null for a folder that is no run. */
  async describe(): Promise<DetachedRunEntry | null> {
    const found = await stat(join(this.folder, 'request')).catch(() => null)
    if (!found) return null
    const entry = {
      id: basename(this.folder),
      owner: readOwner(await this.#read('owner')),
      running: (await this.end()) === null,
      ageSeconds: Math.round((Date.now() - found.mtimeMs) / 1000),
    }
    const checked = detachedRunSchema.safeParse(entry)
    return checked.success ? checked.data : null
  }

  /** Runs of others that were started while it ran; they may be over already. */
  async met(): Promise<DetachedRunEntry[]> {
    const names = await readdir(this.folder).catch(() => [])
    const notes = names.filter((name) => name.startsWith(metPrefix)).slice(0, mostMet)
    const entries = notes.map(async (name) => {
      const found = await stat(join(this.folder, name)).catch(() => null)
      const ageSeconds = found ? Math.round((Date.now() - found.mtimeMs) / 1000) : 0
      const entry = { id: name.slice(metPrefix.length), owner: readOwner(await this.#read(name)), running: true, ageSeconds }
      const checked = detachedRunSchema.safeParse(entry)
      return checked.success ? checked.data : null
    })
    return (await Promise.all(entries)).filter((entry) => entry !== null)
  }

  async #recordedEnd(): Promise<JobEnd | null> {
    const code = /^(\d{1,3})\n/.exec(await this.#read('exit'))?.[1]
    if (code === undefined) return null
    // A shell tells of a signal as 128 and its number.
    const signal = Object.entries(constants.signals).find(([, number]) => number + 128 === Number(code))?.[0]
    return signal === undefined ? { exitCode: Number(code), signal: null } : { exitCode: null, signal }
  }

  async #isAlive(): Promise<boolean> {
    const pid = await this.#pid()
    if (pid !== null) return `${await commandLineOf(pid)} `.includes(` ${this.folder} `)
    const found = await stat(join(this.folder, 'request')).catch(() => null)
    return found !== null && Math.abs(Date.now() - found.mtimeMs) < startingMs
  }

  async #pid(): Promise<number | null> {
    const text = /^(\d{1,10})\n/.exec(await this.#read('pid'))?.[1]
    return text === undefined ? null : Number(text)
  }

  #read(name: string): Promise<string> {
    return readFile(join(this.folder, name), 'utf8').catch(() => '')
  }
}

/** The other runs beside a folder, and those of others that came and went while its own run went on. */
export async function otherJobs(folder: string): Promise<DetachedRunEntry[]> {
  const beside = await jobsBeside(folder)
  const met = (await new DetachedJob(folder).met()).filter(({ id }) => !beside.some((job) => job.id === id))
  return [...beside, ...met]
}

async function jobsBeside(folder: string): Promise<DetachedRunEntry[]> {
  const names = await readdir(dirname(folder)).catch(() => [])
  const others = names.filter((name) => name !== basename(folder)).slice(0, mostBeside)
  const entries = await Promise.all(others.map((name) => new DetachedJob(join(dirname(folder), name)).describe()))
  return entries.filter((entry) => entry !== null)
}

/** Tells the runs of other owners that this one begins: it may be over before they look around. */
async function leaveWord(folder: string, owner: RunOwner): Promise<void> {
  const disturbed = (await jobsBeside(folder)).filter((job) => job.running && job.owner?.hostId !== owner.hostId)
  for (const { id } of disturbed) {
    const note = join(dirname(folder), id, `${metPrefix}${basename(folder)}`)
    // It may have ended, with its folder; and a full disk is no reason not to measure.
    await writeFile(note, JSON.stringify(owner), { mode: 0o600 }).catch(() => undefined)
  }
}

/** Folders of runs that never began, because the power went meanwhile. */
async function removeUnfinished(jobs: string): Promise<void> {
  for (const name of await readdir(jobs)) {
    if (!name.includes('.')) continue
    const found = await stat(join(jobs, name)).catch(() => null)
    if (found && Date.now() - found.mtimeMs > unfinishedMs) await rm(join(jobs, name), { recursive: true, force: true })
  }
}

function readOwner(text: string): RunOwner | null {
  try {
    const owner = runOwnerSchema.safeParse(JSON.parse(text))
    return owner.success ? owner.data : null
  } catch {
    return null
  }
}
