import { EdgesmithError } from '../../contract/errors.ts'
import { callHttp, type HttpBody, jsonOf } from '../../platform/http-call.ts'
import type { StoredDeployment } from '../../storage/deployment-repository.ts'
import type { Services } from '../services.ts'
import { noteReport } from './service-reports.ts'

/** A service answers one sample within this, or something is wrong with it. */
const ANSWER_TIMEOUT_MS = 30_000
/** Answers larger than this are not for a window. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** What a service answered. `body` is the parsed JSON, undefined when it is none. */
interface ServiceAnswer {
  readonly status: number
  readonly body: unknown
}

/** The ways to running services: tunnels, and tokens, which are kept in memory only. */
export class ServiceAccess {
  readonly #services: Services
  readonly #tokens = new Map<string, string>()

  constructor(services: Services) {
    this.#services = services
  }

  /** Opens the tunnel of a deployment. @throws EdgesmithError those of the connection, `NOT_FOUND` */
  async connect(id: string): Promise<{ port: number; token: string }> {
    const { deployments, sessions, forwards } = this.#services
    const stored = deployments.get(id)
    const session = await sessions.open(stored.deviceId)
    const token = this.#tokens.get(id) ?? (await session.services.token(stored.service))
    this.#tokens.set(id, token)
    return { token, port: await forwards.open(id, stored.deviceId, session, stored.port, `service ${stored.service}`) }
  }

  /** Its tunnel and token are not to be used any more. */
  forget(id: string): void {
    this.#tokens.delete(id)
    this.#services.forwards.close(id)
  }

  /**
   * One request to a running service. Where nobody answers, or the token is refused, the device is asked once whether the service
   * has moved: another computer may have deployed it anew.
   *
   * @param body to POST; GET without
   * @throws EdgesmithError `SERVICE_NOT_RUNNING`, those of the connection
   */
  async ask(id: string, path: string, body?: HttpBody): Promise<ServiceAnswer> {
    const stored = this.#services.deployments.get(id)
    const first = await this.#attempt(id, path, body)
    if (!('reason' in first) && first.status !== 401) return first
    this.forget(id)
    const session = await this.#services.sessions.open(stored.deviceId)
    const report = await session.services.report(stored.service)
    noteReport(this.#services, id, report)
    if (report.state !== 'running') throw notRunning(stored, report.message ?? `its state is ${report.state}`)
    const second = await this.#attempt(id, path, body)
    if ('reason' in second) throw notRunning(stored, second.reason)
    return second
  }

  async #attempt(id: string, path: string, body: HttpBody | undefined): Promise<ServiceAnswer | { readonly reason: string }> {
    const { port, token } = await this.connect(id)
    const limits = { silenceMs: ANSWER_TIMEOUT_MS, mostBytes: MAX_ANSWER_BYTES }
    return callHttp({ host: '127.0.0.1', port, path, token, body, headers: { accept: 'application/json' }, ...limits }).then(
      (reply) => ({ status: reply.status, body: jsonOf(reply) }),
      (error: Error) => ({ reason: error.message }),
    )
  }
}

function notRunning({ service, device }: StoredDeployment, reason: string): EdgesmithError {
  return new EdgesmithError('SERVICE_NOT_RUNNING', `${service} on ${device} does not answer: ${reason}`, {
    hint: 'Look at its log, then start it again.',
  })
}
