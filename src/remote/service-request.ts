import { request } from 'node:http'

/** What a service answered. `body` is the parsed JSON, undefined when it is none. */
export interface ServiceAnswer {
  readonly status: number
  readonly body: unknown
}

/** `/health` and statistics are a few hundred bytes. */
const largestAnswer = 1_000_000

/**
 * One GET to a service, through a loopback port of this computer.
 * Rejects with a plain error when nobody answers; what that means is for the caller to say.
 */
export function getFromService(port: number, path: string, token: string, timeoutMs: number): Promise<ServiceAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        timeout: timeoutMs,
        headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      },
      (response) => {
        const parts: Buffer[] = []
        let size = 0
        response.on('data', (part: Buffer) => {
          size += part.length
          if (size > largestAnswer) call.destroy(new Error(`an answer of more than ${largestAnswer} bytes`))
          else parts.push(part)
        })
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parseJson(Buffer.concat(parts).toString('utf8')) }))
      },
    )
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
    call.on('error', reject)
    call.end()
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
