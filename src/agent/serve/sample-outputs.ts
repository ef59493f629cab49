import type { RuntimeTensor } from '../../core/inference-runtime.ts'
import { topClass } from '../../core/metrics/classification.ts'
import { softmaxAt } from '../../core/metrics/softmax.ts'
import { type ClassScores, findClassScores } from '../../engine/measure/classifier-output.ts'
import { jsonValue } from './element-types.ts'
import type { RunOutputs, RunPart } from './predictor.ts'

/** Answer for one sample. */
export interface SampleAnswer {
  /** By output name, nested arrays without the batch dimension. */
  readonly outputs: Readonly<Record<string, unknown>>
  /** Only for classifiers. */
  readonly prediction?: ClassPrediction | null
  /** Only where it was asked for. */
  readonly embedding?: unknown
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

/** How answers are made from a model's outputs. */
export interface AnswerForm {
  /** Outputs that are always answered, in the model's order. */
  readonly outputs: readonly string[]
  /** Output that is answered only to those who ask for it. */
  readonly embedding: string | null
  readonly names: ClassNames
}

/** Outputs that a request gets to see. */
export function answeredOutputs({ outputs, embedding }: AnswerForm, withEmbedding: boolean): readonly string[] {
  return withEmbedding && embedding !== null ? [...outputs, embedding] : outputs
}

/** Answers for all samples of a request, from the parts of the runs that were its. */
export function answersOf(parts: readonly RunPart[], form: AnswerForm, withEmbedding: boolean): SampleAnswer[] {
  const [part] = parts
  if (part !== undefined && parts.length === 1 && part.count === 1) return [answerOf(part.run, part.first, form, withEmbedding)]
  const answers: SampleAnswer[] = []
  for (const { run, first, count } of parts) {
    for (let row = first; row < first + count; row++) answers.push(answerOf(run, row, form, withEmbedding))
  }
  return answers
}

function answerOf(run: RunOutputs, row: number, { outputs: order, embedding, names }: AnswerForm, withEmbedding: boolean): SampleAnswer {
  const { outputs, rows } = run
  const classes = classesOf(run, order, names)
  const only = order.length === 1 ? (order[0] as string) : null
  const nestedOf = (name: string) => nested(outputs[name] as RuntimeTensor, row, rows)
  // Computed names define properties, as fromEntries does: an output may be called "__proto__".
  const values = only === null ? Object.fromEntries(order.map((name) => [name, nestedOf(name)])) : { [only]: nestedOf(only) }
  if (!classes && !withEmbedding) return { outputs: values }
  return {
    outputs: values,
    ...(classes
      ? { prediction: predictClass(classes.scores.subarray(row * classes.classes, (row + 1) * classes.classes), names.labels) }
      : {}),
    ...(withEmbedding && embedding !== null ? { embedding: nestedOf(embedding) } : {}),
  }
}

/** Found once for all rows of a run: half precision is converted for it. */
const scoresOfRuns = new WeakMap<RunOutputs, ClassScores | null>()

function classesOf(run: RunOutputs, order: readonly string[], names: ClassNames): ClassScores | null {
  let found = scoresOfRuns.get(run)
  if (found === undefined) {
    const scores = findClassScores(run.outputs, order, run.rows ?? 1)
    found = scores && isClassifier(scores.classes, names) ? scores : null
    scoresOfRuns.set(run, found)
  }
  return found
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
  const isList = dims.length === (rows === undefined ? 1 : 2)
  if (isList) {
    const size = dims[dims.length - 1] as number
    const first = rows === undefined ? 0 : row * size
    const list = new Array<unknown>(size)
    for (let i = 0; i < size; i++) list[i] = jsonValue(type, values, first + i)
    return list
  }
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
