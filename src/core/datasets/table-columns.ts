import { CoreError } from '../core-error.ts'
import type { Port } from '../inference-runtime.ts'
import { quoteName, quoteNames } from '../onnx/quote-name.ts'
import { LABEL_NAMES } from './labels.ts'
import { arrayText } from './numeric-array.ts'

/** Name of the array that holds a table: float32 `[N,F]`, categories as their index. */
export const TABLE_ARRAY = 'features'

/** The contract's `DatasetColumn` as far as reading needs it. */
export interface TableColumn {
  readonly name: string
  readonly kind: 'number' | 'category'
  readonly categories: readonly string[] | null
}

/** What of a table feeds an input: all columns, or those of these indices. */
export interface TableMatch {
  readonly input: Port
  readonly columns: 'all' | readonly number[]
}

/**
 * Finds out how a table feeds a model: a single input takes all columns at once where their number fits it; else every input is named
 * like a column and takes that (`[N]` or `[N,1]`).
 *
 * @param dataset how messages call the dataset
 * @throws CoreError `DATASET_SHAPE` for a single input with another number of features, `DATASET_ARRAY_MISSING` for inputs no column is named like
 */
export function matchTable(columns: readonly TableColumn[], inputs: readonly Port[], dataset: string): readonly TableMatch[] {
  const indices = new Map(columns.map(({ name }, index) => [name, index]))
  const [only] = inputs
  if (only && inputs.length === 1 && (takesAll(only, columns.length) || (columns.length === 1 && !indices.has(only.name)))) {
    return [{ input: only, columns: 'all' }]
  }
  const missing = inputs.filter(({ name }) => !indices.has(name))
  if (missing.length === 0) return inputs.map((input) => ({ input, columns: [indices.get(input.name) as number] }))
  const has = `${dataset} has ${columns.length} columns: ${quoteNames(columns.map(({ name }) => name))}`
  const details = { expected: inputs.map(({ name }) => name), found: columns.map(({ name }) => name) }
  if (only && inputs.length === 1) {
    throw new CoreError('DATASET_SHAPE', `Model input ${quoteName(only.name)} is ${arrayText(only.type, only.shape)}; ${has}.`, {
      hint: 'Leave out the columns the model does not know (--ignore on the command line), or give the ones it misses.',
      details,
    })
  }
  throw new CoreError(
    'DATASET_ARRAY_MISSING',
    `The model has the inputs ${quoteNames(inputs.map(({ name }) => name))}; ${has}; no column is called ${quoteNames(missing.map(({ name }) => name))}.`,
    { hint: `Name the columns like the model’s inputs (labels: ${LABEL_NAMES.join(', ')}).`, details },
  )
}

function takesAll({ shape }: Port, features: number): boolean {
  if (shape.length === 0) return true
  const known = shape.slice(1).filter((dim) => dim !== 1)
  return known.length === 1 && (typeof known[0] !== 'number' || known[0] === features)
}
