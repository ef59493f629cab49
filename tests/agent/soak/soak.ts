import { setTimeout as sleep } from 'node:timers/promises'
import { servedStatsSchema } from '../../../src/contract/served-model.ts'
import { percentileOfSorted } from '../../../src/core/statistics/percentiles.ts'
import { HttpConnection } from '../../../src/engine/measure/http-connection.ts'
import { getJson } from '../../../src/engine/measure/http-request.ts'
import { type MemorySample, type MemoryTrend, memoryTrend } from './memory-trend.ts'
import { type SoakRequest, soakRequests } from './soak-requests.ts'

/** A service of `soakModel`. */
export interface SoakTarget {
  readonly port: number
  readonly token: string
  readonly service: string
  /** Asks it to stop as an operator would (SIGTERM); settles when it has ended. */
  stop(): Promise<unknown>
}

export interface SoakOptions {
  readonly seconds: number
  readonly requestsPerSecond: number
  readonly connections: number
  /** Sent before as fast as they go, not counted: caches, compiled code and the heap of the server find their size. */
  readonly warmupRequests: number
  readonly memoryEveryMs: number
  /** Called with every sample of memory. */
  readonly onSample?: (sample: MemorySample, answered: number) => void
}

/** What a soak found. */
export interface SoakResult {
  /** Requests by kind that were answered as they must be. */
  readonly answered: Readonly<Record<string, number>>
  readonly requests: number
  /** What went wrong, in words; at most twenty. */
  readonly failures: readonly string[]
  readonly failed: number
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly memory: MemoryTrend
  readonly drain: DrainResult
}

/**
 * What became of requests while the service was told to stop. Lost ones were sent on a connection that the service had taken, and were not
 * answered. The last connection of each client is refused, or reset before the service took it.
 */
export interface DrainResult {
  readonly answered: number
  /** After the signal. */
  readonly answeredLate: number
  readonly refused: number
  readonly reset: number
  readonly lost: number
  readonly wrong: number
}

/** How long requests flow before the service is told to stop. */
const BEFORE_STOP_MS = 500
const MOST_FAILURES = 20

/**
 * Steady mixed load on a service: single and batch predictions, the Open Inference Protocol as JSON and binary, requests that must be refused. Every
 * answer is compared with what must come. Memory is looked at all the while. In the end the service is stopped under load.
 */
export async function soak(target: SoakTarget, options: SoakOptions): Promise<SoakResult> {
  const requests = soakRequests(target.port, target.token, target.service)
  await warmUp(target, requests, options)
  const run = await steadyLoad(target, requests, options)
  const drain = await drainUnderLoad(
    target,
    requests.filter(({ status }) => status === 200),
  )
  return { ...run, drain }
}

async function warmUp(target: SoakTarget, requests: readonly SoakRequest[], { warmupRequests, connections }: SoakOptions): Promise<void> {
  let next = 0
  const lane = async () => {
    let connection: HttpConnection | undefined
    for (let index = next++; index < warmupRequests; index = next++) {
      if (!connection || connection.closed) connection = await HttpConnection.open(target.port)
      await connection.send((requests[index % requests.length] as SoakRequest).bytes)
    }
    connection?.close()
  }
  await Promise.all(Array.from({ length: connections }, lane))
}

async function steadyLoad(target: SoakTarget, requests: readonly SoakRequest[], options: SoakOptions): Promise<Omit<SoakResult, 'drain'>> {
  const { seconds, requestsPerSecond, connections, memoryEveryMs, onSample } = options
  const start = performance.now()
  const endMs = seconds * 1000
  const answered: Record<string, number> = {}
  const latencies: number[] = []
  const failures: string[] = []
  let failed = 0
  let next = 0
  const fail = (what: string) => {
    failed++
    if (failures.length < MOST_FAILURES) failures.push(what)
  }
  const lane = async () => {
    let connection: HttpConnection | undefined
    for (;;) {
      const index = next++
      const dueMs = (index * 1000) / requestsPerSecond
      if (dueMs >= endMs) break
      const waitMs = dueMs - (performance.now() - start)
      if (waitMs > 1) await sleep(waitMs)
      const request = requests[index % requests.length] as SoakRequest
      try {
        if (!connection || connection.closed) connection = await HttpConnection.open(target.port)
        const begin = performance.now()
        const { status, body } = await connection.send(request.bytes)
        // One in eight is enough for percentiles, and an hour of them stays small.
        if (index % 8 === 0) latencies.push(performance.now() - begin)
        const wrong = status === request.status ? request.wrong(body) : `status ${status}: ${body.toString('utf8', 0, 200)}`
        if (wrong === null) answered[request.kind] = (answered[request.kind] ?? 0) + 1
        else fail(`${request.kind}: ${wrong}`)
      } catch (error) {
        fail(`${request.kind}: ${error}`)
        await sleep(10)
      }
    }
    connection?.close()
  }
  const memory: MemorySample[] = []
  const watch = async () => {
    for (let atMs = 0; atMs < endMs; atMs += memoryEveryMs) {
      await sleep(Math.max(0, atMs - (performance.now() - start)))
      const sample = { atMs, rssBytes: (await getJson(target, '/stats', servedStatsSchema)).rss_bytes }
      memory.push(sample)
      onSample?.(sample, next)
    }
  }
  await Promise.all([watch(), ...Array.from({ length: connections }, lane)])
  const sorted = latencies.sort((a, b) => a - b)
  return {
    answered,
    requests: next - connections,
    failures,
    failed,
    latencyMs: { p50: percentileOfSorted(sorted, 50), p99: percentileOfSorted(sorted, 99), max: sorted.at(-1) ?? 0 },
    memory: memoryTrend(memory),
  }
}

/** Requests one after another on several connections while the service stops, until each connection is refused. */
async function drainUnderLoad(target: SoakTarget, requests: readonly SoakRequest[]): Promise<DrainResult> {
  const found = { answered: 0, answeredLate: 0, refused: 0, reset: 0, lost: 0, wrong: 0 }
  let isStopping = false
  let isOver = false
  const lane = async (offset: number) => {
    let connection: HttpConnection | undefined
    let isTaken = false
    for (let index = offset; !isOver; index++) {
      const request = requests[index % requests.length] as SoakRequest
      if (!connection || connection.closed) {
        try {
          connection = await HttpConnection.open(target.port)
          isTaken = !isStopping
        } catch {
          found.refused++
          return
        }
      }
      try {
        const { status, body } = await connection.send(request.bytes)
        found.answered++
        isTaken = true
        if (isStopping) found.answeredLate++
        if (status !== request.status || request.wrong(body) !== null) found.wrong++
      } catch {
        if (isTaken) found.lost++
        else found.reset++
        return
      }
    }
    connection?.close()
  }
  const lanes = Array.from({ length: 8 }, (_, index) => lane(index * 5))
  await sleep(BEFORE_STOP_MS)
  isStopping = true
  await target.stop()
  // Lanes end by being refused; whoever is not by now would wait for ever.
  await Promise.race([Promise.all(lanes), sleep(5000)])
  isOver = true
  await Promise.all(lanes)
  return found
}
