import { CoreError } from '../core-error.ts'
import type { NamedTensors, Port, RuntimeTensor } from '../inference-runtime.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { checkElements, checkTypes, convertElements, isNumericType } from './convert.ts'
import { fixedBatchOf, sampleDims } from './match-inputs.ts'
import { countOf, elementWidth, type NumericArray, type NumericType, overlay, readElements } from './numeric-array.ts'
import { channelAxis, isIdentity, type PreprocessingSteps } from './preprocess.ts'

/** An array and the model input it feeds. */
export interface Pairing {
  readonly input: Port
  readonly array: NumericArray
  readonly steps: PreprocessingSteps
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

interface Bound extends Pairing {
  readonly target: NumericType
  /** Dimensions of one sample. */
  readonly dims: readonly number[]
  readonly perSample: number
}

/**
 * Checks arrays against the inputs they feed and binds them. Values are only copied batch by batch.
 * @param dataset how messages call the dataset
 * @throws CoreError `DATASET_SHAPE`, `DATASET_TYPE`, `DATASET_EMPTY`, `DATASET_INVALID`
 */
export function bindSamples(pairings: readonly Pairing[], dataset: string): SampleSet {
  const perSample = pairings.filter(({ input, array }) => !isConstant(input, array))
  const fixedBatch = fixedBatchOf(perSample.map(({ input }) => input))
  const sampleCount = commonCount(perSample, dataset)
  const bound = pairings.map((pairing) => bind(pairing, dataset))
  const tensors = (count: number, read: (input: Bound) => RuntimeTensor): NamedTensors => {
    if (count < 1) throw new RangeError('a batch needs at least one sample')
    return Object.fromEntries(
      bound.map((input) => [input.input.name, isConstant(input.input, input.array) ? constant(input) : read(input)]),
    )
  }
  return {
    sampleCount,
    fixedBatch,
    batch(start, count) {
      if (!(Number.isInteger(start) && start >= 0 && start + count <= sampleCount))
        throw new RangeError(`no samples ${start} to ${start + count - 1}`)
      return tensors(count, (input) => convert(input, readElements(input.array, start * input.perSample, count * input.perSample), count))
    },
    gather(chosen) {
      const indices = Array.from(chosen)
      const outside = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < sampleCount))
      if (outside !== undefined) throw new RangeError(`no sample ${outside}`)
      return tensors(indices.length, (input) => convert(input, gathered(input, indices), indices.length))
    },
  }
}

/** A scalar input fed by a scalar array gets the same value with every batch. */
function isConstant(input: Port, array: NumericArray): boolean {
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

function bind(pairing: Pairing, dataset: string): Bound {
  const { input, array, steps } = pairing
  const where = `Array ${quoteName(array.name)} of ${dataset}`
  checkTypes(array, input, steps, where)
  if (!isNumericType(input.type)) throw new Error(`unchecked type ${input.type}`)
  const dims = isConstant(input, array) ? [] : sampleDims(array.shape, input, where)
  const perSample = countOf(dims)
  if (perSample === 0) throw new CoreError('DATASET_EMPTY', `${where} has samples without values (shape [${array.shape.join(',')}]).`)
  for (const entries of [steps.mean, steps.std]) if (entries) channelAxis([1, ...dims], entries.length, input.name)
  checkElements(array, input.type, where)
  return { ...pairing, target: input.type, dims, perSample }
}

function convert(
  { array, target, dims, steps, input }: Bound,
  elements: Parameters<typeof convertElements>[0],
  count: number,
): RuntimeTensor {
  const batchDims = [count, ...dims]
  return { type: target, dims: batchDims, values: convertElements(elements, array.type, target, batchDims, steps, input.name) }
}

function constant(bound: Bound): RuntimeTensor {
  const { array, target, steps, input } = bound
  const values = convertElements(readElements(array, 0, 1), array.type, target, [1], steps, input.name)
  return { type: target, dims: [], values }
}

function gathered({ array, perSample }: Bound, indices: readonly number[]): ReturnType<typeof overlay> {
  const width = elementWidth(array.type) * perSample
  const bytes = new Uint8Array(indices.length * width)
  for (const [row, index] of indices.entries()) bytes.set(array.bytes.subarray(index * width, (index + 1) * width), row * width)
  return overlay(array.type, bytes.buffer)
}

/** Preprocessing meant for a floating point input; other inputs take their values as they are. */
export function stepsFor(input: Port, steps: PreprocessingSteps, inputCount: number): PreprocessingSteps {
  // With a single input the mismatch is worth an error; beside others an integer input (token ids, a mask) is simply not meant.
  return isIdentity(steps) || inputCount === 1 || input.type.startsWith('float') ? steps : {}
}
