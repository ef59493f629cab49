import { EdgesmithError } from '../../contract/errors.ts'
import type { ArrayDescription } from '../../core/datasets/match-inputs.ts'
import { countOf, elementWidth, type NumericType } from '../../core/datasets/numeric-array.ts'
import type { DatasetArrays } from './dataset-arrays.ts'

/**
 * Number of samples: rows of a split, else entries of the arrays that go with the answers, else of the largest array (the others may be
 * means, class names …).
 * @throws EdgesmithError `DATASET_EMPTY`
 */
export function sampleCountOf(
  { arrays, rowCount }: Pick<DatasetArrays, 'arrays' | 'rowCount'>,
  answers: string | undefined,
  dataset: string,
): number {
  if (rowCount !== undefined) return rowCount
  const candidates = arrays.filter(({ name, numeric, shape }) => name !== answers && numeric && shape.length > 0)
  const expected = arrays.find(({ name }) => name === answers)?.shape[0]
  const bytes = ({ type, shape }: ArrayDescription) => countOf(shape) * elementWidth(type as NumericType)
  const largest = [...candidates].sort((a, b) => bytes(b) - bytes(a))[0]
  if (!largest) {
    throw new EdgesmithError('DATASET_EMPTY', `${dataset} has no array of samples.`, {
      hint: 'Save the samples as an array named like the model’s input, the samples along the first axis.',
    })
  }
  const withAnswers = candidates.find(({ shape }) => shape[0] === expected)
  const samples = (withAnswers ?? largest).shape[0] as number
  if (samples === 0) throw new EdgesmithError('DATASET_EMPTY', `${dataset} holds no sample.`)
  return samples
}
