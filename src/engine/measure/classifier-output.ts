import { halfToFloat } from '../../core/float16.ts'
import type { NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import type { Scores } from '../../core/metrics/classification.ts'

/** The output of a classifier: one score a class for each sample of the batch. */
export interface ClassScores {
  readonly output: string
  readonly classes: number
  /** Row-major [batch, classes]. */
  readonly scores: Scores
}

/**
 * Finds the scores among a model's outputs: the first floating point one of shape [batch, classes], or that with trailing ones
 * ([batch, classes, 1, 1]), and at least 2 classes. `undefined` when there is none.
 *
 * @param order names of the outputs in the model's order
 */
export function findClassScores(outputs: NamedTensors, order: readonly string[], batch: number): ClassScores | undefined {
  for (const output of order) {
    const tensor = outputs[output]
    const scores = tensor && asScores(tensor)
    if (!scores) continue
    const [rows, ...sample] = tensor.dims
    const classes = classesOf(sample)
    if (rows === batch && classes !== undefined) return { output, classes, scores }
  }
  return undefined
}

/** Number of classes that values of this shape (without the batch) can be scores of: [classes] or [classes, 1, …], from 2 on. */
export function classesOf([classes, ...rest]: readonly number[]): number | undefined {
  return classes !== undefined && classes >= 2 && rest.every((dim) => dim === 1) ? classes : undefined
}

function asScores({ type, values }: RuntimeTensor): Scores | undefined {
  if (values instanceof Float32Array || values instanceof Float64Array) return values
  return type === 'float16' && values instanceof Uint16Array ? Float32Array.from(values, halfToFloat) : undefined
}
