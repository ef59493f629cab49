import type { ServiceStatus } from '../contract/deployment.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { serviceNameSchema } from '../contract/names.ts'
import { throwIfCancelled } from './cancellation.ts'
import type { DeployedService, ServiceRelease, Services } from './device-session.ts'
import { replaceRelease } from './service-deploy.ts'
import { failedStart } from './service-failure.ts'
import { currentRelease, runningReleases, type ServiceGround, sweepStrays } from './service-ground.ts'
import { requestTimeoutMs, waitUntilHealthy } from './service-health.ts'
import { withServiceLock } from './service-lock.ts'
import type { ServicePlace, ServiceView } from './service-place.ts'
import { readServiceStatistics, stateOf } from './service-status.ts'

/** Most lines of a log that are fetched at once. */
const mostLogLines = 5000

/** Deploying and running services, the same way on every machine. */
export class DeviceServices implements Services {
  readonly #ground: ServiceGround
  readonly #place: ServicePlace

  constructor(ground: ServiceGround) {
    this.#ground = ground
    this.#place = ground.place
  }

  async deploy(release: ServiceRelease, reporter: JobReporter, signal?: AbortSignal): Promise<DeployedService> {
    checkName(release.service)
    throwIfCancelled(signal)
    const runtime = await this.#ground.runtime(reporter, signal)
    const paths = await this.#ground.store([release.model], reporter, signal)
    const modelPath = paths.get(release.model.sha256)
    if (modelPath === undefined) throw new Error(`the store named no path for ${release.model.sha256}`)
    return withServiceLock(this.#place, release.service, () => replaceRelease(this.#ground, release, modelPath, runtime, reporter, signal))
  }

  async status(service: string): Promise<ServiceStatus> {
    checkName(service)
    const view = await this.#place.look(service)
    const current = currentRelease(view)
    const status = stateOf(view, current)
    if (current === null) return { ...status, state: 'unknown', message: `${this.#place.machine} has no service ${service}` }
    if (current.pid === null || current.state === null) return status
    const tunnel = await this.#ground.tunnel(current.state.port)
    try {
      return { ...status, ...(await readServiceStatistics(tunnel.port, await this.token(service), requestTimeoutMs)) }
    } finally {
      tunnel.close()
    }
  }

  async stop(service: string): Promise<ServiceStatus> {
    await this.#existing(service)
    await withServiceLock(this.#place, service, async () => {
      await this.#place.stop(service, runningReleases(await this.#place.look(service)), true)
    })
    return this.status(service)
  }

  async restart(service: string): Promise<ServiceStatus> {
    await this.#existing(service)
    await withServiceLock(this.#place, service, async () => {
      const current = currentRelease(await sweepStrays(this.#place, service))
      if (current === null) throw this.#notFound(service)
      const outcome = await this.#place.start(service, current.release, current.release)
      if (outcome.state === null) throw failedStart(service, null, this.#place.machine, outcome, false)
      await waitUntilHealthy(this.#ground, service, outcome.state.port, await this.token(service), undefined)
    })
    return this.status(service)
  }

  async logs(service: string, lines: number): Promise<string> {
    const current = currentRelease(await this.#existing(service))
    return current ? this.#place.readLog(service, current.release, Math.max(1, Math.min(mostLogLines, Math.floor(lines)))) : ''
  }

  async remove(service: string): Promise<void> {
    checkName(service)
    if ((await this.#place.look(service)) === null) return
    await withServiceLock(this.#place, service, async () => {
      const running = runningReleases(await this.#place.look(service))
      if (running.length > 0) await this.#place.stop(service, running, true)
      await this.#place.remove(service)
    })
  }

  async token(service: string): Promise<string> {
    checkName(service)
    const token = await this.#place.readToken(service)
    if (token === null) throw this.#notFound(service)
    return token
  }

  async port(service: string): Promise<number> {
    const current = currentRelease(await this.#existing(service))
    if (current?.pid && current.state) return current.state.port
    throw new EdgesmithError('SERVICE_NOT_RUNNING', `${service} on ${this.#place.machine} is not running`, { hint: 'Restart it.' })
  }

  /** Stops and deletes all services. */
  async removeAll(): Promise<void> {
    for (const service of await this.#place.list()) await this.remove(service)
  }

  async #existing(service: string): Promise<ServiceView> {
    checkName(service)
    const view = await this.#place.look(service)
    if (view === null) throw this.#notFound(service)
    return view
  }

  #notFound(service: string): EdgesmithError {
    return new EdgesmithError('NOT_FOUND', `${this.#place.machine} has no service ${service}`, { hint: 'Deploy it first.' })
  }
}

function checkName(service: string): void {
  if (serviceNameSchema.safeParse(service).success) return
  throw new EdgesmithError('NAME_INVALID', `"${service.slice(0, 60)}" is no name for a service`, {
    hint: 'Use 1 to 40 of a-z, 0-9 and "-".',
  })
}
