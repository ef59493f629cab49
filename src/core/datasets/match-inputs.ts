import { CoreError } from '../core-error.ts'
import type { Port } from '../inference-runtime.ts'
import { quoteName, quoteNames } from '../onnx/quote-name.ts'
import { LABEL_NAMES } from './labels.ts'
import { arrayText } from './numeric-array.ts'

/** An array as its header describes it. */
export interface ArrayDescription {
  readonly name: string
  /** Element type, or words for one that is not a number. */
  readonly type: string
  readonly numeric: boolean
  readonly shape: readonly number[]
}

/** Which array feeds which input, and which holds the labels or values to regress. */
export interface ArrayMatch {
  readonly inputs: readonly { readonly input: Port; readonly array: string }[]
  readonly labels: string | undefined
}

/**
 * Finds the array for each model input: by exact name; where the model has one input and the dataset one array besides the labels, by that.
 * Labels are the first of `labels`, `targets`, `y` that is no input.
 *
 * @param dataset how messages call the dataset
 * @throws CoreError `DATASET_ARRAY_MISSING` naming what the model needs and what the dataset has; `DATASET_TYPE` for an array that is not numbers
 */
export function matchArrays(arrays: readonly ArrayDescription[], inputs: readonly Port[], dataset: string): ArrayMatch {
  const labels = answersArray(arrays, inputs)
  const others = arrays.filter(({ name, numeric }) => name !== labels && numeric)
  const [only] = others
  const matched = inputs.map((input) => {
    const exact = arrays.find(({ name }) => name === input.name)
    const array = exact ?? (inputs.length === 1 && others.length === 1 ? only : undefined)
    if (!array) throw missing(arrays, inputs, input, dataset)
    if (!array.numeric) {
      throw new CoreError('DATASET_TYPE', `Array ${quoteName(array.name)} of ${dataset} holds ${array.type}, expected numbers.`, {
        hint: 'Save the array as numbers, for example with array.astype("float32").',
        details: { array: array.name, found: array.type },
      })
    }
    return { input, array: array.name }
  })
  return { inputs: matched, labels }
}

/** The array with labels or values to regress: the first of `labels`, `targets`, `y` that is no input. */
export function answersArray(arrays: readonly ArrayDescription[], inputs: readonly Port[]): string | undefined {
  const names = new Set(inputs.map(({ name }) => name))
  return LABEL_NAMES.find((label) => !names.has(label) && arrays.some(({ name }) => name === label))
}

function missing(arrays: readonly ArrayDescription[], inputs: readonly Port[], input: Port, dataset: string): CoreError {
  const has = arrays.map(({ name, type, shape }) => `${quoteName(name)} ${arrayText(type, shape)}`)
  const found = has.length === 0 ? 'no arrays' : `${has.slice(0, 12).join(', ')}${has.length > 12 ? ` and ${has.length - 12} more` : ''}`
  const needs = inputs.length === 1 ? '' : ` (all inputs: ${quoteNames(inputs.map(({ name }) => name))})`
  return new CoreError(
    'DATASET_ARRAY_MISSING',
    `The model needs an array ${quoteName(input.name)} ${arrayText(input.type, input.shape)}${needs}; ${dataset} has ${found}.`,
    {
      hint: `Name the arrays like the model's inputs: numpy.savez("data.npz", **{${JSON.stringify(input.name)}: x, "labels": labels}).`,
      details: { expected: inputs.map(({ name }) => name), found: arrays.map(({ name }) => name) },
    },
  )
}

/**
 * The batch size that a model insists on, `undefined` when it takes any.
 * @throws CoreError `DATASET_SHAPE` when its inputs insist on different ones
 */
export function fixedBatchOf(inputs: readonly Port[]): number | undefined {
  const fixed = new Map(inputs.flatMap(({ name, shape }) => (typeof shape[0] === 'number' ? [[shape[0], name] as const] : [])))
  const [first, second] = fixed
  if (first && second) {
    throw new CoreError(
      'DATASET_SHAPE',
      `Inputs ${quoteName(first[1])} and ${quoteName(second[1])} of the model have different first dimensions (${first[0]} and ${second[0]}), so samples cannot lie along the first axis of both.`,
      { hint: 'Export the model with the batch as the first dimension of every input.' },
    )
  }
  return first?.[0]
}
