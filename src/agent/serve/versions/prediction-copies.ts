import { AnswerDivergence } from '../../../core/rollout/answer-divergence.ts'
import type { RunPart } from '../predictor.ts'
import { answersOf, type SampleAnswer } from '../sample-outputs.ts'
import type { ServedVersion } from './served-version.ts'
import type { VersionSet } from './version-set.ts'

/** A request that can be made again, of another version. */
export interface RepeatableRequest {
  /** Reads the request as that version takes it and runs it there. @throws HttpError where it does not suit */
  again(version: ServedVersion): Promise<readonly RunPart[]>
  /** Values of all samples, for the memory it holds on to. */
  readonly values: number
}

interface Copy {
  readonly request: RepeatableRequest
  /** Of the version that answered. */
  readonly answers: () => readonly SampleAnswer[]
}

/** Copies that wait for a version; more are dropped. */
const MOST_WAITING = 64
/** Values in all waiting copies of a version, and in one. */
const MOST_VALUES = 4_000_000
/**
 * A copy is followed by a pause of so many times what it took. Copies of a shadow may take half of the time of threads of its own, and a fifth of
 * the thread that answers; comparing a candidate's answers with the current version, which has requests of its own, a tenth.
 */
const PAUSES = { shadowInWorkers: 1, shadow: 4, compare: 9 }
const LONGEST_PAUSE_MS = 10_000

/** What copies of requests showed about a version. */
export interface CopyCounts {
  readonly compared: number
  readonly differing: number
  /** Copies that were not taken because too many waited. */
  readonly dropped: number
}

/**
 * Gives requests to a second version after they were answered: those that the current version answered to shadows, and to the version before it while
 * both are compared; those that a version beside it answered to the current one. What comes of it is counted; no client waits for it or hears of it.
 */
export class PredictionCopies {
  readonly #versions: VersionSet
  readonly #lines = new Map<ServedVersion, CopyLine>()

  constructor(versions: VersionSet) {
    this.#versions = versions
  }

  /** Whether copies of what this version answers are wanted. */
  wants(answered: ServedVersion): boolean {
    const { current, shadows, before } = this.#versions
    return answered === current ? shadows.length > 0 || before !== null : current !== null
  }

  /** To be called after the answer was sent. */
  offer(answered: ServedVersion, copy: Copy): void {
    const { current, shadows, before } = this.#versions
    if (answered !== current) {
      if (current) this.#line(answered, { asked: () => this.#versions.current, isShadow: false }).offer(copy)
      return
    }
    if (before) this.#line(answered, { asked: () => this.#versions.before, isShadow: false }).offer(copy)
    for (const shadow of shadows) this.#line(shadow, { asked: () => shadow, isShadow: true }).offer(copy)
  }

  /** What is known about a version that is tried; null before the first copy. */
  countsOf(version: ServedVersion): CopyCounts | null {
    return this.#lines.get(version)?.counts ?? null
  }

  /** Forgets what is known about a version: another trial begins, or it is gone. */
  forget(version: ServedVersion): void {
    this.#lines.get(version)?.close()
    this.#lines.delete(version)
  }

  /** Stops; copies that wait are thrown away. */
  close(): void {
    for (const version of [...this.#lines.keys()]) this.forget(version)
  }

  #line(tried: ServedVersion, how: LineOptions): CopyLine {
    const known = this.#lines.get(tried)
    if (known) return known
    const line = new CopyLine(how)
    this.#lines.set(tried, line)
    return line
  }
}

interface LineOptions {
  /** Who is asked a second time; null for nobody any more. */
  readonly asked: () => ServedVersion | null
  /** The one that is tried is asked, and not the stable one. */
  readonly isShadow: boolean
}

/** The copies about one version that is tried, made one after the other. */
class CopyLine {
  readonly #options: LineOptions
  readonly #divergence = new AnswerDivergence()
  #waiting: Copy[] = []
  #values = 0
  #dropped = 0
  #isRunning = false
  #isClosed = false

  constructor(options: LineOptions) {
    this.#options = options
  }

  get counts(): CopyCounts {
    return { ...this.#divergence.counts, dropped: this.#dropped }
  }

  offer(copy: Copy): void {
    if (this.#waiting.length >= MOST_WAITING || this.#values + copy.request.values > MOST_VALUES) {
      this.#dropped++
      return
    }
    this.#waiting.push(copy)
    this.#values += copy.request.values
    if (this.#isRunning) return
    this.#isRunning = true
    setImmediate(() => void this.#run())
  }

  close(): void {
    this.#isClosed = true
    this.#waiting = []
  }

  async #run(): Promise<void> {
    for (let copy = this.#waiting.shift(); copy !== undefined && !this.#isClosed; copy = this.#waiting.shift()) {
      this.#values -= copy.request.values
      const start = performance.now()
      await this.#make(copy)
      const took = performance.now() - start
      const pauseMs = Math.min(LONGEST_PAUSE_MS, took * this.#pause)
      await new Promise((resolve) => (pauseMs >= 1 ? setTimeout(resolve, pauseMs).unref() : setImmediate(resolve)))
    }
    this.#isRunning = false
  }

  get #pause(): number {
    if (!this.#options.isShadow) return PAUSES.compare
    return (this.#options.asked()?.placed.workers ?? 0) > 0 ? PAUSES.shadowInWorkers : PAUSES.shadow
  }

  async #make({ request, answers }: Copy): Promise<void> {
    const version = this.#options.asked()
    if (!version || version.isClosed) return
    const { isShadow } = this.#options
    const start = performance.now()
    version.inFlight++
    try {
      const parts = await request.again(version)
      const again = answersOf(parts, version.form, false)
      const latencyMs = performance.now() - start
      if (isShadow) {
        version.statistics.answered(200, latencyMs)
        version.statistics.predicted(latencyMs)
      }
      this.#compare(answers(), again)
    } catch {
      // Of the current version nothing is learned: it has its own requests to show what it can do.
      if (!isShadow) return
      // The other version answered it: whatever is wrong is wrong with this one.
      version.statistics.answered(500, performance.now() - start)
    } finally {
      version.inFlight--
    }
  }

  #compare(answered: readonly SampleAnswer[], again: readonly SampleAnswer[]): void {
    const [tried, stable] = this.#options.isShadow ? [again, answered] : [answered, again]
    for (const [index, one] of tried.entries()) {
      const other = stable[index]
      if (other) this.#divergence.add(comparable(one), comparable(other))
    }
  }
}

function comparable({ prediction, outputs }: SampleAnswer): { class: number | null | undefined; outputs: SampleAnswer['outputs'] } {
  return { class: prediction?.class, outputs }
}
