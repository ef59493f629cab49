import { decodeBase64, encodeBase64 } from '../core/base64.ts'
import { isNestedDeeperThan } from '../core/json-depth.ts'
import { EdgesmithError } from './errors.ts'

/**
 * One value as one line of JSON, with typed arrays as tagged base64 of their little-endian bytes:
 * `{"$typed":"float32","base64":"AACAPw=="}` is Float32Array.of(1). JSON itself would write a million latencies as ten million
 * digits, and lose which array type it was.
 */

/** Array types that may travel, by tag. */
const arrayTypes = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array } as const
type Tag = keyof typeof arrayTypes

/** Longest line that is read: results of nine million evaluated samples fit (28 bytes each with a baseline, 4 characters for 3 bytes). */
export const WIRE_LINE_LIMIT = 352 * 2 ** 20
/** Deepest nesting that is read; messages use 6. */
const DEPTH_LIMIT = 32
/** The tag's key, and the same with more "$" in front: those are ordinary keys, sent with one "$" added. */
const tagLike = /^\$+typed$/

/**
 * The line for `value`, without a line break in it or at its end. Plain JSON values and Float32Array, Float64Array, Int32Array,
 * Uint8Array; fields that are `undefined` are left out.
 *
 * @throws Error for numbers JSON cannot hold (NaN, infinities; inside typed arrays they are fine) and for other array types
 */
export function encodeWire(value: unknown): string {
  const line = JSON.stringify(value, (key, entry: unknown) => toPlain(key, entry))
  if (line === undefined) throw new Error('a message cannot be undefined')
  return line
}

function toPlain(key: string, entry: unknown): unknown {
  if (typeof entry === 'number' && !Number.isFinite(entry)) throw new Error(`${key || 'the message'} is ${entry}, which JSON cannot hold`)
  if (typeof entry !== 'object' || entry === null) return entry
  if (ArrayBuffer.isView(entry)) return tagged(key, entry)
  if (Array.isArray(entry) || !Object.keys(entry).some((name) => tagLike.test(name))) return entry
  return Object.fromEntries(Object.entries(entry).map(([name, field]) => [tagLike.test(name) ? `$${name}` : name, field]))
}

function tagged(key: string, view: ArrayBufferView): object {
  for (const [tag, type] of Object.entries(arrayTypes)) {
    if (!(view instanceof type)) continue
    return { $typed: tag, base64: encodeBase64(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)) }
  }
  throw new Error(`${key || 'the message'} is a ${view.constructor.name}, which has no tag`)
}

/**
 * The value of a line from the other side, which is a stranger: limits on length and nesting, typed arrays checked.
 *
 * @throws EdgesmithError `DEVICE_PROTOCOL` for anything {@link encodeWire} would not have written
 */
export function decodeWire(line: string): unknown {
  if (line.length > WIRE_LINE_LIMIT) throw broken(`is ${line.length} characters long, at most ${WIRE_LINE_LIMIT} are read`)
  if (isNestedDeeperThan(line, DEPTH_LIMIT)) throw broken(`is nested deeper than ${DEPTH_LIMIT} levels`)
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw broken(`is not JSON: ${quote(line)}`)
  }
  return fromPlain(value)
}

function fromPlain(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return entry
  if (Array.isArray(entry)) return entry.map(fromPlain)
  if (Object.hasOwn(entry, '$typed')) return typedArray(entry as Record<string, unknown>)
  // fromEntries defines properties, so that a key "__proto__" stays a key.
  return Object.fromEntries(
    Object.entries(entry).map(([name, field]) => [tagLike.test(name) ? name.slice(1) : name, fromPlain(field)] as const),
  )
}

function typedArray(entry: Record<string, unknown>): InstanceType<(typeof arrayTypes)[Tag]> {
  const { $typed: tag, base64 } = entry
  if (typeof tag !== 'string' || !Object.hasOwn(arrayTypes, tag)) throw broken(`has an array of unknown type ${quote(String(tag))}`)
  if (typeof base64 !== 'string' || Object.keys(entry).length !== 2) throw broken(`has a ${tag} array that is not tagged base64`)
  const type = arrayTypes[tag as Tag]
  let bytes: Uint8Array
  try {
    bytes = decodeBase64(base64)
  } catch (error) {
    throw broken(`has a ${tag} array with broken ${error instanceof Error ? error.message : 'base64'}`)
  }
  if (bytes.length % type.BYTES_PER_ELEMENT !== 0) {
    throw broken(`has a ${tag} array of ${bytes.length} bytes, not a multiple of ${type.BYTES_PER_ELEMENT}`)
  }
  return new type(bytes.buffer as ArrayBuffer)
}

function broken(problem: string): EdgesmithError {
  return new EdgesmithError('DEVICE_PROTOCOL', `A message ${problem}.`, {
    hint: 'The other side may be another version, or something else printed into its output. Push the agent again.',
  })
}

/** The start of a text from strangers, for a message. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
