import { EdgesmithError } from '../../contract/errors.ts'
import type { StoredDeployment } from '../../storage/deployment-repository.ts'
import type { Services } from '../services.ts'
import { callService, type ServiceAnswer } from './service-client.ts'
import { noteReport } from './service-reports.ts'

/** A service answers one sample within this, or something is wrong with it. */
const ANSWER_TIMEOUT_MS = 30_000

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
   * @param body JSON or a RawBody to POST; GET without
   * @throws EdgesmithError `SERVICE_NOT_RUNNING`, those of the connection
   */
  async ask(id: string, path: string, body?: unknown): Promise<ServiceAnswer> {
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

  async #attempt(id: string, path: string, body: unknown): Promise<ServiceAnswer | { readonly reason: string }> {
    const { port, token } = await this.connect(id)
    return callService({ port, path, token, body, timeoutMs: ANSWER_TIMEOUT_MS }).catch((error: Error) => ({ reason: error.message }))
  }
}

function notRunning({ service, device }: StoredDeployment, reason: string): EdgesmithError {
  return new EdgesmithError('SERVICE_NOT_RUNNING', `${service} on ${device} does not answer: ${reason}`, {
    hint: 'Look at its log, then start it again.',
  })
}
