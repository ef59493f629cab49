import { describe, expect, it } from 'vitest'
import { plainLine, plainLines } from '../../src/backend/report/plain-text.ts'
import * as quantities from '../../src/backend/report/quantities.ts'

const {
  formatBytes,
  formatCount,
  formatCounted,
  formatDecibels,
  formatInterval,
  formatMs,
  formatPercent,
  formatPoints,
  formatPValue,
  formatRatio,
} = quantities

describe('quantities', () => {
  it.each([
    [formatCount(10_000), '10,000'],
    [formatCounted(1, 'thread'), '1 thread'],
    [formatCounted(2, 'thread'), '2 threads'],
    [formatMs(0.01772), '0.0177 ms'],
    [formatMs(1.2), '1.20 ms'],
    [formatMs(999.6), '1,000 ms'],
    [formatMs(null), '–'],
    [formatMs(Number.NaN), '–'],
    [formatBytes(512), '512 B'],
    [formatBytes(448_000), '448 kB'],
    [formatBytes(999_600), '1.00 MB'],
    [formatBytes(1_750_000), '1.75 MB'],
    [quantities.formatSpan(350), '350 ms'],
    [quantities.formatSpan(4200), '4.2 s'],
    [quantities.formatSpan(72_000), '72 s'],
    [quantities.formatSpan(720_000), '12 min'],
    [formatPercent(0.91234), '91.23 %'],
    [formatPoints(-0.0035), '−0.35 points'],
    [formatPoints(0.0035), '+0.35 points'],
    [formatPoints(-0.00001), '0.00 points'],
    [formatRatio(2.149), '2.15×'],
    [formatRatio(12.34), '12.3×'],
    [formatPValue(0.0004), 'p < 0.001'],
    [formatPValue(0.034), 'p = 0.034'],
    [formatPValue(0.62), 'p = 0.62'],
    [formatDecibels(null), 'identical'],
    [formatDecibels(31.44), '31.4 dB'],
    [formatDecibels(-0.04), '0.0 dB'],
    [formatInterval([1, 2], formatMs), '1.00 ms – 2.00 ms'],
    [formatInterval(undefined, formatMs), '–'],
    [quantities.formatShape(['N', 1, null]), 'N×1×?'],
    [quantities.formatShape([]), 'scalar'],
    [quantities.formatShape(null), 'unknown shape'],
  ])('writes %s', (found, expected) => {
    expect(found).toBe(expected)
  })
})

describe('plainLine', () => {
  it('takes escape sequences, line ends and invisible characters out of names', () => {
    expect(plainLine('a\u001b[31mred\u0007')).toBe('a·[31mred·')
    expect(plainLine('two\r\nlines\u2028three')).toBe('two·lines·three')
    expect(plainLine('\u202egnp.exe\u200b')).toBe('·gnp.exe·')
    expect(plainLine('x'.repeat(500))).toBe(`${'x'.repeat(400)}…`)
    expect(plainLine('Grüße 模型')).toBe('Grüße 模型')
  })

  it('keeps the line ends of longer texts', () => {
    expect(plainLines('a\r\nb\tc\u001b[2J\n')).toBe('a\nb  c·[2J\n')
  })
})
