import type { Worker } from 'node:worker_threads'
import { EdgesmithError, fromErrorReport } from '../../contract/errors.ts'
import type { BenchSettings } from '../../contract/measurement.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { startRuntime } from '../runtimes/prepared-model.ts'
import { MemoryWatch } from './memory-use.ts'
import { ownCpuMs } from './processor-load.ts'
import { runLength } from './run-length.ts'
import { BYTES_PER_SAMPLE, mergeSamples } from './sample-recorder.ts'
import type { BenchmarkPrograms, Measured, ScenarioContext } from './scenario.ts'
import type { StreamCommand, StreamOrder, StreamReport } from './stream-worker.ts'
import { TICK_MS } from './timed-runs.ts'

/**
 * As many samples as possible: `streams` sessions beside each other, each in a thread of its own, together for `seconds` or `runs`.
 * Sessions are loaded one after another, and load and first inference are those of the first. Latencies are those of single runs
 * while the others run; throughput is that of all together.
 */
export async function measureStreams(
  modelPath: string,
  settings: BenchSettings,
  context: ScenarioContext,
  programs: BenchmarkPrograms,
): Promise<Measured> {
  const { reporter, signal, watch } = context
  throwIfCancelled(signal)
  await startRuntime()
  const idleRssBytes = process.memoryUsage.rss()
  const streams: Stream[] = []
  // Node.js would end the threads in the middle of native calls, which abort the process with a message of their own.
  const killNow = () => process.kill(process.pid, 'SIGKILL')
  process.on('exit', killNow)
  try {
    const loaded: Extract<StreamReport, { kind: 'loaded' }>[] = []
    for (let index = 0; index < settings.streams; index++) {
      reporter.progress({ phase: 'load', done: index, total: settings.streams, unit: 'streams' })
      throwIfCancelled(signal)
      const stream = new Stream(programs.startStream({ workerData: { modelPath, settings } satisfies StreamOrder }), signal)
      streams.push(stream)
      loaded.push(await stream.report('loaded'))
    }
    const [first] = loaded
    if (!first) throw new Error('no stream was started')

    reporter.progress({ phase: 'warm-up', done: 0, total: null, unit: 'runs' })
    for (const stream of streams) stream.tell({ kind: 'warm-up' })
    const warm = (await all(streams, (stream) => stream.report('warm'))).map(({ warmUp }) => warmUp)
    const warmRssBytes = process.memoryUsage.rss()

    const length = runLength(settings)
    const tickets = new SharedArrayBuffer(4)
    const memory = new MemoryWatch()
    watch.begin()
    const cpuBefore = ownCpuMs()
    const start = performance.now()
    let used = memory.read(0)
    const ticker = setInterval(() => {
      // Read while it runs: afterwards the samples exist twice, here and there.
      const done = sum(streams, ({ runs }) => runs)
      used = memory.read(done * BYTES_PER_SAMPLE)
      reporter.progress(length.progress(done, performance.now() - start))
      watch.look()
    }, TICK_MS)
    const measured = await all(
      streams,
      (stream) => stream.report('measured'),
      () => {
        for (const stream of streams) stream.tell({ kind: 'measure', tickets })
      },
    ).finally(() => clearInterval(ticker))
    const cpuMs = ownCpuMs() - cpuBefore
    watch.end()

    const samples = mergeSamples(measured.map((stream) => stream.samples))
    const count = samples.latenciesMs.length
    reporter.progress(length.progress(count, performance.now() - start))
    const firstBeginMs = Math.min(...measured.map((stream) => stream.samples.offsetsMs[0] ?? Number.POSITIVE_INFINITY))
    return {
      ...samples,
      elapsedMs: Math.max(...measured.map(({ endMs }) => endMs)) - firstBeginMs,
      loadMs: first.loadMs,
      firstInferenceMs: first.firstInferenceMs,
      warmUp: {
        runs: sum(warm, ({ runs }) => runs),
        steady: warm.some(({ steady }) => steady === false) ? false : (warm[0]?.steady ?? null),
      },
      cpuMsPerInference: cpuMs / count,
      idleRssBytes,
      peakRssBytes: used.peakRssBytes,
      steadyRssBytes: used.rssBytes,
      memoryGrowthBytes: used.rssBytes - warmRssBytes,
      load: null,
      notes: [...first.assumptions, ...length.notes(count)],
    }
  } finally {
    // A thread ends after the inference it is in; whoever cancels need not wait for that.
    const ended = Promise.all(streams.map((stream) => stream.end())).then(() => process.off('exit', killNow))
    if (!signal.aborted) await ended
  }
}

/** Settles when all have; the first failure of any ends the wait. */
function all<T>(streams: readonly Stream[], wait: (stream: Stream) => Promise<T>, begin = () => {}): Promise<T[]> {
  const waiting = Promise.all(streams.map(wait))
  begin()
  return waiting
}

/** A worker thread seen from here. */
class Stream {
  runs = 0
  readonly #worker: Worker
  readonly #signal: AbortSignal
  readonly #waiting = new Map<StreamReport['kind'], (report: StreamReport) => void>()
  readonly #arrived = new Map<StreamReport['kind'], StreamReport>()
  #failure: Error | undefined
  #fail: ((error: Error) => void) | undefined
  readonly #ended: Promise<void>
  readonly #cancel = () => this.#failed(new EdgesmithError('JOB_CANCELLED', 'The measurement was cancelled.'))

  constructor(worker: Worker, signal: AbortSignal) {
    this.#worker = worker
    this.#signal = signal
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()))
    worker.on('message', (report: StreamReport) => this.#take(report))
    worker.on('error', (error) => this.#failed(error))
    worker.on('exit', (code) => this.#failed(new EdgesmithError('ENGINE_DIED', `A stream ended with code ${code} before it had finished.`)))
    signal.addEventListener('abort', this.#cancel, { once: true })
  }

  tell(command: StreamCommand): void {
    this.#worker.postMessage(command)
  }

  /** The stream's report of that kind. Rejects with its failure, or when cancelled. */
  report<K extends StreamReport['kind']>(kind: K): Promise<Extract<StreamReport, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const take = (report: StreamReport) => resolve(report as Extract<StreamReport, { kind: K }>)
      const arrived = this.#arrived.get(kind)
      if (arrived) take(arrived)
      else if (this.#failure) reject(this.#failure)
      else {
        this.#waiting.set(kind, take)
        this.#fail = reject
      }
    })
  }

  /** Settles when the thread has ended, after the run it is in: threads that are ended by force abort the process. */
  async end(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#cancel)
    this.tell({ kind: 'stop' })
    await this.#ended
  }

  #take(report: StreamReport): void {
    if (report.kind === 'tick') this.runs = report.runs
    else if (report.kind === 'error') this.#failed(fromErrorReport(report.error))
    else {
      this.#arrived.set(report.kind, report)
      this.#waiting.get(report.kind)?.(report)
    }
  }

  #failed(error: Error): void {
    this.#failure ??= error
    this.#fail?.(this.#failure)
  }
}

function sum<T>(list: readonly T[], pick: (entry: T) => number): number {
  return list.reduce((total, entry) => total + pick(entry), 0)
}
