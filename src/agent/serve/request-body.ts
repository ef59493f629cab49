import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isNestedDeeperThan } from '../../core/json-depth.ts'
import { HttpError } from './http-error.ts'

/** Deeper than any tensor (ONNX Runtime's are of 8 dimensions at most in practice), shallow enough for recursive code. */
const DEPTH_LIMIT = 32
/** Up to this size a body cannot nest so deep that anything suffers: recursion of 2,000 levels is ordinary. */
const SHORT_BODY = 4096
/** The one content type nearly all clients send. */
const PLAIN_JSON = 'application/json'

/** Bytes of all bodies being received or worked on, so that many large ones at once cannot fill the memory. */
export class BodyBudget {
  private used = 0
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  /** Share of one request, to be released when it has been answered. */
  lease(): BodyLease {
    let taken = 0
    return {
      take: (bytes) => {
        taken += bytes
        this.used += bytes
        return this.used <= this.limit
      },
      release: () => {
        this.used -= taken
        taken = 0
      },
    }
  }
}

export interface BodyLease {
  /** Counts bytes; false when all requests together are over the limit. */
  take(bytes: number): boolean
  release(): void
}

/** Gets the body, or why there is none. */
export type BodyReceiver = (error: unknown, body: unknown) => void

/** What the body of a request is. */
export interface BodyFormat {
  /** @throws HttpError `UNSUPPORTED_MEDIA_TYPE`; before anything of the body is taken */
  require(headers: IncomingHttpHeaders): void
  /** @throws HttpError `INVALID_JSON`, `INVALID_REQUEST` */
  decode(bytes: Buffer, headers: IncomingHttpHeaders): unknown
}

export const jsonBody: BodyFormat = { require: requireJson, decode: parseJson }

/**
 * Receives a body of at most `limit` bytes. A callback instead of a promise: this runs for every request, and the turns a promise takes
 * cost as much as the checks.
 *
 * @param goOn called when the header is in order and the body is wanted (`Expect: 100-continue`)
 * @param done called once. Errors: HttpError `BODY_TOO_LARGE`, `OVERLOADED` and those of the format; plain Error when the client is gone
 * @throws HttpError `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE`
 */
export function receiveBody(
  request: IncomingMessage,
  format: BodyFormat,
  limit: number,
  lease: BodyLease,
  goOn: (() => void) | undefined,
  done: BodyReceiver,
): void {
  format.require(request.headers)
  requirePlainEncoding(request.headers)
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
  goOn?.()
  const chunks: Buffer[] = []
  let length = 0
  const finish = (error: unknown, body?: unknown) => {
    request.off('data', onData).off('end', onEnd).off('error', finish).off('close', onClose)
    // What is left on the way must not end the process.
    request.on('error', ignore)
    done(error, body)
  }
  const onData = (chunk: Buffer) => {
    length += chunk.length
    const room = lease.take(chunk.length)
    if (length > limit) finish(tooLarge(limit))
    else if (!room) finish(new HttpError('OVERLOADED', 'Too much is being received at once.', { headers: { 'retry-after': '1' } }))
    else chunks.push(chunk)
  }
  const onEnd = () => {
    let body: unknown
    try {
      body = format.decode(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), request.headers)
    } catch (error) {
      finish(error)
      return
    }
    finish(null, body)
  }
  const onClose = () => finish(new Error('the client closed the connection'))
  request.on('data', onData).on('end', onEnd).on('error', finish).on('close', onClose)
}

function ignore(): void {}

function requireJson(headers: IncomingHttpHeaders): void {
  const type = headers['content-type']
  if (type !== PLAIN_JSON && (type === undefined || !/^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type))) {
    throw new HttpError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The body must be declared as "Content-Type: application/json"${type === undefined ? '' : ', in UTF-8'}.`,
    )
  }
}

function requirePlainEncoding(headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new HttpError('UNSUPPORTED_MEDIA_TYPE', 'Compressed bodies are not taken.', { hint: 'Send the body without Content-Encoding.' })
  }
}

/** @throws HttpError `INVALID_JSON`, `INVALID_REQUEST` (nested too deep) */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new HttpError('INVALID_JSON', 'The body is not UTF-8 text.')
  const text = bytes.toString('utf8')
  // A short body nests no deeper than it is long: harmless, and most bodies are short.
  if (bytes.length > SHORT_BODY && isNestedDeeperThan(text, DEPTH_LIMIT)) {
    throw new HttpError('INVALID_REQUEST', `The body is nested deeper than ${DEPTH_LIMIT} levels.`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    // V8's message quotes the place ("Unexpected token …, "{"a": nul" is not valid JSON"), never more than a few characters of it.
    const reason = error instanceof Error ? error.message : 'unknown'
    throw new HttpError('INVALID_JSON', bytes.length === 0 ? 'The body is empty.' : `The body is not JSON: ${reason}.`)
  }
}

function tooLarge(limit: number): HttpError {
  return new HttpError('BODY_TOO_LARGE', `The body is larger than ${limit} bytes.`, { hint: 'Send fewer samples in one request.' })
}
