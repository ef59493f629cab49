import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import type { BenchResult, BenchSettings } from '../../contract/measurement.ts'
import { latencyStatistics } from '../../core/statistics/latency-statistics.ts'
import { openPreparedModel, type PreparedModel, startRuntime } from '../runtimes/prepared-model.ts'
import { runError } from '../runtimes/runtime-errors.ts'
import { makeBenchmarkInputs } from './benchmark-inputs.ts'
import { clockWarnings, readClockState } from './clock-state.ts'
import { readEnvironment } from './environment.ts'
import { busyWarning, fewSamplesWarning } from './measurement-warnings.ts'
import { readProcessorTicks, shareOfOthers } from './processor-load.ts'
import type { SystemRoot } from './system-files.ts'
import { type TimedRuns, throwIfCancelled, timeRuns } from './timed-runs.ts'

/** What measuring needs from its surroundings. */
export interface MeasureContext {
  readonly reporter: JobReporter
  readonly signal: AbortSignal
  readonly edgesmithVersion: string
  /** Where /proc and /sys are; default `/`. */
  readonly systemRoot?: SystemRoot
}

/** Long enough for 25 ticks of the kernel's clock on one processor, short against a warm-up. */
const PREFLIGHT_MS = 250
/** With `seconds`, no more samples than this are kept (20 MB): a model of 10 µs reaches it in a minute. */
const MOST_SAMPLES = 5_000_000

/**
 * Measures the latency of a model, one inference after another (scenario "single"; with `batch` above 1 one inference is a batch).
 *
 * In this order: how busy the machine is, start of the runtime (not part of any number), load, first inference, warm-up until both
 * `warmupRuns` and `warmupSeconds` are reached, measured runs (`runs`, or for `seconds`). Every sample is kept, none is called an
 * outlier. Inputs are made up, see `benchmark-inputs.ts`. Times are wall clock around the runtime's `run`; throughput is batch × runs
 * over the whole measured time.
 * Meant for a process of its own: memory is the process's.
 *
 * @param modelPath a self-contained .onnx file
 * @throws EdgesmithError `FILE_NOT_FOUND`, `MODEL_LOAD_FAILED` and relatives, `USAGE` (batch, inputs), `TOO_LARGE`,
 *   `MODEL_RUN_FAILED`, `JOB_CANCELLED`
 */
export async function benchmark(modelPath: string, settings: BenchSettings, context: MeasureContext): Promise<BenchResult> {
  const { reporter, signal, systemRoot = '/' } = context
  const warnings: string[] = []

  reporter.progress({ phase: 'preflight', done: 0, total: null, unit: '' })
  const clocksBefore = await readClockState(systemRoot)
  const environment = readEnvironment(systemRoot, clocksBefore, context.edgesmithVersion)
  const ticksBefore = readProcessorTicks(systemRoot)
  await sleep(PREFLIGHT_MS)
  warnings.push(...busyWarning(shareOfOthers(ticksBefore, readProcessorTicks(systemRoot)), 'just before the measurement'))
  throwIfCancelled(signal)

  await startRuntime()
  const idleRssBytes = process.memoryUsage.rss()
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  const loadStart = performance.now()
  const model = await openPreparedModel(await readFile(modelPath), settings.threads)
  const loadMs = performance.now() - loadStart
  try {
    const { feeds, assumptions } = makeBenchmarkInputs(model.inputs, settings.batch)
    warnings.push(...assumptions)
    const run = model.prepare(feeds)
    const measured = await measure(run, settings, context)
    warnings.push(...measured.warnings)
    const clocksAfter = await readClockState(systemRoot)
    warnings.push(...clockWarnings(clocksBefore, clocksAfter))
    const { latenciesMs, elapsedMs } = measured.runs
    warnings.push(...fewSamplesWarning(latenciesMs.length))
    return {
      settings,
      latenciesMs,
      latencyMs: latencyStatistics(latenciesMs),
      throughputPerSecond: (settings.batch * latenciesMs.length * 1000) / elapsedMs,
      loadMs,
      firstInferenceMs: measured.firstInferenceMs,
      warmupRuns: measured.warmupRuns,
      cpuMsPerInference: measured.cpuMs / latenciesMs.length,
      peakRssBytes: peakRssBytes(),
      idleRssBytes,
      samples: latenciesMs.length,
      // The temperature that belongs to the numbers is the one under load.
      environment: { ...environment, temperatureC: clocksAfter.temperatureC ?? null },
      warnings,
    }
  } finally {
    await model.close()
  }
}

interface Measured {
  readonly runs: TimedRuns
  readonly firstInferenceMs: number
  readonly warmupRuns: number
  readonly cpuMs: number
  readonly warnings: string[]
}

async function measure(run: ReturnType<PreparedModel['prepare']>, settings: BenchSettings, context: MeasureContext): Promise<Measured> {
  const { reporter, signal, systemRoot = '/' } = context
  const { warmupRuns, warmupSeconds, runs: wantedRuns, seconds } = settings
  try {
    throwIfCancelled(signal)
    const firstStart = performance.now()
    await run()
    const firstInferenceMs = performance.now() - firstStart

    const warmup = await timeRuns(run, {
      enough: (done, elapsedMs) => done >= warmupRuns && elapsedMs >= warmupSeconds * 1000,
      expectedRuns: warmupRuns,
      onTick: (done) => reporter.progress({ phase: 'warm-up', done, total: null, unit: 'runs' }),
      signal,
    })

    const timed = seconds !== undefined
    const ticksBefore = readProcessorTicks(systemRoot)
    const cpuBefore = process.cpuUsage()
    const runs = await timeRuns(run, {
      enough: timed ? (done, elapsedMs) => (done > 0 && elapsedMs >= seconds * 1000) || done >= MOST_SAMPLES : (done) => done >= wantedRuns,
      expectedRuns: timed ? Math.min(MOST_SAMPLES, Math.ceil((seconds * 1000) / firstInferenceMs)) : wantedRuns,
      onTick: (done, elapsedMs) =>
        reporter.progress(
          timed
            ? { phase: 'measure', done: Math.min(elapsedMs / 1000, seconds), total: seconds, unit: 's' }
            : { phase: 'measure', done, total: wantedRuns, unit: 'runs' },
        ),
      signal,
    })
    const cpu = process.cpuUsage(cpuBefore)
    const others = shareOfOthers(ticksBefore, readProcessorTicks(systemRoot))
    reporter.progress({ phase: 'measure', done: runs.latenciesMs.length, total: runs.latenciesMs.length, unit: 'runs' })

    // The kernel counts in ticks of 10 ms: over a shorter time the share is mostly rounding.
    const warnings = runs.elapsedMs >= 2 * PREFLIGHT_MS ? busyWarning(others, 'during the measurement') : []
    if (timed && runs.latenciesMs.length >= MOST_SAMPLES) {
      warnings.push(`Measuring stopped after ${MOST_SAMPLES} samples, before the ${seconds} s were over.`)
    }
    return { runs, firstInferenceMs, warmupRuns: warmup.latenciesMs.length, cpuMs: (cpu.user + cpu.system) / 1000, warnings }
  } catch (error) {
    throw error instanceof EdgesmithError ? error : runError(error)
  }
}

/** Highest resident memory of this process so far. */
function peakRssBytes(): number {
  // Node.js gives kilobytes on every platform.
  return process.resourceUsage().maxRSS * 1024
}
