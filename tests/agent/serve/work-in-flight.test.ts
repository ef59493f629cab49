import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type TimedWork, WorkInFlight } from '../../../src/agent/serve/work-in-flight.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Work that notes when it expired, and its deadline from now on. */
function work(inMs: number): TimedWork & { readonly expiredAt: number[] } {
  const expiredAt: number[] = []
  return { deadlineMs: performance.now() + inMs, expire: () => void expiredAt.push(performance.now()), place: -1, expiredAt }
}

it('each deadline is kept, late by 10 ms at most, whatever came before and after it', () => {
  const inFlight = new WorkInFlight(1000)
  const all = [60_000, 40, 41, 45, 3, 500, 1, 59_999].map(work)
  for (const each of all) expect(inFlight.add(each)).toBe(true)
  // Many that come one after the other with short deadlines do not put off those before them.
  for (let ms = 0; ms < 100; ms++) {
    const short = work(5)
    all.push(short)
    inFlight.add(short)
    vi.advanceTimersByTime(1)
  }
  vi.advanceTimersByTime(60_010)
  for (const { deadlineMs, expiredAt } of all) {
    expect(expiredAt).toHaveLength(1)
    expect(expiredAt[0]).toBeGreaterThanOrEqual(deadlineMs)
    expect(expiredAt[0]).toBeLessThanOrEqual(deadlineMs + 11)
  }
  expect(inFlight.size).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})

it('nobody is woken for a deadline that is far away, and what is done never expires', () => {
  const inFlight = new WorkInFlight(2)
  const looks = vi.spyOn(globalThis, 'setTimeout')
  const done = Array.from({ length: 50 }, () => {
    const each = work(1000)
    inFlight.add(each)
    vi.advanceTimersByTime(15)
    inFlight.remove(each)
    return each
  })
  expect(looks).toHaveBeenCalledTimes(1)
  const [first, second, third] = [work(1000), work(1000), work(1000)]
  expect([first, second, third].map((each) => inFlight.add(each))).toEqual([true, true, false])
  vi.advanceTimersByTime(1020)
  expect([first, second, third, ...done].map(({ expiredAt }) => expiredAt.length)).toEqual([1, 1, 0, ...done.map(() => 0)])
})
