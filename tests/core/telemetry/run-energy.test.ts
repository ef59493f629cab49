import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { meanPower, runEnergy } from '../../../src/core/telemetry/run-energy.ts'
import { thinReadings } from '../../../src/core/telemetry/thinned-readings.ts'

describe('mean power', () => {
  it('weighs each stretch by its length', () => {
    // 2 W for one second, then a ramp to 4 W over two.
    const readings = [
      { atMs: 0, watts: 2 },
      { atMs: 1000, watts: 2 },
      { atMs: 3000, watts: 4 },
    ]
    expect(meanPower(readings)).toBeCloseTo((2 * 1 + 3 * 2) / 3, 12)
  })

  it('of one reading, of several at one moment, and of none', () => {
    expect(meanPower([{ atMs: 5, watts: 3 }])).toBe(3)
    expect(
      meanPower([
        { atMs: 5, watts: 3 },
        { atMs: 5, watts: 5 },
      ]),
    ).toBe(4)
    expect(meanPower([])).toBeNull()
  })

  it('lies between the smallest and the largest reading, and does not depend on where time begins', () => {
    const series = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 5000 }), watts: fc.double({ min: 0, max: 100, noNaN: true }) }), {
      minLength: 1,
      maxLength: 50,
    })
    fc.assert(
      fc.property(series, fc.integer({ min: 0, max: 1e6 }), (steps, shift) => {
        let atMs = 0
        const readings = steps.map(({ gap, watts }) => {
          atMs += gap
          return { atMs, watts }
        })
        const mean = meanPower(readings) as number
        const all = readings.map(({ watts }) => watts)
        expect(mean).toBeGreaterThanOrEqual(Math.min(...all) - 1e-9)
        expect(mean).toBeLessThanOrEqual(Math.max(...all) + 1e-9)
        expect(meanPower(readings.map((reading) => ({ ...reading, atMs: reading.atMs + shift })))).toBeCloseTo(mean, 6)
      }),
    )
  })
})

describe('energy of a run', () => {
  it('is power times time by runs', () => {
    // 6 W for 10 s are 60 J; 2,000 runs take 30 mJ each, 20 mJ of them more than the idle board's 2 W.
    expect(runEnergy(6, 2, 10_000, 2000)).toEqual({ grossMj: 30, netMj: 20, meanW: 6, idleW: 2 })
  })

  it('net may be below zero where nothing is drawn beyond idle', () => {
    expect(runEnergy(2, 2.1, 1000, 10).netMj).toBeCloseTo(-10, 9)
  })
})

describe('thinning', () => {
  const readings = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ atMs: index, throttled: index === 777 ? ['heat'] : [] }))

  it('keeps first and last, the order, and every word', () => {
    const thin = thinReadings(readings(1801), 600)
    expect(thin).toHaveLength(600)
    expect([thin[0]?.atMs, thin.at(-1)?.atMs]).toEqual([0, 1800])
    for (let i = 1; i < thin.length; i++) expect(thin[i]?.atMs).toBeGreaterThan(thin[i - 1]?.atMs ?? Number.NaN)
    expect(thin.filter(({ throttled }) => throttled.includes('heat'))).toHaveLength(1)
  })

  it('leaves few as they are', () => {
    expect(thinReadings(readings(600), 600)).toEqual(readings(600))
  })
})
