import type { Arrivals } from '../../core/statistics/poisson-arrivals.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { type MemoryUse, MemoryWatch } from './memory-use.ts'
import type { Pacer } from './pacing.ts'
import { SampleRecorder, type Samples } from './sample-recorder.ts'
import { TICK_MS } from './timed-runs.ts'

export interface OpenLoopOptions {
  readonly arrivals: Arrivals
  /** Whether the request of that number (from 0), due that many milliseconds after the start, still belongs to the measurement. */
  readonly wanted: (index: number, dueMs: number) => boolean
  /** A runner that is still behind by then will not catch up: measuring stops. */
  readonly limitMs: number
  readonly pacer: Pacer
  /** CPU time of the process so far. */
  readonly cpuMs: () => number
  /** Called about ten times a second between two requests, with those answered and the time since the start. */
  readonly onTick: (answered: number, elapsedMs: number) => void
  readonly signal: AbortSignal
}

/** Latencies count from the moment a request was due, offsets are those moments. */
export interface OpenLoopRuns extends Samples {
  /** Time of each run alone. */
  readonly serviceMs: Float32Array
  /** Most requests that were due while one was answered. */
  readonly longestQueue: number
  /** Requests that were due and not answered when measuring stopped; 0 unless it was stopped. */
  readonly unanswered: number
  readonly elapsedMs: number
  readonly cpuMsPerRun: number
  readonly memory: MemoryUse
}

/** More waiting requests than this are never caught up with (a second at 100,000 a second); the list of them stays below a megabyte. */
const MOST_WAITING = 100_000
/** Reading the CPU clock takes 2 to 3 µs just before a run, which shows in the latency of a small model: only one run in eight has it. */
const CPU_EVERY = 8
/** A long wait is cut up, so that cancelling and progress work in it. */
const LONGEST_WAIT_MS = TICK_MS

/**
 * One runner, and requests that arrive by themselves: each is due at its moment whether the runner is free or not, and waits its turn. Its
 * latency is the time from when it was due to its answer, so one slow run shows in all requests that came meanwhile. (A loop that sends
 * the next request when the last one is answered hides that: coordinated omission.) Runs and requests share this thread, so nothing is
 * lost to hand-overs; a request that comes during a run is counted with its exact moment afterwards.
 *
 * @throws EdgesmithError `JOB_CANCELLED`; whatever `run` rejects with
 */
export async function serveArrivals(run: () => Promise<unknown>, options: OpenLoopOptions): Promise<OpenLoopRuns> {
  const { pacer, cpuMs, onTick, signal, limitMs } = options
  const recorder = new SampleRecorder()
  const service = new SampleRecorder()
  const memory = new MemoryWatch()
  const queue = new DueQueue(options.arrivals, options.wanted)
  let longestQueue = 0
  let cpuTotalMs = 0
  let cpuRuns = 0
  const start = pacer.now()
  let now = start
  let nextTick = start + TICK_MS
  const tick = () => {
    if (now < nextTick) return
    throwIfCancelled(signal)
    onTick(recorder.count, now - start)
    nextTick = pacer.now() + TICK_MS
  }
  throwIfCancelled(signal)
  for (;;) {
    while (queue.waiting === 0 && queue.upcoming !== undefined) {
      await pacer.waitUntil(Math.min(start + queue.upcoming, now + LONGEST_WAIT_MS))
      now = pacer.now()
      queue.arriveUntil(now - start)
      tick()
    }
    const due = queue.take()
    if (due === undefined) break
    const timesCpu = recorder.count % CPU_EVERY === 0
    const cpuBefore = timesCpu ? cpuMs() : 0
    const begin = pacer.now()
    await run()
    now = pacer.now()
    if (timesCpu) {
      cpuTotalMs += cpuMs() - cpuBefore
      cpuRuns++
    }
    recorder.add(due, now - start - due)
    service.add(begin, now - begin)
    queue.arriveUntil(now - start)
    longestQueue = Math.max(longestQueue, queue.waiting)
    tick()
    if (queue.waiting > MOST_WAITING || (queue.waiting > 0 && now - start > limitMs)) break
  }
  const used = memory.read(recorder.bytes + service.bytes)
  return {
    ...recorder.samples(),
    serviceMs: service.samples().latenciesMs,
    longestQueue,
    unanswered: queue.waiting,
    elapsedMs: now - start,
    cpuMsPerRun: cpuTotalMs / Math.max(1, cpuRuns),
    memory: used,
  }
}

/** Requests that are due and wait, first come first served; moments in milliseconds since the start. */
class DueQueue {
  /** When the next request that is not due yet will be; `undefined` when no more come. */
  upcoming: number | undefined
  readonly #arrivals: Arrivals
  readonly #wanted: OpenLoopOptions['wanted']
  #due: number[] = []
  #head = 0
  #index = 0

  constructor(arrivals: Arrivals, wanted: OpenLoopOptions['wanted']) {
    this.#arrivals = arrivals
    this.#wanted = wanted
    this.upcoming = this.#next()
  }

  get waiting(): number {
    return this.#due.length - this.#head
  }

  arriveUntil(elapsedMs: number): void {
    while (this.upcoming !== undefined && this.upcoming <= elapsedMs) {
      this.#due.push(this.upcoming)
      this.upcoming = this.#next()
      // What comes beyond stays in the future: a stalled runner at a high rate would otherwise fill the memory.
      if (this.waiting > MOST_WAITING) return
    }
  }

  take(): number | undefined {
    const due = this.#due[this.#head]
    if (due === undefined) return undefined
    if (++this.#head === this.#due.length || this.#head > MOST_WAITING) {
      this.#due = this.#due.slice(this.#head)
      this.#head = 0
    }
    return due
  }

  #next(): number | undefined {
    const due = this.#arrivals.next()
    return this.#wanted(this.#index++, due) ? due : undefined
  }
}
