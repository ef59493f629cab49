import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobReporter } from '../../contract/job.ts'
import type { BenchResult, BenchSettings } from '../../contract/measurement.ts'
import { latencyStatistics } from '../../core/statistics/latency-statistics.ts'
import { outlierShare } from '../../core/statistics/outliers.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import type { SystemRoot } from '../../platform/system-files.ts'
import { clockWarnings, readClockState } from './clock-state.ts'
import { readEnvironment } from './environment.ts'
import { measureHttp } from './http-scenario.ts'
import { measureBackToBack, measureServer } from './in-process-scenarios.ts'
import { MachineWatch } from './machine-watch.ts'
import { fewSamplesWarning, unsteadyWarning } from './measurement-warnings.ts'
import { measureStreams } from './offline-scenario.ts'
import { preflightChecks } from './preflight.ts'
import { readProcessorTicks, shareOfOthers } from './processor-load.ts'
import { RunSampler } from './run-telemetry.ts'
import type { BenchmarkPrograms, Measured, ScenarioContext } from './scenario.ts'
import { requireScenario } from './scenario-settings.ts'
import { measureTensorRt } from './tensorrt.ts'

/** What measuring needs from its surroundings. */
export interface MeasureContext {
  readonly reporter: JobReporter
  readonly signal: AbortSignal
  readonly edgesmithVersion: string
  /** Where /proc and /sys are; default `/`. */
  readonly systemRoot?: SystemRoot
}

/** What a benchmark needs beside that; programs only for several streams and http. */
export interface BenchmarkContext extends MeasureContext {
  readonly programs?: BenchmarkPrograms
  /** Where TensorRT's engines are kept; needed for runtime `tensorrt`. */
  readonly enginesFolder?: string
}

/** Long enough for 25 ticks of the kernel's clock on one processor, short against a warm-up. */
const PREFLIGHT_MS = 250

/**
 * Measures the latency of a model in one of the scenarios, see `scenarioSchema`.
 *
 * In this order: state and load of the machine, start of the runtime (not part of any number; of http it is), load, first inference,
 * warm-up (`warm-up.ts`), measured runs (`runs`, or for `seconds`). Every sample is kept, none is called an outlier. Inputs are made up,
 * see `benchmark-inputs.ts`. Times are wall clock around the runtime's `run`; throughput is batch × runs over the whole measured time.
 * A busy or throttling machine is measured and labelled. Where the machine says how hot it is and what it draws, that is read meanwhile
 * in a thread of its own (`run-telemetry.ts`); where a sensor measures power, the idle board is measured for two seconds before.
 * Meant for a process of its own: memory is the process's.
 *
 * @param modelPath a self-contained .onnx file
 * @throws EdgesmithError `FILE_NOT_FOUND`, `MODEL_LOAD_FAILED` and relatives, `USAGE` (scenario, batch, inputs), `TOO_LARGE`,
 *   `MODEL_RUN_FAILED`, `ENGINE_DIED` (the REST server), `JOB_CANCELLED`; those of `tensorrt.ts`
 */
export async function benchmark(modelPath: string, settings: BenchSettings, context: BenchmarkContext): Promise<BenchResult> {
  const { reporter, signal, systemRoot = '/' } = context
  requireScenario(settings)
  reporter.progress({ phase: 'preflight', done: 0, total: null, unit: '' })
  const { size: modelBytes } = await stat(modelPath)
  const clocksBefore = await readClockState(systemRoot)
  const environment = readEnvironment(systemRoot, clocksBefore, context.edgesmithVersion)
  const ticksBefore = readProcessorTicks(systemRoot)
  await sleep(PREFLIGHT_MS)
  const others = shareOfOthers(ticksBefore, readProcessorTicks(systemRoot))
  const preflight = preflightChecks(systemRoot, { clocks: clocksBefore, others, modelBytes })
  throwIfCancelled(signal)

  const sampler = await RunSampler.start(systemRoot, context.programs)
  try {
    await sampler?.measureIdle(reporter, signal)
    const watch = new MachineWatch(systemRoot, clocksBefore, others, () => sampler?.mark())
    const raw = await measureScenario(modelPath, settings, { reporter, signal, watch }, context)
    const seen = await sampler?.seen({ ...watch.measuredPart, elapsedMs: raw.elapsedMs, runs: raw.latenciesMs.length })
    const measured =
      sampler && seen && settings.scenario !== 'http' && !raw.tensorRt ? withoutSampler(raw, sampler.rssBytes, seen.cpuMs) : raw
    const { noise, clocks, busy } = await watch.observations(seen?.throttled)
    const { latenciesMs, offsetsMs, warmUp, elapsedMs, notes, load } = measured
    return {
      settings,
      latenciesMs,
      offsetsMs,
      latencyMs: latencyStatistics(latenciesMs),
      throughputPerSecond: (settings.batch * latenciesMs.length * 1000) / elapsedMs,
      loadMs: measured.loadMs,
      firstInferenceMs: measured.firstInferenceMs,
      warmupRuns: warmUp.runs,
      steady: warmUp.steady,
      outlierShare: outlierShare(latenciesMs),
      noise,
      preflight,
      load,
      cpuMsPerInference: measured.cpuMsPerInference,
      peakRssBytes: measured.peakRssBytes,
      idleRssBytes: measured.idleRssBytes,
      steadyRssBytes: measured.steadyRssBytes,
      memoryGrowthBytes: measured.memoryGrowthBytes,
      samples: latenciesMs.length,
      // The temperature that belongs to the numbers is the one under load.
      environment: { ...environment, temperatureC: clocks.temperatureC ?? null },
      telemetry: seen?.telemetry ?? null,
      energy: seen?.energy ?? null,
      tensorRt: measured.tensorRt ?? null,
      warnings: [
        ...busy,
        ...notes,
        ...clockWarnings(clocksBefore, clocks),
        ...unsteadyWarning(warmUp.steady),
        ...fewSamplesWarning(latenciesMs.length),
      ],
    }
  } finally {
    sampler?.stop()
  }
}

/** What a scenario found in this process, less the memory and CPU time of the thread that read the sensors meanwhile. */
function withoutSampler(measured: Measured, rssBytes: number, cpuMs: number): Measured {
  const less = (bytes: number) => Math.max(0, bytes - rssBytes)
  return {
    ...measured,
    cpuMsPerInference: Math.max(0, measured.cpuMsPerInference - cpuMs / measured.latenciesMs.length),
    idleRssBytes: less(measured.idleRssBytes),
    peakRssBytes: less(measured.peakRssBytes),
    steadyRssBytes: less(measured.steadyRssBytes),
  }
}

async function measureScenario(
  modelPath: string,
  settings: BenchSettings,
  context: ScenarioContext,
  { programs, systemRoot = '/', enginesFolder }: BenchmarkContext,
): Promise<Measured> {
  const { scenario, streams, rate, runtime } = settings
  if (runtime === 'tensorrt') return measureTensorRt(modelPath, settings, context, { systemRoot, enginesFolder })
  if (scenario === 'server' && rate !== undefined) return measureServer(modelPath, settings, rate, context)
  if (scenario === 'http') return measureHttp(modelPath, settings, context, needed(programs))
  if (scenario === 'offline' && streams > 1) return measureStreams(modelPath, settings, context, needed(programs))
  return measureBackToBack(modelPath, settings, context)
}

function needed(programs: BenchmarkPrograms | undefined): BenchmarkPrograms {
  if (!programs) throw new Error('this scenario needs programs')
  return programs
}
