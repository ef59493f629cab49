import { throwIfCancelled } from '../../platform/cancellation.ts'
import { type MemoryUse, MemoryWatch } from './memory-use.ts'
import { SampleRecorder, type Samples } from './sample-recorder.ts'

/** How long to go on, and who wants to know. */
export interface TimedRunsOptions {
  /** True once there were enough runs; asked after every run with the number of runs and the milliseconds since the start. */
  readonly enough: (runs: number, elapsedMs: number) => boolean
  /** Called about ten times a second, between two runs. */
  readonly onTick: (runs: number, elapsedMs: number) => void
  readonly signal: AbortSignal
}

/** Every run in order, and the time from the first start to the last end. */
export interface TimedRuns extends Samples {
  readonly elapsedMs: number
  /** After the last run. */
  readonly memory: MemoryUse
}

/** With `seconds`, no more samples than this are kept (60 MB): a model of 10 µs reaches it in a minute. */
export const MOST_SAMPLES = 5_000_000

/** Progress and cancel are looked at between runs, no more often than people can see. */
export const TICK_MS = 100

/**
 * Runs a model again and again, one run after the other, and keeps the time of each: from the call to the moment its promise has
 * settled. Between runs there are two stores into arrays; the event loop turns once in every run (ONNX Runtime's binding does that), so
 * messages and signals arrive in time.
 *
 * @throws EdgesmithError `JOB_CANCELLED` within a tick and a run of `signal`; whatever `run` rejects with
 */
export async function timeRuns(run: () => Promise<unknown>, { enough, onTick, signal }: TimedRunsOptions): Promise<TimedRuns> {
  const recorder = new SampleRecorder()
  const memory = new MemoryWatch()
  let runs = 0
  const start = performance.now()
  let now = start
  let nextTick = start + TICK_MS
  throwIfCancelled(signal)
  while (!enough(runs, now - start)) {
    const begin = performance.now()
    await run()
    now = performance.now()
    recorder.add(begin, now - begin)
    runs++
    if (now < nextTick) continue
    throwIfCancelled(signal)
    onTick(runs, now - start)
    nextTick = performance.now() + TICK_MS
  }
  const used = memory.read(recorder.bytes)
  return { ...recorder.samples(), elapsedMs: now - start, memory: used }
}
