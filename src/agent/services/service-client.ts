import { request } from 'node:http'
import { isIPv6 } from 'node:net'
import type { z } from 'zod'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ReleaseGate } from '../../contract/routing.ts'
import type { ServiceSettings, ServiceState } from '../../contract/service.ts'
import {
  type PrepareResult,
  prepareResultSchema,
  type ServiceLive,
  serviceLiveSchema,
  type TrafficRequest,
} from '../../contract/service-protocol.ts'

/** A busy board may take seconds for its first answer. */
const quickMs = 10_000
/** Loading a big model, and thousands of timed runs. */
const longMs = 1_800_000
const mostBytes = 20_000_000

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Talks to the serving process on this machine as the owner of the service. */
export class ServiceClient {
  readonly #host: string
  readonly #port: number
  readonly #token: string

  constructor({ host }: Pick<ServiceSettings, 'host'>, { port }: Pick<ServiceState, 'port'>, token: string) {
    this.#host = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
    this.#port = port
    this.#token = token
  }

  /** Null when `GET /health` says that the service's model is loaded, otherwise what is found instead. */
  async health(service: string): Promise<string | null> {
    try {
      const { status, body } = await this.#ask('GET', '/health', undefined, quickMs)
      if (status !== 200) return `/health answers with status ${status}`
      if (fieldOf(body, 'service') !== service) return 'another program answers'
      return fieldOf(body, 'model_loaded') === true ? null : 'its model is not loaded'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** @throws EdgesmithError `DEPLOY_FAILED` */
  prepare(release: string, gate: ReleaseGate): Promise<PrepareResult> {
    return this.#control('POST', '/control/prepare', { release, gate }, longMs, prepareResultSchema)
  }

  /** @throws EdgesmithError `DEPLOY_FAILED` */
  traffic(traffic: TrafficRequest): Promise<ServiceLive> {
    return this.#control('POST', '/control/traffic', traffic, longMs, serviceLiveSchema)
  }

  /** @throws EdgesmithError `DEPLOY_FAILED` */
  live(): Promise<ServiceLive> {
    return this.#control('GET', '/control/live', undefined, quickMs, serviceLiveSchema)
  }

  async #control<T>(method: 'GET' | 'POST', path: string, sent: unknown, timeoutMs: number, schema: z.ZodType<T>): Promise<T> {
    let answer: Answer
    try {
      answer = await this.#ask(method, path, sent, timeoutMs)
    } catch (error) {
      throw new EdgesmithError('DEPLOY_FAILED', `The serving process did not answer ${path}: ${(error as Error).message}.`, {
        hint: 'Its log says why.',
      })
    }
    const { status, body } = answer
    if (status !== 200) {
      const refused = fieldOf(body, 'error')
      const message = fieldOf(refused, 'message') ?? refused
      const hint = fieldOf(refused, 'hint')
      throw new EdgesmithError(
        'DEPLOY_FAILED',
        typeof message === 'string' ? message : `The serving process answers ${path} with status ${status}.`,
        {
          ...(typeof hint === 'string' && { hint }),
          details: { status },
        },
      )
    }
    const parsed = schema.safeParse(body)
    if (parsed.success) return parsed.data
    throw new EdgesmithError('DEPLOY_FAILED', `The serving process answers ${path} in another form than this agent knows.`, {
      hint: 'Deploy again, so that both are of the same version.',
    })
  }

  #ask(method: 'GET' | 'POST', path: string, sent: unknown, timeoutMs: number): Promise<Answer> {
    const text = sent === undefined ? undefined : JSON.stringify(sent)
    return new Promise((resolve, reject) => {
      const call = request(
        {
          host: this.#host,
          port: this.#port,
          // What is for the owner on this machine only is answered to loopback addresses only.
          localAddress: isIPv6(this.#host) ? '::1' : '127.0.0.1',
          method,
          path,
          agent: false,
          headers: {
            host: isIPv6(this.#host) ? '[::1]' : '127.0.0.1',
            authorization: `Bearer ${this.#token}`,
            ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          let bytes = 0
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length
            if (bytes > mostBytes) call.destroy(new Error(`an answer of more than ${mostBytes} bytes`))
            else chunks.push(chunk)
          })
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parseJson(Buffer.concat(chunks).toString('utf8')) }))
        },
      )
      const cut = setTimeout(() => call.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
      call.on('close', () => clearTimeout(cut))
      call.on('error', reject)
      call.end(text)
    })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}
