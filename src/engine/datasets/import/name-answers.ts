import { CoreError } from '../../../core/core-error.ts'
import { LABEL_NAMES, readLabels } from '../../../core/datasets/labels.ts'
import { isFloat } from '../../../core/datasets/numeric-array.ts'
import { openArrayFile } from '../array-file.ts'
import type { UnpackedDataset } from './unpacked.ts'

/** As for tables (`table-plan.ts`): whole numbers are classes where there are few of them, or each occurs often. */
const SURELY_FEW_CLASSES = 20
const ROWS_PER_CLASS = 20

/**
 * Decides what an array called `y` of floating point numbers is: scikit-learn keeps classes in such, Keras one-hot rows, and both values to regress. It
 * becomes `labels` or stays what it is; the decision is noted.
 */
export function nameAnswers(dataset: UnpackedDataset, file: string): UnpackedDataset {
  const answers = LABEL_NAMES.find((label) => dataset.arrays.some(({ name }) => name === label))
  const array = dataset.arrays.find(({ name }) => name === answers)
  if (array?.name !== 'y' || !isFloat(array.type)) return dataset
  const stored = openArrayFile(array.path, `Array "y" of ${file}`)
  try {
    const labels = readLabels(stored, file)
    const classes = new Set(labels).size
    const oneHot = (array.shape[1] ?? 1) > 1
    if (!oneHot && classes > SURELY_FEW_CLASSES && classes * ROWS_PER_CLASS > labels.length) return dataset
    const what = oneHot ? 'one-hot rows' : `${classes} different whole numbers`
    return {
      ...dataset,
      arrays: dataset.arrays.map((other) => (other === array ? { ...other, name: 'labels' } : other)),
      notes: [...dataset.notes, `Array "y" is taken as class labels: ${what}. Call it targets if these are values to regress.`],
    }
  } catch (error) {
    // Fractions or negative numbers: values to regress.
    if (error instanceof CoreError && error.code === 'DATASET_LABELS') return dataset
    throw error
  } finally {
    stored.close()
  }
}
