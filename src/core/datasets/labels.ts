import { CoreError } from '../core-error.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { DATASET_LIMITS } from './limits.ts'
import { arrayText, pieces, type SampleArray, toNumber } from './numeric-array.ts'

/** Names of the array with the class labels, in the order they are looked for. */
export const LABEL_NAMES: readonly string[] = ['labels', 'targets', 'y']

/**
 * Class labels from an array of whole numbers, `[n]` or `[n,1]` of any numeric type, or one-hot rows `[n,c]`.
 * @param dataset how messages call the dataset
 * @throws CoreError `DATASET_LABELS` naming the row and what was found
 */
export function readLabels(array: SampleArray, dataset: string): Int32Array {
  const [rows, columns = 1, ...more] = array.shape
  if (rows === undefined || more.some((dim) => dim !== 1)) {
    throw problem(
      array,
      dataset,
      `have the shape ${arrayText(array.type, array.shape)}, expected one label for each sample, or one-hot rows`,
    )
  }
  return columns === 1 ? indices(array, rows, dataset) : oneHot(array, rows, columns, dataset)
}

function indices(array: SampleArray, rows: number, dataset: string): Int32Array {
  const labels = new Int32Array(rows)
  for (const { from, elements } of pieces(array)) {
    for (let index = 0; index < elements.length; index++) {
      const label = toNumber(array.type, elements[index] as number | bigint)
      const row = from + index
      if (!Number.isInteger(label)) {
        throw problem(array, dataset, `hold ${label} in row ${row}, expected whole numbers (class indices)`, { row, found: String(label) })
      }
      if (label < 0) throw problem(array, dataset, `hold the negative label ${label} in row ${row}`, { row, found: label })
      if (label > 0x7fffffff)
        throw problem(array, dataset, `hold the label ${label} in row ${row}, which is too large`, { row, found: label })
      labels[row] = label
    }
  }
  return labels
}

function oneHot(array: SampleArray, rows: number, columns: number, dataset: string): Int32Array {
  const labels = new Int32Array(rows).fill(-1)
  for (const { from, elements } of pieces(array)) {
    for (let index = 0; index < elements.length; index++) {
      const value = toNumber(array.type, elements[index] as number | bigint)
      if (value === 0) continue
      const row = Math.floor((from + index) / columns)
      if (value !== 1 || labels[row] !== -1) {
        throw problem(array, dataset, `are not one-hot in row ${row}: expected a single 1 among zeros`, { row, found: String(value) })
      }
      labels[row] = (from + index) % columns
    }
  }
  const row = labels.indexOf(-1)
  if (row >= 0) throw problem(array, dataset, `are not one-hot in row ${row}: it is all zeros`, { row })
  return labels
}

/**
 * Checks that every label is one of the model's classes.
 * @param classes number of classes the model tells apart
 * @param dataset how messages call the dataset
 * @throws CoreError `DATASET_LABELS` naming row, label and number of classes
 */
export function checkLabels(labels: Int32Array, classes: number, dataset: string): void {
  const row = labels.findIndex((label) => label < 0 || label >= classes)
  if (row < 0) return
  throw new CoreError(
    'DATASET_LABELS',
    `Label ${labels[row]} in row ${row} of ${dataset} is out of range: the model has ${classes} classes (0 to ${classes - 1}).`,
    {
      hint: 'Use the dataset the model was trained for, or number the classes from 0 as the model does.',
      details: { row, found: labels[row], classes },
    },
  )
}

/** Samples of each class. @throws CoreError `TOO_LARGE` for more classes than any model has */
export function countClasses(labels: Int32Array, dataset: string): Record<string, number> {
  const counts = new Map<number, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  if (counts.size > DATASET_LIMITS.classes) {
    throw new CoreError(
      'TOO_LARGE',
      `The labels of ${dataset} have ${counts.size} different values, at most ${DATASET_LIMITS.classes} are allowed.`,
      {
        hint: 'Labels are class indices; values to regress cannot be used as labels.',
      },
    )
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => a - b))
}

/**
 * Checks that labels and samples belong together.
 * @throws CoreError `DATASET_LABELS`
 */
export function checkLabelCount(labels: number, samples: number, array: string, dataset: string): void {
  if (labels === samples) return
  throw new CoreError('DATASET_LABELS', `Array ${quoteName(array)} of ${dataset} has ${labels} labels, but there are ${samples} samples.`, {
    hint: 'Give one label for each sample.',
    details: { expected: samples, found: labels },
  })
}

function problem(array: SampleArray, dataset: string, what: string, details: Readonly<Record<string, unknown>> = {}): CoreError {
  return new CoreError('DATASET_LABELS', `The labels of ${dataset} (array ${quoteName(array.name)}) ${what}.`, {
    hint: 'Labels are class indices from 0 on, or one-hot rows.',
    details,
  })
}
