import { wilsonInterval } from '../statistics/proportion.ts'

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

/** A mistake and how often it was made. */
interface Confusion {
  readonly label: number
  readonly predicted: number
  readonly count: number
}

/** What the answers of a classifier come to. Fields are those of the contract's metrics and `classificationDetailSchema`. */
export interface ClassificationSummary {
  readonly samples: number
  readonly correct: number
  /** Samples without a prediction. */
  readonly unanswered: number
  /** Share of samples whose highest score is their label's. */
  readonly accuracy: number
  /** 95 % Wilson interval. */
  readonly accuracyCi95: [number, number]
  /** Means over the classes that occur among labels or predictions, as scikit-learn's `average='macro'` has them. */
  readonly precisionMacro: number
  readonly recallMacro: number
  readonly f1Macro: number
  /** Every class; with more than 1,000 of them, those that occur. */
  readonly perClass: ClassMetrics[]
  /** Row-major [classes, classes], row is the true class; null above 200 classes. Samples without a prediction are left out. */
  readonly confusion: number[] | null
  /** Most frequent mistakes first, up to 100. */
  readonly topConfusions: Confusion[]
}

/** A matrix beyond this is neither read nor drawn: the most frequent mistakes say it better. */
const MOST_CLASSES_IN_MATRIX = 200
/** ImageNet's classes are all listed; of a vocabulary only what occurs. */
const MOST_CLASSES_LISTED = 1_000
const TOP_CONFUSIONS = 100

/**
 * Sums up true and predicted classes. A prediction of −1 (no class) counts as wrong and belongs to no class.
 *
 * @param labels 0 to classes − 1; `predictions` in the same order, −1 to classes − 1
 * @throws RangeError when the lengths differ or there are no samples
 */
export function summarizeClassification(labels: Int32Array, predictions: Int32Array, classes: number): ClassificationSummary {
  const samples = labels.length
  if (samples === 0 || predictions.length !== samples) throw new RangeError(`${samples} labels and ${predictions.length} predictions`)
  const support = new Uint32Array(classes)
  const predicted = new Uint32Array(classes)
  const right = new Uint32Array(classes)
  let correct = 0
  let unanswered = 0
  for (let i = 0; i < samples; i++) {
    const label = labels[i] as number
    const prediction = predictions[i] as number
    support[label] = (support[label] as number) + 1
    if (prediction >= 0) predicted[prediction] = (predicted[prediction] as number) + 1
    else unanswered++
    if (label !== prediction) continue
    right[label] = (right[label] as number) + 1
    correct++
  }
  const perClass = Array.from({ length: classes }, (_, index) =>
    classMetrics(index, support[index] as number, predicted[index] as number, right[index] as number),
  )
  const occurring = perClass.filter((entry) => entry.support > 0 || entry.predicted > 0)
  const mean = (field: 'precision' | 'recall' | 'f1') => occurring.reduce((sum, entry) => sum + entry[field], 0) / occurring.length
  return {
    samples,
    correct,
    unanswered,
    accuracy: correct / samples,
    accuracyCi95: wilsonInterval(correct, samples),
    precisionMacro: mean('precision'),
    recallMacro: mean('recall'),
    f1Macro: mean('f1'),
    perClass: classes > MOST_CLASSES_LISTED ? occurring : perClass,
    confusion: classes > MOST_CLASSES_IN_MATRIX ? null : confusionMatrix(labels, predictions, classes),
    topConfusions: topConfusions(labels, predictions, classes),
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

function confusionMatrix(labels: Int32Array, predictions: Int32Array, classes: number): number[] {
  const matrix = new Array<number>(classes * classes).fill(0)
  for (let i = 0; i < labels.length; i++) {
    const prediction = predictions[i] as number
    if (prediction < 0) continue
    const cell = (labels[i] as number) * classes + prediction
    matrix[cell] = (matrix[cell] as number) + 1
  }
  return matrix
}

/** Sorts the mistakes as numbers and counts runs of equal ones: eight bytes a mistake, however many classes there are. */
function topConfusions(labels: Int32Array, predictions: Int32Array, classes: number): Confusion[] {
  let count = 0
  const mistakes = new Float64Array(labels.length)
  for (let i = 0; i < labels.length; i++) {
    const [label, prediction] = [labels[i] as number, predictions[i] as number]
    if (prediction >= 0 && prediction !== label) mistakes[count++] = label * classes + prediction
  }
  const sorted = mistakes.subarray(0, count).sort()
  let found: Confusion[] = []
  for (let from = 0, to = 0; from < count; from = to) {
    const key = sorted[from] as number
    while (to < count && sorted[to] === key) to++
    found.push({ label: Math.floor(key / classes), predicted: key % classes, count: to - from })
    if (found.length >= 2 * TOP_CONFUSIONS) found = mostFrequent(found)
  }
  return mostFrequent(found)
}

/** Sorting is stable: equally frequent ones stay in the order of their classes. */
function mostFrequent(confusions: Confusion[]): Confusion[] {
  return confusions.sort((a, b) => b.count - a.count).slice(0, TOP_CONFUSIONS)
}
