import { floatToHalf } from '../../core/float16.ts'
import type { NamedTensors, Port, RuntimeTensor, TensorValues } from '../../core/inference-runtime.ts'
import { elementCount } from '../../core/onnx/tensor-values.ts'
import type { RandomSource } from '../../core/statistics/seeded-random.ts'

/** Largest number of values made for one input: a guard against absurd declared shapes. */
const MAX_VALUES = 64 * 1024 * 1024

/** What unknown dimensions become. */
export interface FreeDimensions {
  readonly size: number
  /** Inputs whose first dimension is known (states, tables) get 1 for all unknown ones: theirs is the batch. */
  readonly statesOfOne: boolean
}

/**
 * Inputs for a model nobody gave data for: floats standard normal, integers 0 or 1 (inside every table, valid as mask), a
 * single integer 1, strings "a". The first dimension of an input is taken for the batch and is 1 where it is unknown, and
 * so is every dimension of the same name.
 *
 * @returns `undefined` when an input is unreasonably large or of a type that cannot be made
 */
export function generatedInputs(
  inputs: readonly Port[],
  { size, statesOfOne }: FreeDimensions,
  random: RandomSource,
): NamedTensors | undefined {
  const batchNames = new Set(inputs.map(({ shape }) => shape[0]))
  const feeds: Record<string, RuntimeTensor> = {}
  for (const { name, type, shape } of inputs) {
    const state = statesOfOne && typeof shape[0] === 'number'
    const dims = shape.map((dim, axis) => {
      if (typeof dim === 'number') return dim
      return axis === 0 || state || (dim !== undefined && batchNames.has(dim)) ? 1 : size
    })
    const count = elementCount(dims)
    const values = count <= MAX_VALUES ? generatedValues(type, count, random) : undefined
    if (!values) return undefined
    feeds[name] = { type, dims, values }
  }
  return feeds
}

function generatedValues(type: string, count: number, random: RandomSource): TensorValues | undefined {
  const integer = (): number => (count === 1 ? 1 : random.below(2))
  switch (type) {
    case 'float32':
      return Float32Array.from({ length: count }, () => normal(random))
    case 'float64':
      return Float64Array.from({ length: count }, () => normal(random))
    case 'float16':
      return Uint16Array.from({ length: count }, () => floatToHalf(normal(random)))
    case 'int64':
      return BigInt64Array.from({ length: count }, () => BigInt(integer()))
    case 'uint64':
      return BigUint64Array.from({ length: count }, () => BigInt(integer()))
    case 'int32':
      return Int32Array.from({ length: count }, integer)
    case 'uint32':
      return Uint32Array.from({ length: count }, integer)
    case 'int16':
      return Int16Array.from({ length: count }, integer)
    case 'uint16':
      return Uint16Array.from({ length: count }, integer)
    case 'int8':
      return Int8Array.from({ length: count }, integer)
    case 'uint8':
    case 'bool':
      return Uint8Array.from({ length: count }, integer)
    case 'string':
      return new Array<string>(count).fill('a')
    default:
      return undefined
  }
}

/** Standard normal number (Box and Muller 1958). */
function normal(random: RandomSource): number {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
}
