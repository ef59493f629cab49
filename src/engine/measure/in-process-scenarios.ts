import type { BenchSettings } from '../../contract/measurement.ts'
import { latencyStatistics } from '../../core/statistics/latency-statistics.ts'
import { endsBehind, keepsGrowing } from '../../core/statistics/overload.ts'
import { poissonArrivals } from '../../core/statistics/poisson-arrivals.ts'
import { summarize } from '../../core/statistics/summary.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { startRuntime } from '../runtimes/prepared-model.ts'
import { type OpenLoopRuns, serveArrivals } from './open-loop.ts'
import { realPacer } from './pacing.ts'
import { ownCpuMs } from './processor-load.ts'
import { runLength } from './run-length.ts'
import type { Measured, ScenarioContext } from './scenario.ts'
import { measureError, openTimedModel } from './timed-model.ts'
import { MOST_SAMPLES, type TimedRuns, timeRuns } from './timed-runs.ts'
import { warmUp } from './warm-up.ts'

/** Two builds are asked at the same moments. */
export const ARRIVAL_SEED = 1
/** A runner that has not caught up in twice the planned time and this much more never will. */
export const CATCH_UP_MS = 10_000
/** Behind a runner that is busy for less than this share of the time a growing queue is chance. */
const FULL_SHARE = 0.95

/** What a measured part answers: the samples and what is known of the load. */
type MeasuredPart = Pick<
  Measured,
  'latenciesMs' | 'offsetsMs' | 'elapsedMs' | 'cpuMsPerInference' | 'load' | 'notes' | 'peakRssBytes' | 'steadyRssBytes'
>

/** One inference after another in this process: the scenarios single and batch, and offline with one stream. */
export function measureBackToBack(modelPath: string, settings: BenchSettings, context: ScenarioContext): Promise<Measured> {
  const length = runLength(settings)
  return withWarmModel(modelPath, settings, context, async (run) => {
    const cpuBefore = ownCpuMs()
    const runs = await timeRuns(run, {
      enough: length.enough,
      onTick: (done, elapsedMs) => {
        context.reporter.progress(length.progress(done, elapsedMs))
        context.watch.look()
      },
      signal: context.signal,
    })
    const cpuMs = ownCpuMs() - cpuBefore
    const count = runs.latenciesMs.length
    context.reporter.progress(length.progress(count, runs.elapsedMs))
    return { ...ofRuns(runs), cpuMsPerInference: cpuMs / count, load: null, notes: length.notes(count) }
  })
}

/**
 * Requests that arrive at random at `rate` a second, answered by one runner in this process, see {@link serveArrivals}.
 * Lasts for `seconds`, or for `runs` requests, and stops when the runner falls hopelessly behind.
 */
export function measureServer(modelPath: string, settings: BenchSettings, rate: number, context: ScenarioContext): Promise<Measured> {
  const { runs: wantedRuns, seconds } = settings
  const plannedMs = seconds === undefined ? (wantedRuns * 1000) / rate : seconds * 1000
  const length = runLength(settings)
  return withWarmModel(modelPath, settings, context, async (run) => {
    const runs = await serveArrivals(run, {
      arrivals: poissonArrivals(rate, ARRIVAL_SEED),
      // The first request belongs to it however late it comes: no requests are no measurement.
      wanted: (index, dueMs) => (seconds === undefined ? index < wantedRuns : index === 0 || (dueMs < plannedMs && index < MOST_SAMPLES)),
      limitMs: 2 * plannedMs + CATCH_UP_MS,
      pacer: realPacer(false),
      cpuMs: ownCpuMs,
      onTick: (done, elapsedMs) => {
        context.reporter.progress(length.progress(done, elapsedMs))
        context.watch.look()
      },
      signal: context.signal,
    })
    const count = runs.latenciesMs.length
    context.reporter.progress(length.progress(count, runs.elapsedMs))
    return {
      ...ofRuns(runs),
      cpuMsPerInference: runs.cpuMsPerRun,
      load: {
        offeredPerSecond: rate,
        answeredPerSecond: (count * 1000) / runs.elapsedMs,
        serviceMs: latencyStatistics(runs.serviceMs),
        longestQueue: runs.longestQueue,
        overloaded: isOverloaded(runs, rate),
        errors: 0,
      },
      notes: [...length.notes(count), ...unansweredNote(runs.unanswered)],
    }
  })
}

/** Says that measuring was stopped with requests waiting: those would have been the slowest. */
export function unansweredNote(unanswered: number): string[] {
  if (unanswered === 0) return []
  return [`Measuring stopped while ${unanswered} requests were waiting: more arrived than could be answered. Their latencies are missing.`]
}

function isOverloaded({ latenciesMs, offsetsMs, serviceMs, unanswered }: OpenLoopRuns, rate: number): boolean {
  if (unanswered > 0 || endsBehind(latenciesMs, offsetsMs)) return true
  return keepsGrowing(latenciesMs) && (summarize(serviceMs).mean * rate) / 1000 >= FULL_SHARE
}

function ofRuns({ latenciesMs, offsetsMs, elapsedMs, memory }: TimedRuns) {
  return { latenciesMs, offsetsMs, elapsedMs, peakRssBytes: memory.peakRssBytes, steadyRssBytes: memory.rssBytes }
}

/** Start of the runtime (not part of any number), load, first inference, warm-up, and then the measured part. */
async function withWarmModel(
  modelPath: string,
  settings: BenchSettings,
  context: ScenarioContext,
  measure: (run: () => Promise<unknown>) => Promise<MeasuredPart>,
): Promise<Measured> {
  const { reporter, signal, watch } = context
  throwIfCancelled(signal)
  await startRuntime()
  const idleRssBytes = process.memoryUsage.rss()
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  try {
    const model = await openTimedModel(modelPath, settings, signal)
    try {
      const warmth = await warmUpInProcess(model.run, settings, context)
      const warmRssBytes = process.memoryUsage.rss()
      watch.begin()
      const measured = await measure(model.run)
      watch.end()
      return {
        ...measured,
        loadMs: model.loadMs,
        firstInferenceMs: model.firstInferenceMs,
        warmUp: warmth,
        idleRssBytes,
        memoryGrowthBytes: measured.steadyRssBytes - warmRssBytes,
        notes: [...model.assumptions, ...measured.notes],
      }
    } finally {
      await model.close()
    }
  } catch (error) {
    throw measureError(error)
  }
}

function warmUpInProcess(run: () => Promise<unknown>, settings: BenchSettings, { reporter, signal }: ScenarioContext) {
  let done = 0
  return warmUp(
    async (enough) => {
      const onTick = (runs: number) => reporter.progress({ phase: 'warm-up', done: done + runs, total: null, unit: 'runs' })
      const { latenciesMs } = await timeRuns(run, { enough, onTick, signal })
      done += latenciesMs.length
      return latenciesMs
    },
    { runs: settings.warmupRuns, seconds: settings.warmupSeconds },
  )
}
