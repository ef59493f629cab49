import { CoreError } from '../core-error.ts'
import type { NamedTensors, Port, RuntimeTensor } from '../inference-runtime.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { bindInput } from './bind-input.ts'
import { fixedBatchOf } from './match-inputs.ts'
import { countOf, type Elements, elementWidth, overlay, readBytes, readElements, type SampleArray } from './numeric-array.ts'
import type { PreprocessingSteps } from './preprocess.ts'
import type { TableColumn } from './table-columns.ts'

/** An array and the model input it feeds. */
export interface Pairing {
  readonly input: Port
  readonly array: SampleArray
  readonly steps: PreprocessingSteps
  /** Give values as they are stored, in the shape that a service with these steps takes. */
  readonly raw?: boolean
  /** The array is a table: which of its columns feed the input, and what the columns are. */
  readonly table?: { readonly columns: 'all' | readonly number[]; readonly described: readonly TableColumn[] }
}

/** Samples bound to a model's inputs: gives feeds for any of them. */
export interface SampleSet {
  readonly sampleCount: number
  /** Batch size the model insists on: callers must ask for exactly that many; `undefined` when it takes any. */
  readonly fixedBatch: number | undefined
  /** Feeds for samples `start` … `start + count − 1`, batch dimension first; fresh arrays each time. */
  batch(start: number, count: number): NamedTensors
  /** Feeds for the samples of these indices, in this order. */
  gather(indices: ArrayLike<number>): NamedTensors
}

/**
 * Checks arrays against the inputs they feed and binds them. Values are only copied batch by batch. Those of arrays in memory are checked
 * at once; those that are read from files when they are read.
 * @param dataset how messages call the dataset
 * @throws CoreError `DATASET_SHAPE`, `DATASET_TYPE`, `DATASET_EMPTY`, `DATASET_INVALID`
 */
export function bindSamples(pairings: readonly Pairing[], dataset: string): SampleSet {
  const perSample = pairings.filter(({ input, array }) => !isConstant(input, array))
  const fixedBatch = fixedBatchOf(perSample.map(({ input }) => input))
  const sampleCount = commonCount(perSample, dataset)
  const bound = pairings.map((pairing) => ({
    ...pairing,
    constant: isConstant(pairing.input, pairing.array),
    bound: bindInput(pairing, isConstant(pairing.input, pairing.array), dataset),
  }))
  const tensors = (count: number, read: (array: SampleArray) => Elements, sampleOf: (row: number) => number): NamedTensors => {
    if (count < 1) throw new RangeError('a batch needs at least one sample')
    // Rows of a table are read once for all columns that are taken from them.
    const rows = new Map<SampleArray, Elements>()
    const feed = ({ array, constant, bound: { sharesRows, tensor } }: (typeof bound)[number]): RuntimeTensor => {
      if (constant) return tensor(readElements(array, 0, 1), 1, () => 0)
      if (!sharesRows) return tensor(read(array), count, sampleOf)
      const shared = rows.get(array) ?? read(array)
      rows.set(array, shared)
      return tensor(shared, count, sampleOf)
    }
    return Object.fromEntries(bound.map((entry) => [entry.input.name, feed(entry)]))
  }
  return {
    sampleCount,
    fixedBatch,
    batch(start, count) {
      if (!(Number.isInteger(start) && start >= 0 && start + count <= sampleCount))
        throw new RangeError(`no samples ${start} to ${start + count - 1}`)
      return tensors(
        count,
        (array) => readElements(array, start * rowSize(array), count * rowSize(array)),
        (row) => start + row,
      )
    },
    gather(chosen) {
      const indices = Array.from(chosen)
      const outside = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < sampleCount))
      if (outside !== undefined) throw new RangeError(`no sample ${outside}`)
      return tensors(
        indices.length,
        (array) => gathered(array, indices),
        (row) => indices[row] as number,
      )
    },
  }
}

/** A scalar input fed by a scalar array gets the same value with every batch. */
function isConstant(input: Port, array: SampleArray): boolean {
  return input.shape.length === 0 && array.shape.length === 0
}

function commonCount(pairings: readonly Pairing[], dataset: string): number {
  const [first, ...others] = pairings
  if (!first) throw new CoreError('DATASET_SHAPE', `No array of ${dataset} has samples along its first axis.`)
  const scalar = pairings.find(({ array }) => array.shape.length === 0)
  if (scalar)
    throw new CoreError(
      'DATASET_SHAPE',
      `Array ${quoteName(scalar.array.name)} of ${dataset} is a single number, expected samples along its first axis.`,
    )
  const count = first.array.shape[0] as number
  for (const { array } of others) {
    if (array.shape[0] === count) continue
    throw new CoreError(
      'DATASET_SHAPE',
      `Arrays of ${dataset} have different numbers of samples: ${quoteName(first.array.name)} ${count}, ${quoteName(array.name)} ${array.shape[0]}.`,
      { hint: 'Every array needs one entry for each sample.', details: { expected: count, found: array.shape[0] } },
    )
  }
  if (count === 0)
    throw new CoreError(
      'DATASET_EMPTY',
      `${dataset} holds no sample: array ${quoteName(first.array.name)} has shape [${first.array.shape.join(',')}].`,
    )
  return count
}

function rowSize(array: SampleArray): number {
  return countOf(array.shape.slice(1))
}

function gathered(array: SampleArray, indices: readonly number[]): Elements {
  const perRow = rowSize(array)
  const width = elementWidth(array.type) * perRow
  const bytes = new Uint8Array(indices.length * width)
  for (const [row, index] of indices.entries()) readBytes(array, bytes.subarray(row * width, (row + 1) * width), index * perRow)
  return overlay(array.type, bytes.buffer)
}
