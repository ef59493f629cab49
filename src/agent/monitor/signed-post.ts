import { createHmac } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { agentVersion } from '../agent-version.ts'

/** From the name look-up to the end of the answer. */
const TIMEOUT_MS = 10_000
/** Of an answer's body; nothing of it is used, but a connection that ends properly is kinder to the other side. */
const LONGEST_ANSWER = 65_536
const LONGEST_HEADER = 16_384

export interface SignedPost {
  readonly url: string
  readonly secret: string
  readonly body: string
  readonly idempotencyKey: string
  /** Seconds since 1970, signed with the body, so that a recorded request cannot be sent again later. */
  readonly timestamp: number
  readonly timeoutMs?: number
}

/** An answer's status; `retryAfterMs` where it asks for patience. */
export interface PostAnswer {
  readonly status: number
  readonly retryAfterMs: number | null
}

/** HMAC-SHA256 over `TIMESTAMP.BODY`, as hex; sent as `X-Edgesmith-Signature: v1=…`. */
export function signatureOf(secret: string, timestamp: number, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
}

/**
 * Posts JSON, signed. Redirects are answers like any other: nobody but the configured address is asked.
 * @returns rejects when there is no connection, no answer in time, or an answer that is no HTTP
 */
export function postSigned({ url, secret, body, idempotencyKey, timestamp, timeoutMs = TIMEOUT_MS }: SignedPost): Promise<PostAnswer> {
  const target = new URL(url)
  const request = target.protocol === 'https:' ? httpsRequest : httpRequest
  const bytes = Buffer.from(body)
  return new Promise((resolve, reject) => {
    const sent = request(target, {
      method: 'POST',
      // One connection for one request: hours lie between two of them.
      agent: false,
      maxHeaderSize: LONGEST_HEADER,
      headers: {
        'content-type': 'application/json',
        'content-length': bytes.length,
        'user-agent': `edgesmith/${agentVersion}`,
        'idempotency-key': idempotencyKey,
        'x-edgesmith-timestamp': String(timestamp),
        'x-edgesmith-signature': `v1=${signatureOf(secret, timestamp, body)}`,
      },
    })
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs).unref()
    let answer: PostAnswer | undefined
    /** Once the status is known, it changes nothing that the rest of the answer is too long or never comes. */
    const finish = (error?: Error) => {
      clearTimeout(timer)
      if (answer) resolve(answer)
      else reject(error ?? new Error('the connection ended without an answer'))
      sent.destroy()
    }
    sent.on('error', finish)
    sent.on('response', (response) => {
      answer = { status: response.statusCode ?? 0, retryAfterMs: retryAfterMs(response) }
      let received = 0
      response.on('data', (part: Buffer) => {
        received += part.length
        if (received > LONGEST_ANSWER) finish()
      })
      response.on('end', () => finish())
      response.on('error', finish)
    })
    sent.end(bytes)
  })
}

/** Seconds only: a date would need the other side's clock. */
function retryAfterMs({ headers }: IncomingMessage): number | null {
  const seconds = headers['retry-after']
  return seconds !== undefined && /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : null
}
