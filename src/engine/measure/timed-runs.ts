import { EdgesmithError } from '../../contract/errors.ts'

/** How long to go on, and who wants to know. */
export interface TimedRunsOptions {
  /** True once there were enough runs; asked after every run with the number of runs and the milliseconds since the start. */
  readonly enough: (runs: number, elapsedMs: number) => boolean
  /** Room to begin with; more is made as needed. */
  readonly expectedRuns: number
  /** Called about ten times a second, between two runs. */
  readonly onTick: (runs: number, elapsedMs: number) => void
  readonly signal: AbortSignal
}

/** Every run's milliseconds in order, and the time from the first start to the last end. */
export interface TimedRuns {
  readonly latenciesMs: Float32Array
  readonly elapsedMs: number
}

/** Progress and cancel are looked at between runs, no more often than people can see. */
const TICK_MS = 100

/**
 * Runs a model again and again, one run after the other, and keeps the time of each: from the call to the moment its promise has
 * settled. Between runs there is one store into an array; the event loop turns once in every run (ONNX Runtime's binding does that), so
 * messages and signals arrive in time.
 *
 * @throws EdgesmithError `JOB_CANCELLED` within a tick and a run of `signal`; whatever `run` rejects with
 */
export async function timeRuns(
  run: () => Promise<unknown>,
  { enough, expectedRuns, onTick, signal }: TimedRunsOptions,
): Promise<TimedRuns> {
  let latencies = new Float32Array(Math.max(1, expectedRuns))
  let runs = 0
  const start = performance.now()
  let now = start
  let nextTick = start + TICK_MS
  throwIfCancelled(signal)
  while (!enough(runs, now - start)) {
    const begin = performance.now()
    await run()
    now = performance.now()
    if (runs === latencies.length) latencies = doubled(latencies)
    latencies[runs++] = now - begin
    if (now < nextTick) continue
    throwIfCancelled(signal)
    onTick(runs, now - start)
    nextTick = performance.now() + TICK_MS
  }
  return { latenciesMs: latencies.slice(0, runs), elapsedMs: now - start }
}

/** @throws EdgesmithError `JOB_CANCELLED` when `signal` is aborted */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new EdgesmithError('JOB_CANCELLED', 'The measurement was cancelled.')
}

function doubled(values: Float32Array): Float32Array<ArrayBuffer> {
  const larger = new Float32Array(values.length * 2)
  larger.set(values)
  return larger
}
