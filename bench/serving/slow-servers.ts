// What bench/worker-pool.ts compares: the agent, and the least that serves a model.
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ServiceConfigFile } from '../../src/contract/service.ts'

export const TOKEN = 'benchmark-token-0123456789'

/** A server that runs. */
export interface SlowServer {
  readonly pid: number
  readonly port: number
  stop(): Promise<void>
}

/** Writes the model to `folder` and serves it as on a board. @param agent the bundled program */
export async function startAgent(agent: string, folder: string, model: Uint8Array): Promise<SlowServer> {
  const at = (name: string) => join(folder, name)
  const config: ServiceConfigFile = {
    service: 'benchmark',
    modelName: 'slow',
    modelPath: at('model.onnx'),
    modelSha256: createHash('sha256').update(model).digest('hex'),
    version: '0123456789ab',
    host: '127.0.0.1',
    port: 0,
    tokenPath: at('token'),
    statePath: at('state.json'),
    preprocessing: {},
    labels: null,
    accuracy: null,
    latencyP50Ms: null,
    threads: 1,
    workers: null,
  }
  writeFileSync(config.modelPath, model)
  writeFileSync(config.tokenPath, TOKEN, { mode: 0o600 })
  writeFileSync(at('service.json'), JSON.stringify(config), { mode: 0o600 })
  const child = spawn(process.execPath, [agent, 'serve', at('service.json')], { stdio: ['ignore', 'ignore', 'inherit'] })
  while (!existsSync(config.statePath)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    await sleep(50)
  }
  const { port } = JSON.parse(readFileSync(config.statePath, 'utf8')) as { port: number }
  return running(child, port)
}

/** Serves a model with bench/serving/bare-inference.ts. */
export async function startBare(folder: string, model: Uint8Array): Promise<SlowServer> {
  const path = join(folder, 'bare.onnx')
  writeFileSync(path, model)
  const program = fileURLToPath(new URL('bare-inference.ts', import.meta.url))
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown]
  if (!Buffer.isBuffer(said)) throw new Error(`the bare server ended with ${said}`)
  return running(child, Number(said))
}

function running(child: ChildProcess, port: number): SlowServer {
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  return { pid: child.pid as number, port, stop }
}
