import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { EdgesmithError } from '../../contract/errors.ts'
import type { BenchSettings } from '../../contract/measurement.ts'
import { median } from '../../core/statistics/percentiles.ts'
import { type ExportedTimes, ExportTimesReader } from '../../core/tensorrt/export-times.ts'
import { timedQueries, timeStepMs } from '../../core/tensorrt/timed-queries.ts'
import type { TrtexecLog } from '../../core/tensorrt/trtexec-log.ts'
import { buildArguments, type EnginePlan, planTiming, type TrtexecSubject, timingArguments } from '../../core/tensorrt/trtexec-plan.ts'
import { isAtLeast } from '../../core/tensorrt/trtexec-version.ts'
import type { Measured, ScenarioContext } from './scenario.ts'
import { callTrtexec } from './tensorrt-call.ts'
import type { BuildPlaces, BuiltEngine, StoredEngine } from './tensorrt-engines.ts'
import { TrtexecMonitor } from './tensorrt-monitor.ts'
import type { Trtexec } from './tensorrt-program.ts'
import { MOST_SAMPLES } from './timed-runs.ts'

/** The first query of a fresh process, and a few more that say how long the warm-up has to be. */
const TRIAL_QUERIES = 4
/** Queries follow each other more slowly than their latency says: a warm-up by time rather makes a few more than were asked for. */
const WARM_UP_MARGIN = 1.25
/** What trtexec cannot tell apart must be small against what is measured. */
const COARSE_SHARE = 0.01

/** What all calls of trtexec for one benchmark have in common. */
export interface EngineCalls {
  readonly trtexec: Trtexec
  readonly subject: TrtexecSubject
  readonly plan: EnginePlan
  readonly settings: BenchSettings
  readonly context: ScenarioContext
}

/** What the first queries of a fresh process told. */
export interface Trial {
  readonly loadMs: number
  readonly firstInferenceMs: number
  /** Of a query that was not the first. */
  readonly typicalMs: number
}

/** What timing an engine found. */
export interface TimedEngine {
  readonly measured: Omit<Measured, 'loadMs' | 'firstInferenceMs' | 'load' | 'notes' | 'tensorRt'>
  readonly parts: { readonly computeMs: number; readonly copyInMs: number; readonly copyOutMs: number }
  readonly log: TrtexecLog
  readonly options: readonly string[]
  readonly notes: readonly string[]
}

/** Builds an engine, which takes minutes on a board. @throws EdgesmithError `TENSORRT_FAILED`, `JOB_CANCELLED` */
export async function buildEngine(of: EngineCalls, model: string, { engine, timingCache }: BuildPlaces): Promise<BuiltEngine> {
  const { trtexec, subject, plan, context } = of
  const { reporter, signal } = context
  reporter.log(`Building a TensorRT ${trtexec.versionText} engine on this device; that takes minutes. It is kept.`)
  const begin = performance.now()
  const log = await callTrtexec(trtexec, buildArguments(subject, plan, { model, engine, timingCache }), 'building the engine', {
    signal,
    reporter,
    onTick: (elapsedMs) =>
      reporter.progress({ phase: 'building the TensorRT engine', done: Math.floor(elapsedMs / 1000), total: null, unit: 's' }),
  })
  return { buildSeconds: log.buildSeconds ?? (performance.now() - begin) / 1000, warnings: log.warnings }
}

/**
 * Loads the engine in a fresh process and runs it a few times.
 * @throws EdgesmithError `TENSORRT_FAILED`, `JOB_CANCELLED`
 */
export async function tryOutEngine(of: EngineCalls, engine: StoredEngine, folder: string): Promise<Trial> {
  const { trtexec, subject, context } = of
  context.reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  const options = planTiming(subject, { warmUpMs: 0, seconds: 0, iterations: TRIAL_QUERIES })
  const times = join(folder, 'trial.json')
  const begunMs = performance.now()
  let startedMs: number | undefined
  const log = await callTrtexec(trtexec, timingArguments(options, { engine: engine.path, times }), 'loading the engine', {
    signal: context.signal,
    onLine: ({ event }) => {
      if (event === 'inference started') startedMs ??= performance.now()
    },
  })
  const { latencyMs } = await readTimes(times)
  if (latencyMs.length === 0) throw nothingTimed(trtexec)
  // What it says it took; before it said so, the time from its start to the first query.
  const saidMs = ((log.loadSeconds ?? 0) + (log.deserializeSeconds ?? 0)) * 1000
  const loadMs = saidMs > 0 ? saidMs : (startedMs ?? performance.now()) - begunMs
  return {
    loadMs,
    firstInferenceMs: latencyMs[0] as number,
    typicalMs: median(latencyMs.slice(1).length > 0 ? latencyMs.slice(1) : latencyMs),
  }
}

/**
 * Warms up and times the engine in a process of its own.
 * @throws EdgesmithError `TENSORRT_FAILED`, `JOB_CANCELLED`
 */
export async function timeEngine(of: EngineCalls, engine: StoredEngine, trial: Trial, folder: string): Promise<TimedEngine> {
  const { trtexec, subject, settings, context } = of
  const { seconds, runs, warmupRuns } = settings
  const warmUpMs = Math.ceil(Math.max(settings.warmupSeconds * 1000, warmupRuns * trial.typicalMs * WARM_UP_MARGIN))
  // Room for the case that warm-up by time made too few.
  const iterations = seconds === undefined ? runs + warmupRuns : Math.max(1, warmupRuns)
  const options = planTiming(subject, { warmUpMs, seconds: seconds ?? 0, iterations })
  const times = join(folder, 'times.json')
  const monitor = new TrtexecMonitor(context.watch, warmUpMs)
  const log = await callTrtexec(trtexec, timingArguments(options, { engine: engine.path, times }), 'timing the engine', {
    signal: context.signal,
    onLine: (line, pid) => monitor.onLine(line, pid),
    onTick: (_, pid) => {
      monitor.onTick(pid)
      reportProgress(of, monitor, trial)
    },
  })
  monitor.end()
  const exported = await readTimes(times)
  const warmUp = { warmUpMs, warmUpQueries: warmupRuns, queries: seconds === undefined ? runs : undefined }
  const timed = timedQueries(exported, log.warmUpQueries ?? 0, warmUp)
  if (!timed) throw nothingTimed(trtexec)
  const { idleRssBytes, peakRssBytes, steadyRssBytes, memoryGrowthBytes, inferenceCpuMs } = monitor.use
  const queries = timed.latenciesMs.length + timed.warmUpQueries
  return {
    measured: {
      latenciesMs: timed.latenciesMs,
      offsetsMs: timed.offsetsMs,
      elapsedMs: timed.elapsedMs,
      warmUp: { runs: timed.warmUpQueries, steady: null },
      cpuMsPerInference: inferenceCpuMs / queries,
      idleRssBytes,
      peakRssBytes,
      steadyRssBytes,
      memoryGrowthBytes,
    },
    parts: { computeMs: median(timed.computeMs), copyInMs: median(timed.h2dMs), copyOutMs: median(timed.d2hMs) },
    log,
    options,
    notes: [...traceNotes(exported, median(timed.latenciesMs)), ...versionNotes(trtexec)],
  }
}

function reportProgress(of: EngineCalls, monitor: TrtexecMonitor, { typicalMs }: Trial): void {
  const { settings, context } = of
  const { seconds, runs } = settings
  if (monitor.phase === 'warm-up') context.reporter.progress({ phase: 'warm-up', done: 0, total: null, unit: 'runs' })
  if (monitor.phase !== 'measuring') return
  // trtexec does not say how far it is: runs are estimated from the time.
  const done =
    seconds === undefined ? Math.min(runs, Math.floor(monitor.measuredMs / typicalMs)) : Math.min(seconds, monitor.measuredMs / 1000)
  context.reporter.progress({ phase: 'measure', done, total: seconds ?? runs, unit: seconds === undefined ? 'runs' : 's' })
}

async function readTimes(path: string): Promise<ExportedTimes> {
  const reader = new ExportTimesReader(MOST_SAMPLES)
  try {
    for await (const piece of createReadStream(path, 'latin1')) reader.read(piece as string)
  } catch (error) {
    // A trtexec that wrote no file timed nothing.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  return reader.times
}

function nothingTimed({ path, versionText }: Trtexec): EdgesmithError {
  return new EdgesmithError('TENSORRT_FAILED', `TensorRT ${versionText} ended without an error, but exported no times (--exportTimes).`, {
    hint: 'The log of the job has what it said. Is the disk of the device full?',
    details: { trtexec: path },
  })
}

function traceNotes({ unreadable, leftOut, endMs }: ExportedTimes, typicalMs: number): string[] {
  const stepMs = timeStepMs(endMs.at(-1) ?? 0)
  return [
    ...(unreadable > 0 ? [`${unreadable} of the times that trtexec exported could not be read and are missing.`] : []),
    ...(leftOut > 0 ? [`Only the first ${MOST_SAMPLES} times that trtexec exported were kept.`] : []),
    ...(stepMs > COARSE_SHARE * typicalMs
      ? [
          `trtexec tells times apart in steps of ${stepMs.toPrecision(2)} ms that long after its start, which is coarse for a median of ${typicalMs.toPrecision(3)} ms. Measure for a shorter time.`,
        ]
      : []),
  ]
}

/** Source: samples/opensource/trtexec/trtexec.cpp of release 7.1, which attaches the profiler where times are exported. */
function versionNotes({ version }: Trtexec): string[] {
  return isAtLeast(version, 8, 0)
    ? []
    : ['TensorRT 7 times every layer when it exports times, which makes small models slower than they are.']
}
