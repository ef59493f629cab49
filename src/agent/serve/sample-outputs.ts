import type { NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import { topClass } from '../../core/metrics/classification.ts'
import { softmaxAt } from '../../core/metrics/softmax.ts'
import { findClassScores } from '../../engine/measure/classifier-output.ts'
import { jsonValue } from './element-types.ts'

/** Answer for one sample. */
export interface SampleAnswer {
  /** By output name, nested arrays without the batch dimension. */
  readonly outputs: Readonly<Record<string, unknown>>
  /** Only for classifiers. */
  readonly prediction?: ClassPrediction | null
}

/** The class with the highest score; `null` in the answer when the scores are not numbers. */
interface ClassPrediction {
  readonly class: number
  readonly label: string | null
  /** Probability of the class: the score itself where scores are probabilities, else their softmax. */
  readonly confidence: number
}

/** What is known about the classes. */
export interface ClassNames {
  readonly labels: readonly string[] | null
  /** The model was evaluated as a classifier. */
  readonly isClassifier: boolean
}

/** Rounding of a float16 softmax over a thousand classes stays below this. */
const PROBABILITY_SUM_TOLERANCE = 0.01

/**
 * Splits the outputs of one run into answers.
 *
 * @param count samples in the run that count; a filled-up batch has more rows
 * @param rows first dimension of the outputs, `undefined` when the model has no batch dimension: then outputs are one answer whole
 */
export function splitOutputs(
  outputs: NamedTensors,
  order: readonly string[],
  count: number,
  rows: number | undefined,
  names: ClassNames,
): SampleAnswer[] {
  const scores = findClassScores(outputs, order, rows ?? 1)
  const classes = scores && isClassifier(scores.classes, names) ? scores : undefined
  return Array.from({ length: count }, (_, row) => {
    const answer = Object.fromEntries(order.map((name) => [name, nested(outputs[name] as RuntimeTensor, row, rows)]))
    if (!classes) return { outputs: answer }
    return {
      outputs: answer,
      prediction: predictClass(classes.scores.subarray(row * classes.classes, (row + 1) * classes.classes), names.labels),
    }
  })
}

/** An output of several numbers is a classifier's when each has a label, or when the model was evaluated as one; not every vector is. */
function isClassifier(classes: number, { labels, isClassifier }: ClassNames): boolean {
  return labels ? labels.length === classes : isClassifier
}

function predictClass(scores: Float32Array | Float64Array, labels: readonly string[] | null): ClassPrediction | null {
  const index = topClass(scores, 0, scores.length)
  if (index < 0) return null
  const confidence = probability(scores, index)
  return { class: index, label: labels?.[index] ?? null, confidence }
}

function probability(scores: Float32Array | Float64Array, index: number): number {
  let sum = 0
  let isDistribution = true
  for (const score of scores) {
    sum += score
    if (!(score >= 0 && score <= 1)) isDistribution = false
  }
  const top = scores[index] as number
  if (isDistribution && Math.abs(sum - 1) < PROBABILITY_SUM_TOLERANCE) return top
  return softmaxAt(scores, 0, scores.length, index)
}

function nested({ type, dims, values }: RuntimeTensor, row: number, rows: number | undefined): unknown {
  const shape = rows === undefined ? dims : dims.slice(1)
  let next = rows === undefined ? 0 : row * shape.reduce((product, dim) => product * dim, 1)
  const build = (axis: number): unknown => {
    const size = shape[axis]
    if (size === undefined) return jsonValue(type, values, next++)
    const list = new Array<unknown>(size)
    for (let i = 0; i < size; i++) list[i] = build(axis + 1)
    return list
  }
  return build(0)
}
