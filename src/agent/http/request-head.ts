import { bytesLike, readHeaderFields } from './header-fields.ts'
import { malformed } from './http-failure.ts'

/** By name in lower case. A header that came several times is one text, joined by commas. */
export type RequestHeaders = Readonly<Record<string, string | undefined>>

/** A request up to its body. */
export interface RequestHead {
  readonly method: string
  /** As it came: path and query. */
  readonly target: string
  readonly headers: RequestHeaders
  /** The client wants to send more requests on this connection. */
  readonly keepsOpen: boolean
  /** The client waits to be told before it sends the body. */
  readonly expectsContinue: boolean
  readonly isChunked: boolean
  /** Of the body; 0 for chunked ones. */
  readonly contentLength: number
  /** What the server found out about this head, should the same bytes come again on the same connection. */
  memo: unknown
}

/** Those of RFC 9110 but CONNECT, and PATCH: what is no request to a resource is not taken. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])
/** Beside the origin form: `*`, or the absolute form. Fragments are never sent. */
const OTHER_TARGET = /^(?:\*|https?:\/\/.+)$/i
const TARGET_BYTES = bytesLike(/[!-"$-~]/)
const METHOD_BYTES = bytesLike(/[A-Z]/)
const SPACE = 0x20
const SLASH = 0x2f
const HTTP_1_0 = ' HTTP/1.0\r\n'
const HTTP_1_1 = ' HTTP/1.1\r\n'
/** More digits might not be exact. */
const LENGTH_DIGITS = 15
/** Control characters other than a tab. */
const FORBIDDEN = /[^\t -~\x80-\xff]/
const NAMED = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:/

/**
 * Reads the head of a request, strictly by RFC 9112: whatever two programs might read in two ways is refused.
 *
 * @param bytes from the head on
 * @param start of the first line
 * @param end the first CR LF CR LF
 * @param mostHeaders headers that are taken
 * @throws HttpFailure `malformed`, `head-too-large` (more headers than are taken)
 */
export function parseRequestHead(bytes: Buffer, start: number, end: number, mostHeaders: number): RequestHead {
  const text = bytes.toString('latin1', start, end + 2)
  let methodEnd = start
  while (METHOD_BYTES[bytes[methodEnd] as number] === 1) methodEnd++
  const targetStart = methodEnd + 1
  let targetEnd = targetStart
  while (TARGET_BYTES[bytes[targetEnd] as number] === 1) targetEnd++
  const method = text.slice(0, methodEnd - start)
  const target = text.slice(targetStart - start, targetEnd - start)
  if (!METHODS.has(method) || !(bytes[targetStart] === SLASH || OTHER_TARGET.test(target))) throw malformed('no request line')
  const version = text.slice(targetEnd - start, targetEnd - start + HTTP_1_1.length)
  const isHttp11 = version === HTTP_1_1
  if (bytes[methodEnd] !== SPACE || !(isHttp11 || version === HTTP_1_0)) throw malformed('another version of HTTP')
  const headers = readHeaderFields({ bytes, text, start, from: targetEnd + HTTP_1_1.length - 2, end }, mostHeaders)
  if (isHttp11 && headers.host === undefined) throw malformed('no Host header')
  const { 'content-length': length, 'transfer-encoding': coding } = headers
  if (coding !== undefined && (length !== undefined || !isHttp11 || coding.toLowerCase() !== 'chunked')) {
    throw malformed('a transfer coding other than chunked, or beside a length')
  }
  return {
    method,
    target,
    headers,
    keepsOpen: keepsOpen(headers.connection, isHttp11),
    expectsContinue: isHttp11 && isContinue(headers.expect),
    isChunked: coding !== undefined,
    contentLength: length === undefined ? 0 : bodyLength(length),
    memo: undefined,
  }
}

/** Decimal digits only. @throws HttpFailure `malformed` */
function bodyLength(text: string): number {
  let length = 0
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 0x30
    if (digit < 0 || digit > 9) throw malformed('a Content-Length that is no number')
    length = 10 * length + digit
  }
  if (text.length === 0 || text.length > LENGTH_DIGITS) throw malformed('a Content-Length without a number, or with too many digits')
  return length
}

/** Whether another request may follow. */
function keepsOpen(connection: string | undefined, isHttp11: boolean): boolean {
  if (connection === undefined) return isHttp11
  const wishes = connection.toLowerCase().split(/[\t ]*,[\t ]*/)
  return !wishes.includes('close') && (isHttp11 || wishes.includes('keep-alive'))
}

/** Other expectations may be ignored (RFC 9110, 10.1.1). */
function isContinue(expect: string | undefined): boolean {
  return expect?.toLowerCase() === '100-continue'
}

/** Checks a trailer line without its end; nothing is done with trailers. @throws HttpFailure `malformed` */
export function checkTrailer(line: string): void {
  if (FORBIDDEN.test(line)) throw malformed('a control character in a trailer')
  if (!NAMED.test(line)) throw malformed('a header name with other characters than a token has')
}
