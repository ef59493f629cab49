import { CoreError } from '../core-error.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { swapBytes } from './byte-order.ts'
import { DATASET_LIMITS } from './limits.ts'
import { countOf, elementWidth, type NumericArray, type NumericType } from './numeric-array.ts'

/** What the header of an .npy says. Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
export interface NpyHeader {
  /** Element type as NumPy writes it (`<f4`). */
  readonly descr: string
  /** `undefined` for element types that are not numbers: text, dates, Python objects, complex numbers, records. */
  readonly type: NumericType | undefined
  readonly bigEndian: boolean
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Where the elements begin. */
  readonly offset: number
  /** Bytes of all elements; 0 for types that are not numbers. */
  readonly byteLength: number
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** Bytes that surely hold the header's length. */
export const NPY_PREFIX = 12

/**
 * Bytes of magic, version and header together, read from the first {@link NPY_PREFIX} bytes.
 * @throws CoreError `DATASET_INVALID`
 */
export function npyHeaderEnd(bytes: Uint8Array, name: string): number {
  if (bytes.length < NPY_PREFIX) throw invalid(name, `it ends after ${bytes.length} bytes, in the middle of the .npy header`)
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) throw invalid(name, 'it does not begin like an .npy file')
  const version = bytes[6] as number
  if (version < 1 || version > 3) throw invalid(name, `it has .npy format version ${version}, expected 1 to 3`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > DATASET_LIMITS.headerBytes)
    throw invalid(name, `its header has ${length} bytes, at most ${DATASET_LIMITS.headerBytes} are allowed`)
  return (version === 1 ? 10 : 12) + length
}

/**
 * Parses the header of an .npy file, versions 1 to 3.
 * @param bytes the file from its start, at least up to the end of the header
 * @param name how messages call the array ("x of data.npz")
 * @param limitBytes of all elements; more are allowed where they are not held in memory
 * @throws CoreError `DATASET_INVALID`, `TOO_LARGE`
 */
export function parseNpyHeader(bytes: Uint8Array, name: string, limitBytes: number = DATASET_LIMITS.arrayBytes): NpyHeader {
  const end = npyHeaderEnd(bytes, name)
  if (bytes.length < end) throw invalid(name, `it ends after ${bytes.length} bytes, in the middle of the .npy header (${end} bytes)`)
  const start = (bytes[6] as number) === 1 ? 10 : 12
  const { descr, fortranOrder, shape } = parseLiteral(new TextDecoder().decode(bytes.subarray(start, end)), name)
  if (shape.length > DATASET_LIMITS.rank)
    throw invalid(name, `it has ${shape.length} dimensions, at most ${DATASET_LIMITS.rank} are allowed`)
  const { type, bigEndian } = elementType(descr)
  const byteLength = type ? countOf(shape) * elementWidth(type) : 0
  if (byteLength > limitBytes) {
    throw new CoreError('TOO_LARGE', `${name} has ${byteLength} bytes, at most ${limitBytes} can be read.`, {
      details: { foundBytes: byteLength, limitBytes },
    })
  }
  return { descr, type, bigEndian, fortranOrder, shape, offset: end, byteLength }
}

/**
 * Parses a whole .npy file. Row-major little-endian elements stay a view into `bytes`, others are copied into that order.
 * @throws CoreError `DATASET_INVALID` (truncated, too long, malformed), `DATASET_TYPE` for elements that are not numbers, `TOO_LARGE`
 */
export function parseNpy(bytes: Uint8Array, name: string): NumericArray {
  const header = parseNpyHeader(bytes, name)
  const { type, shape, offset, byteLength } = header
  if (!type)
    throw new CoreError('DATASET_TYPE', `${name} holds ${describeDescr(header.descr)}, expected numbers.`, { hint: SAVE_AS_NUMBERS })
  const found = bytes.length - offset
  if (found !== byteLength) {
    throw invalid(name, `its shape [${shape.join(',')}] and type ${type} need ${byteLength} bytes from byte ${offset} on, found ${found}`, {
      expected: byteLength,
      found,
      byte: offset,
    })
  }
  let elements = bytes.subarray(offset)
  if (header.bigEndian) elements = swapBytes(elements, elementWidth(type))
  if (header.fortranOrder && shape.length > 1) elements = toRowMajor(elements, shape, elementWidth(type))
  return { name, type, shape, bytes: elements }
}

const SAVE_AS_NUMBERS = 'Save the array as numbers, for example with array.astype("float32").'

/** What an element type that is not a number is, in words. */
export function describeDescr(descr: string): string {
  const kinds: Readonly<Record<string, string>> = {
    O: 'Python objects (pickled)',
    U: 'text',
    S: 'byte strings',
    c: 'complex numbers',
    M: 'dates',
    m: 'time differences',
    V: 'raw bytes',
  }
  const kind = /^[<>|=]?([a-zA-Z])/.exec(descr)?.[1]
  const words = descr === 'record' ? 'records' : kind !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  return words ?? `elements of type ${quoteName(descr)}`
}

function elementType(descr: string): { type: NumericType | undefined; bigEndian: boolean } {
  const match = /^([<>|=]?)([fiub?])(\d{1,2})?$/.exec(descr)
  const [, order, kind, width] = match ?? []
  const names: Readonly<Record<string, NumericType>> = {
    b1: 'bool',
    '?': 'bool',
    i1: 'int8',
    i2: 'int16',
    i4: 'int32',
    i8: 'int64',
    u1: 'uint8',
    u2: 'uint16',
    u4: 'uint32',
    u8: 'uint64',
    f2: 'float16',
    f4: 'float32',
    f8: 'float64',
  }
  const key = `${kind ?? ''}${width ?? ''}`
  return { type: match && Object.hasOwn(names, key) ? names[key] : undefined, bigEndian: order === '>' }
}

const ENTRY =
  /\s*'(?<key>descr|fortran_order|shape)'\s*:\s*(?:'(?<text>[^'\\]{1,64})'|(?<flag>True|False)|\((?<tuple>[\dL,\s]*)\)|(?<list>\[))\s*(?<comma>,)?/sy

/** The Python dict in the header: exactly descr, fortran_order and shape, in any order. Nothing is evaluated. */
function parseLiteral(text: string, name: string): { descr: string; fortranOrder: boolean; shape: number[] } {
  const malformed = (reason: string) => invalid(name, `its .npy header ${quoteName(text.trim())} is malformed: ${reason}`)
  if (/'descr'\s*:\s*\[/.test(text))
    return { descr: 'record', fortranOrder: false, shape: shapeOf(/'shape'\s*:\s*\(([\dL,\s]*)\)/.exec(text)?.[1] ?? '') ?? [] }
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1]
  if (body === undefined) throw malformed('it is not a Python dict')
  let descr: string | undefined
  let fortranOrder: boolean | undefined
  let shape: number[] | undefined
  ENTRY.lastIndex = 0
  for (let at = 0; body.slice(at).trim() !== ''; at = ENTRY.lastIndex) {
    ENTRY.lastIndex = at
    const groups = ENTRY.exec(body)?.groups
    if (!groups) throw malformed(`nothing understandable from character ${at} on`)
    const seen = groups.key === 'descr' ? descr : groups.key === 'shape' ? shape : fortranOrder
    if (seen !== undefined) throw malformed(`${groups.key} comes twice`)
    if (groups.key === 'descr') descr = groups.text
    else if (groups.key === 'fortran_order' && groups.flag) fortranOrder = groups.flag === 'True'
    else if (groups.key === 'shape' && groups.tuple !== undefined) shape = shapeOf(groups.tuple)
    if (groups.comma === undefined && body.slice(ENTRY.lastIndex).trim() !== '') throw malformed('a comma is missing')
  }
  if (descr === undefined || fortranOrder === undefined || shape === undefined) throw malformed('descr, fortran_order or shape is missing')
  return { descr, fortranOrder, shape }
}

/** Numbers of a Python tuple: `3, 4`, `5,`, or nothing. Python 2 wrote an L behind long ones. */
function shapeOf(tuple: string): number[] | undefined {
  const trimmed = tuple.trim()
  if (trimmed === '') return []
  if (!/^\d{1,15}L?\s*(?:,\s*\d{1,15}L?\s*)*,?$/.test(trimmed)) return undefined
  return trimmed.split(',').flatMap((part) => (part.trim() === '' ? [] : [Number.parseInt(part, 10)]))
}

/** Column-major (Fortran) to row-major order. */
function toRowMajor(bytes: Uint8Array, shape: readonly number[], width: number): Uint8Array {
  const out = new Uint8Array(bytes.length)
  const strides: number[] = []
  let stride = width
  for (const dim of shape) {
    strides.push(stride)
    stride *= dim
  }
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < bytes.length; to += width) {
    for (let byte = 0; byte < width; byte++) out[to + byte] = bytes[from + byte] as number
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1
      from += strides[axis] as number
      if (next < (shape[axis] as number)) {
        index[axis] = next
        break
      }
      from -= next * (strides[axis] as number)
      index[axis] = 0
    }
  }
  return out
}

function invalid(name: string, problem: string, details: Readonly<Record<string, unknown>> = {}): CoreError {
  return new CoreError('DATASET_INVALID', `${name} cannot be read: ${problem}.`, {
    hint: 'Write it again with numpy.save or numpy.savez.',
    details,
  })
}
