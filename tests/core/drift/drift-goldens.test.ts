import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { chiSquareQuantile, chiSquareSurvival } from '../../../src/core/drift/chi-square.ts'
import { kolmogorovSurvival } from '../../../src/core/drift/kolmogorov-distribution.ts'
import { kolmogorovSmirnov } from '../../../src/core/drift/kolmogorov-smirnov.ts'
import { populationStability } from '../../../src/core/drift/population-stability.ts'

/** Reference values; `make-drift-goldens.py` beside the file says how they were made. */
interface Goldens {
  ks: { first: number[]; second: number[]; statistic: number; exact: number; asymptotic: number | null }[]
  kolmogorov: { count: number; d: number; p: number }[]
  chiQuantiles: { degrees: number; p: number; x: number }[]
  chiSurvival: { degrees: number; x: number; p: number }[]
  stability: { reference: number[]; current: number[]; psi: number; chance: number; distance: number; pValue: number }[]
}
const goldens: Goldens = JSON.parse(readFileSync(new URL('fixtures/drift-goldens.json', import.meta.url), 'utf8'))

/** `expected` to within a relative error. */
function expectClose(found: number, expected: number, relative: number): void {
  expect(Math.abs(found - expected), `${found}, expected ${expected}`).toBeLessThanOrEqual(Math.abs(expected) * relative)
}

describe("SciPy's numbers", () => {
  it.each(goldens.ks.map((golden) => [`${golden.first.length} and ${golden.second.length} values`, golden] as const))(
    'Kolmogorov-Smirnov of %s',
    (_, { first, second, statistic, exact, asymptotic }) => {
      const found = kolmogorovSmirnov(first, second, 'exact')
      expectClose(found.statistic, statistic, 1e-15)
      expectClose(found.pValue, exact, 1e-11)
      expect(kolmogorovSmirnov(first, second)).toEqual(found)
      expect(kolmogorovSmirnov(second, first).statistic).toBe(found.statistic)
      expectClose(kolmogorovSmirnov(second, first).pValue, exact, 1e-11)
      const effective = Math.round((first.length * second.length) / (first.length + second.length))
      if (asymptotic !== null && effective >= 100) expectClose(kolmogorovSmirnov(first, second, 'asymptotic').pValue, asymptotic, 1e-4)
    },
  )

  it("Kolmogorov's distribution", () => {
    for (const { count, d, p } of goldens.kolmogorov) {
      const found = kolmogorovSurvival(d, count)
      if (count * d * d >= 2.2) expectClose(found, p, count * d * d >= 4 ? 1e-9 : 1e-6)
      else expect(Math.abs(found - p), `${count} samples, D ${d}: ${found}, expected ${p}`).toBeLessThan(count < 1000 ? 1e-5 : 1e-7)
    }
  })

  it('quantiles of χ²', () => {
    for (const { degrees, p, x } of goldens.chiQuantiles) expectClose(chiSquareQuantile(p, degrees), x, 1e-11)
  })

  it('tails of χ²', () => {
    for (const { degrees, x, p } of goldens.chiSurvival) expectClose(chiSquareSurvival(x, degrees), p, p < 1e-6 ? 1e-10 : 1e-12)
  })

  it('population stability', () => {
    for (const { reference, current, psi, chance, distance, pValue } of goldens.stability) {
      const found = populationStability(reference, current)
      expectClose(found.psi, psi, 1e-12)
      expectClose(found.chance, chance, 1e-12)
      expectClose(found.distance, distance, 1e-12)
      expectClose(found.pValue, pValue, 1e-11)
    }
  })
})
