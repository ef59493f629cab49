import { wilsonInterval } from '../statistics/proportion.ts'

/** Scores of a batch, row-major [count, classes]. */
export type Scores = Float32Array | Float64Array

/** What is found for one class. */
interface ClassMetrics {
  readonly class: number
  /** Samples of this class. */
  readonly support: number
  /** Samples predicted as this class. */
  readonly predicted: number
  /** Right among those predicted as this class; 0 when there are none. */
  readonly precision: number
  /** Right among those of this class; 0 when there are none. */
  readonly recall: number
  /** Harmonic mean of precision and recall; 0 when both are 0. */
  readonly f1: number
}

/** Metrics over all samples. */
export interface ClassificationMetrics {
  readonly samples: number
  readonly correct: number
  /** Share of samples whose highest score is their label's. */
  readonly accuracy: number
  /** 95 % Wilson interval. */
  readonly accuracyCi95: [number, number]
  /** Mean F1 over the classes that occur among labels or predictions, as scikit-learn's `f1_score(average='macro')` has it. */
  readonly f1Macro: number
  readonly perClass: readonly ClassMetrics[]
}

/** Top-5 says something only where there are more than 5 classes. */
export const TOP_K = 5

/**
 * Class with the highest score in one row; the lowest index among equals (NumPy's argmax). −1 when a score is not a number: such an
 * answer names no class and is never right.
 */
export function topClass(scores: Scores, row: number, classes: number): number {
  const start = row * classes
  let best = 0
  let highest = scores[start] as number
  for (let i = 0; i < classes; i++) {
    const score = scores[start + i] as number
    if (Number.isNaN(score)) return -1
    if (score > highest) {
      highest = score
      best = i
    }
  }
  return best
}

/**
 * Whether `label` is among the `k` highest scores of a row. Equal scores rank by index, so that k = 1 agrees with {@link topClass}.
 * False when a score is not a number.
 */
export function isInTop(scores: Scores, row: number, classes: number, label: number, k: number): boolean {
  const start = row * classes
  const own = scores[start + label] as number
  let ahead = 0
  for (let i = 0; i < classes; i++) {
    const score = scores[start + i] as number
    if (Number.isNaN(score)) return false
    if (score > own || (score === own && i < label)) ahead++
  }
  return ahead < k
}

/**
 * Metrics from true and predicted classes. A prediction of −1 (no class) counts as wrong and belongs to no class.
 *
 * @param labels 0 to classes − 1; `predictions` in the same order, −1 to classes − 1
 * @throws RangeError when the lengths differ or there are no samples
 */
export function classificationMetrics(labels: Int32Array, predictions: Int32Array, classes: number): ClassificationMetrics {
  const samples = labels.length
  if (samples === 0 || predictions.length !== samples) throw new RangeError(`${samples} labels and ${predictions.length} predictions`)
  const support = new Int32Array(classes)
  const predicted = new Int32Array(classes)
  const right = new Int32Array(classes)
  let correct = 0
  for (let i = 0; i < samples; i++) {
    const label = labels[i] as number
    const prediction = predictions[i] as number
    support[label] = (support[label] as number) + 1
    if (prediction >= 0) predicted[prediction] = (predicted[prediction] as number) + 1
    if (label !== prediction) continue
    right[label] = (right[label] as number) + 1
    correct++
  }
  const perClass = Array.from({ length: classes }, (_, index) =>
    classMetrics(index, support[index] as number, predicted[index] as number, right[index] as number),
  )
  const occurring = perClass.filter((entry) => entry.support > 0 || entry.predicted > 0)
  return {
    samples,
    correct,
    accuracy: correct / samples,
    accuracyCi95: wilsonInterval(correct, samples),
    f1Macro: occurring.reduce((sum, entry) => sum + entry.f1, 0) / occurring.length,
    perClass,
  }
}

function classMetrics(index: number, support: number, predicted: number, right: number): ClassMetrics {
  return {
    class: index,
    support,
    predicted,
    precision: predicted > 0 ? right / predicted : 0,
    recall: support > 0 ? right / support : 0,
    f1: support + predicted > 0 ? (2 * right) / (support + predicted) : 0,
  }
}

/**
 * Confusion matrix, row-major [classes, classes]: row is the true class, column the predicted one. Samples predicted as no class
 * (−1) are left out, so a row may sum to less than the class's support.
 */
export function confusionMatrix(labels: Int32Array, predictions: Int32Array, classes: number): Int32Array {
  const matrix = new Int32Array(classes * classes)
  for (let i = 0; i < labels.length; i++) {
    const prediction = predictions[i] as number
    if (prediction < 0) continue
    const cell = (labels[i] as number) * classes + prediction
    matrix[cell] = (matrix[cell] as number) + 1
  }
  return matrix
}
