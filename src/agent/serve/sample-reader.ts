import { CoreError } from '../../core/core-error.ts'
import { isIdentity, preprocess } from '../../core/datasets/preprocess.ts'
import { floatToHalf } from '../../core/float16.ts'
import type { RuntimeTensor, TensorValues } from '../../core/inference-runtime.ts'
import { type ElementFormat, elementFormats } from './element-types.ts'
import { HttpError } from './http-error.ts'
import type { SampleInput } from './model-signature.ts'

/** A body of 16 MB holds no more values than this; shapes that claim more are ragged lists. */
const MOST_VALUES = 2 ** 23
/** From here on binary16 rounds to infinity (IEEE 754-2019 §4.3.1). */
const HALF_OVERFLOW = 65520

/**
 * Reads one input of one sample from JSON: nested arrays of the sample's shape (with or without a leading batch dimension of 1), or
 * all values in one flat array. Every value is checked to be one that the input's type can hold, then preprocessed by the same code
 * and in the same precision as evaluation does it.
 *
 * @param preprocessed the values are model inputs already
 * @param path how messages call it, for example `inputs.x`
 * @returns dims without the batch
 * @throws HttpError `INVALID_INPUT` naming the place, what was expected and what was found
 */
export function readSample(value: unknown, input: SampleInput, preprocessed: boolean, path: string): RuntimeTensor {
  const { type, name } = input.port
  const raw = preprocessed || isIdentity(input.steps)
  // Half precision would round the raw values before they are scaled.
  const format = elementFormats[!raw && type === 'float16' ? 'float32' : type]
  if (!format) throw new HttpError('INVALID_INPUT', `${path} takes ${type} values, which cannot be sent as JSON.`)
  const found = shapeOf(value)
  const dims = acceptedShape(found, input)
  if (!dims) throw new HttpError('INVALID_INPUT', `${path} must be ${describeExpected(input)}, found ${describe(value)}.`)
  const count = product(found)
  if (count > MOST_VALUES) throw new HttpError('INVALID_INPUT', `${path} is ${describe(value)}, more than ${MOST_VALUES} values.`)
  const values = format.make(count)
  new Filler(format, values, found, path).fill(value, 0, 0)
  if (raw) return { type, dims, values }
  const floats = values as Float32Array | Float64Array
  try {
    preprocess(floats, [1, ...dims], input.steps, name)
  } catch (error) {
    // Sizes the model leaves open may not fit the number of channels.
    if (error instanceof CoreError) throw new HttpError('INVALID_INPUT', `${path}: ${error.message}`, { hint: error.hint })
    throw error
  }
  requireHoldable(floats, type, path)
  return { type, dims, values: type === 'float16' ? Uint16Array.from(floats, floatToHalf) : floats }
}

/** Scaling may carry a value beyond what the type can hold, to infinity; the model must never see that. */
function requireHoldable(values: Float32Array | Float64Array, type: string, path: string): void {
  const tooLarge = type === 'float16' ? HALF_OVERFLOW : Number.POSITIVE_INFINITY
  const index = values.findIndex((value) => !(Math.abs(value) < tooLarge))
  if (index < 0) return
  throw new HttpError('INVALID_INPUT', `${path}: value ${index} (counted from 0) is too large for ${type} after preprocessing.`, {
    hint: 'Send values in the range of the data the model was made for.',
  })
}

/** Copies nested arrays into a tensor and names the place of the first value that does not fit. */
class Filler {
  private readonly format: ElementFormat
  private readonly values: TensorValues
  private readonly shape: readonly number[]
  private readonly path: string
  private readonly place: number[] = []

  constructor(format: ElementFormat, values: TensorValues, shape: readonly number[], path: string) {
    this.format = format
    this.values = values
    this.shape = shape
    this.path = path
  }

  /** @returns the index after the last value stored */
  fill(part: unknown, axis: number, next: number): number {
    const size = this.shape[axis]
    if (size === undefined) {
      if (!this.format.put(this.values, next, part)) throw this.wrong(`must be ${this.format.expected}, found ${describe(part)}`)
      return next + 1
    }
    if (!Array.isArray(part)) throw this.wrong(`must be a list of ${size}, found ${describe(part)}`)
    if (part.length !== size) throw this.wrong(`has ${part.length} entries, the lists before it have ${size}`)
    let index = next
    for (let i = 0; i < size; i++) {
      this.place[axis] = i
      index = this.fill(part[i], axis + 1, index)
    }
    this.place.length = axis
    return index
  }

  private wrong(problem: string): HttpError {
    return new HttpError('INVALID_INPUT', `${this.path}${this.place.map((i) => `[${i}]`).join('')} ${problem}.`)
  }
}

/** Lengths of the lists met on the way to the first value; `[]` for a value that is no list. */
function shapeOf(value: unknown): number[] {
  const shape: number[] = []
  for (let part = value; Array.isArray(part); part = part[0]) shape.push(part.length)
  return shape
}

/** The sample's dims for values that came in that shape, `undefined` when they do not fit. */
function acceptedShape(found: readonly number[], { batched, sampleShape }: SampleInput): readonly number[] | undefined {
  const fits = (shape: readonly number[]) =>
    shape.length === sampleShape.length && shape.every((dim, axis) => dim > 0 && (sampleShape[axis] ?? dim) === dim)
  if (fits(found)) return found
  if (batched && found[0] === 1 && fits(found.slice(1))) return found.slice(1)
  return found.length === 1 ? unflattened(found[0] as number, sampleShape) : undefined
}

/** Dims of a flat list: at most one open dimension can be found from the count. */
function unflattened(count: number, sampleShape: readonly (number | undefined)[]): readonly number[] | undefined {
  const known = product(sampleShape.map((dim) => dim ?? 1))
  const open = sampleShape.filter((dim) => dim === undefined).length
  if (count === 0 || open > 1 || (open === 0 ? count !== known : count % known !== 0)) return undefined
  return sampleShape.map((dim) => dim ?? count / known)
}

function describeExpected({ batched, port, sampleShape }: SampleInput): string {
  const show = (shape: readonly (number | string | undefined)[]) => `[${shape.map((dim) => dim ?? '?').join(',')}]`
  const names = batched ? port.shape.slice(1) : port.shape
  const withBatch = batched ? `, ${show([1, ...names])}` : ''
  const open = sampleShape.filter((dim) => dim === undefined).length
  const flat = open === 0 ? ` or a flat list of ${product(sampleShape.map((dim) => dim ?? 1))}` : ''
  return `${port.type} values of shape ${show(names)}${withBatch}${flat}`
}

/** A value from a request in a few words. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of shape [${shapeOf(value).join(',')}]`
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`
  return `${value}`
}

function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1)
}
