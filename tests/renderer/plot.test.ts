import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexColor } from '../../src/renderer/charts/heat-map-image.ts'
import { bandPath, linePath, stepPoints } from '../../src/renderer/charts/paths.ts'
import { decadeAxis, exactAxis, listAxis, positionOn, valueAt, valueAxis, zeroAxis } from '../../src/renderer/charts/plot-axis.ts'
import { nearestPoint, nextPoint } from '../../src/renderer/charts/plot-cursor.ts'

describe('axes', () => {
  it('hold all values, from left to right or the other way', () => {
    const axis = valueAxis([1, 4], { label: 'ms' })
    expect(positionOn(axis, 1)).toBeGreaterThan(0)
    expect(positionOn(axis, 4)).toBeLessThan(1)
    const turned = valueAxis([1, 4], { label: 'ms', reversed: true })
    expect(positionOn(turned, 1)).toBeCloseTo(1 - positionOn(axis, 1), 12)
  })

  it('begin at zero where a quantity does', () => {
    const axis = zeroAxis([2, 10], { label: 'samples a second' })
    expect(axis.domain[0]).toBe(0)
    expect(axis.ticks[0]).toBe(0)
    expect(zeroAxis([], { label: '' }).domain).toEqual([0, 1])
  })

  it('go over whole powers of ten', () => {
    const axis = decadeAxis([0.3, 40], { label: '' })
    expect(axis.domain).toEqual([0.1, 100])
    expect(axis.ticks).toEqual([0.1, 1, 10, 100])
    expect(decadeAxis([], { label: '' }).scale).toBe('log')
    expect(decadeAxis([0, -3, 5], { label: '' }).domain).toEqual([1, 10])
  })

  it('have ticks at the measured batch sizes', () => {
    expect(listAxis([4, 1, 1, 2], { label: '' }).ticks).toEqual([1, 2, 4])
  })

  it('give back the value of a place', () => {
    const axes = fc.constantFrom(
      exactAxis(2, 9, { label: '' }),
      exactAxis(2, 9, { label: '', reversed: true }),
      decadeAxis([1, 900], { label: '' }),
      decadeAxis([1, 900], { label: '', reversed: true }),
    )
    fc.assert(
      fc.property(axes, fc.double({ min: 0, max: 1, noNaN: true }), (axis, share) => {
        expect(positionOn(axis, valueAt(axis, share))).toBeCloseTo(share, 9)
      }),
    )
  })
})

describe('paths', () => {
  it('leave a gap where there is no number', () => {
    expect(
      linePath([
        [0, 1],
        [1, Number.NaN],
        [2, 3],
        [3, 4],
      ]),
    ).toBe('M0.00 1.00M2.00 3.00L3.00 4.00')
  })

  it('close a band', () => {
    const band = bandPath(
      [
        [0, 5],
        [1, 6],
      ],
      [
        [0, 1],
        [1, 2],
      ],
    )
    expect(band).toBe('M0.00 5.00L1.00 6.00L1.00 2.00L0.00 1.00Z')
    expect(bandPath([], [])).toBe('')
  })

  it('draw bins as steps on the ground', () => {
    expect(stepPoints([1, 2, 4], [3, 5])).toEqual([
      [1, 0],
      [1, 3],
      [2, 3],
      [2, 5],
      [4, 5],
      [4, 0],
    ])
  })
})

describe('the cursor', () => {
  const points = [
    { x: 0, y: 0 },
    { x: 10, y: 50 },
    { x: 10, y: 90 },
  ]

  it('finds points along x, the nearer in y among those at one place', () => {
    expect(nearestPoint(points, 4, 500, 'x')).toBe(0)
    expect(nearestPoint(points, 9, 80, 'x')).toBe(2)
    expect(nearestPoint([], 0, 0, 'x')).toBeNull()
  })

  it('finds points in both directions only within reach', () => {
    expect(nearestPoint(points, 12, 52, 'both')).toBe(1)
    expect(nearestPoint(points, 200, 200, 'both')).toBeNull()
  })

  it('goes from point to point by keys and stops at the ends', () => {
    expect(nextPoint(null, 'ArrowRight', 3)).toBe(0)
    expect(nextPoint(null, 'ArrowLeft', 3)).toBe(2)
    expect(nextPoint(2, 'ArrowRight', 3)).toBe(2)
    expect(nextPoint(0, 'End', 3)).toBe(2)
    expect(nextPoint(2, 'Home', 3)).toBe(0)
    expect(nextPoint(0, 'PageUp', 1000)).toBe(50)
    expect(nextPoint(0, 'x', 3)).toBeUndefined()
    expect(nextPoint(null, 'ArrowRight', 0)).toBeUndefined()
  })
})

describe('hexColor', () => {
  it('reads what the style sheet holds, and takes grey for anything else', () => {
    expect(hexColor(' #0b7285')).toEqual([11, 114, 133])
    expect(hexColor('red')).toEqual([128, 128, 128])
  })
})
