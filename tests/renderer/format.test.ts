import { describe, expect, it } from 'vitest'
import { formatBytes } from '../../src/renderer/format/bytes.ts'
import { compactJson } from '../../src/renderer/format/compact-json.ts'
import { formatElapsed, formatMs, formatSpan } from '../../src/renderer/format/durations.ts'
import { formatMoment } from '../../src/renderer/format/moments.ts'
import { formatCount, formatCounted, formatLargeCount, formatSignificant, formatValue, NOTHING } from '../../src/renderer/format/numbers.ts'
import { formatShape } from '../../src/renderer/format/shapes.ts'
import {
  formatDecibels,
  formatPercent,
  formatPoints,
  formatPValue,
  formatRatio,
  formatRoughPercent,
  formatShrink,
} from '../../src/renderer/format/shares.ts'

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.01772, '0.0177'],
    [1.2, '1.20'],
    [12.34, '12.3'],
    [999.4, '999'],
    [999.6, '1,000'],
    [1234.4, '1,234'],
    [-2.5, '−2.50'],
  ])('formatSignificant(%d) is %s', (value, text) => expect(formatSignificant(value)).toBe(text))

  it.each([
    [0, '0'],
    [1234, '1,234'],
    [-3, '−3'],
    [0.5, '0.500'],
  ])('formatValue(%d) is %s', (value, text) => expect(formatValue(value)).toBe(text))

  it.each([
    [431, '431'],
    [999_400, '999 k'],
    [999_600, '1.00 M'],
    [1_200_000, '1.20 M'],
    [4.1e9, '4.10 G'],
    [null, NOTHING],
  ])('formatLargeCount(%s) is %s', (value, text) => expect(formatLargeCount(value)).toBe(text))

  it('counts things', () => {
    expect(formatCounted(1, 'node')).toBe('1 node')
    expect(formatCounted(2000, 'node')).toBe('2,000 nodes')
  })

  it('shows what is missing as such', () => {
    for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) expect(formatCount(value)).toBe(NOTHING)
  })
})

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [512, '512 B'],
    [999, '999 B'],
    [999.9, '1.00 kB'],
    [448_120, '448 kB'],
    [999_600, '1.00 MB'],
    [1_750_000, '1.75 MB'],
    [24e9, '24.0 GB'],
    [3.2e15, '3,200 TB'],
    [undefined, NOTHING],
  ])('formatBytes(%s) is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
})

describe('durations', () => {
  it.each([
    [0.0177, '0.0177 ms'],
    [1.2345, '1.23 ms'],
    [1234, '1,234 ms'],
    [null, NOTHING],
  ])('formatMs(%s) is %s', (value, text) => expect(formatMs(value)).toBe(text))

  it.each([
    [0, '0 ms'],
    [349.6, '350 ms'],
    [4210, '4.2 s'],
    [9960, '10 s'],
    [72_000, '1 min 12 s'],
    [7_380_000, '2 h 3 min'],
    [273_600_000, '3 d 4 h'],
  ])('formatSpan(%d) is %s', (value, text) => expect(formatSpan(value)).toBe(text))

  it('counts whole seconds and never goes below zero', () => {
    expect(formatElapsed(12_999)).toBe('12 s')
    expect(formatElapsed(-500)).toBe('0 s')
  })
})

describe('shares', () => {
  it('writes accuracy with two decimals and differences in points', () => {
    expect(formatPercent(0.91234)).toBe('91.23%')
    expect(formatPoints(-0.0035)).toBe('−0.35 pt')
    expect(formatPoints(0.012)).toBe('+1.20 pt')
    expect(formatPoints(-0.00001)).toBe('0.00 pt')
  })

  it.each([
    [0, '0%'],
    [0.0003, '<0.1%'],
    [0.034, '3.4%'],
    [0.5, '50%'],
    [0.9971, '99.7%'],
    [0.99995, '>99.9%'],
    [1, '100%'],
  ])('formatRoughPercent(%d) is %s', (share, text) => expect(formatRoughPercent(share)).toBe(text))

  it.each([
    [1.041, '1.04×'],
    [2.149, '2.15×'],
    [12.34, '12.3×'],
    [120.4, '120×'],
    [null, NOTHING],
  ])('formatRatio(%s) is %s', (ratio, text) => expect(formatRatio(ratio)).toBe(text))

  it('says what became of a size', () => {
    expect(formatShrink(1000, 250)).toBe('4.00× smaller')
    expect(formatShrink(1000, 1200)).toBe('1.20× larger')
    expect(formatShrink(1000, 1001)).toBe('same size')
    expect(formatShrink(0, 10)).toBe(NOTHING)
  })

  it('writes p-values and decibels', () => {
    expect(formatPValue(0.00001)).toBe('p < 0.001')
    expect(formatPValue(0.0342)).toBe('p = 0.034')
    expect(formatPValue(1)).toBe('p = 1.00')
    expect(formatDecibels(31.42)).toBe('31.4 dB')
    expect(formatDecibels(-0.02)).toBe('0.0 dB')
    expect(formatDecibels(null)).toBe('identical')
  })
})

describe('moments', () => {
  const now = Date.parse('2026-03-12T14:00:00Z')
  it.each([
    ['2026-03-12T13:59:30Z', 'just now'],
    ['2026-03-12T14:00:20Z', 'just now'],
    ['2026-03-12T13:55:00Z', '5 min ago'],
    ['2026-03-12T11:00:00Z', '3 h ago'],
    ['not a date', NOTHING],
  ])('formatMoment(%s) is %s', (moment, text) => expect(formatMoment(moment, now)).toBe(text))

  it('names the day when it is longer ago, and the year when it is another one', () => {
    expect(formatMoment('2026-03-02T12:00:00Z', now)).toMatch(/^2 Mar/)
    expect(formatMoment('2024-03-02T12:00:00Z', now)).toBe('2 Mar 2024')
  })
})

describe('shapes', () => {
  it('names symbolic and unknown dimensions', () => {
    expect(formatShape(['batch', 3, null])).toBe('batch×3×?')
    expect(formatShape([])).toBe('scalar')
    expect(formatShape(null)).toBe('unknown shape')
    expect(formatShape(Array.from({ length: 40 }, () => 1))).toBe(`${Array.from({ length: 12 }, () => 1).join('×')}×…`)
  })
})

describe('compactJson', () => {
  it('keeps lists of plain values on one line and stays JSON', () => {
    const value = { scores: [1, 2.5, null], nested: [{ a: 'x' }, {}], text: 'a "b"' }
    expect(compactJson(value)).toContain('"scores": [1, 2.5, null]')
    expect(JSON.parse(compactJson(value))).toEqual(value)
    expect(compactJson(undefined)).toBe('null')
  })
})
