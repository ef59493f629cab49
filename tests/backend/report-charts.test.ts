import { describe, expect, it } from 'vitest'
import { linearScale } from '../../src/backend/report/charts/chart-scale.ts'
import { distributionChart } from '../../src/backend/report/charts/distribution-chart.ts'
import { scatterChart } from '../../src/backend/report/charts/scatter-chart.ts'
import { speedupChart } from '../../src/backend/report/charts/speedup-chart.ts'
import { comparison, row } from './report-fixture.ts'

describe('linearScale', () => {
  it.each([
    [0, 10, [0, 2, 4, 6, 8, 10], '2'],
    [1.13, 1.46, [1.1, 1.2, 1.3, 1.4, 1.5], '1.2'],
    [0.0171, 0.0203, [0.017, 0.018, 0.019, 0.02, 0.021], '0.018'],
    [87.6, 92.5, [87, 88, 89, 90, 91, 92, 93], '88'],
    [900, 4100, [0, 1000, 2000, 3000, 4000, 5000], '1000'],
    [-0.4, 0.4, [-0.4, -0.2, 0, 0.2, 0.4], '−0.2'],
  ])('puts round ticks around %d..%d', (low, high, ticks, second) => {
    const scale = linearScale(low, high, 0, 100)
    expect(scale.ticks.length).toBe(ticks.length)
    for (const [index, tick] of scale.ticks.entries()) expect(tick).toBeCloseTo(ticks[index] as number, 9)
    expect(scale.label(scale.ticks[1] as number)).toBe(second)
    expect(scale.at(scale.ticks[0] as number)).toBeCloseTo(0, 9)
    expect(scale.at(scale.ticks.at(-1) as number)).toBeCloseTo(100, 9)
  })

  it('runs backwards when asked to, and opens up a single value', () => {
    const scale = linearScale(5, 5, 100, 0)
    expect(scale.at(5)).toBeGreaterThan(0)
    expect(scale.at(5)).toBeLessThan(100)
    expect(scale.at(5.1)).toBeLessThan(scale.at(5))
    expect(linearScale(0, 0, 0, 1).ticks.every(Number.isFinite)).toBe(true)
  })

  it('writes zero without a sign', () => {
    expect(linearScale(-1, 1, 0, 1).label(-0)).toBe('0.0')
  })
})

/** Numbers of an attribute in the order they stand in the drawing. */
function attributes(svg: string, element: string, name: string): number[] {
  return [...svg.matchAll(new RegExp(`<${element} (?:[^>]* )?${name}="([^"]*)"`, 'g'))].map(([, value]) => Number(value))
}

describe('scatterChart', () => {
  it('puts faster to the right, more accurate to the top, and greys out what another point beats', () => {
    const svg = scatterChart(comparison())?.text ?? ''
    const [baseline, int8, pruned] = attributes(svg, 'circle', 'cx') as [number, number, number]
    expect(int8).toBeGreaterThan(baseline)
    expect(baseline).toBeGreaterThan(pruned)
    const [high, , low] = attributes(svg, 'circle', 'cy') as [number, number, number]
    expect(high).toBeLessThan(low)
    expect([...svg.matchAll(/<g class="(series-\d|dominated)">/g)].map(([, name]) => name)).toEqual(['series-0', 'series-1', 'dominated'])
  })

  it('is left out without accuracies', () => {
    const rows = comparison().rows.map((entry) => ({ ...entry, metrics: null }))
    expect(scatterChart(comparison({ rows }))).toBeNull()
  })
})

describe('speedupChart', () => {
  it('puts faster builds right of the line at 1 and slower ones left of it', () => {
    const svg = speedupChart(comparison()).text
    const [line = 0] = attributes(svg, 'line class="unity"', 'x1')
    const [faster, slower] = attributes(svg, 'circle', 'cx') as [number, number]
    expect(line).toBeGreaterThan(0)
    expect(faster).toBeGreaterThan(line)
    expect(slower).toBeLessThan(line)
  })
})

describe('distributionChart', () => {
  const bins = (counts: number[], last = 1) => ({ edgesMs: counts.map((_, index) => index).concat(counts.length - 1 + last), counts })
  const draw = (...histograms: ReturnType<typeof bins>[]) =>
    distributionChart(histograms.map((histogram, index) => row(String(index), 'x', 1.5, { histogram, samples: 100 }))).text
  /** Corners of each drawn outline. */
  const corners = (svg: string) => [...svg.matchAll(/<path class="area" d="([^"]*)"/g)].map(([, path = '']) => path.match(/[ML]/g)?.length)

  it('draws an outline through every bin, however many there are', () => {
    const svg = draw(bins([...new Array<number>(59).fill(5), 50]))
    // Start, two corners for each bin, end.
    expect(corners(svg)).toEqual([122])
    expect(svg).not.toMatch(/NaN|…|beyond/)
  })

  it('leaves out the wide last bin and says what it holds', () => {
    const svg = draw(bins([20, 40, 38, 2], 50))
    expect(corners(svg)).toEqual([8])
    expect(svg).toContain('x: 100 samples; 2 beyond 3.00 ms, slowest 2.90 ms')
  })

  it('ends where 98 % of the slowest model are drawn', () => {
    const svg = draw(bins([50, 48, 1, 0, 0, 1]), bins([0, 50, 40, 8, 1, 1]))
    expect(corners(svg)).toEqual([10, 10])
    expect(svg).toContain('1 beyond 4.00 ms')
    expect(svg).toContain('2 beyond 4.00 ms')
  })
})
