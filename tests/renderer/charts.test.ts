import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { axisRange, linearTicks, tickLabel } from '../../src/renderer/charts/axis-ticks.ts'
import { placeLabels } from '../../src/renderer/charts/place-labels.ts'
import { seriesColor } from '../../src/renderer/charts/series-color.ts'

describe('axisRange', () => {
  it('leaves room around the values and has round ticks', () => {
    const { domain, ticks, scale } = axisRange([1, 2], 5)
    expect(domain[0]).toBeCloseTo(0.88)
    expect(domain[1]).toBeCloseTo(2.12)
    expect(ticks).toEqual([1, 1.25, 1.5, 1.75, 2])
    expect(scale).toBe('linear')
  })

  it('is logarithmic only where it is allowed and the values ask for it', () => {
    expect(axisRange([0.5, 40], 5, true)).toMatchObject({ scale: 'log', ticks: [0.5, 1, 2, 5, 10, 20, 50] })
    expect(axisRange([0.5, 40], 5).scale).toBe('linear')
    expect(axisRange([0, 40], 5, true).scale).toBe('linear')
    expect(axisRange([10, 40], 5, true).scale).toBe('linear')
  })

  it('gives equal values, and no values, an axis', () => {
    expect(axisRange([3, 3], 4).domain[0]).toBeLessThan(3)
    expect(axisRange([0], 4).domain[1]).toBeGreaterThan(0)
    expect(axisRange([], 4).domain).toEqual([0, 1])
  })

  it('keeps every tick inside', () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 9 }), fc.integer({ min: 2, max: 9 }), (values, count) => {
        const { domain, ticks } = axisRange(values, count)
        const slack = (domain[1] - domain[0]) * 1e-6
        for (const tick of ticks) expect(tick >= domain[0] - slack && tick <= domain[1] + slack).toBe(true)
        expect(ticks.length).toBeLessThanOrEqual(count * 2.5 + 1)
      }),
    )
  })
})

describe('linearTicks', () => {
  it('does not loop for an empty range', () => {
    expect(linearTicks(2, 2, 5)).toEqual([2])
  })
})

describe('tickLabel', () => {
  it('writes all ticks with the decimals of the finest', () => {
    const ticks = [0.75, 1, 1.25]
    expect(ticks.map((tick) => tickLabel(tick, ticks))).toEqual(['0.75', '1.00', '1.25'])
    expect(tickLabel(2000, [1000, 2000])).toBe('2,000')
  })
})

describe('placeLabels', () => {
  const where = (points: Parameters<typeof placeLabels>[0], width = 400, height = 300) =>
    placeLabels(points, width, height).map((place) => place && `${place.dy < 0 ? 'above' : 'below'} ${place.anchor}`)

  it('prefers above right and turns where there is no room', () => {
    expect(where([{ x: 100, y: 100, width: 80 }])).toEqual(['above start'])
    expect(where([{ x: 390, y: 100, width: 80 }])).toEqual(['above end'])
    expect(where([{ x: 100, y: 5, width: 80 }])).toEqual(['below start'])
    expect(where([{ x: 390, y: 5, width: 80 }])).toEqual(['below end'])
  })

  it('leaves out a label that would cover another one', () => {
    const crowd = [0, 1, 2, 3, 4, 5].map((step) => ({ x: 200 + step * 3, y: 100, width: 80 }))
    const placed = where(crowd).filter((place) => place !== null)
    expect(new Set(placed).size).toBe(placed.length)
    expect(placed.length).toBeLessThanOrEqual(4)
  })
})

describe('seriesColor', () => {
  it('keeps the baseline apart and repeats after eight', () => {
    expect(seriesColor(0)).toBe('var(--es-baseline)')
    expect(seriesColor(1)).toBe(seriesColor(9))
    expect(new Set([1, 2, 3, 4, 5, 6, 7, 8].map(seriesColor)).size).toBe(8)
  })
})
