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
import { callHttp, type HttpReply, jsonBody, jsonOf } from '../../platform/http-call.ts'

/** A busy board may take seconds for its first answer. */
const quickMs = 10_000
/** Loading a big model, and thousands of timed runs. */
const longMs = 1_800_000
const mostBytes = 20_000_000

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
      const reply = await this.#ask('/health', undefined, quickMs)
      if (reply.status !== 200) return `/health answers with status ${reply.status}`
      const body = jsonOf(reply)
      if (fieldOf(body, 'service') !== service) return 'another program answers'
      return fieldOf(body, 'model_loaded') === true ? null : 'its model is not loaded'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** @throws EdgesmithError `DEPLOY_FAILED` */
  prepare(release: string, gate: ReleaseGate): Promise<PrepareResult> {
    return this.#control('/control/prepare', { release, gate }, longMs, prepareResultSchema)
  }

  /** @throws EdgesmithError `DEPLOY_FAILED` */
  traffic(traffic: TrafficRequest): Promise<ServiceLive> {
    return this.#control('/control/traffic', traffic, longMs, serviceLiveSchema)
  }

  /** @throws EdgesmithError `DEPLOY_FAILED` */
  live(): Promise<ServiceLive> {
    return this.#control('/control/live', undefined, quickMs, serviceLiveSchema)
  }

  async #control<T>(path: string, sent: unknown, timeoutMs: number, schema: z.ZodType<T>): Promise<T> {
    let reply: HttpReply
    try {
      reply = await this.#ask(path, sent, timeoutMs)
    } catch (error) {
      throw new EdgesmithError('DEPLOY_FAILED', `The serving process did not answer ${path}: ${(error as Error).message}.`, {
        hint: 'Its log says why.',
      })
    }
    const { status } = reply
    const body = jsonOf(reply)
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

  #ask(path: string, sent: unknown, totalMs: number): Promise<HttpReply> {
    // What is for the owner on this machine only is answered to loopback addresses only.
    const [localAddress, host] = isIPv6(this.#host) ? ['::1', '[::1]'] : ['127.0.0.1', '127.0.0.1']
    const body = sent === undefined ? undefined : jsonBody(sent)
    return callHttp({
      host: this.#host,
      port: this.#port,
      path,
      token: this.#token,
      body,
      headers: { host },
      localAddress,
      totalMs,
      mostBytes,
    })
  }
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}
