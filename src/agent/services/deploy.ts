import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { EdgesmithError } from '../../contract/errors.ts'
import type { GateCheck, Routing } from '../../contract/routing.ts'
import type { ServiceSettings, ServiceState } from '../../contract/service.ts'
import type { ServiceAction, ServiceResult } from '../../contract/service-protocol.ts'
import { replaceFile } from '../../platform/durable-files.ts'
import { readLine } from '../../platform/read-file.ts'
import { checkRelease } from './boot-routing.ts'
import { failedDeploy, notPassed } from './deploy-failure.ts'
import { startScript } from './launch.ts'
import { tryPort } from './listening-socket.ts'
import { endOlderService, olderPort } from './older-layout.ts'
import type { ServiceFolder } from './service-folder.ts'
import type { ServiceProcesses } from './service-processes.ts'
import type { Keeper } from './supervision/keeper.ts'
import { chosenKeeper, currentKeeper, uninstallKeepers } from './supervision/keepers.ts'
import type { UnitPlaces } from './supervision/unit-text.ts'
import { pruneReleases } from './sweep.ts'
import { forgetUndo, noteForUndo, undoChanges } from './undo-file.ts'

export type DeployAction = Extract<ServiceAction, { action: 'deploy' }>
type Deployed = NonNullable<ServiceResult['deployed']>

/** Steps of a deploy, in order; each is told before it begins. */
export const deploySteps = [
  'looking at the service',
  'writing the release',
  'checking its files',
  'starting the service',
  'checking the release',
  'switching',
  'tidying up',
] as const
type Step = (typeof deploySteps)[number]

/** What there was before. */
interface Before {
  readonly settings: ServiceSettings | null
  readonly routing: Routing | null
  readonly runtime: string | null
  readonly isStopped: boolean
  readonly keeper: Keeper
  /** Null where nobody answers. */
  readonly serving: ServiceState | null
}

/**
 * Brings a release to a service: writes it, has it checked beside what serves, and lets it take its place. What served before serves until
 * then, or comes back. May be killed anywhere: the next one starts from what is there.
 */
export class Deploy {
  readonly #action: DeployAction
  readonly #folder: ServiceFolder
  readonly #processes: ServiceProcesses
  readonly #places: UnitPlaces
  readonly #tell: (step: Step) => void
  readonly #checks: GateCheck[] = []

  /** @param root folder that holds `services/` */
  constructor(action: DeployAction, root: string, processes: ServiceProcesses, tell: (step: Step) => void) {
    const { folder } = processes
    this.#action = action
    this.#folder = folder
    this.#processes = processes
    this.#places = { service: action.service, folder: folder.path, root, read: [action.runtime, action.release.modelPath] }
    this.#tell = tell
  }

  /** @throws EdgesmithError `DEPLOY_FAILED` (details.checks, details.log), `PORT_TAKEN`, `SUDO_NEEDED` and others */
  async run(): Promise<Deployed> {
    this.#tell('looking at the service')
    const keeper = await chosenKeeper(this.#places, this.#action.supervise)
    const settings = await this.#portChosen()
    // What an older version deployed is replaced, not switched: it knows nothing of the new files.
    await endOlderService(this.#folder)
    const before = await this.#look()
    this.#tell('writing the release')
    const release = await this.#write()
    this.#tell('checking its files')
    await this.#checkFiles(release, before)
    const change = { release, settings, keeper, before }
    const state = before.serving ? await this.#replace(change, before.serving) : await this.#startFresh(change)
    this.#tell('tidying up')
    await this.#prune(state)
    return { release, checks: this.#checks, port: state.port, pid: state.pid }
  }

  /** A deployed service keeps its port. */
  async #portChosen(): Promise<ServiceSettings> {
    const { settings } = this.#action
    if (settings.port !== 0) return settings
    const known = await this.#folder.readSettings().catch(() => null)
    const port = known?.port || (await olderPort(this.#folder)) || (await tryPort(settings.host, 0))
    return { ...settings, port }
  }

  async #look(): Promise<Before> {
    const serving = await this.#processes.serving()
    const settings = await this.#folder.readSettings().catch(() => null)
    const answers = serving && settings && (await (await this.#processes.clientOf(serving)).health(this.#action.service)) === null
    return {
      settings,
      routing: await this.#folder.readRouting().catch(() => null),
      runtime: await readLine(this.#folder.at('runtime')),
      isStopped: existsSync(this.#folder.at('stopped')),
      keeper: await currentKeeper(this.#places),
      serving: answers ? serving : null,
    }
  }

  async #write(): Promise<string> {
    const { token, release } = this.#action
    if (!existsSync(this.#folder.at('token'))) await this.#folder.replace('token', `${token}\n`)
    const id = await this.#folder.writeRelease(release)
    if ((await this.#folder.readFailure(id)) !== null) await this.#folder.clearFailure(id)
    return id
  }

  async #checkFiles(release: string, before: Before): Promise<void> {
    try {
      if (!existsSync(join(this.#action.runtime, 'agent.cjs'))) {
        throw new EdgesmithError('FILE_NOT_FOUND', `The agent in ${this.#action.runtime} is not there.`, { hint: 'Deploy again.' })
      }
      await checkRelease(this.#folder, release)
      this.#checks.push({ name: 'files', passed: true, text: 'The model and the agent are those that were sent.' })
    } catch (error) {
      this.#checks.push({ name: 'files', passed: false, text: error instanceof Error ? error.message : String(error) })
      throw await this.#failed(release, error, servesOn(before))
    }
  }

  /** Nothing answers: the release is started as the current one, and stays if it passes. */
  async #startFresh({ release, settings, keeper, before }: Change): Promise<ServiceState> {
    this.#tell('starting the service')
    // Before anything of a first release is kept: nobody learns anything from it.
    if (before.routing === null) await tryPort(settings.host, settings.port)
    let state: ServiceState
    try {
      await this.#processes.stop(before.keeper)
      await tryPort(settings.host, settings.port)
      await noteForUndo(this.#folder.files, this.#folder.path, null)
      await this.#writeChange(settings)
      await this.#folder.writeRouting(freshRouting(release, before.routing))
      await this.#folder.files.remove(this.#folder.at('stopped'))
      await this.#keepBy(keeper)
      state = await this.#processes.start(keeper)
      this.#tell('checking the release')
      await this.#prepare(release, state)
    } catch (error) {
      const failure = await this.#failed(release, error, before.routing ? 'The service is as it was before.' : '')
      await this.#processes.stop(keeper)
      await undoChanges(this.#folder.files, this.#folder.path)
      if (before.routing === null) await uninstallKeepers(this.#places)
      else if (!before.isStopped) await before.keeper.start()
      throw failure
    }
    await forgetUndo(this.#folder.files, this.#folder.path)
    await this.#deployed(release, `${this.#action.release.modelName} serves on port ${state.port}.`)
    return state
  }

  /** The release is checked beside the one that serves, which serves until it is switched. */
  async #replace(change: Change, serving: ServiceState): Promise<ServiceState> {
    const { release, keeper, before } = change
    let state = serving
    try {
      state = await this.#changeProcess(change, serving)
      this.#tell('checking the release')
      await this.#prepare(release, state)
      this.#tell('switching')
      await this.#deployed(release, `${this.#action.release.modelName} was checked and takes its place.`)
      const { rollout } = this.#action
      if (rollout.kind !== 'switch' || before.routing?.current !== release) {
        await (await this.#processes.clientOf(state)).traffic({ action: 'roll-out', release, rollout })
      }
    } catch (error) {
      const failure = await this.#failed(release, error, servesOn(before))
      await this.#restore(before, keeper).catch((second: unknown) => {
        throw notRestored(failure, second)
      })
      throw failure
    }
    await forgetUndo(this.#folder.files, this.#folder.path)
    return state
  }

  /** New settings, another agent or another keeper: what serves goes on in a new process first. */
  async #changeProcess({ release, settings, keeper, before }: Change, serving: ServiceState): Promise<ServiceState> {
    const otherKeeper = keeper.kind !== before.keeper.kind
    const otherAddress = settings.host !== before.settings?.host || settings.port !== serving.port
    const otherProgram = !isDeepStrictEqual(settings, before.settings) || this.#action.runtime !== before.runtime
    const otherSecret = this.#action.webhookSecret !== null
    const supervisor = await this.#processes.supervisor()
    if (!otherKeeper && !otherAddress && !otherProgram && !otherSecret && supervisor) return serving
    this.#tell('starting the service')
    // On the same port the service's own socket is in the way of another host: only the start tells then, and a failed one is undone.
    if (otherAddress) await tryPort(settings.host, settings.port === serving.port ? 0 : settings.port)
    await noteForUndo(this.#folder.files, this.#folder.path, before.routing?.current === release ? null : release)
    await this.#writeChange(settings)
    if (supervisor && !otherKeeper && !otherAddress && supervisor.port !== null) return this.#processes.handOver()
    await this.#processes.stop(before.keeper)
    await this.#keepBy(keeper)
    return this.#processes.start(keeper)
  }

  /** What served before the deploy serves again, with its settings. */
  async #restore(before: Before, keeper: Keeper): Promise<void> {
    if (!(await undoChanges(this.#folder.files, this.#folder.path))) return
    const supervisor = await this.#processes.supervisor()
    const sameAddress = supervisor?.port === before.settings?.port && this.#action.settings.host === before.settings?.host
    if (supervisor && sameAddress && keeper.kind === before.keeper.kind) {
      await this.#processes.handOver()
      return
    }
    await this.#processes.stop(keeper)
    await uninstallKeepers(this.#places, before.keeper)
    await before.keeper.install()
    await this.#processes.start(before.keeper)
  }

  async #writeChange(settings: ServiceSettings): Promise<void> {
    const { runtime, webhookSecret } = this.#action
    await this.#folder.writeSettings(settings)
    if (webhookSecret !== null) await this.#folder.replace('webhook-secret', `${webhookSecret}\n`)
    await this.#folder.replace('node', `${process.execPath}\n`)
    await this.#folder.replace('runtime', `${runtime}\n`)
    await replaceFile(this.#folder.files, this.#folder.at('start'), startScript(this.#folder.path), { mode: 0o700 })
  }

  async #keepBy(keeper: Keeper): Promise<void> {
    await uninstallKeepers(this.#places, keeper)
    await keeper.install()
  }

  async #prepare(release: string, state: ServiceState): Promise<void> {
    const { passed, checks } = await (await this.#processes.clientOf(state)).prepare(release, this.#action.gate)
    this.#checks.push(...checks)
    if (!passed) throw notPassed(checks)
  }

  async #prune(state: ServiceState): Promise<void> {
    const live = await (await this.#processes.clientOf(state)).live()
    const routing = await this.#folder.readRouting()
    if (routing)
      await pruneReleases(
        this.#folder,
        routing,
        live.versions.map(({ release }) => release),
      )
  }

  async #deployed(release: string, text: string): Promise<void> {
    await this.#folder.appendEvent({ at: new Date().toISOString(), kind: 'deployed', release, text })
  }

  #failed(release: string, error: unknown, serves: string): Promise<Error> {
    return failedDeploy(this.#folder, this.#action.service, release, error, this.#checks, serves)
  }
}

interface Change {
  readonly release: string
  readonly settings: ServiceSettings
  readonly keeper: Keeper
  readonly before: Before
}

function servesOn({ serving }: Before): string {
  return serving ? 'The version before it serves on.' : ''
}

function notRestored(failure: Error, second: unknown): Error {
  if (!(failure instanceof EdgesmithError)) return failure
  const why = second instanceof Error ? second.message : String(second)
  return new EdgesmithError(failure.code, failure.message, {
    hint: `The service could not be brought back to what it was: ${why} Start it again.`,
    details: failure.details,
  })
}

function freshRouting(current: string, before: Routing | null): Routing {
  const previous = before === null ? null : before.current === current ? before.previous : before.current
  return { version: 1, current, previous, beside: [], watch: null }
}
