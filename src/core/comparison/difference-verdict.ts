/** Level of a paired test below which a difference counts as shown. */
const SIGNIFICANCE = 0.05

/** A tested difference, build minus baseline. The shape of the contract's `metricDifferenceSchema`. */
interface TestedDifference {
  readonly metric: 'accuracy' | 'mae' | 'rmse' | 'sqnrDb'
  readonly difference: number
  readonly ci95: readonly [number, number] | null
  readonly pValue: number | null
  readonly test: 'mcnemar' | 'paired bootstrap' | 'none'
}

/** Whether a difference in accuracy is more than chance explains (exact McNemar test). */
export function isAccuracyDifferenceShown({ difference, pValue }: { readonly difference: number; readonly pValue: number }): boolean {
  return pValue < SIGNIFICANCE && difference !== 0
}

/** Whether a build is shown to be better or worse than the baseline by its metric; null where nothing was tested. */
export function differenceVerdict(found: TestedDifference | null | undefined): 'better' | 'worse' | 'no difference shown' | null {
  if (!found || found.test === 'none') return null
  const { metric, difference, pValue, ci95 } = found
  const shown = pValue === null ? ci95 !== null && (ci95[0] > 0 || ci95[1] < 0) : pValue < SIGNIFICANCE
  if (!shown || difference === 0) return 'no difference shown'
  const higherIsBetter = metric === 'accuracy' || metric === 'sqnrDb'
  return difference > 0 === higherIsBetter ? 'better' : 'worse'
}
