import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type DetachedFrame, type DetachedRunEntry, type HostLine, type RunOwner, UNWRITABLE_EXIT_CODE } from '../contract/detached-run.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { shellQuote } from '../core/shell-quote.ts'
import { readFrames } from './read-frames.ts'
import { noShell, type RunningScript, runScript, startScript } from './remote-script.ts'
import { isLeftover, isStrange, wantRun } from './run-owner.ts'
import type { ProcessEnd, RunningProcess } from './running-process.ts'
import { shownText } from './shown-text.ts'
import { isLoss, type SshLink } from './ssh-link.ts'
import { within } from './within.ts'

/** What the script exits with when the agent is not there. */
export const noAgentExit = 90
/** The other side says at once that it got the word to cancel; on a link that is dead and not yet known to be, it does not. */
const cancelAnswerMs = 1000
/** Then it has this long: as much as it takes itself before it kills, and more. */
const cancelledMs = 6000
/** Deleting a folder and ending, after the result was taken. */
const leaveMs = 1000
/** The process in the middle was killed: the run itself may go on. More often than this in a row it is no accident. */
const mostDeaths = 5
const deathPauseMs = 300

export interface DetachedRunOptions {
  readonly link: SshLink
  /** Absolute path of Edgesmith's folder on the device. */
  readonly root: string
  /** Absolute path of the agent's folder there. */
  readonly runtime: string
  readonly owner: RunOwner
  /** For the log of the job. */
  readonly log: (text: string) => void
}

/** Becomes the process between link and run, see `src/contract/detached-run.ts`. */
function hostScript(runtime: string, folder: string): string {
  return `run=${shellQuote(runtime)}
[ -f "$run/manifest.json" ] && cd "$run" || exit ${noAgentExit}
exec "$run/node" "$run/agent.cjs" host ${shellQuote(folder)}
`
}

/**
 * An agent on a device that goes on when the link breaks, seen as one process: what it writes is put together over all connections by its
 * offset. The first line on its standard input is the request and starts it; the end of standard input ends it, when the link is down as
 * soon as that is up again.
 */
export class DetachedRun implements RunningProcess {
  readonly stdin: Writable
  readonly stdout = new PassThrough({ highWaterMark: 1 << 20 })
  readonly stderr = new PassThrough()
  readonly ended: Promise<ProcessEnd>
  /** What made it end otherwise than by an end of the agent; null without. */
  failure: unknown = null
  readonly #options: DetachedRunOptions
  readonly #id = randomBytes(8).toString('hex')
  readonly #strangers = new Map<string, string>()
  #request = ''
  #begun = false
  /** Whether a line that starts it may have reached the device. */
  #sent = false
  /** Whether it is known to have been started. */
  #seen = false
  #out = 0
  #err = 0
  #deaths = 0
  #script: RunningScript | null = null
  /** The connection through which it was started or found again. */
  #following: RunningScript | null = null
  #cancelled = false
  #answerCancel: () => void = () => undefined
  #settled = false
  #settle: (end: ProcessEnd) => void = () => undefined

  constructor(options: DetachedRunOptions) {
    this.#options = options
    this.ended = new Promise((resolve) => {
      this.#settle = (end) => {
        if (this.#settled) return
        this.#settled = true
        this.stdout.end()
        this.stderr.end()
        resolve(end)
      }
    })
    this.stdin = new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        this.#take(chunk.toString())
        done()
      },
      final: (done) => {
        void this.#cancel()
        done()
      },
    })
  }

  /** Who else measured on the device meanwhile, in words. */
  get strangers(): readonly string[] {
    return [...this.#strangers.values()]
  }

  abandon(): void {
    void this.#cancel()
    this.#settle({ exitCode: null, signal: null, connectionLost: !this.#options.link.up })
  }

  #take(text: string): void {
    if (this.#begun) return
    this.#request += text
    const end = this.#request.indexOf('\n')
    if (end < 0) return
    this.#request = this.#request.slice(0, end)
    this.#begun = true
    void this.#follow()
  }

  /** Through as many connections as it takes. */
  async #follow(): Promise<void> {
    const { link, runtime, root } = this.#options
    const release = wantRun(this.#id)
    const stay = link.beforeClosing(() => this.#leave())
    try {
      for (let connections = 0; ; connections++) {
        const script = await startScript(link, hostScript(runtime, `${root}/jobs/${this.#id}`))
        if (this.#cancelled && !this.#sent) return script.abandon()
        if (connections > 0 && !this.#settled && this.#deaths === 0) this.#options.log('Connected again: the measurement went on meanwhile')
        if (await this.#attend(script)) return
      }
    } catch (error) {
      // Nothing of ours reaches the device any more: the run is ended by the next one of this computer, or by itself.
      if (!isLoss(error)) this.failure ??= error
      this.#settle({ exitCode: null, signal: null, connectionLost: isLoss(error) })
    } finally {
      stay()
      release()
      this.#settle({ exitCode: null, signal: null, connectionLost: false })
    }
  }

  /** Through one connection. Answers whether that was the last one. */
  async #attend(script: RunningScript): Promise<boolean> {
    this.#script = script
    script.stderr.on('data', (chunk: Buffer) => this.#settled || this.stderr.write(chunk))
    let end: ProcessEnd | null = null
    try {
      for await (const { frame, content } of readFrames(script.stdout, this.#options.link.place)) {
        end = await this.#hear(frame, content)
        if (end) break
      }
    } catch (error) {
      script.abandon()
      throw error
    } finally {
      this.#script = null
    }
    if (end) {
      // The folder goes before anybody is told that the run is over.
      script.stdout.resume()
      script.stdin.end(line({ type: 'taken' }))
      const left = await within(script.ended, leaveMs, null)
      if (left === null || left.connectionLost) void this.#removeFolder()
      this.#settle(end)
      return true
    }
    const how = await script.ended
    if (how.connectionLost) {
      if (this.#cancelled) this.#settle(how)
      else if (!this.#options.link.closing.aborted)
        this.#options.log(`The link to ${this.#options.link.place} broke; the measurement goes on over there`)
      return false
    }
    if (!script.started()) throw noShell(this.#options.link, script, '')
    if (how.exitCode === noAgentExit || how.exitCode === UNWRITABLE_EXIT_CODE || ++this.#deaths > mostDeaths) {
      this.#settle(how)
      return true
    }
    await delay(deathPauseMs * this.#deaths)
    return false
  }

  /** For a result that came whole over a link that broke right behind it: the other side does not know that it did. */
  async #removeFolder(): Promise<void> {
    const { link, root } = this.#options
    // Whatever keeps it from being removed now, the next measurement of this computer clears it.
    await runScript(link, `rm -rf ${shellQuote(`${root}/jobs/${this.#id}`)}`).catch(() => undefined)
  }

  async #hear(frame: DetachedFrame, content: Buffer): Promise<ProcessEnd | null> {
    switch (frame.type) {
      case 'jobs':
        if (this.#script) this.#look(frame.jobs, this.#script)
        return null
      case 'out':
        this.#out = this.#advance(frame, this.#out)
        await this.#pass(this.stdout, content)
        return null
      case 'err':
        this.#err = this.#advance(frame, this.#err)
        await this.#pass(this.stderr, content)
        return null
      case 'note':
        await this.#pass(this.stderr, Buffer.from(`${shownText(frame.text, 2000)}\n`))
        return null
      case 'cancelling':
        this.#answerCancel()
        return null
      case 'end':
        return { exitCode: frame.exitCode, signal: frame.signal, connectionLost: false }
      case 'missing':
        throw new EdgesmithError('ENGINE_DIED', `${this.#options.link.place} knows nothing of the measurement any more`, {
          hint: 'Somebody deleted its folder there, or another machine has that address now. Start again.',
        })
    }
  }

  /** First word of each connection, and last before the end: what else is there. Then the run is started, or found again. */
  #look(jobs: readonly DetachedRunEntry[], script: RunningScript): void {
    const { owner, log } = this.#options
    const leftovers = jobs.filter((job) => isLeftover(job, owner))
    if (leftovers.length > 0) {
      const running = leftovers.filter(({ running }) => running).length
      if (running > 0) log('Another measurement is running on this device, left by a program of this computer that died: it is ended')
      this.#say({ type: 'clear', ids: leftovers.map(({ id }) => id) })
    }
    for (const job of jobs.filter((job) => isStrange(job, owner) && !this.#strangers.has(job.id))) {
      const who = job.owner ? `${shownText(job.owner.user, 60)} on ${shownText(job.owner.host, 60)}` : 'somebody'
      this.#strangers.set(job.id, `Another measurement, of ${who}, was running on this device: the numbers are disturbed`)
      log(`Another measurement is running on this device, of ${who}, for ${Math.max(0, job.ageSeconds)} s`)
    }
    if (this.#following === script) return
    this.#following = script
    const start = { type: 'start', request: this.#request, owner } as const
    this.#say(this.#seen ? { type: 'attach', out: this.#out, err: this.#err } : start)
    this.#sent = true
    if (this.#cancelled) this.#say({ type: 'cancel' })
  }

  /** @throws EdgesmithError DEVICE_PROTOCOL when bytes are missing */
  #advance(frame: { readonly offset: number; readonly bytes: number }, expected: number): number {
    this.#seen = true
    this.#deaths = 0
    if (frame.offset === expected) return expected + frame.bytes
    throw new EdgesmithError(
      'DEVICE_PROTOCOL',
      `The agent on ${this.#options.link.place} sent bytes from ${frame.offset} on instead of ${expected}`,
      { hint: 'Start again.' },
    )
  }

  async #pass(stream: PassThrough, content: Buffer): Promise<void> {
    if (this.#settled || stream.write(content)) return
    await Promise.race([once(stream, 'drain'), this.ended])
  }

  #say(message: HostLine): void {
    this.#script?.stdin.write(line(message))
  }

  /** Closing the link on purpose ends the run with it. */
  async #leave(): Promise<void> {
    this.#settle({ exitCode: null, signal: null, connectionLost: true })
    if (this.#script && this.#sent) await this.#askToCancel()
  }

  /** Settles when the other side got the word. */
  #askToCancel(): Promise<true> {
    const answered = new Promise<true>((resolve) => {
      this.#answerCancel = () => resolve(true)
    })
    this.#say({ type: 'cancel' })
    return answered
  }

  async #cancel(): Promise<void> {
    if (this.#cancelled) return
    this.#cancelled = true
    const end: ProcessEnd = { exitCode: null, signal: 'SIGTERM', connectionLost: false }
    // Without a link it is done at the next connection; nobody has to wait for that.
    if (!this.#sent || !this.#options.link.up || !this.#script) return this.#settle(end)
    if (await within(Promise.race([this.#askToCancel(), this.ended]), cancelAnswerMs, null)) await within(this.ended, cancelledMs, null)
    this.#settle(end)
  }
}

function line(message: HostLine): string {
  return `${JSON.stringify(message)}\n`
}
