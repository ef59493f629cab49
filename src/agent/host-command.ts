import { type FSWatcher, watch } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type DetachedFrame, HOST_LINE_LIMIT, type HostLine, hostLineSchema, UNWRITABLE_EXIT_CODE } from '../contract/detached-run.ts'
import { DetachedJob, otherJobs } from './detached-job.ts'

/** Where the file system tells of no changes (a network drive), they are looked for this often. */
const pollMs = 1000
const touchMs = 60_000
const chunkBytes = 65_536

/**
 * `agent host FOLDER`: stands between a link and a run in a folder (`src/contract/detached-run.ts`). It waits for the file system to tell of
 * new messages, so that it takes no processor time from the measurement. It ends with the link; the run goes on.
 *
 * @param folder absolute path
 * @returns the exit code
 */
export async function hostCommand(folder: string): Promise<number> {
  // The link may break at any moment: what was begun is finished first.
  process.on('SIGHUP', () => undefined)
  process.on('SIGPIPE', () => undefined)
  process.stdout.on('error', () => undefined)
  const attendance = new Attendance(new DetachedJob(folder))
  await attendance.sayOthers()
  try {
    for await (const line of inputLines()) await attendance.obey(line)
    await attendance.leave()
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return isFull(error) ? UNWRITABLE_EXIT_CODE : 1
  }
}

function isFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** One host that follows one run. */
class Attendance {
  readonly #job: DetachedJob
  #following: Promise<void> | null = null
  #stopping: Promise<void> | null = null
  #left = false

  constructor(job: DetachedJob) {
    this.#job = job
  }

  async sayOthers(): Promise<void> {
    await say({ type: 'jobs', jobs: await otherJobs(this.#job.folder) })
  }

  async obey(line: HostLine): Promise<void> {
    switch (line.type) {
      case 'clear':
        for (const id of line.ids) {
          const other = new DetachedJob(join(this.#job.folder, '..', id))
          await other.stop()
          await other.remove()
        }
        return
      case 'start':
        await this.#job.start(line.request, line.owner)
        return this.#follow(0, 0)
      case 'attach':
        if (!this.#job.exists) return say({ type: 'missing' })
        return this.#follow(line.out, line.err)
      case 'cancel':
        await say({ type: 'cancelling' })
        this.#stopping ??= this.#job.stop()
        return
      case 'taken':
        return this.#job.remove()
    }
  }

  /** The link is gone, or the host has what it wanted. */
  async leave(): Promise<void> {
    this.#left = true
    if (!this.#stopping) return
    // A run that was cancelled has no result that anybody would fetch.
    await this.#stopping
    await this.#job.remove()
  }

  #follow(out: number, err: number): void {
    this.#following ??= this.#passOn(out, err).catch(async (error: unknown) => {
      await say({ type: 'note', text: `The messages of the run cannot be read: ${String(error)}`.slice(0, 2000) })
      await say({ type: 'missing' })
    })
  }

  async #passOn(out: number, err: number): Promise<void> {
    const touching = setInterval(() => void this.#job.touch(), touchMs)
    const changes = new Changes(this.#job.folder)
    const files = [new Followed('out', out), new Followed('err', err)]
    try {
      await this.#job.touch()
      await files[0]?.open(join(this.#job.folder, 'messages'))
      await files[1]?.open(join(this.#job.folder, 'stderr'))
      let lookForEnd = true
      while (!this.#left) {
        // Looked at first: what it wrote before it ended is then still read.
        const end = lookForEnd ? await this.#job.end() : null
        for (const file of files) await file.passOn()
        if (end) {
          if (end.exitCode === null && end.signal === null && (await this.#job.outlived()))
            await say({ type: 'note', text: 'The device was started again while it measured' })
          await this.sayOthers()
          return await say({ type: 'end', ...end })
        }
        lookForEnd = await changes.next()
      }
    } finally {
      clearInterval(touching)
      changes.close()
      for (const file of files) await file.close()
    }
  }
}

/** A file that grows, passed on as frames. */
class Followed {
  readonly #type: 'out' | 'err'
  readonly #buffer = Buffer.alloc(chunkBytes)
  #offset: number
  #file: FileHandle | null = null

  constructor(type: 'out' | 'err', offset: number) {
    this.#type = type
    this.#offset = offset
  }

  async open(path: string): Promise<void> {
    this.#file = await open(path, 'r')
  }

  /** Everything that is there by now. */
  async passOn(): Promise<void> {
    for (;;) {
      const { bytesRead = 0 } = (await this.#file?.read(this.#buffer, 0, chunkBytes, this.#offset)) ?? {}
      if (bytesRead === 0) return
      await say({ type: this.#type, offset: this.#offset, bytes: bytesRead }, this.#buffer.subarray(0, bytesRead))
      this.#offset += bytesRead
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}

/** Changes in a folder. */
class Changes {
  #watcher: FSWatcher | null = null
  #changed = false
  #ended = false
  #wake: (() => void) | null = null

  constructor(folder: string) {
    try {
      this.#watcher = watch(folder, (_, name) => {
        this.#changed = true
        this.#ended ||= name === 'exit'
        this.#wake?.()
      })
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // No more watches on this system: the poll sees everything, a little later.
    }
  }

  /** Waits for one since the last call, or for the next poll. Answers whether the run may have ended. */
  async next(): Promise<boolean> {
    let quiet = false
    if (!this.#changed) {
      const stop = new AbortController()
      const change = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      const poll = delay(pollMs, true, { signal: stop.signal }).catch(() => false)
      quiet = (await Promise.race([change, poll])) === true
      stop.abort()
    }
    const mayHaveEnded = quiet || this.#ended
    this.#changed = false
    this.#ended = false
    return mayHaveEnded
  }

  close(): void {
    this.#watcher?.close()
  }
}

/** Writes a frame; settles when it has left this process, or cannot any more. */
function say(frame: DetachedFrame, content?: Buffer): Promise<void> {
  const line = Buffer.from(`${JSON.stringify(frame)}\n`)
  return new Promise((resolve) => process.stdout.write(content ? Buffer.concat([line, content]) : line, () => resolve()))
}

/** Lines of the host, until standard input ends; one that is none ends them too. */
async function* inputLines(): AsyncGenerator<HostLine, void> {
  let held: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      let from = 0
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        const line = Buffer.concat([...held, chunk.subarray(from, at)]).toString('utf8')
        held = []
        length = 0
        from = at + 1
        yield hostLineSchema.parse(JSON.parse(line))
      }
      held.push(chunk.subarray(from))
      length += chunk.length - from
      if (length > HOST_LINE_LIMIT) throw new Error(`a line of more than ${HOST_LINE_LIMIT} bytes`)
    }
  } catch (error) {
    // A link that broke ends the input with an error, too; nobody reads this then.
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  }
}
