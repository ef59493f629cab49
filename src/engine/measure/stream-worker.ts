import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type ErrorReport, toErrorReport } from '../../contract/errors.ts'
import type { BenchSettings } from '../../contract/measurement.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { startRuntime } from '../runtimes/prepared-model.ts'
import { SampleRecorder, type Samples } from './sample-recorder.ts'
import { measureError, openTimedModel } from './timed-model.ts'
import { MOST_SAMPLES, TICK_MS, timeRuns } from './timed-runs.ts'
import { type WarmUp, warmUp } from './warm-up.ts'

/** What a stream is started with. */
export interface StreamOrder {
  readonly modelPath: string
  readonly settings: BenchSettings
}

/** What a stream answers, one kind after the other; an error ends it. */
export type StreamReport =
  | { readonly kind: 'loaded'; readonly loadMs: number; readonly firstInferenceMs: number; readonly assumptions: string[] }
  | { readonly kind: 'tick'; readonly runs: number }
  | { readonly kind: 'warm'; readonly warmUp: WarmUp }
  | { readonly kind: 'measured'; readonly samples: Samples; readonly endMs: number }
  | { readonly kind: 'error'; readonly error: ErrorReport }

/** What a stream is told: to warm up; to measure, all streams together; to end after the run it is in. */
export type StreamCommand =
  | { readonly kind: 'warm-up' }
  | { readonly kind: 'measure'; readonly tickets: SharedArrayBuffer }
  | { readonly kind: 'stop' }

/**
 * One of several streams of the offline scenario, in a worker thread: a session of its own, because a run blocks its thread.
 */
export async function runStream(): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('a stream runs in a worker thread')
  const report = (message: StreamReport) => port.postMessage(message)
  const stop = new AbortController()
  const { signal } = stop
  port.on('message', ({ kind }: StreamCommand) => {
    if (kind === 'stop') stop.abort()
  })
  try {
    const { modelPath, settings } = workerData as StreamOrder
    await startRuntime()
    const model = await openTimedModel(modelPath, settings, signal)
    const { loadMs, firstInferenceMs, assumptions } = model
    report({ kind: 'loaded', loadMs, firstInferenceMs, assumptions })
    await nextCommand(port)
    throwIfCancelled(signal)
    const window = async (enough: (runs: number, elapsedMs: number) => boolean) =>
      (await timeRuns(model.run, { enough, onTick: () => {}, signal })).latenciesMs
    report({ kind: 'warm', warmUp: await warmUp(window, { runs: settings.warmupRuns, seconds: settings.warmupSeconds }) })
    const command = await nextCommand(port)
    throwIfCancelled(signal)
    if (command.kind !== 'measure') throw new Error(`a warm stream was told ${command.kind}`)
    const onTick = (runs: number) => {
      throwIfCancelled(signal)
      report({ kind: 'tick', runs })
    }
    report({ kind: 'measured', ...(await measure(model.run, settings, command.tickets, onTick)) })
    await model.close()
  } catch (error) {
    report({ kind: 'error', error: toErrorReport(measureError(error)) })
  }
  port.close()
}

function nextCommand(port: MessagePort): Promise<StreamCommand> {
  return new Promise((resolve) => port.once('message', resolve))
}

/** Runs until the time is over or all tickets (one a run, shared by the streams) are taken. Offsets count from the process's start. */
async function measure(
  run: () => Promise<unknown>,
  { seconds, runs: wanted }: BenchSettings,
  tickets: SharedArrayBuffer,
  onTick: (runs: number) => void,
): Promise<{ samples: Samples; endMs: number }> {
  const taken = new Int32Array(tickets)
  const limit = seconds === undefined ? wanted : MOST_SAMPLES
  const recorder = new SampleRecorder()
  const start = performance.now()
  let now = start
  let nextTick = start + TICK_MS
  while ((seconds === undefined || recorder.count === 0 || now - start < seconds * 1000) && Atomics.add(taken, 0, 1) < limit) {
    const begin = performance.now()
    await run()
    now = performance.now()
    recorder.add(begin, now - begin)
    if (now < nextTick) continue
    onTick(recorder.count)
    nextTick = now + TICK_MS
  }
  // Every thread's clock begins when it began; the origin tells when that was.
  const zeroMs = -performance.timeOrigin
  return { samples: recorder.samples(zeroMs), endMs: now - zeroMs }
}
