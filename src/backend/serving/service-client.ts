import { request } from 'node:http'

/** What a service answered. `body` is the parsed JSON, undefined when it is none. */
export interface ServiceAnswer {
  readonly status: number
  readonly body: unknown
}

/** A body that is no JSON: an image file. */
export class RawBody {
  readonly contentType: string
  readonly bytes: Uint8Array

  constructor(contentType: string, bytes: Uint8Array) {
    this.contentType = contentType
    this.bytes = bytes
  }
}

export interface ServiceCall {
  /** Port on this computer that leads to it. */
  readonly port: number
  readonly path: string
  readonly token: string
  /** JSON or a {@link RawBody} to POST; GET without. */
  readonly body?: unknown
  readonly timeoutMs: number
}

/** Answers larger than this are not for a window. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** One request to a service. Rejects with a plain error when nobody answers; what that means is for the caller to say. */
export function callService({ port, path, token, body, timeoutMs }: ServiceCall): Promise<ServiceAnswer> {
  const text = body === undefined ? undefined : body instanceof RawBody ? body.bytes : JSON.stringify(body)
  const contentType = body instanceof RawBody ? body.contentType : 'application/json'
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    ...(text !== undefined && { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
  }
  return new Promise((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port, path, agent: false, timeout: timeoutMs, method: text === undefined ? 'GET' : 'POST', headers },
      (response) => {
        const parts: Buffer[] = []
        let size = 0
        response.on('data', (part: Buffer) => {
          size += part.length
          if (size > MAX_ANSWER_BYTES) call.destroy(new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`))
          else parts.push(part)
        })
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parseJson(Buffer.concat(parts).toString('utf8')) }))
      },
    )
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
    call.on('error', reject)
    call.end(text)
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
