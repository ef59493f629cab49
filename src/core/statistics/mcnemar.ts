import { binomialTable, cumulativeAt } from './binomial.ts'

/** Accuracy of a build against the baseline on the same samples. The shape of the contract's `accuracyDifferenceSchema`. */
export interface AccuracyDifference {
  /** Build minus baseline (0.01 = one point). */
  readonly difference: number
  /** Samples only the baseline got right. */
  readonly onlyBaseline: number
  /** Samples only the build got right. */
  readonly onlyBuild: number
  /** Two-sided exact McNemar test. */
  readonly pValue: number
  /** Share of samples both give the same class. */
  readonly agreement: number
}

/**
 * Two-sided p-value of the exact McNemar test: were the samples on which the two disagree split this unevenly by chance?
 * min(1, 2 × P(X ≤ smaller count)), X binomial with probability ½. Example: 8 against 1 gives 0.039.
 */
export function exactMcNemar(onlyFirst: number, onlySecond: number): number {
  const discordant = onlyFirst + onlySecond
  if (discordant === 0) return 1
  return Math.min(1, 2 * cumulativeAt(binomialTable(discordant, 0.5), Math.min(onlyFirst, onlySecond)))
}

/**
 * Compares two models' predicted classes, sample by sample.
 *
 * @param labels true class of every sample; `baseline` and `build`: predicted classes in the same order
 * @throws RangeError when the lengths differ or there are no samples
 */
export function accuracyDifference(labels: Int32Array, baseline: Int32Array, build: Int32Array): AccuracyDifference {
  if (labels.length === 0) throw new RangeError('no samples to compare')
  if (baseline.length !== labels.length || build.length !== labels.length) {
    throw new RangeError(`${labels.length} labels, ${baseline.length} and ${build.length} predictions`)
  }
  let onlyBaseline = 0
  let onlyBuild = 0
  let same = 0
  for (let i = 0; i < labels.length; i++) {
    const baselineRight = baseline[i] === labels[i]
    const buildRight = build[i] === labels[i]
    if (baseline[i] === build[i]) same++
    else if (baselineRight) onlyBaseline++
    else if (buildRight) onlyBuild++
  }
  return {
    difference: (onlyBuild - onlyBaseline) / labels.length,
    onlyBaseline,
    onlyBuild,
    pValue: exactMcNemar(onlyBaseline, onlyBuild),
    agreement: same / labels.length,
  }
}
