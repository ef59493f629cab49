import type { GoldenAnswers, Release, TensorText } from '../../contract/service.ts'
import { decodeBase64 } from '../../core/base64.ts'
import { isIdentity } from '../../core/datasets/preprocess.ts'
import { halfToFloat } from '../../core/float16.ts'
import type { ServedModelInfo } from './served-model.ts'

type Input = ServedModelInfo['inputs'][number]

/** Examples with more values are no help to anybody. */
const mostValues = 500_000

/**
 * Bodies of `POST /predict` to try one after another, the most telling first: values by name, a real sample, made-up values.
 * The server decides which one it takes.
 */
export function exampleRequests({ golden, preprocessing }: Release, { inputs }: ServedModelInfo): object[] {
  const sample = golden?.samples[0]
  const plain = isIdentity(preprocessing)
  const real = sample && sampleValues(sample)
  const named = inputs.some(({ fields }) => fields.length > 0) ? [{ fields: namedValues(inputs, plain ? real : undefined) }] : []
  const stored = real ? [{ inputs: nestedSample(sample), ...(plain ? {} : { preprocessed: true }) }] : []
  const madeUp = inputs.map(({ name, type, sent_shape }) => [name, filled(type, sent_shape.map(sizeOf))] as const)
  const small = inputs.every(({ sent_shape }) => sent_shape.map(sizeOf).reduce((product, size) => product * size, 1) <= mostValues)
  return [...named, ...stored, ...(small ? [{ inputs: Object.fromEntries(madeUp) }] : [])]
}

/** By input: the numbers of a sample, row-major; undefined where some are of a type that JSON does not show. */
function sampleValues({ inputs }: GoldenAnswers['samples'][number]): ReadonlyMap<string, readonly number[]> | undefined {
  const values = new Map<string, readonly number[]>()
  for (const tensor of inputs) {
    const numbers = numbersOf(tensor)
    if (!numbers || numbers.length > mostValues) return undefined
    values.set(tensor.name, numbers)
  }
  return values
}

function namedValues(inputs: readonly Input[], real: ReadonlyMap<string, readonly number[]> | undefined): Record<string, number> {
  const entries = inputs.flatMap(({ name, fields }) =>
    fields.map((field) => [field.name, real?.get(name)?.[field.index] ?? middle(field.min, field.max)] as const),
  )
  return Object.fromEntries(entries)
}

/** Something in range, with few digits. */
function middle(min: number | null, max: number | null): number {
  if (min === null) return max === null ? 0 : Math.min(0, max)
  return max === null ? Math.max(0, min) : Number(((min + max) / 2).toPrecision(6))
}

function nestedSample({ inputs }: GoldenAnswers['samples'][number]): Record<string, unknown> {
  return Object.fromEntries(
    inputs.map((tensor) => {
      const values = (numbersOf(tensor) ?? []).map((value) => (tensor.type === 'bool' ? value !== 0 : value))
      return [tensor.name, nested(values, tensor.dims)] as const
    }),
  )
}

function nested(values: readonly unknown[], dims: readonly number[]): unknown {
  let next = 0
  const build = (axis: number): unknown =>
    axis === dims.length ? values[next++] : Array.from({ length: dims[axis] ?? 0 }, () => build(axis + 1))
  return build(0)
}

function filled(type: string, dims: readonly number[]): unknown {
  const value = type === 'string' ? '' : type === 'bool' ? false : 0
  return dims.reduceRight<unknown>((inner, size) => Array.from({ length: size }, () => inner), value)
}

/** Sizes nobody knows are made up. */
function sizeOf(dim: number | string | null): number {
  return typeof dim === 'number' ? dim : 1
}

type NumberReader = (view: DataView, at: number) => number

const readers: Readonly<Record<string, { readonly bytes: number; readonly read: NumberReader }>> = {
  float32: { bytes: 4, read: (view, at) => shortest(view.getFloat32(at, true)) },
  float64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  float16: { bytes: 2, read: (view, at) => Number(halfToFloat(view.getUint16(at, true)).toPrecision(5)) },
  int8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  uint8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  bool: { bytes: 1, read: (view, at) => view.getUint8(at) },
  int16: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  uint16: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  int32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  uint32: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  int64: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  uint64: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
}

/** The number with the fewest digits that is the same float32; nine always do. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return Number(value.toPrecision(9))
}

function numbersOf({ type, values }: TensorText): number[] | undefined {
  const reader = readers[type]
  if (!reader) return undefined
  const bytes = decodeBase64(values)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: Math.floor(bytes.length / reader.bytes) }, (_, index) => reader.read(view, index * reader.bytes))
}
