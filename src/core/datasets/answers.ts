import { CoreError } from '../core-error.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { checkElements } from './convert.ts'
import { readLabels } from './labels.ts'
import { DATASET_LIMITS } from './limits.ts'
import { arrayText, countOf, isFloat, pieces, type SampleArray, toNumber } from './numeric-array.ts'

/** Values to regress, `width` a sample. */
export interface Targets {
  readonly width: number
  /** Row-major `[samples, width]`. */
  readonly values: Float32Array
}

/** What is known about each sample: its class or values. */
export interface Answers {
  readonly labels?: Int32Array
  readonly targets?: Targets
}

/**
 * Class labels or values to regress: whole number types are labels; floating point ones are values, `[n]` or `[n,k]`.
 *
 * @param wholeAreLabels floating point values that are whole numbers from 0 on, or one-hot rows, are labels
 * @param dataset how messages call the dataset
 * @throws CoreError `DATASET_LABELS`, `DATASET_INVALID` for NaN and infinity, `TOO_LARGE`
 */
export function readAnswers(array: SampleArray, wholeAreLabels: boolean, dataset: string): Answers {
  if (!isFloat(array.type)) return { labels: readLabels(array, dataset) }
  if (wholeAreLabels) {
    try {
      return { labels: readLabels(array, dataset) }
    } catch (error) {
      // Fractions: they are no classes, so they are values.
      if (!(error instanceof CoreError && error.code === 'DATASET_LABELS')) throw error
    }
  }
  return { targets: readTargets(array, dataset) }
}

function readTargets(array: SampleArray, dataset: string): Targets {
  const [rows, width = 1, ...more] = array.shape
  const where = `Array ${quoteName(array.name)} of ${dataset}`
  if (rows === undefined || width === 0 || more.some((dim) => dim !== 1)) {
    throw new CoreError(
      'DATASET_LABELS',
      `${where} is ${arrayText(array.type, array.shape)}, expected values to regress of shape [N] or [N,K].`,
      {
        hint: 'Give one row of values for each sample.',
      },
    )
  }
  const count = countOf(array.shape)
  if (count > DATASET_LIMITS.targetValues) {
    throw new CoreError('TOO_LARGE', `${where} has ${count} values to regress, at most ${DATASET_LIMITS.targetValues} are allowed.`, {
      details: { found: count, limit: DATASET_LIMITS.targetValues },
    })
  }
  checkElements(array, 'float32', where)
  const values = new Float32Array(count)
  for (const { from, elements } of pieces(array)) {
    for (let index = 0; index < elements.length; index++) values[from + index] = toNumber(array.type, elements[index] as number)
  }
  return { width, values }
}
