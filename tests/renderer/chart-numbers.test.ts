import { describe, expect, it } from 'vitest'
import type { ProfiledKernelRow } from '../../src/contract/analysis.ts'
import { tableCsv } from '../../src/renderer/charts/chart-table.ts'
import { densities, drawnRange } from '../../src/renderer/charts/distribution-shape.ts'
import { roofAt, rooflinePoints } from '../../src/renderer/charts/roofline.ts'

describe('tableCsv', () => {
  it('keeps all digits and leaves missing values empty', () => {
    expect(tableCsv({ columns: ['a', 'b'], rows: [[0.1 + 0.2, null]] })).toBe('a,b\r\n0.30000000000000004,\r\n')
  })

  it('quotes after RFC 4180', () => {
    expect(tableCsv({ columns: ['x'], rows: [['a "b", c']] })).toBe('x\r\n"a ""b"", c"\r\n')
  })

  it('disarms names that a spreadsheet would run', () => {
    expect(tableCsv({ columns: ['x'], rows: [['=HYPERLINK("http://x")'], ['-1+1'], ['@a']] })).toBe(
      'x\r\n"\'=HYPERLINK(""http://x"")"\r\n\'-1+1\r\n\'@a\r\n',
    )
  })

  it('makes control characters harmless and infinities empty', () => {
    expect(tableCsv({ columns: ['x', 'y'], rows: [['a\r\nb\u202e', Number.POSITIVE_INFINITY]] })).toBe('x,y\r\na·b·,\r\n')
  })
})

describe('distributions', () => {
  it('have the area one, whatever the widths of their bins', () => {
    const histogram = { edgesMs: [1, 2, 4, 10], counts: [10, 20, 10] }
    const area = densities(histogram).reduce(
      (sum, density, bin) => sum + density * ((histogram.edgesMs[bin + 1] ?? 0) - (histogram.edgesMs[bin] ?? 0)),
      0,
    )
    expect(area).toBeCloseTo(1, 12)
    expect(densities({ edgesMs: [1, 1], counts: [0] })).toEqual([0])
  })

  const quantiles = (slowest: number) => Array.from({ length: 101 }, (_, percent) => (percent === 100 ? slowest : 1 + percent / 100))

  it('are drawn to the slowest sample unless it is far out', () => {
    expect(drawnRange([quantiles(2.2)])).toEqual([1, 2.2])
    const [low, high] = drawnRange([quantiles(80)])
    expect(low).toBe(1)
    expect(high).toBeCloseTo(1.99 + 0.99 * 0.25, 12)
  })

  it('take runs of equal samples', () => {
    expect(drawnRange([Array.from({ length: 101 }, () => 3)])).toEqual([3, 3])
  })
})

describe('roofline', () => {
  const kernel = (parts: Partial<ProfiledKernelRow>): ProfiledKernelRow => ({
    kernel: 'Conv',
    name: 'conv',
    nodes: ['conv'],
    layer: 'conv',
    precision: 'float32',
    ms: 1,
    macs: 2e9,
    weightBytes: 1e6,
    inputBytes: 2e6,
    outputBytes: 1e6,
    outputShape: null,
    ...parts,
  })
  const peak = { gmacsFloat32: 100, gmacsInt8: 300, gbPerSecond: 10 }

  it('is what memory can feed, up to the peak', () => {
    expect(roofAt(2, 100, 10)).toBe(20)
    expect(roofAt(50, 100, 10)).toBe(100)
  })

  it('sets what a kernel reached against what the machine could do in its precision', () => {
    const [slow, fast] = rooflinePoints([kernel({ ms: 40, layer: 'fast' }), kernel({ ms: 80, precision: 'int8', macs: 8e6 })], peak)
    // 8 million in 80 ms are 0.1 GMAC/s; 2 a byte × 10 GB/s is below the int8 peak.
    expect(slow).toMatchObject({ intensity: 2, gmacsPerSecond: 0.1, roofGmacs: 20 })
    // 2e9 in 40 ms are 50 GMAC/s; 500 a byte is beyond the corner, so float32's peak.
    expect(fast).toMatchObject({ intensity: 500, gmacsPerSecond: 50, roofGmacs: 100 })
  })

  it('leaves out kernels that compute nothing, and says nothing of a peak that was not measured', () => {
    expect(rooflinePoints([kernel({ macs: null }), kernel({ macs: 0 }), kernel({ ms: 0 })], peak)).toEqual([])
    expect(rooflinePoints([kernel({})], null)[0]?.roofGmacs).toBeNull()
    expect(rooflinePoints([kernel({ precision: 'uint8', ms: 1 })], { ...peak, gmacsInt8: null })[0]?.roofGmacs).toBe(100)
  })
})
