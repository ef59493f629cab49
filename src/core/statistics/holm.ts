/**
 * P-values corrected for being many (Holm's step-down method): rejecting those below α keeps the chance of any false rejection
 * at α, whatever the tests have to do with each other. Example: 0.01, 0.04, 0.03 → 0.03, 0.06, 0.06.
 * Source: Holm 1979; the same as R's `p.adjust(p, "holm")`.
 *
 * @returns in the order given
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!)
  const adjusted = new Array<number>(pValues.length)
  let largest = 0
  for (const [rank, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, pValues[index]! * (pValues.length - rank)))
    adjusted[index] = largest
  }
  return adjusted
}
