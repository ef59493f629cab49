import type { AgentCommand, AgentRequest, AgentResult } from '../contract/agent-protocol.ts'
import { UNWRITABLE_EXIT_CODE } from '../contract/detached-run.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { shellQuote } from '../core/shell-quote.ts'
import { cancelledError, throwIfCancelled } from '../platform/cancellation.ts'
import type { AgentBundle, BundleArchitecture } from './agent-bundle.ts'
import { type AgentHost, driveAgent } from './agent-run.ts'
import { DetachedRun, noAgentExit } from './detached-run.ts'
import type { AgentNeeds, PushSummary } from './device-session.ts'
import type { DeviceStore } from './device-store.ts'
import { killAgentScript } from './device-store-scripts.ts'
import { noShell, type RunningScript, runScript, startScript } from './remote-script.ts'
import { ownRunOwner } from './run-owner.ts'
import { shownText } from './shown-text.ts'
import { isLoss, type SshLink } from './ssh-link.ts'
import { within } from './within.ts'

/** A self-test is good for this long. */
const testedMs = 10 * 60_000
/** Ending an agent that does not end by itself: on a link that is dead, nobody waits for that. */
const killTimeoutMs = 3000

/** The agent for an architecture, assembled here. @throws EdgesmithError as `ensureAgentBundle` */
export type BringBundle = (
  architecture: BundleArchitecture,
  reporter: JobReporter,
  signal: AbortSignal | undefined,
  needs: AgentNeeds,
) => Promise<AgentBundle>

/** What the agent on a device needs of the session with it. */
export interface AgentGround {
  readonly link: SshLink
  /** Absolute path of Edgesmith's folder on the device. */
  readonly root: string
  readonly store: DeviceStore
  readonly bundle: BringBundle
  /** Tells workspaces of this computer apart. */
  readonly workspacePath: string
  /** Asks the device what it is. @throws EdgesmithError the code of the first failed check of the probe */
  readonly suitable: (signal: AbortSignal | undefined) => Promise<BundleArchitecture>
  /** A line for the log of the device alone. */
  readonly say: (text: string) => void
}

/** An agent that passed its self-test, through which of the link's connections, and how long that is believed (`performance.now()`). */
interface Tested {
  readonly architecture: BundleArchitecture
  readonly runtime: string
  readonly version: string
  readonly connection: number
  readonly until: number
}

/** The agent on one device: brought, tested, and run. */
export class DeviceAgent {
  readonly #ground: AgentGround
  /** By whether it has the image library. */
  readonly #runtimes = new Map<boolean, string>()
  readonly #tested = new Map<boolean, Tested>()
  /** Bundles this session brought last: preparing one kind does not clear the other away. */
  readonly #brought = new Map<boolean, string>()

  constructor(ground: AgentGround) {
    this.#ground = ground
  }

  /** It was deleted there, or may have been. */
  forget(): void {
    this.#runtimes.clear()
    this.#tested.clear()
  }

  /** Absolute path of its folder; it is prepared first where this session did not do so yet. */
  async runtime({ images }: AgentNeeds, prepare: () => Promise<unknown>): Promise<string> {
    if (!this.#runtimes.has(images)) await prepare()
    const runtime = this.#runtimes.get(images)
    if (runtime === undefined) throw new Error('prepared without a runtime')
    return runtime
  }

  /** See {@link DeviceSession.prepare} and {@link DeviceSession.runtimeFor}; a break of the connection ends it. */
  async prepare(needs: AgentNeeds, reporter: JobReporter, signal: AbortSignal | undefined): Promise<PushSummary> {
    const { link, store } = this.#ground
    const startedAt = performance.now()
    throwIfCancelled(signal)
    reporter.progress({ phase: 'looking at the device', done: 0, total: null, unit: 'steps' })
    // Every measurement begins with this: what was tested a moment ago through this very connection is not tested again.
    const tested = this.#tested.get(needs.images)
    const known = tested?.connection === link.connections && startedAt < tested.until ? tested : null
    const architecture = known?.architecture ?? (await this.#ground.suitable(signal))
    const bundle = await this.#ground.bundle(architecture, reporter, signal, needs)
    let { sent, runtime } = await store.bringAgent(bundle, reporter, signal)
    this.#brought.set(needs.images, bundle.id)
    let version = known?.runtime === runtime && sent.files === 0 ? known.version : null
    if (version === null) {
      const test = () => this.#test(runtime, bundle.publicKey, needs, reporter, signal)
      const result = await test().catch(async (error) => {
        if (signal?.aborted || isLoss(error)) throw error
        // Files that were there already: only their length was looked at so far.
        store.doubt()
        const again = await store.bringAgent(bundle, reporter, signal)
        if (again.sent.files === 0) throw error
        sent = { ...again.sent, files: sent.files + again.sent.files, bytes: sent.bytes + again.sent.bytes }
        runtime = again.runtime
        return test()
      })
      version = shownText(result.edgesmithVersion, 60)
      reporter.log(
        `Self-test passed: agent ${version}, Node ${result.nodeVersion}, ONNX Runtime ${result.onnxRuntimeVersion}, ${result.architecture}`,
      )
      this.#tested.set(needs.images, {
        architecture,
        runtime,
        version,
        connection: link.connections,
        until: performance.now() + testedMs,
      })
      await this.#clearUp(reporter)
    }
    this.#runtimes.set(needs.images, runtime)
    return {
      sentBytes: sent.bytes,
      sentFiles: sent.files,
      totalBytes: bundle.totalBytes,
      durationMs: performance.now() - startedAt,
      agentVersion: version,
    }
  }

  /** A device that does not let us clear up can be used all the same. */
  async #clearUp(reporter: JobReporter): Promise<void> {
    try {
      const { runtimes, bytes } = await this.#ground.store.removeOldRuntimes(...this.#brought.values())
      if (runtimes + bytes === 0) return
      reporter.log(`Cleared away ${runtimes} old agents and files nobody uses any more: ${(bytes / 1e6).toFixed(1)} MB`)
    } catch (error) {
      if (isLoss(error)) throw error
      reporter.log(`Old files were not cleared away: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** See {@link DeviceSession.runAgent}. */
  async run<C extends AgentCommand>(
    runtime: string,
    request: Extract<AgentRequest, { command: C }>,
    reporter: JobReporter,
    signal: AbortSignal | undefined,
  ): Promise<AgentResult<C>> {
    throwIfCancelled(signal)
    const { link, root, say, workspacePath } = this.#ground
    const owner = await ownRunOwner(workspacePath)
    const run = new DetachedRun({ link, root, runtime, owner, log: (text) => reporter.log(text) })
    say(`${request.command} started`)
    try {
      const result = await driveAgent(run, request, this.#host(runtime), reporter, signal)
      say(`${request.command} finished`)
      return withWarnings(result, run.strangers)
    } catch (error) {
      const reason = signal?.aborted ? cancelledError() : (run.failure ?? (await this.#explain(run, error)))
      say(`${request.command} ended: ${reason instanceof Error ? reason.message : String(reason)}`)
      throw reason
    }
  }

  /** Has the agent in a folder answer in the session of the link itself: for what takes a moment. A break of the connection ends it. */
  async ask<C extends AgentCommand>(runtime: string, request: Extract<AgentRequest, { command: C }>): Promise<AgentResult<C>> {
    const { link } = this.#ground
    const script = await startScript(link.impatient, runScriptOf(runtime))
    try {
      return await driveAgent(script, request, this.#host(runtime), { progress: () => undefined, log: () => undefined })
    } catch (error) {
      throw await this.#explain(script, error)
    }
  }

  /** The self-test runs in the session of the link itself: it takes a moment, and is done again after a break. */
  async #test(
    runtime: string,
    publicKey: string,
    { images }: AgentNeeds,
    reporter: JobReporter,
    signal: AbortSignal | undefined,
  ): Promise<AgentResult<'self-test'>> {
    throwIfCancelled(signal)
    reporter.progress({ phase: 'self-test of the agent', done: 0, total: null, unit: 'steps' })
    const script = await startScript(this.#ground.link, runScriptOf(runtime))
    try {
      return await driveAgent(script, { command: 'self-test', publicKey, images }, this.#host(runtime), reporter, signal)
    } catch (error) {
      if (signal?.aborted) throw cancelledError()
      throw await this.#explain(script, error)
    }
  }

  #host(runtime: string): AgentHost {
    const { link } = this.#ground
    return {
      place: link.place,
      kill: async (pid) => {
        await within(runScript(link.impatient, killAgentScript(runtime, pid), { urgent: true }), killTimeoutMs, null)
      },
      lost: () => link.lost(),
    }
  }

  /** Why an agent failed, where its exit code says more than the error. */
  async #explain(agent: DetachedRun | RunningScript, error: unknown): Promise<unknown> {
    const { link } = this.#ground
    const end = await agent.ended
    if (!end.connectionLost && 'started' in agent && !agent.started()) return noShell(link, agent, '')
    if (end.exitCode === UNWRITABLE_EXIT_CODE) {
      return new EdgesmithError('DEVICE_NO_SPACE', `The disk of ${link.place} became full during the work`, {
        hint: 'Free some space on the device, for example: sudo apt-get clean',
      })
    }
    if (end.exitCode !== noAgentExit) return error
    this.forget()
    return new EdgesmithError('DEVICE_COMMAND_FAILED', `The agent is not on ${link.place} any more`, {
      hint: 'Prepare the device again; somebody removed it meanwhile.',
    })
  }
}

/** Becomes the agent, whose standard input and output are those of the session. */
function runScriptOf(runtime: string): string {
  return `run=${shellQuote(runtime)}
[ -f "$run/manifest.json" ] && cd "$run" || exit ${noAgentExit}
exec "$run/node" "$run/agent.cjs" run
`
}

/** A result with further warnings, where results of its kind have any. */
function withWarnings<T extends object>(result: T, warnings: readonly string[]): T {
  if (warnings.length === 0 || !('warnings' in result) || !Array.isArray(result.warnings)) return result
  return { ...result, warnings: [...result.warnings, ...warnings] }
}
