import { request } from 'node:http'
import { EdgesmithError } from '../../contract/errors.ts'
import { cancelledError } from '../jobs/cancellation.ts'

/** A service answers anything that is asked while it is checked within this, or something is wrong with it. */
const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** An answer, whatever its status. */
export interface ServiceReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
}

/** Where a service can be asked: through a tunnel, at a port of this computer. */
export interface ServiceAddress {
  readonly port: number
  readonly token: string
}

/** Asks a service. Requests are made one by one: a validation wants to know what each is answered. */
export class ServiceClient {
  readonly address: ServiceAddress
  readonly #signal: AbortSignal

  constructor(address: ServiceAddress, signal: AbortSignal) {
    this.address = address
    this.#signal = signal
  }

  get(path: string): Promise<ServiceReply> {
    return this.#send('GET', path, {}, null)
  }

  postJson(path: string, body: unknown): Promise<ServiceReply> {
    return this.#send('POST', path, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(body)))
  }

  /** JSON and binary tensors after it, as the Open Inference Protocol has them. */
  postBinary(path: string, json: unknown, tensors: readonly Uint8Array[]): Promise<ServiceReply> {
    const head = Buffer.from(JSON.stringify(json))
    const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) }
    return this.#send('POST', path, headers, Buffer.concat([head, ...tensors]))
  }

  /** @throws EdgesmithError `SERVICE_NOT_RUNNING` when no answer comes, `JOB_CANCELLED` */
  #send(method: string, path: string, headers: Readonly<Record<string, string>>, body: Buffer | null): Promise<ServiceReply> {
    const { port, token } = this.address
    return new Promise((resolve, reject) => {
      const failed = (error: Error) =>
        reject(
          this.#signal.aborted
            ? cancelledError()
            : new EdgesmithError('SERVICE_NOT_RUNNING', `${method} ${path} was not answered: ${error.message}`, {
                hint: 'Look at the log of the service, then start it again.',
              }),
        )
      const outgoing = request(
        {
          host: '127.0.0.1',
          port,
          path,
          method,
          agent: false,
          timeout: TIMEOUT_MS,
          signal: this.#signal,
          headers: { authorization: `Bearer ${token}`, ...headers, ...(body && { 'content-length': body.length }) },
        },
        (incoming) => {
          const chunks: Buffer[] = []
          let size = 0
          incoming.on('data', (chunk: Buffer) => {
            size += chunk.length
            if (size > MAX_ANSWER_BYTES) incoming.destroy(new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`))
            else chunks.push(chunk)
          })
          incoming.on('error', failed)
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, bytes: Buffer.concat(chunks) }))
        },
      )
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)))
      outgoing.on('error', failed)
      outgoing.end(body ?? undefined)
    })
  }
}

/** The JSON of an answer; `undefined` when it is none. */
export function jsonOf({ bytes }: ServiceReply): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

/** An answer for people: its status and the beginning of its text. */
export function replyText({ status, bytes }: ServiceReply): string {
  return `${status} ${bytes.toString('utf8', 0, 300)}`.trim()
}
