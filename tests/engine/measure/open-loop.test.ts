import { describe, expect, it } from 'vitest'
import { latencyStatistics } from '../../../src/core/statistics/latency-statistics.ts'
import { keepsGrowing } from '../../../src/core/statistics/overload.ts'
import { poissonArrivals } from '../../../src/core/statistics/poisson-arrivals.ts'
import { type OpenLoopOptions, serveArrivals } from '../../../src/engine/measure/open-loop.ts'
import { type Pacer, realPacer } from '../../../src/engine/measure/pacing.ts'

/** A clock that only moves when it is told to, and a runner that moves it. */
class VirtualTime implements Pacer {
  atMs = 0
  cpuMs = 0
  now(): number {
    return this.atMs
  }
  async waitUntil(atMs: number): Promise<void> {
    this.atMs = Math.max(this.atMs, atMs)
  }
  /** Takes `serviceMs(run number)` for each run, half of it CPU time. */
  runner(serviceMs: (run: number) => number): () => Promise<void> {
    let runs = 0
    return async () => {
      const ms = serviceMs(runs++)
      this.atMs += ms
      this.cpuMs += ms / 2
    }
  }
}

const never = new AbortController().signal

function options(time: VirtualTime, changes: Partial<OpenLoopOptions> = {}): OpenLoopOptions {
  return {
    arrivals: poissonArrivals(100, 1),
    wanted: (index) => index < 4000,
    limitMs: Number.POSITIVE_INFINITY,
    pacer: { now: () => time.now(), waitUntil: (atMs) => time.waitUntil(atMs) },
    cpuMs: () => time.cpuMs,
    onTick: () => {},
    signal: never,
    ...changes,
  }
}

/** Arrivals at fixed moments, then none. */
function at(...momentsMs: number[]): Pick<OpenLoopOptions, 'arrivals' | 'wanted'> {
  let next = 0
  return { arrivals: { next: () => momentsMs[next++] ?? Number.POSITIVE_INFINITY }, wanted: (index) => index < momentsMs.length }
}

describe('serveArrivals', () => {
  it('counts from the moment a request was due', async () => {
    const time = new VirtualTime()
    time.atMs = 1000
    const found = await serveArrivals(
      time.runner(() => 10),
      options(time, at(5, 7, 8, 100)),
    )
    // Served from 5 to 15, 15 to 25, 25 to 35, 100 to 110.
    expect([...found.latenciesMs]).toEqual([10, 18, 27, 10])
    expect([...found.serviceMs]).toEqual([10, 10, 10, 10])
    expect([...found.offsetsMs]).toEqual([0, 2, 3, 95])
    expect(found).toMatchObject({ longestQueue: 2, unanswered: 0, elapsedMs: 110, cpuMsPerRun: 5 })
  })

  it('shows a stall in p99 that a closed loop hides', async () => {
    // 1 ms a run at 100 a second, and one run of 500 ms: some 50 requests come meanwhile.
    const stall = (run: number) => (run === 1000 ? 500 : 1)
    const wanted = (index: number) => index < 2000
    const time = new VirtualTime()
    const open = latencyStatistics((await serveArrivals(time.runner(stall), options(time, { wanted }))).latenciesMs)
    const closed = latencyStatistics(Float32Array.from({ length: 2000 }, (_, run) => stall(run)))
    expect(closed.p99).toBe(1)
    expect(open.p99).toBeGreaterThan(100)
    expect(open.p50).toBeLessThan(1.5)
    // The stalled request itself is one of both.
    expect(open.max).toBeGreaterThanOrEqual(500)
  })

  it('waits as queueing theory says (M/D/1)', async () => {
    // Mean wait of M/D/1: ρ s / (2 (1 − ρ)); at ρ = 0.5 half a service time. Fixed seed: the same number every time.
    const time = new VirtualTime()
    const { latenciesMs } = await serveArrivals(
      time.runner(() => 5),
      options(time, { wanted: (index) => index < 40_000 }),
    )
    const meanWaitMs = latenciesMs.reduce((sum, latency) => sum + latency - 5, 0) / latenciesMs.length
    expect(meanWaitMs).toBeGreaterThan(2.5 * 0.93)
    expect(meanWaitMs).toBeLessThan(2.5 * 1.07)
  })

  it('keeps growing where more arrives than can be answered, and stops in time', async () => {
    const time = new VirtualTime()
    const slow = await serveArrivals(
      time.runner(() => 12),
      options(time),
    )
    expect(keepsGrowing(slow.latenciesMs)).toBe(true)
    expect([slow.latenciesMs.length, slow.unanswered]).toEqual([4000, 0])

    const later = new VirtualTime()
    const cut = await serveArrivals(
      later.runner(() => 12),
      options(later, { limitMs: 6000 }),
    )
    expect(cut.elapsedMs).toBeGreaterThan(6000)
    expect(cut.elapsedMs).toBeLessThan(6013)
    expect(cut.unanswered).toBeGreaterThan(50)
    // Those that were due: answered or waiting.
    expect(cut.latenciesMs.length + cut.unanswered).toBeLessThan(4000)
  })

  it('does not remember more waiting requests than its limit', async () => {
    const time = new VirtualTime()
    const found = await serveArrivals(
      time.runner(() => 60_000),
      options(time, { arrivals: poissonArrivals(1_000_000, 1), wanted: () => true }),
    )
    expect(found.latenciesMs).toHaveLength(1)
    expect(found.unanswered).toBe(100_001)
  })

  it('stops in the middle of a long wait when cancelled, and passes a failing run on', async () => {
    const cancel = new AbortController()
    const ticks: number[] = []
    const waiting = serveArrivals(async () => {}, {
      ...options(new VirtualTime(), at(3_600_000)),
      pacer: realPacer(false),
      onTick: (answered) => {
        ticks.push(answered)
        if (ticks.length === 2) cancel.abort()
      },
      signal: cancel.signal,
    })
    await expect(waiting).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(ticks).toEqual([0, 0])
    const time = new VirtualTime()
    await expect(serveArrivals(() => Promise.reject(new Error('broken')), options(time))).rejects.toThrow('broken')
  })
})

describe('realPacer', () => {
  it('never comes early, and lets other work run where it yields', async () => {
    for (const yielding of [false, true]) {
      const pacer = realPacer(yielding)
      for (const waitMs of [0, 0.3, 1.7, 6.2]) {
        const until = pacer.now() + waitMs
        await pacer.waitUntil(until)
        expect(pacer.now()).toBeGreaterThanOrEqual(until)
      }
    }
    let turned = false
    setImmediate(() => {
      turned = true
    })
    const pacer = realPacer(true)
    await pacer.waitUntil(pacer.now() + 1)
    expect(turned).toBe(true)
  })
})
