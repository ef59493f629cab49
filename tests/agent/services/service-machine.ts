import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { AgentMessage } from '../../../src/contract/agent-protocol.ts'
import { type ReleaseFile, type ServiceSettingsFile, serviceStateSchema } from '../../../src/contract/service.ts'
import type { ServiceAction, ServiceReport, ServiceResult } from '../../../src/contract/service-protocol.ts'
import { linearModel } from '../../engine/measure/small-models.ts'
import type { AgentBundle } from '../agent-bundle.ts'
import { AgentProcess, isAlive } from '../agent-process.ts'
import { type Reply, send, TOKEN } from '../service-fixture.ts'

type Action = ServiceAction['action']
/** An action as a host writes it: what has a default may be left out. */
type Request = { readonly action: Action; readonly service?: string | null } & Readonly<Record<string, unknown>>

/** A machine that serves: a folder of its own, the bundled agent, and models with a different answer each. */
export class ServiceMachine {
  readonly root: string
  readonly bundle: AgentBundle

  private constructor(root: string, bundle: AgentBundle) {
    this.root = root
    this.bundle = bundle
  }

  static async start(bundle: AgentBundle): Promise<ServiceMachine> {
    return new ServiceMachine(await mkdtemp(join(tmpdir(), 'edgesmith-services-')), bundle)
  }

  folder(service: string): string {
    return join(this.root, 'services', service)
  }

  /** Runs the agent's command `service`. @throws what the agent answers instead of a result, as an object */
  async call(request: Request): Promise<ServiceResult> {
    return resultOf(await this.begin().answer(this.line(request)))
  }

  /** An agent that waits for a request. */
  begin(): AgentProcess {
    return AgentProcess.run(this.bundle)
  }

  line(request: Request): unknown {
    return { command: 'service', root: this.root, owner: `tests ${process.pid} ${Math.random().toString(36).slice(2)}`, request }
  }

  async deploy(service: string, release: ReleaseFile, changes: Readonly<Record<string, unknown>> = {}): Promise<ServiceResult> {
    return this.call(this.deployment(service, release, changes))
  }

  /** The request that deploys a release. */
  deployment(service: string, release: ReleaseFile, { settings, ...changes }: Readonly<Record<string, unknown>> = {}): Request {
    const shape: ServiceSettingsFile = { service, host: '127.0.0.1', port: 0, ...(settings as object) }
    return {
      action: 'deploy',
      service,
      settings: shape,
      release,
      rollout: { watchSeconds: 0 },
      gate: { runs: 20 },
      runtime: this.bundle.folder,
      token: TOKEN,
      supervise: 'process',
      ...changes,
    }
  }

  /** A release whose model answers its input's sum times `factor`. */
  async release(factor: number, changes: Partial<ReleaseFile> = {}): Promise<ReleaseFile> {
    const model = linearModel('N', [[factor], [factor]])
    const modelPath = join(this.root, `model-${factor}.onnx`)
    await writeFile(modelPath, model)
    const modelSha256 = createHash('sha256').update(model).digest('hex')
    const known = { preprocessing: {}, labels: null, accuracy: null, latencyP50Ms: null }
    return { modelName: `times ${factor}`, modelPath, modelSha256, ...known, ...changes }
  }

  async report(service: string): Promise<ServiceReport> {
    const { reports } = await this.call({ action: 'look', service })
    return reports[0] as ServiceReport
  }

  /** What a running service makes of the input [1, 1]: twice the factor of its model. */
  async predict(service: string): Promise<Reply> {
    const { port } = serviceStateSchema.parse(JSON.parse(await readFile(join(this.folder(service), 'state.json'), 'utf8')))
    return send(port, '/predict', { body: { input: [1, 1] } })
  }

  /** Factor of the model that answers. */
  async factor(service: string): Promise<number> {
    const { status, body } = await this.predict(service)
    expect(status).toBe(200)
    return body.outputs.y[0] / 2
  }

  /** Process ids of supervisors and serving processes below the folder. */
  async processes(): Promise<number[]> {
    const found: number[] = []
    for (const name of await readdir('/proc')) {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
      const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
      if (line.includes(this.root) && isAlive(Number(name))) found.push(Number(name))
    }
    return found
  }

  async end(): Promise<void> {
    for (const pid of await this.processes()) process.kill(pid, 'SIGKILL')
    await rm(this.root, { recursive: true, force: true, maxRetries: 5 })
  }
}

export function resultOf(message: AgentMessage): ServiceResult {
  if (message.type === 'result') return message.value as ServiceResult
  throw message.type === 'error' ? message.error : new Error(`the agent ended with ${message.type}`)
}
