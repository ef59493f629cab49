import { EdgesmithError } from '../../contract/errors.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { callHttp, type HttpBody, type HttpReply, jsonBody } from '../../platform/http-call.ts'

/** A service answers anything that is asked while it is checked within this, or something is wrong with it. */
const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

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

  get(path: string): Promise<HttpReply> {
    return this.#send(path)
  }

  postJson(path: string, body: unknown): Promise<HttpReply> {
    return this.#send(path, jsonBody(body))
  }

  /** JSON and binary tensors after it, as the Open Inference Protocol has them. */
  postBinary(path: string, json: unknown, tensors: readonly Uint8Array[]): Promise<HttpReply> {
    const head = Buffer.from(JSON.stringify(json))
    const body = { contentType: 'application/octet-stream', content: Buffer.concat([head, ...tensors]) }
    return this.#send(path, body, { 'inference-header-content-length': String(head.length) })
  }

  /** @throws EdgesmithError `SERVICE_NOT_RUNNING` when no answer comes, `JOB_CANCELLED` */
  async #send(path: string, body?: HttpBody, headers: Readonly<Record<string, string>> = {}): Promise<HttpReply> {
    try {
      return await callHttp({
        host: '127.0.0.1',
        ...this.address,
        path,
        body,
        headers,
        silenceMs: TIMEOUT_MS,
        mostBytes: MAX_ANSWER_BYTES,
        signal: this.#signal,
      })
    } catch (error) {
      throwIfCancelled(this.#signal)
      const reason = error instanceof Error ? error.message : String(error)
      throw new EdgesmithError('SERVICE_NOT_RUNNING', `${body ? 'POST' : 'GET'} ${path} was not answered: ${reason}`, {
        hint: 'Look at the log of the service, then start it again.',
      })
    }
  }
}

/** An answer for people: its status and the beginning of its text. */
export function replyText({ status, bytes }: HttpReply): string {
  return `${status} ${bytes.toString('utf8', 0, 300)}`.trim()
}
