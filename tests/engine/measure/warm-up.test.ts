import { describe, expect, it } from 'vitest'
import { warmUp } from '../../../src/engine/measure/warm-up.ts'

/** A model in virtual time: `latencyMs(time so far)` for each run. */
function model(latencyMs: (atMs: number) => number) {
  let atMs = 0
  const window = async (enough: (runs: number, elapsedMs: number) => boolean) => {
    const start = atMs
    const latencies: number[] = []
    while (!enough(latencies.length, atMs - start)) {
      const latency = latencyMs(atMs)
      atMs += latency
      latencies.push(latency)
    }
    return Float32Array.from(latencies)
  }
  return { window, nowMs: () => atMs }
}

describe('warmUp', () => {
  it('ends when runs and time are reached and three half seconds agree', async () => {
    const calm = model(() => 10)
    expect(await warmUp(calm.window, { runs: 100, seconds: 2 }, calm.nowMs)).toEqual({ runs: 200, steady: true })
    expect(calm.nowMs()).toBe(2000)
    // 500 runs of 10 ms take 5 s.
    const more = model(() => 10)
    expect(await warmUp(more.window, { runs: 500, seconds: 2 }, more.nowMs)).toEqual({ runs: 500, steady: true })
  })

  it('goes on while latencies fall, and no longer', async () => {
    // Clocks rise for 4 s: 20 ms, then 10 ms.
    const rising = model((atMs) => (atMs < 4000 ? 20 - atMs / 400 : 10))
    const found = await warmUp(rising.window, { runs: 10, seconds: 2 }, rising.nowMs)
    expect(found.steady).toBe(true)
    expect(rising.nowMs()).toBeGreaterThanOrEqual(5000)
    expect(rising.nowMs()).toBeLessThan(6500)
  })

  it('gives up on a machine that never settles: five times as long, or 10 s more', async () => {
    const restless = () => model((atMs) => (Math.floor(atMs / 500) % 2 === 0 ? 10 : 12))
    const short = restless()
    expect((await warmUp(short.window, { runs: 1, seconds: 2 }, short.nowMs)).steady).toBe(false)
    expect(short.nowMs()).toBeGreaterThanOrEqual(10_000)
    expect(short.nowMs()).toBeLessThan(11_500)
    const long = restless()
    expect((await warmUp(long.window, { runs: 1, seconds: 10 }, long.nowMs)).steady).toBe(false)
    expect(long.nowMs()).toBeLessThan(21_500)
  })

  it('judges a model whose run takes longer than a window', async () => {
    const slow = model(() => 900)
    expect(await warmUp(slow.window, { runs: 0, seconds: 2 }, slow.nowMs)).toEqual({ runs: 3, steady: true })
  })

  it('keeps to what was asked, and says nothing, where that is too short to tell', async () => {
    const calm = model(() => 10)
    expect(await warmUp(calm.window, { runs: 30, seconds: 0.2 }, calm.nowMs)).toEqual({ runs: 30, steady: null })
    expect(await warmUp(calm.window, { runs: 0, seconds: 0 }, calm.nowMs)).toEqual({ runs: 0, steady: null })
    expect(await warmUp(calm.window, { runs: 0, seconds: 1.4 }, calm.nowMs)).toEqual({ runs: 140, steady: null })
  })
})
