import type { IncomingMessage } from 'node:http'
import { isNestedDeeperThan } from '../../core/json-depth.ts'
import { HttpError } from './http-error.ts'

/** Deeper than any tensor (ONNX Runtime's are of 8 dimensions at most in practice), shallow enough for recursive code. */
const DEPTH_LIMIT = 32

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

/**
 * Receives a JSON body of at most `limit` bytes.
 *
 * @param goOn called when the header is in order and the body is wanted (`Expect: 100-continue`)
 * @throws HttpError `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE`, `OVERLOADED`, `INVALID_JSON`, `INVALID_REQUEST`; plain Error when the client is gone
 */
export async function readJsonBody(request: IncomingMessage, limit: number, lease: BodyLease, goOn?: () => void): Promise<unknown> {
  requireJson(request)
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
  goOn?.()
  return parseJson(await receive(request, limit, lease))
}

function requireJson({ headers }: IncomingMessage): void {
  const type = headers['content-type']
  if (type === undefined || !/^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type)) {
    throw new HttpError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The body must be declared as "Content-Type: application/json"${type === undefined ? '' : ', in UTF-8'}.`,
    )
  }
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new HttpError('UNSUPPORTED_MEDIA_TYPE', 'Compressed bodies are not taken.', { hint: 'Send the body without Content-Encoding.' })
  }
}

function receive(request: IncomingMessage, limit: number, lease: BodyLease): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const fail = (error: Error) => {
      request.off('data', onData)
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      const room = lease.take(chunk.length)
      if (length > limit) fail(tooLarge(limit))
      else if (!room) fail(new HttpError('OVERLOADED', 'Too much is being received at once.', { headers: { 'retry-after': '1' } }))
      else chunks.push(chunk)
    }
    request.on('data', onData)
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', fail)
    // Comes after a whole body too, and then changes nothing.
    request.on('close', () => fail(new Error('the client closed the connection')))
  })
}

function parseJson(bytes: Buffer): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new HttpError('INVALID_JSON', 'The body is not UTF-8 text.')
  }
  if (isNestedDeeperThan(text, DEPTH_LIMIT)) throw new HttpError('INVALID_REQUEST', `The body is nested deeper than ${DEPTH_LIMIT} levels.`)
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
