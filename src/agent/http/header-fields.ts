import { HttpFailure, malformed } from './http-failure.ts'

const CR = 0x0d
const LF = 0x0a
const COLON = 0x3a
const SPACE = 0x20
const TAB = 0x09
/** Bytes that names are made of (tokens), and values: no control characters other than a tab. 1 for each that is one. */
const NAME_BYTES = bytesLike(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/)
const VALUE_BYTES = bytesLike(/[\t -~\x80-\xff]/)

/** Headers that mean something else, or nothing, when they come twice: which one counts is what request smuggling lives on. */
const SINGLE = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'transfer-encoding',
  'user-agent',
])

/** Names that need not be made anew for each request, by their length. Letters and hyphens only. */
const COMMON_NAMES: readonly (readonly string[])[] = byLength([
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'inference-header-content-length',
  'sec-fetch-mode',
  'transfer-encoding',
  'user-agent',
  'x-api-key',
  'x-request-id',
  'x-request-timeout-ms',
  'x-session-id',
])

/** Nothing is inherited: a header may be called "__proto__" or "constructor". An object without prototype would take longer to fill and to read. */
class HeaderTable {
  [name: string]: string | undefined
}
Object.setPrototypeOf(HeaderTable.prototype, null)
Reflect.deleteProperty(HeaderTable.prototype, 'constructor')

/** Header lines in the memory they came in. */
interface HeaderLines {
  readonly bytes: Uint8Array
  /** The bytes from `start` on, one character a byte. */
  readonly text: string
  readonly start: number
  /** The CR behind the request line. */
  readonly from: number
  /** Where CR LF CR LF stands for the first time. */
  readonly end: number
}

/**
 * Reads header lines, strictly by RFC 9112: whatever two programs might read in two ways is refused. In one pass over the bytes, because this is done
 * for every request whose head is not that of the one before.
 *
 * @param mostHeaders headers that are taken
 * @returns values by name in lower case. A header that came several times is one text, joined by commas
 * @throws HttpFailure `malformed`, `head-too-large` (more headers than are taken)
 */
export function readHeaderFields({ bytes, text, start: textStart, from, end }: HeaderLines, mostHeaders: number): HeaderTable {
  const headers = new HeaderTable()
  let count = 0
  for (let at = from; at < end; ) {
    if (++count > mostHeaders) throw new HttpFailure('head-too-large', `more than ${mostHeaders} headers`)
    const start = at + 2
    // A line that starts with a space (obsolete folding) has no name.
    let nameEnd = start
    while (NAME_BYTES[bytes[nameEnd] as number] === 1) nameEnd++
    if (nameEnd === start || bytes[nameEnd] !== COLON) throw malformed('a header name with other characters than a token has')
    let valueStart = nameEnd + 1
    while (isBlank(bytes[valueStart])) valueStart++
    at = valueStart
    while (VALUE_BYTES[bytes[at] as number] === 1) at++
    if (bytes[at] !== CR || bytes[at + 1] !== LF) throw malformed('a control character or a line end that is not CR LF')
    let valueEnd = at
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd--
    const name = commonName(bytes, start, nameEnd) ?? text.slice(start - textStart, nameEnd - textStart).toLowerCase()
    const value = text.slice(valueStart - textStart, valueEnd - textStart)
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (SINGLE.has(name)) throw malformed(`${name} twice`)
    else headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return headers
}

/** The name at this place in lower case, where it is a common one. */
function commonName(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start
  const names = COMMON_NAMES[length]
  if (names === undefined) return undefined
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string
    let same = 0
    // Of all bytes that names may hold, only the capital letters become a small letter or a hyphen by this.
    while (same < length && ((bytes[start + same] as number) | 0x20) === name.charCodeAt(same)) same++
    if (same === length) return name
  }
  return undefined
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB
}

/** For each byte 1 where a character of that code is as described, else 0. */
export function bytesLike(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => Number(pattern.test(String.fromCharCode(byte))))
}

function byLength(names: readonly string[]): readonly (readonly string[])[] {
  const longest = Math.max(...names.map((name) => name.length))
  return Array.from({ length: longest + 1 }, (_, length) => names.filter((name) => name.length === length))
}
