import { holmAdjusted } from '../statistics/holm.ts'
import { countBins, type FeatureSketch, finiteAscending } from './feature-sketch.ts'
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts'
import { populationStability } from './population-stability.ts'

/** Shares changed too little to matter below it, however sure the change is: the field's first limit for PSI. */
const NOTABLE_PSI = 0.1
/** The field's second limit. */
const SEVERE_PSI = 0.25
/** Smallest distance of distributions that matters, and the level at which chance is ruled out. */
const NOTABLE_DISTANCE = 0.1
const LEVEL = 0.05
/** A feature triggers when it drifted in as many windows one after the other. */
export const triggeringWindows = 2

/** What a window says about one feature, before the other features are known. */
export interface FeatureMeasure {
  readonly psi: number
  /** What PSI must exceed. */
  readonly psiLimit: number
  /** Kolmogorov-Smirnov's D for numeric features; the greatest change of a category's share for categorical ones. 0 to 1. */
  readonly distance: number
  /** Of the Kolmogorov-Smirnov test; of the χ² test for categorical features. */
  readonly pValue: number
}

/** A feature's verdict for one window. */
export interface FeatureVerdict extends FeatureMeasure {
  /** The p-value corrected for the number of features (Holm). */
  readonly adjustedPValue: number
  readonly level: 'none' | 'drifted' | 'severe'
}

/**
 * Measures how far a window's values of a feature are from the reference.
 *
 * @param sample of the sketch, decoded
 * @param values of the window, at least one
 */
export function measureFeature(sketch: FeatureSketch, sample: Float32Array, values: Float32Array): FeatureMeasure {
  const { psi, chance, distance, pValue } = populationStability(sketch.counts, countBins(sketch, values))
  const psiLimit = Math.max(NOTABLE_PSI, chance)
  if (sketch.kind === 'categorical') return { psi, psiLimit, distance, pValue }
  const sorted = finiteAscending(values)
  // Nothing to order: that nothing is a number any more shows in the bins.
  if (sorted.length === 0 || sample.length === 0) return { psi, psiLimit, distance, pValue }
  const test = kolmogorovSmirnov(sample, sorted)
  return { psi, psiLimit, distance: test.statistic, pValue: test.pValue }
}

/**
 * Verdicts of one window. Drifted: PSI > max(0.1, χ²₀.₉₅(B − 1) · (1/n + 1/m)), or corrected p < 0.05 and distance ≥ 0.1. Severe: drifted and
 * PSI ≥ 0.25.
 *
 * @param measures of all features of the window: the correction is for their number
 */
export function judgeFeatures(measures: readonly FeatureMeasure[]): FeatureVerdict[] {
  const adjusted = holmAdjusted(measures.map(({ pValue }) => pValue))
  return measures.map((measure, index) => {
    const adjustedPValue = adjusted[index] as number
    const drifted = measure.psi > measure.psiLimit || (adjustedPValue < LEVEL && measure.distance >= NOTABLE_DISTANCE)
    return { ...measure, adjustedPValue, level: !drifted ? 'none' : measure.psi >= SEVERE_PSI ? 'severe' : 'drifted' }
  })
}

/** For each feature, in how many windows up to this one it drifted without a break. */
export function windowsInARow(before: readonly number[], verdicts: readonly FeatureVerdict[]): number[] {
  return verdicts.map(({ level }, index) => (level === 'none' ? 0 : (before[index] ?? 0) + 1))
}
