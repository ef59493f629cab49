import { CoreError } from '../../core/core-error.ts'
import { moved, prepareValues, worksInDouble } from '../../core/datasets/prepare-samples.ts'
import { isIdentity } from '../../core/datasets/preprocess.ts'
import type { SamplePlan } from '../../core/datasets/sample-plan.ts'
import type { RuntimeTensor, TensorValues } from '../../core/inference-runtime.ts'
import type { ElementType } from '../../core/onnx/data-types.ts'
import { type ElementFormat, elementFormats } from './element-types.ts'
import { HttpError } from './http-error.ts'
import { requireInRange } from './input-fields.ts'
import { planRequest, type SampleInput } from './model-signature.ts'

/** A body of 16 MB holds no more values than this; shapes that claim more are ragged lists. */
const MOST_VALUES = 2 ** 23

/**
 * Reads one input of one sample from JSON: nested arrays of the sample's shape (with or without a leading batch dimension of 1), or
 * all values in one flat array. Samples come as a dataset stores them (`[H,W,C]` where the preprocessing says so). Every value is checked
 * to be one that can be used, then preprocessed by the same code and in the same precision as evaluation does it.
 *
 * @param preprocessed the values are model inputs already, in the model's shape
 * @param path how messages call it, for example `inputs.x`
 * @param byName values are one flat list whose places messages call by the names of the input's fields
 * @returns dims without the batch
 * @throws HttpError `INVALID_INPUT` naming the place, what was expected and what was found; `OUT_OF_RANGE`
 */
export function readSample(value: unknown, input: SampleInput, preprocessed: boolean, path: string, byName = false): RuntimeTensor {
  const { type } = input.port
  const raw = preprocessed || isIdentity(input.steps)
  const shape = raw ? input.sampleShape : input.sentShape
  const found = shapeOf(value)
  const dims = acceptedShape(found, input.batched, shape)
  if (!dims) throw new HttpError('INVALID_INPUT', `${path} must be ${describeExpected(input, shape)}, found ${describe(value)}.`)
  const plan = raw ? undefined : (input.plan ?? planned(dims, input, path))
  const format = elementFormats[sentType(type, Boolean(plan?.arithmetic))]
  if (!format) throw new HttpError('INVALID_INPUT', `${path} takes ${type} values, which cannot be sent as JSON.`)
  const count = product(found)
  if (count > MOST_VALUES) throw new HttpError('INVALID_INPUT', `${path} is ${describe(value)}, more than ${MOST_VALUES} values.`)
  const values = format.make(count)
  const nameOf = (index: number) => input.fields?.byIndex.get(index)?.name
  new Filler(
    format,
    values,
    found,
    byName ? ([index]) => `${path}.${nameOf(index as number)}` : (place) => `${path}${subscripts(place)}`,
  ).fill(value)
  // Ranges are those of values as they are sent; what is preprocessed already has others.
  if (input.fields && (!preprocessed || isIdentity(input.steps))) {
    const placeOf = (index: number) => (byName ? `${path}.${nameOf(index)}` : `${path}: value ${index} ("${nameOf(index)}")`)
    requireInRange(input.fields, values, type, 0, placeOf)
  }
  if (!plan) return { type, dims, values }
  if (!plan.arithmetic) return { type, dims: plan.dims, values: moved(values, plan.move, 1) }
  const prepared = prepareValues(plan, values as Float32Array | Float64Array, 1, (index) => {
    throw new HttpError('INVALID_INPUT', `${path}: value ${index} (counted from 0) is too large for ${type} after preprocessing.`, {
      hint: 'Send values in the range of the data the model was made for.',
    })
  })
  return { type, dims: plan.dims, values: prepared }
}

/** Type that values of a request have: computed with, they must not be rounded to the model's before. */
export function sentType(type: ElementType, arithmetic: boolean): ElementType {
  return arithmetic ? (worksInDouble(type) ? 'float64' : 'float32') : type
}

/** Sizes the model leaves open may not fit the preprocessing. */
function planned(dims: readonly number[], input: SampleInput, path: string): SamplePlan {
  try {
    return planRequest(dims, input, path)
  } catch (error) {
    if (error instanceof CoreError) throw new HttpError('INVALID_INPUT', `${path}: ${error.message}`, { hint: error.hint })
    throw error
  }
}

/**
 * Copies nested lists into a tensor.
 * @param shape lengths of the lists, from the outermost; their product is the number of values
 * @throws HttpError `INVALID_INPUT` naming the place of the first value that does not fit
 */
export function fillValues(value: unknown, format: ElementFormat, values: TensorValues, shape: readonly number[], path: string): void {
  new Filler(format, values, shape, (place) => `${path}${subscripts(place)}`).fill(value)
}

class Filler {
  private readonly format: ElementFormat
  private readonly values: TensorValues
  private readonly shape: readonly number[]
  private readonly describePlace: (place: readonly number[]) => string
  private readonly place: number[] = []

  constructor(format: ElementFormat, values: TensorValues, shape: readonly number[], describePlace: (place: readonly number[]) => string) {
    this.format = format
    this.values = values
    this.shape = shape
    this.describePlace = describePlace
  }

  fill(value: unknown): void {
    this.fillFrom(value, 0, 0)
  }

  /** @returns the index after the last value stored */
  private fillFrom(part: unknown, axis: number, next: number): number {
    const size = this.shape[axis]
    if (size === undefined) {
      if (!this.format.put(this.values, next, part)) throw this.wrong(`must be ${this.format.expected}, found ${describe(part)}`)
      return next + 1
    }
    if (!Array.isArray(part)) throw this.wrong(`must be a list of ${size}, found ${describe(part)}`)
    if (part.length !== size) throw this.wrong(`has ${part.length} entries, the lists before it have ${size}`)
    let index = next
    if (axis === this.shape.length - 1 && this.format.putList) {
      const stored = this.format.putList(this.values, next, part)
      if (stored === size) return next + size
      this.place[axis] = stored
      throw this.wrong(`must be ${this.format.expected}, found ${describe(part[stored])}`)
    }
    for (let i = 0; i < size; i++) {
      this.place[axis] = i
      index = this.fillFrom(part[i], axis + 1, index)
    }
    this.place.length = axis
    return index
  }

  private wrong(problem: string): HttpError {
    return new HttpError('INVALID_INPUT', `${this.describePlace(this.place)} ${problem}.`)
  }
}

function subscripts(place: readonly number[]): string {
  return place.map((i) => `[${i}]`).join('')
}

/** Lengths of the lists met on the way to the first value; `[]` for a value that is no list. */
export function shapeOf(value: unknown): number[] {
  const shape: number[] = []
  for (let part = value; Array.isArray(part); part = part[0]) shape.push(part.length)
  return shape
}

/** The sample's dims for values that came in that shape, `undefined` when they do not fit the one that is wanted. */
function acceptedShape(found: readonly number[], batched: boolean, wanted: readonly (number | undefined)[]): readonly number[] | undefined {
  const fits = (shape: readonly number[]) =>
    shape.length === wanted.length && shape.every((dim, axis) => dim > 0 && (wanted[axis] ?? dim) === dim)
  if (fits(found)) return found
  if (batched && found[0] === 1 && fits(found.slice(1))) return found.slice(1)
  return found.length === 1 ? unflattened(found[0] as number, wanted) : undefined
}

/** Dims of a flat list: at most one open dimension can be found from the count. */
function unflattened(count: number, sampleShape: readonly (number | undefined)[]): readonly number[] | undefined {
  const known = product(sampleShape.map((dim) => dim ?? 1))
  const open = sampleShape.filter((dim) => dim === undefined).length
  if (count === 0 || open > 1 || (open === 0 ? count !== known : count % known !== 0)) return undefined
  return sampleShape.map((dim) => dim ?? count / known)
}

function describeExpected({ batched, port, sampleShape, steps }: SampleInput, wanted: readonly (number | undefined)[]): string {
  const show = (shape: readonly (number | string | undefined)[]) => `[${shape.map((dim) => dim ?? '?').join(',')}]`
  const names = batched ? port.shape.slice(1) : port.shape
  // Names of open dimensions say more than question marks, where the order is the model's.
  const shown = wanted === sampleShape || wanted.every((dim, axis) => dim === sampleShape[axis]) ? names : wanted
  const withBatch = batched ? `, ${show([1, ...shown])}` : ''
  const open = wanted.filter((dim) => dim === undefined).length
  const flat = open === 0 ? ` or a flat list of ${product(wanted.map((dim) => dim ?? 1))}` : ''
  const layout = shown === names ? '' : ` (${steps.image ? 'channels-last' : (steps.stored ?? '')})`
  return `${port.type} values of shape ${show(shown)}${layout}${withBatch}${flat}`
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
