import { HttpFailure, malformed } from './http-failure.ts'

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
/** Control characters other than a tab, and line ends that are not CR LF. */
const FORBIDDEN = /[^\t\r\n -~\x80-\xff]|\r(?!\n)|(?<!\r)\n/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** In origin form, `*`, or absolute form. Fragments are never sent. */
const TARGET = /^(?:\/[!-"$-~]*|\*|https?:\/\/[!-"$-~]+)$/i
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
/** Names as clients write them, so that most need neither be checked nor be made lower case. */
const COMMON_NAMES = new Map(
  ['Host', 'Content-Type', 'Content-Length', 'Authorization', 'Connection', 'Accept', 'User-Agent', 'Accept-Encoding', 'X-Request-Id']
    .flatMap((name) => [name, name.toLowerCase()])
    .map((name) => [name, name.toLowerCase()]),
)

/**
 * Reads the head of a request, strictly by RFC 9112: whatever two programs might read in two ways is refused.
 *
 * @param text from the first line to before the empty line, one character a byte
 * @param headerCount headers that are taken
 * @throws HttpFailure `malformed`, `head-too-large` (more headers than are taken)
 */
export function parseRequestHead(text: string, headerCount: number): RequestHead {
  if (FORBIDDEN.test(text)) throw malformed('a control character or a line end that is not CR LF')
  const lines = text.split('\r\n')
  if (lines.length - 1 > headerCount) throw new HttpFailure('head-too-large', `more than ${headerCount} headers`)
  const [method = '', target = '', version, more] = (lines[0] as string).split(' ')
  if (more !== undefined || !METHODS.has(method) || !TARGET.test(target)) throw malformed('no request line')
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') throw malformed('another version of HTTP')
  const isHttp11 = version === 'HTTP/1.1'
  // Without prototype: a header may be called "__proto__".
  const headers: Record<string, string | undefined> = Object.create(null)
  for (let index = 1; index < lines.length; index++) readField(lines[index] as string, headers)
  if (isHttp11 && headers.host === undefined) throw malformed('no Host header')
  return {
    method,
    target,
    headers,
    ...framing(headers, isHttp11),
    expectsContinue: isHttp11 && isContinue(headers.expect),
    memo: undefined,
  }
}

/** A header line into its table. @throws HttpFailure `malformed` */
function readField(line: string, headers: Record<string, string | undefined>): void {
  const colon = line.indexOf(':')
  // A line that starts with a space (obsolete folding) has it in its name.
  const name = fieldName(line.slice(0, Math.max(colon, 0)))
  const value = trimmed(line, colon + 1)
  const before = headers[name]
  if (before === undefined) headers[name] = value
  else if (SINGLE.has(name)) throw malformed(`${name} twice`)
  else headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`
}

/** In lower case. @throws HttpFailure `malformed` */
function fieldName(written: string): string {
  const common = COMMON_NAMES.get(written)
  if (common !== undefined) return common
  if (!TOKEN.test(written)) throw malformed('a header name with other characters than a token has')
  return written.toLowerCase()
}

/** Without spaces and tabs at both ends. */
function trimmed(line: string, from: number): string {
  let start = from
  let end = line.length
  while (start < end && isBlank(line.charCodeAt(start))) start++
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--
  return line.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** How long the body is, and whether another request follows. @throws HttpFailure `malformed` */
function framing(headers: RequestHeaders, isHttp11: boolean): Pick<RequestHead, 'keepsOpen' | 'isChunked' | 'contentLength'> {
  const { 'content-length': length, 'transfer-encoding': coding, connection } = headers
  if (coding !== undefined && (length !== undefined || !isHttp11 || coding.toLowerCase() !== 'chunked')) {
    throw malformed('a transfer coding other than chunked, or beside a length')
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw malformed('a Content-Length that is no number')
  const wishes = connection === undefined ? [] : connection.toLowerCase().split(/[\t ]*,[\t ]*/)
  return {
    keepsOpen: isHttp11 ? !wishes.includes('close') : wishes.includes('keep-alive') && !wishes.includes('close'),
    isChunked: coding !== undefined,
    contentLength: length === undefined ? 0 : Number(length),
  }
}

/** Other expectations may be ignored (RFC 9110, 10.1.1). */
function isContinue(expect: string | undefined): boolean {
  return expect?.toLowerCase() === '100-continue'
}

/** Checks a trailer line; nothing is done with trailers. @throws HttpFailure `malformed` */
export function checkTrailer(line: string): void {
  if (FORBIDDEN.test(line)) throw malformed('a control character in a trailer')
  fieldName(line.slice(0, Math.max(line.indexOf(':'), 0)))
}
