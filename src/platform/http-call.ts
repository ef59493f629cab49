import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { parseJson } from '../core/parse-json.ts'

/** What is posted, and what it is. */
export interface HttpBody {
  readonly contentType: string
  readonly content: string | Uint8Array
}

/** A request over HTTP/1.1 without TLS, on a connection of its own. */
export interface HttpCall {
  /** Address to connect to. */
  readonly host: string
  readonly port: number
  readonly path: string
  /** For `authorization: Bearer`. */
  readonly token: string
  /** POST with it, GET without. */
  readonly body?: HttpBody | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Address to connect from. */
  readonly localAddress?: string
  /** From the first byte sent to the last one received. */
  readonly totalMs?: number
  /** Without a byte in either direction: large bodies on slow links take long, and that is no fault. */
  readonly silenceMs?: number
  /** Longer bodies of answers are refused. */
  readonly mostBytes: number
  readonly signal?: AbortSignal
}

/** An answer, whatever its status. */
export interface HttpReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
}

/** A value as a body of JSON. */
export function jsonBody(value: unknown): HttpBody {
  return { contentType: 'application/json', content: JSON.stringify(value) }
}

/** The JSON of an answer; `undefined` when it is none. */
export function jsonOf({ bytes }: HttpReply): unknown {
  return parseJson(bytes.toString('utf8'))
}

/** Sends one request. Rejects with a plain error when no whole answer comes; what that means is for the caller to say. */
export function callHttp({
  host,
  port,
  path,
  token,
  body,
  headers,
  localAddress,
  totalMs,
  silenceMs,
  mostBytes,
  signal,
}: HttpCall): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const call = request({
      host,
      port,
      path,
      agent: false,
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': body.contentType, 'content-length': Buffer.byteLength(body.content) }),
        ...headers,
      },
      ...(localAddress !== undefined && { localAddress }),
      ...(silenceMs !== undefined && { timeout: silenceMs }),
      ...(signal && { signal }),
    })
    let answer: IncomingMessage | undefined
    /** Also once the answer has begun: its own error then says why it is not whole. */
    const fail = (reason: string) => (answer ?? call).destroy(new Error(reason))
    const late = (ms: number) => fail(`no answer within ${ms / 1000} s`)
    const total = totalMs === undefined ? undefined : setTimeout(late, totalMs, totalMs)
    call.on('timeout', () => late(silenceMs ?? 0))
    call.on('close', () => clearTimeout(total))
    call.on('error', reject)
    call.on('response', (response) => {
      answer = response
      const chunks: Buffer[] = []
      let sizeBytes = 0
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length
        if (sizeBytes > mostBytes) fail(`an answer of more than ${mostBytes} bytes`)
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }))
    })
    call.end(body?.content)
  })
}
