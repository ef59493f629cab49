import { EdgesmithError } from '../../contract/errors.ts'
import type { ServiceField } from '../../contract/service.ts'
import { floatToHalf, halfToFloat } from '../../core/float16.ts'
import type { TensorValues } from '../../core/inference-runtime.ts'
import type { ElementType } from '../../core/onnx/data-types.ts'
import { elementCount } from '../../core/onnx/tensor-values.ts'
import { HttpError } from './http-error.ts'
import type { ModelSignature, SampleInput } from './model-signature.ts'

/** Names and ranges of the values of one sample of an input, by their place in it. */
export interface InputFields {
  readonly byIndex: ReadonlyMap<number, ServiceField>
  readonly names: ReadonlySet<string>
  /** Every value has a name: a sample can be given by names alone. */
  readonly isComplete: boolean
  /** Places with a range, and the ranges; an open end is infinite. */
  readonly indices: Int32Array
  readonly min: Float64Array
  readonly max: Float64Array
}

/**
 * Adds the fields of a configuration to the inputs they belong to.
 * @throws EdgesmithError `USAGE` for fields of inputs or places the model does not have, and for names or places given twice
 */
export function withFields(signature: ModelSignature, fields: readonly ServiceField[]): ModelSignature {
  if (fields.length === 0) return signature
  const unknown = fields.find(({ input }) => !signature.inputs.some(({ port }) => port.name === input))
  if (unknown) throw wrong(unknown, `input "${unknown.input}" does not exist in the model`)
  const names = new Set<string>()
  for (const field of fields) {
    if (names.has(field.name)) throw wrong(field, 'the name is given twice')
    names.add(field.name)
  }
  const inputs = signature.inputs.map((input) => {
    const own = fields.filter((field) => field.input === input.port.name)
    return own.length === 0 ? input : { ...input, fields: fieldsOf(input, own) }
  })
  return { ...signature, inputs }
}

function fieldsOf({ port, sentShape }: SampleInput, fields: readonly ServiceField[]): InputFields {
  const sizes = sentShape.filter((dim) => dim !== undefined)
  const byIndex = new Map<number, ServiceField>()
  const count = elementCount(sizes)
  for (const field of fields) {
    const { index, min, max } = field
    if (sizes.length < sentShape.length) throw wrong(field, 'its input has sizes that the model leaves open')
    if (index >= count) throw wrong(field, `its input has ${count} values, there is none at ${index}`)
    if (byIndex.has(index)) throw wrong(field, `place ${index} of its input has a name already`)
    if (port.type === 'string' && (min !== null || max !== null)) throw wrong(field, 'text has no range')
    if (min !== null && max !== null && min > max) throw wrong(field, 'its smallest value is larger than its largest')
    byIndex.set(index, field)
  }
  const ranged = [...byIndex.values()].filter(({ min, max }) => min !== null || max !== null)
  return {
    byIndex,
    names: new Set(fields.map(({ name }) => name)),
    isComplete: byIndex.size === count,
    indices: Int32Array.from(ranged, ({ index }) => index),
    min: Float64Array.from(ranged, ({ min }) => min ?? Number.NEGATIVE_INFINITY),
    max: Float64Array.from(ranged, ({ max }) => max ?? Number.POSITIVE_INFINITY),
  }
}

/**
 * Checks the values of one sample as they were sent, before preprocessing.
 *
 * @param type of the values; a value counts as the bound itself when it is as near as the type can be
 * @param offset of the sample in `values`
 * @param placeOf how messages call the value at an index
 * @throws HttpError `OUT_OF_RANGE` naming field and bound
 */
export function requireInRange(
  fields: InputFields,
  values: TensorValues,
  type: ElementType,
  offset: number,
  placeOf: (index: number) => string,
): void {
  if (values instanceof Float32Array && areFloatsInRange(fields, values, offset, 1, 0)) return
  const { indices, min, max, byIndex } = fields
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number
    const stored = values[offset + index] as number | bigint
    const value = type === 'float16' && values instanceof Uint16Array ? halfToFloat(Number(stored)) : Number(stored)
    const [low, high] = [min[i] as number, max[i] as number]
    if (value >= low && value <= high) continue
    const tooLow = value < low
    const bound = tooLow ? low : high
    if (value === rounded(bound, values)) continue
    const name = (byIndex.get(index) as ServiceField).name
    throw new HttpError('OUT_OF_RANGE', `${placeOf(index)} must be at ${tooLow ? 'least' : 'most'} ${bound}, found ${value}.`, {
      hint: `The range of "${name}" is ${describeRange(low, high)}.`,
    })
  }
}

/**
 * The ordinary case, in a loop over one type of array; a value just at a bound may fail here.
 * @param offset of the first sample in `values`
 * @param size values of a sample
 */
export function areFloatsInRange(
  { indices, min, max }: InputFields,
  values: Float32Array,
  offset: number,
  samples: number,
  size: number,
): boolean {
  const { length } = indices
  for (let sample = 0, start = offset; sample < samples; sample++, start += size) {
    for (let i = 0; i < length; i++) {
      const value = values[start + (indices[i] as number)] as number
      if (!(value >= (min[i] as number) && value <= (max[i] as number))) return false
    }
  }
  return true
}

function rounded(bound: number, values: TensorValues): number {
  if (values instanceof Float32Array) return Math.fround(bound)
  return values instanceof Uint16Array ? halfToFloat(floatToHalf(bound)) : bound
}

function describeRange(low: number, high: number): string {
  if (low === Number.NEGATIVE_INFINITY) return `up to ${high}`
  return high === Number.POSITIVE_INFINITY ? `from ${low}` : `${low} to ${high}`
}

function wrong({ name }: ServiceField, why: string): EdgesmithError {
  return new EdgesmithError('USAGE', `The field "${name}" of the service's configuration cannot be used: ${why}.`)
}
