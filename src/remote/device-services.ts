import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { absentReport } from '../contract/absent-report.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { serviceNameSchema } from '../contract/names.ts'
import { type ReleaseFile, releaseText } from '../contract/service.ts'
import type { ServiceAction, ServiceReport, ServiceResult, TrafficRequest } from '../contract/service-protocol.ts'
import { throwIfCancelled } from '../platform/cancellation.ts'
import { sha256Of } from '../platform/file-hash.ts'
import type { AgentNeeds, DeployedService, ServiceOrder, Services } from './device-session.ts'
import type { ServiceGround, ServiceRequest } from './service-ground.ts'
import { shownLines } from './shown-text.ts'

/** Most lines of a log that are fetched at once. */
const mostLogLines = 5000

/** Of an agent that only changes services. */
const plain: AgentNeeds = { images: false }
const silent: JobReporter = { progress: () => undefined, log: () => undefined }

/** Deploying and running services, the same way on every machine: the agent there does what it is asked for. */
export class DeviceServices implements Services {
  readonly #ground: ServiceGround

  constructor(ground: ServiceGround) {
    this.#ground = ground
  }

  async deploy(order: ServiceOrder, reporter: JobReporter, signal?: AbortSignal): Promise<DeployedService> {
    const { settings, release, model, rollout, gate, webhookSecret, supervise } = order
    const { service } = settings
    checkName(service)
    throwIfCancelled(signal)
    const runtime = await this.#ground.runtime({ images: release.preprocessing.image !== undefined }, reporter, signal)
    const paths = await this.#ground.store([model], reporter, signal)
    const modelPath = paths.get(model.sha256)
    if (modelPath === undefined) throw new Error(`the store named no path for ${model.sha256}`)
    const placed = { ...release, modelPath }
    const request = this.#request({
      action: 'deploy',
      service,
      settings,
      release: placed,
      rollout,
      gate,
      runtime,
      // Taken where the service has none yet.
      token: randomBytes(32).toString('hex'),
      webhookSecret,
      supervise: this.#ground.supervise(supervise),
    })
    const result = await this.#ground.change(runtime, request, reporter, signal).catch(async (error: unknown) => {
      const late = isCancelled(error) ? await this.#doneAllTheSame(service, releaseIdOf(placed)) : null
      if (late === null) throw error
      reporter.log('Cancelled too late: the release had taken its place already, and serves. A rollback takes it back.')
      return late
    })
    if (result.deployed === null) throw this.#incomplete('what it deployed')
    return { ...result.deployed, report: this.#reportOf(result, service) }
  }

  /** What a deploy that was cancelled would have answered, when it was over before the word reached the machine; null otherwise. */
  async #doneAllTheSame(service: string, release: string): Promise<ServiceResult | null> {
    // A machine that does not answer now cannot tell; whoever looks later sees it.
    const report = await this.report(service).catch(() => null)
    const deployed = report?.events.findLast(({ kind }) => kind === 'deployed')
    const served = report?.versions.some(({ release: id, role }) => id === release && (role === 'current' || role === 'beside'))
    if (!report || deployed?.release !== release || !served || report.port === null || report.pid === null) return null
    return { reports: [report], deployed: { release, checks: [], port: report.port, pid: report.pid }, logs: null, token: null }
  }

  async report(service: string): Promise<ServiceReport> {
    checkName(service)
    const { reports } = await this.#ask({ action: 'look', service })
    return (
      reports.find((report) => report.service === service) ?? absentReport(service, `${this.#ground.machine} has no service ${service}`)
    )
  }

  async reports(): Promise<readonly ServiceReport[]> {
    return (await this.#ask({ action: 'look', service: null })).reports
  }

  traffic(service: string, traffic: TrafficRequest, reporter: JobReporter = silent, signal?: AbortSignal): Promise<ServiceReport> {
    return this.#change({ action: 'traffic', service, traffic }, reporter, signal)
  }

  stop(service: string): Promise<ServiceReport> {
    return this.#change({ action: 'stop', service })
  }

  start(service: string): Promise<ServiceReport> {
    return this.#change({ action: 'start', service })
  }

  crash(service: string, reporter: JobReporter = silent, signal?: AbortSignal): Promise<ServiceReport> {
    return this.#change({ action: 'crash', service }, reporter, signal)
  }

  forgetFailure(service: string, release: string): Promise<ServiceReport> {
    return this.#change({ action: 'forget-failure', service, release })
  }

  async logs(service: string, lines: number): Promise<string> {
    checkName(service)
    const wanted = Math.max(1, Math.min(mostLogLines, Math.floor(lines)))
    if (this.#ground.logs) return shownLines(await this.#ground.logs(service, wanted), wanted)
    const { logs } = await this.#ask({ action: 'logs', service, lines: wanted })
    return shownLines(logs ?? '', wanted)
  }

  async remove(service: string): Promise<void> {
    checkName(service)
    const request = this.#request({ action: 'remove', service })
    await this.#ground.change(await this.#ground.runtime(plain, silent, undefined), request, silent, undefined)
  }

  async token(service: string): Promise<string> {
    checkName(service)
    const { token } = await this.#ask({ action: 'token', service })
    if (token === null || !/^[\x21-\x7e]{16,256}$/.test(token)) throw this.#incomplete('the token')
    return token
  }

  /**
   * Has the agent remove all services, with whatever starts them again. Where it cannot (it is damaged, or another version), `say` is told:
   * whoever deletes the folder has to end them otherwise.
   */
  async removeAll(say: (text: string) => void): Promise<void> {
    const { services, runtime } = await this.#ground.found()
    if (runtime === null) return
    for (const service of services.filter((name) => serviceNameSchema.safeParse(name).success)) {
      try {
        await this.#ground.ask(runtime, this.#request({ action: 'remove', service }))
      } catch (error) {
        say(`${service} was not removed by the agent: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }

  async #change(request: ServiceAction, reporter: JobReporter = silent, signal?: AbortSignal): Promise<ServiceReport> {
    const service = request.service ?? ''
    checkName(service)
    const runtime = await this.#ground.runtime(plain, reporter, signal)
    return this.#reportOf(await this.#ground.change(runtime, this.#request(request), reporter, signal), service)
  }

  async #ask(request: ServiceAction): Promise<ServiceResult> {
    return this.#ground.ask(await this.#ground.runtime(plain, silent, undefined), this.#request(request))
  }

  #request(request: ServiceRequest['request']): ServiceRequest {
    const owner = `${ownHostname()} ${process.pid} ${randomBytes(6).toString('hex')}`
    return { command: 'service', root: this.#ground.root, owner, request }
  }

  #reportOf({ reports }: ServiceResult, service: string): ServiceReport {
    const report = reports.find((candidate) => candidate.service === service)
    if (report === undefined) throw this.#incomplete(`the state of ${service}`)
    return report
  }

  #incomplete(what: string): EdgesmithError {
    return new EdgesmithError('DEVICE_PROTOCOL', `The agent on ${this.#ground.machine} did not say ${what}`, {
      hint: 'The agent there may be of another version. Prepare the device again.',
    })
  }
}

/** See `releaseIdSchema`. */
function releaseIdOf(release: ReleaseFile): string {
  return sha256Of(releaseText(release)).slice(0, 16)
}

function isCancelled(error: unknown): boolean {
  return error instanceof EdgesmithError && error.code === 'JOB_CANCELLED'
}

/** As one word. */
function ownHostname(): string {
  return hostname().replace(/[^\w.-]+/g, '-') || 'unnamed'
}

function checkName(service: string): void {
  if (serviceNameSchema.safeParse(service).success) return
  throw new EdgesmithError('NAME_INVALID', `"${service.slice(0, 60)}" is no name for a service`, {
    hint: 'Use 1 to 40 of a-z, 0-9 and "-".',
  })
}
