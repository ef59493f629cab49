import { CoreError } from '../core-error.ts'
import { HALF_MAX, halfToFloat } from '../float16.ts'
import type { TensorValues } from '../inference-runtime.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { countOf, type Elements, isFloat, type NumericType, pieces, type SampleArray, toNumber } from './numeric-array.ts'
import { hasArithmetic, type PreprocessingSteps } from './preprocess.ts'

const numericTypes: ReadonlySet<string> = new Set<NumericType>([
  ...(['bool', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float16', 'float32', 'float64'] as const),
])

/** True for a model input type that datasets can feed. */
export function isNumericType(type: string): type is NumericType {
  return numericTypes.has(type)
}

/**
 * Checks that an array's element type can feed a model input.
 * @param steps preprocessing for this input
 * @param where how messages call the array
 * @throws CoreError `DATASET_TYPE` that says what to do
 */
export function checkTypes(
  array: { readonly type: NumericType },
  input: { readonly name: string; readonly type: string },
  steps: PreprocessingSteps,
  where: string,
): void {
  const fail = (problem: string, hint: string) =>
    new CoreError('DATASET_TYPE', `${where} is ${array.type}, but model input ${quoteName(input.name)} is ${input.type}: ${problem}.`, {
      hint,
      details: { expected: input.type, found: array.type },
    })
  const { type } = array
  if (!isNumericType(input.type)) throw fail('such inputs cannot be fed from arrays of numbers', 'Use a model with numeric inputs.')
  if (isFloat(input.type)) {
    if ((type === 'uint8' || type === 'int8') && !hasArithmetic(steps)) {
      throw fail(
        'whether the bytes are to be scaled is not known',
        'Give preprocessing: {"scale": 0.00392156862745098} (1/255) for images, {"scale": 1} to use the values as they are.',
      )
    }
    return
  }
  if (hasArithmetic(steps)) {
    if (steps.dtype === input.type) return
    throw fail(
      'preprocessing gives fractions, which such an input cannot take',
      'Leave scale, mean and std out where the model does that itself; with "dtype" the results are rounded.',
    )
  }
  if (isFloat(type))
    throw fail('fractions would be lost', `Save the array as ${input.type}, for example with array.astype("${input.type}").`)
}

const integerRanges: Readonly<Partial<Record<NumericType, readonly [bigint, bigint]>>> = {
  bool: [0n, 1n],
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
}

/**
 * Looks at every element once: floats must be finite and within the target's range, integers must fit the target.
 * @param target element type they are converted to (their own where nothing is converted)
 * @param where how messages call the array
 * @throws CoreError `DATASET_INVALID` for NaN and infinity, `DATASET_TYPE` for what does not fit; both name the sample
 */
export function checkElements(array: SampleArray, target: NumericType, where: string): void {
  if (!needsCheck(array.type, target)) return
  const perSample = Math.max(1, countOf(array.shape.slice(1)))
  for (const { from, elements } of pieces(array)) {
    checkPiece(elements, array.type, target, where, (index) => {
      const sample = Math.floor((from + index) / perSample)
      return { sample, element: from + index - sample * perSample }
    })
  }
}

/** False where every value of a type fits the target. */
export function needsCheck(type: NumericType, target: NumericType): boolean {
  if (isFloat(type)) return true
  const [low, high] = integerRanges[target] ?? []
  const [ownLow, ownHigh] = integerRanges[type] ?? []
  return low !== undefined && high !== undefined && ownLow !== undefined && ownHigh !== undefined && (low > ownLow || high < ownHigh)
}

/**
 * {@link checkElements} for some elements.
 * @param placeOf where the element of an index stands
 */
export function checkPiece(
  elements: Elements,
  type: NumericType,
  target: NumericType,
  where: string,
  placeOf: (index: number) => { readonly sample: number; readonly element: number },
): void {
  if (isFloat(type)) {
    const limit = target === 'float16' ? HALF_MAX : target === 'float32' ? FLOAT_MAX : Number.MAX_VALUE
    const index = firstOutside(type, elements as Uint16Array | Float32Array | Float64Array, limit)
    if (index < 0) return
    const value = toNumber(type, elements[index] as number)
    const { sample, element } = placeOf(index)
    if (Number.isFinite(value)) throw outside(where, value, sample, target)
    throw new CoreError(
      'DATASET_INVALID',
      `${where} holds ${value} in sample ${sample} (element ${element}); samples must be finite numbers.`,
      {
        hint: 'Find them with numpy.argwhere(~numpy.isfinite(x)) and repair or leave out these samples.',
        details: { sample, element, found: String(value) },
      },
    )
  }
  const [low, high] = integerRanges[target] ?? []
  if (low === undefined || high === undefined) return
  for (let index = 0; index < elements.length; index++) {
    const value = elements[index] as number | bigint
    if (value < low || value > high) throw outside(where, value, placeOf(index).sample, target)
  }
}

/** Numbers of a table for an input of whole numbers. @throws CoreError `DATASET_TYPE` naming the sample of the first that is none or too large */
export function checkWhole(values: Float32Array, target: NumericType, where: string, sampleOf: (index: number) => number): void {
  const [low = 0n, high = 0n] = integerRanges[target] ?? []
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    if (!Number.isInteger(value) || value < low || value > high) throw outside(where, value, sampleOf(index), target)
  }
}

const FLOAT_MAX = 3.4028234663852886e38

function firstOutside(type: NumericType, elements: Uint16Array | Float32Array | Float64Array, limit: number): number {
  // float16 bits with all exponent bits set are infinity or NaN; every other one fits everywhere.
  if (type === 'float16') return (elements as Uint16Array).findIndex((bits) => (bits & 0x7c00) === 0x7c00)
  for (let index = 0; index < elements.length; index++) {
    const value = elements[index] as number
    // NaN fails both comparisons.
    if (!(value <= limit && value >= -limit)) return index
  }
  return -1
}

/** A value that the model input cannot hold. */
export function outside(where: string, value: number | bigint, sample: number, target: string): CoreError {
  return new CoreError('DATASET_TYPE', `${where} holds ${value} in sample ${sample}, which does not fit into ${target}.`, {
    hint: `Use values in the range of ${target}.`,
    details: { sample, found: String(value), expected: target },
  })
}

/** Elements as float32 or float64; the same array where they are that already. */
export function toFloats(elements: Elements, type: NumericType, double: boolean): Float32Array | Float64Array {
  if (double ? type === 'float64' : type === 'float32') return elements as Float32Array | Float64Array
  const values = double ? new Float64Array(elements.length) : new Float32Array(elements.length)
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index] as number | bigint
    values[index] = type === 'float16' ? halfToFloat(element as number) : Number(element)
  }
  return values
}

/** Elements, all of them whole numbers in the range of the type, as integers. */
export function toIntegers(elements: Elements, target: NumericType): TensorValues {
  const wide = (element: number | bigint) => BigInt(element)
  const narrow = (element: number | bigint) => Number(element)
  const source = Array.from(elements as ArrayLike<number | bigint>)
  switch (target) {
    case 'int64':
      return BigInt64Array.from(source, wide)
    case 'uint64':
      return BigUint64Array.from(source, wide)
    case 'int32':
      return Int32Array.from(source, narrow)
    case 'uint32':
      return Uint32Array.from(source, narrow)
    case 'int16':
      return Int16Array.from(source, narrow)
    case 'uint16':
      return Uint16Array.from(source, narrow)
    case 'int8':
      return Int8Array.from(source, narrow)
    default:
      return Uint8Array.from(source, narrow)
  }
}
