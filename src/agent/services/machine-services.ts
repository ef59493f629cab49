import { existsSync } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { absentReport } from '../../contract/absent-report.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import { serviceNameSchema } from '../../contract/names.ts'
import type { ServiceEvent } from '../../contract/routing.ts'
import type { ServiceAction, ServiceReport, ServiceResult, TrafficRequest } from '../../contract/service-protocol.ts'
import { signalProcess } from '../../platform/processes.ts'
import { lifeMarkFile } from '../serve/control/life-mark.ts'
import { Deploy, deploySteps } from './deploy.ts'
import { startRecovery } from './launch.ts'
import { endOlderService, isOlderService } from './older-layout.ts'
import { ServiceFolder } from './service-folder.ts'
import { withServiceLock } from './service-lock.ts'
import { ServiceProcesses } from './service-processes.ts'
import { serviceReport } from './service-report.ts'
import { currentKeeper, uninstallKeepers } from './supervision/keepers.ts'
import type { UnitPlaces } from './supervision/unit-text.ts'
import { forgetFailure, sweepParts } from './sweep.ts'
import { undoChanges } from './undo-file.ts'

/** What was not asked for is left out. */
export type Answer = Pick<ServiceResult, 'reports'> & Partial<ServiceResult>
type Action<A extends ServiceAction['action']> = Extract<ServiceAction, { action: A }>

/** From the kill to the first answer of the next process. */
const comebackMs = 120_000
const pollMs = 20

/** The services of a folder `root` on this machine. */
export class MachineServices {
  readonly #root: string
  readonly #owner: string
  readonly #reporter: JobReporter

  constructor(root: string, owner: string, reporter: JobReporter) {
    this.#root = root
    this.#owner = owner
    this.#reporter = reporter
  }

  async act(action: ServiceAction): Promise<Answer> {
    switch (action.action) {
      case 'look':
        return { reports: action.service === null ? await this.#all() : [await this.#report(action.service)] }
      case 'logs': {
        await this.#existing(action.service)
        return { reports: [await this.#report(action.service)], logs: await this.#folder(action.service).logTail(action.lines) }
      }
      case 'token': {
        await this.#existing(action.service)
        return { reports: [await this.#report(action.service)], token: await this.#folder(action.service).readToken() }
      }
      case 'deploy': {
        const deployed = await this.#locked(action.service, () => this.#deploy(action))
        return { reports: [await this.#report(action.service)], deployed }
      }
      case 'remove': {
        if (existsSync(this.#folder(action.service).path)) await this.#locked(action.service, () => this.#remove(action.service))
        await rmdir(join(this.#root, 'services')).catch(() => undefined)
        return { reports: [absentReport(action.service, `${action.service} was removed.`)] }
      }
      default: {
        await this.#existing(action.service)
        const message = await this.#locked(action.service, () => this.#change(action))
        const report = await this.#report(action.service)
        return { reports: [message === null ? report : { ...report, message }] }
      }
    }
  }

  /** Answers what is worth knowing, or null. */
  async #change(action: Action<'traffic' | 'stop' | 'start' | 'crash' | 'forget-failure'>): Promise<string | null> {
    switch (action.action) {
      case 'traffic':
        return this.#traffic(action.service, action.traffic)
      case 'stop':
        return this.#stop(action.service)
      case 'start':
        return this.#start(action.service)
      case 'crash':
        return this.#crash(action.service)
      case 'forget-failure':
        return this.#forgetFailure(action.service, action.release)
    }
  }

  async #deploy(action: Action<'deploy'>) {
    if (action.settings.service !== action.service) {
      throw new EdgesmithError('USAGE', `The settings are those of ${action.settings.service}, not of ${action.service}.`)
    }
    const total = deploySteps.length
    const deploy = new Deploy(action, this.#root, this.#processes(action.service), (step) =>
      this.#reporter.progress({ phase: step, done: deploySteps.indexOf(step), total, unit: 'steps' }),
    )
    const cutOff = () => startRecovery(this.#folder(action.service).path)
    process.once('exit', cutOff)
    try {
      const deployed = await deploy.run()
      this.#reporter.progress({ phase: 'serving', done: total, total, unit: 'steps' })
      return deployed
    } finally {
      process.off('exit', cutOff)
    }
  }

  async #traffic(service: string, traffic: TrafficRequest): Promise<null> {
    const processes = this.#processes(service)
    if ((await processes.serving()) === null && traffic.action === 'rollback') return this.#rollBackAtRest(service)
    await (await processes.client()).traffic(traffic)
    return null
  }

  /** Nobody serves: what is written is what counts. */
  async #rollBackAtRest(service: string): Promise<null> {
    const folder = this.#folder(service)
    const routing = await folder.readRouting()
    const previous = routing?.previous ?? null
    if (routing === null || (routing.beside.length === 0 && previous === null)) {
      throw new EdgesmithError('NOT_FOUND', `${service} has no release before the current one.`, { hint: 'Deploy one.' })
    }
    const next = routing.beside.length > 0 || previous === null ? {} : { current: previous, previous: routing.current }
    await folder.writeRouting({ ...routing, ...next, beside: [], watch: null })
    await this.#tell(folder, 'rolled-back', previous, 'Rolled back while the service was not running.')
    return null
  }

  async #stop(service: string): Promise<null> {
    const folder = this.#folder(service)
    await folder.replace('stopped', '')
    await this.#processes(service).stop(await currentKeeper(this.#places(service)))
    await this.#tell(folder, 'stopped', null, 'Stopped by its user.')
    return null
  }

  async #start(service: string): Promise<null> {
    const processes = this.#processes(service)
    const folder = this.#folder(service)
    const serving = await processes.serving()
    const healthy = serving && (await (await processes.clientOf(serving)).health(service)) === null
    if (healthy && (await processes.supervisor())) return null
    const keeper = await currentKeeper(this.#places(service))
    await processes.stop(keeper)
    await folder.files.remove(folder.at('stopped'))
    await folder.files.syncFolder(folder.path)
    try {
      await processes.start(keeper)
    } catch (error) {
      if (!(error instanceof EdgesmithError)) throw error
      throw new EdgesmithError(error.code, error.message, {
        hint: error.hint,
        details: { ...error.details, log: await folder.logTail(60) },
      })
    }
    await this.#tell(folder, 'started', null, 'Started by its user.')
    return null
  }

  async #crash(service: string): Promise<string> {
    const processes = this.#processes(service)
    const serving = await processes.serving()
    if (serving === null) throw new EdgesmithError('SERVICE_NOT_RUNNING', `${service} is not running.`, { hint: 'Start it first.' })
    // Wanted, so nothing that is being tried is taken back for it.
    await processes.folder.files.remove(processes.folder.at(lifeMarkFile))
    const begin = performance.now()
    signalProcess(serving.pid, 'SIGKILL')
    while (performance.now() - begin < comebackMs) {
      const next = await processes.serving()
      if (next && next.pid !== serving.pid && (await (await processes.clientOf(next)).health(service)) === null) {
        return `It answered again ${Math.round(performance.now() - begin)} ms after its process was killed.`
      }
      await delay(pollMs)
    }
    throw new EdgesmithError('DEPLOY_FAILED', `${service} did not come back within ${comebackMs / 1000} s after its process was killed.`, {
      hint: 'Its log says why.',
      details: { log: await processes.folder.logTail(60) },
    })
  }

  async #forgetFailure(service: string, release: string): Promise<null> {
    if (await forgetFailure(this.#folder(service), release)) return null
    throw new EdgesmithError('NOT_FOUND', `${service} has no release ${release} that failed.`, { hint: 'Its report lists those it has.' })
  }

  async #remove(service: string): Promise<void> {
    const folder = this.#folder(service)
    const places = this.#places(service)
    // From here on nothing starts it again, whatever happens.
    await folder.replace('stopped', '')
    await endOlderService(folder)
    await this.#processes(service).stop(await currentKeeper(places))
    await uninstallKeepers(places)
    await folder.files.remove(folder.path)
    await folder.files.syncFolder(join(this.#root, 'services'))
  }

  /** Brings a service to where it was before a deploy that was cut off. @throws EdgesmithError `DEVICE_BUSY` */
  recover(service: string): Promise<void> {
    return this.#locked(service, async () => undefined)
  }

  /** Alone with a service, and after what was cut off before. */
  #locked<T>(service: string, work: () => Promise<T>): Promise<T> {
    const folder = this.#folder(service)
    return withServiceLock(folder.path, this.#owner, async () => {
      await sweepParts(folder)
      await this.#undoCutOffDeploy(service)
      return work()
    })
  }

  /** A deploy that was cut off does not count: what it changed is changed back, and what it started for the first time ends. */
  async #undoCutOffDeploy(service: string): Promise<void> {
    const folder = this.#folder(service)
    if (!(await undoChanges(folder.files, folder.path))) return
    const processes = this.#processes(service)
    const keeper = await currentKeeper(this.#places(service))
    const supervisor = await processes.supervisor()
    const serves = (await folder.readRouting()) !== null && !existsSync(folder.at('stopped'))
    const settings = serves ? await folder.readSettings() : null
    if (supervisor && settings && supervisor.port === settings.port) await processes.handOver()
    else {
      await processes.stop(keeper)
      if (serves) await processes.start(keeper)
      else await uninstallKeepers(this.#places(service))
    }
  }

  async #all(): Promise<ServiceReport[]> {
    const names = await readdir(join(this.#root, 'services')).catch(() => [])
    const reports: ServiceReport[] = []
    for (const name of names.sort()) if (serviceNameSchema.safeParse(name).success) reports.push(await this.#report(name))
    return reports
  }

  #report(service: string): Promise<ServiceReport> {
    return serviceReport(this.#processes(service), this.#root)
  }

  async #existing(service: string): Promise<void> {
    const folder = this.#folder(service)
    if (existsSync(folder.at('service.json'))) return
    if (await isOlderService(folder)) {
      throw new EdgesmithError('NOT_FOUND', `${service} was deployed by an older version of Edgesmith.`, { hint: 'Deploy it again.' })
    }
    throw new EdgesmithError('NOT_FOUND', `There is no service ${service} on the machine.`, { hint: 'Deploy it first.' })
  }

  async #tell(folder: ServiceFolder, kind: ServiceEvent['kind'], release: string | null, text: string): Promise<void> {
    await folder.appendEvent({ at: new Date().toISOString(), kind, release, text })
  }

  #folder(service: string): ServiceFolder {
    return new ServiceFolder(join(this.#root, 'services', service))
  }

  #processes(service: string): ServiceProcesses {
    return new ServiceProcesses(this.#folder(service), service)
  }

  #places(service: string): UnitPlaces {
    return { service, folder: this.#folder(service).path, root: this.#root, read: [] }
  }
}
