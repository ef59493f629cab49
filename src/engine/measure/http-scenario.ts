import { setTimeout as sleep } from 'node:timers/promises'
import { EdgesmithError } from '../../contract/errors.ts'
import type { BenchSettings } from '../../contract/measurement.ts'
import { servedStatsSchema } from '../../contract/served-model.ts'
import { latencyStatistics } from '../../core/statistics/latency-statistics.ts'
import { endsBehind, keepsGrowing } from '../../core/statistics/overload.ts'
import { poissonArrivals } from '../../core/statistics/poisson-arrivals.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { HttpConnection } from './http-connection.ts'
import type { HttpRuns, HttpTarget } from './http-lanes.ts'
import { closedLoop, openLoop } from './http-loops.ts'
import { getJson, type PredictionRequest, predictionRequest } from './http-request.ts'
import { ARRIVAL_SEED, CATCH_UP_MS, unansweredNote } from './in-process-scenarios.ts'
import { realPacer } from './pacing.ts'
import { runLength } from './run-length.ts'
import type { BenchmarkPrograms, Measured, ScenarioContext, ServerUnderTest } from './scenario.ts'
import { MOST_SAMPLES } from './timed-runs.ts'
import { type WarmUp, warmUp } from './warm-up.ts'

/** Our server ends its answers with the time it took; parsing all of a large answer would take longer than the inference. */
const SERVICE_TIME = /"latency_ms":([\d.e+-]+)\}$/i
const SERVICE_TIME_BYTES = 48
/** The end of a child process is known within this time. */
const DEATH_MS = 200

/**
 * End to end: our REST server for the model in a process of its own, and real requests over keep-alive connections on loopback. With a
 * `rate` they arrive at random and latency counts from the moment each was due; without one `connections` send the next request when
 * the last is answered. Memory, CPU time, load and first inference are the server's; both processes share this machine.
 */
export async function measureHttp(
  modelPath: string,
  settings: BenchSettings,
  context: ScenarioContext,
  programs: BenchmarkPrograms,
): Promise<Measured> {
  const { reporter, signal } = context
  throwIfCancelled(signal)
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  const server = await programs.startServer(modelPath, settings.threads, signal)
  // Ends the requests under way when the server has died.
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  try {
    const measured = measureServed(server, settings, { ...context, signal: either })
    return await Promise.race([measured, server.failed])
  } catch (error) {
    throwIfCancelled(signal)
    // A connection may break a moment before the end of the server is known, which says more.
    if (!(error instanceof EdgesmithError)) await Promise.race([server.failed, sleep(DEATH_MS)])
    throw error
  } finally {
    over.abort()
    await server.stop()
  }
}

async function measureServed(server: ServerUnderTest, settings: BenchSettings, context: ScenarioContext): Promise<Measured> {
  const { watch } = context
  const request = await predictionRequest(server, settings.batch)
  await requireAnswer(server, request)
  const target: HttpTarget = { port: server.port, requests: [request.bytes], serviceMs }
  const warmth = await warmUpServer(target, settings, context)
  const stats = () => getJson(server, '/stats', servedStatsSchema)

  const before = await stats()
  watch.begin(before.cpu_ms)
  const length = runLength(settings)
  const onTick = (answered: number, elapsedMs: number) => {
    context.reporter.progress(length.progress(answered, elapsedMs))
    watch.look()
  }
  const runs = await (settings.rate === undefined
    ? closedLoop(target, settings.connections, length.enough, { now: () => performance.now(), onTick, signal: context.signal })
    : askAtRandom(target, settings, settings.rate, { onTick, signal: context.signal }))
  onTick(runs.latenciesMs.length, runs.elapsedMs)
  const after = await stats()
  watch.end(after.cpu_ms)

  const count = runs.latenciesMs.length
  if (count === 0) throw refused(runs.firstError ?? 'nothing was answered')
  return {
    latenciesMs: runs.latenciesMs,
    offsetsMs: runs.offsetsMs,
    elapsedMs: runs.elapsedMs,
    loadMs: server.loadMs,
    firstInferenceMs: server.firstInferenceMs,
    warmUp: warmth,
    cpuMsPerInference: (after.cpu_ms - before.cpu_ms) / count,
    idleRssBytes: server.idleRssBytes,
    peakRssBytes: after.peak_rss_bytes,
    steadyRssBytes: after.rss_bytes,
    memoryGrowthBytes: after.rss_bytes - before.rss_bytes,
    load: {
      offeredPerSecond: settings.rate ?? null,
      answeredPerSecond: (count * 1000) / runs.elapsedMs,
      serviceMs: latencyStatistics(runs.serviceMs),
      longestQueue: runs.longestQueue,
      overloaded: settings.rate !== undefined && isOverloaded(runs),
      errors: runs.errors,
    },
    notes: [...request.assumptions, ...length.notes(count), ...unansweredNote(runs.unanswered), ...errorNote(runs)],
  }
}

function askAtRandom(
  target: HttpTarget,
  { runs: wantedRuns, seconds }: BenchSettings,
  rate: number,
  options: Pick<Parameters<typeof openLoop>[1], 'onTick' | 'signal'>,
): Promise<HttpRuns> {
  const plannedMs = seconds === undefined ? (wantedRuns * 1000) / rate : seconds * 1000
  return openLoop(target, {
    ...options,
    arrivals: poissonArrivals(rate, ARRIVAL_SEED),
    wanted: (index, dueMs) => (seconds === undefined ? index < wantedRuns : index === 0 || (dueMs < plannedMs && index < MOST_SAMPLES)),
    limitMs: 2 * plannedMs + CATCH_UP_MS,
    pacer: realPacer(true),
  })
}

/** As many connections as will be measured, each sending request after request. */
function warmUpServer(target: HttpTarget, settings: BenchSettings, { reporter, signal }: ScenarioContext): Promise<WarmUp> {
  let done = 0
  return warmUp(
    async (enough) => {
      const onTick = (answered: number) => reporter.progress({ phase: 'warm-up', done: done + answered, total: null, unit: 'runs' })
      const { latenciesMs, firstError } = await closedLoop(target, settings.connections, enough, {
        now: () => performance.now(),
        onTick,
        signal,
      })
      if (latenciesMs.length === 0 && firstError !== undefined) throw refused(firstError)
      done += latenciesMs.length
      return latenciesMs
    },
    { runs: settings.warmupRuns, seconds: settings.warmupSeconds },
  )
}

/** One request alone, so that a server that refuses all of them says why. */
async function requireAnswer({ port }: ServerUnderTest, { bytes }: PredictionRequest): Promise<void> {
  const connection = await HttpConnection.open(port)
  try {
    const { status, body } = await connection.send(bytes)
    if (status !== 200) throw refused(`${status} ${body.toString('utf8', 0, 500)}`)
  } finally {
    connection.close()
  }
}

function refused(answer: string): EdgesmithError {
  return new EdgesmithError('MODEL_RUN_FAILED', `The server did not answer requests with made-up inputs: ${answer}`, {
    hint: 'Measure the scenario single: it shows whether the model runs at all on made-up inputs.',
  })
}

function errorNote({ errors, firstError }: HttpRuns): string[] {
  return errors === 0 ? [] : [`${errors} requests were not answered with 200 and have no latency. The first: ${firstError}`]
}

function isOverloaded({ latenciesMs, offsetsMs, unanswered }: HttpRuns): boolean {
  return unanswered > 0 || keepsGrowing(latenciesMs) || endsBehind(latenciesMs, offsetsMs)
}

function serviceMs(body: Buffer): number | undefined {
  const found = SERVICE_TIME.exec(body.toString('latin1', Math.max(0, body.length - SERVICE_TIME_BYTES)))?.[1]
  return found === undefined ? undefined : Number(found)
}
