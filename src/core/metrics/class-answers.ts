import { type Scores, topClass } from './classification.ts'
import { softmaxAt } from './softmax.ts'

/** What a classifier answered. */
export interface AnsweredClasses {
  /** −1 where the scores are not numbers. */
  readonly predictions: Int32Array
  /** Probability of each prediction, NaN without one. */
  readonly confidence: Float64Array
  /** Whether the scores were probabilities; of others the softmax (one score: the sigmoid) is the confidence. */
  readonly scores: 'probabilities' | 'logits'
}

/** Collects the answers of a classifier, batch by batch: a few numbers a sample. */
export interface ClassAnswers {
  readonly classes: number
  /** @param values scores of samples `first` to `first + count − 1`, row-major */
  add(first: number, count: number, values: Scores): void
  finish(): AnsweredClasses
}

/** Rounding may carry a probability this far beyond 1. */
const ABOVE_ONE = 1e-3
/**
 * How far the scores of a sample may be from 1 together, on average over the samples, to be called probabilities. Rows of an 8-bit
 * model are off by a percent or two each; logits and independent sigmoids are not near 1 on average.
 */
const SUM_TOLERANCE = 0.05

/** Answers of a model with one score a class: the highest wins, the lowest index among equals. */
export function scoredAnswers(samples: number, classes: number): ClassAnswers {
  const predictions = new Int32Array(samples).fill(-1)
  const highest = new Float64Array(samples).fill(Number.NaN)
  const softmax = new Float64Array(samples).fill(Number.NaN)
  let withinOne = true
  let sums = 0
  let answered = 0
  return {
    classes,
    add(first, count, values) {
      for (let row = 0; row < count; row++) {
        const top = topClass(values, row, classes)
        if (top < 0) continue
        predictions[first + row] = top
        highest[first + row] = values[row * classes + top]!
        softmax[first + row] = softmaxAt(values, row, classes, top)
        answered++
        for (let i = row * classes; i < (row + 1) * classes; i++) {
          const score = values[i]!
          if (!(score >= 0 && score <= 1 + ABOVE_ONE)) withinOne = false
          sums += score
        }
      }
    },
    finish() {
      const probabilities = withinOne && Math.abs(sums / answered - 1) <= SUM_TOLERANCE
      const confidence = probabilities ? highest.map((score) => Math.min(1, score)) : softmax
      return { predictions, confidence, scores: probabilities ? 'probabilities' : 'logits' }
    },
  }
}

/**
 * Answers of a model with a single score a sample, for class 1 against class 0: a probability where all scores are from 0 to 1 (class 1
 * above ½), else its logit (class 1 above 0).
 */
export function singleScoreAnswers(samples: number): ClassAnswers {
  const raw = new Float64Array(samples).fill(Number.NaN)
  return {
    classes: 2,
    add(first, count, values) {
      for (let row = 0; row < count; row++) raw[first + row] = values[row]!
    },
    finish() {
      const probabilities = raw.every((score) => Number.isNaN(score) || (score >= 0 && score <= 1 + ABOVE_ONE))
      const positive = probabilities ? raw.map((score) => Math.min(1, score)) : raw.map((score) => 1 / (1 + Math.exp(-score)))
      const boundary = probabilities ? 0.5 : 0
      return {
        predictions: Int32Array.from(raw, (score) => (Number.isNaN(score) ? -1 : score > boundary ? 1 : 0)),
        confidence: positive.map((probability) => Math.max(probability, 1 - probability)),
        scores: probabilities ? 'probabilities' : 'logits',
      }
    },
  }
}
