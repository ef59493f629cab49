import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { timeRuns } from '../../../src/engine/measure/timed-runs.ts'

const never = new AbortController().signal

describe('timeRuns', () => {
  it('keeps every run, in order, as it was', async () => {
    let calls = 0
    const slow = new Set([3, 40])
    const run = async () => {
      if (slow.has(calls++)) await sleep(30)
    }
    const { latenciesMs, elapsedMs } = await timeRuns(run, {
      enough: (runs) => runs >= 100,
      onTick: () => {},
      signal: never,
    })
    expect(calls).toBe(100)
    expect(latenciesMs).toHaveLength(100)
    const sum = latenciesMs.reduce((total, value) => total + value, 0)
    expect(sum).toBeLessThanOrEqual(elapsedMs * 1.0001)
    // setTimeout never fires early by more than a millisecond: the two slow runs are where they happened.
    const slowest = [...latenciesMs.keys()].filter((i) => (latenciesMs[i] as number) >= 28)
    expect(slowest).toEqual(expect.arrayContaining([3, 40]))
  })

  it('asks before each run whether there were enough: none for none', async () => {
    const { latenciesMs, elapsedMs } = await timeRuns(() => Promise.reject(new Error('must not run')), {
      enough: () => true,
      onTick: () => {},
      signal: never,
    })
    expect([latenciesMs.length, elapsedMs]).toEqual([0, 0])
  })

  it('stops between two runs when cancelled, and reports on the way', async () => {
    const cancel = new AbortController()
    const ticks: number[] = []
    const endless = timeRuns(() => sleep(1), {
      enough: () => false,
      onTick: (runs) => {
        ticks.push(runs)
        if (ticks.length === 2) cancel.abort()
      },
      signal: cancel.signal,
    })
    await expect(endless).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(ticks).toHaveLength(2)
    expect(ticks[1]).toBeGreaterThan(ticks[0] as number)
  })

  it('passes a failing run on', async () => {
    const failing = timeRuns(() => Promise.reject(new Error('broken')), {
      enough: () => false,
      onTick: () => {},
      signal: never,
    })
    await expect(failing).rejects.toThrow('broken')
  })
})
