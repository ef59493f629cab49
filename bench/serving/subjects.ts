// What bench/server.ts compares: models, and servers that run them, all pinned to one core.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { driftReferenceSchema } from '../../src/contract/monitoring.ts'
import type { ServiceConfigFile } from '../../src/contract/service.ts'
import { ReferenceSketcher } from '../../src/core/drift/reference-sketcher.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { seededRandom } from '../../src/core/statistics/seeded-random.ts'
import { sha256Of } from '../../src/platform/file-hash.ts'

const SERVER_CORE = '0'
const TOKEN = 'benchmark-token-0123456789'
const REFERENCE_ROWS = 5000

export const features = 52
export const authorization = `Bearer ${TOKEN}`
export const folder = mkdtempSync(join(tmpdir(), 'edgesmith-server-bench-'))

const children: ChildProcess[] = []

/** A server that is asked. */
export interface Subject {
  readonly name: string
  readonly url: string
  readonly pid: number
}

/** Values as the drift reference has them. */
export function sampleOf(random: ReturnType<typeof seededRandom>): number[] {
  return Array.from({ length: features }, () => Number((random.uniform() * 2 - 1).toFixed(4)))
}

/** MLP 52-…-1 with an open batch. @returns the path of its file */
export function writeMlp(name: string, hidden: readonly number[]): string {
  const random = seededRandom(5)
  const sizes = [features, ...hidden, 1]
  const layers = sizes.slice(1).map((out, index) => ({ out, into: sizes[index] as number, name: `layer_${index}` }))
  const values = (count: number, into: number) =>
    Float32Array.from({ length: count }, () => (random.uniform() - 0.5) / Math.sqrt(into / 64))
  const nodes = layers.flatMap(({ name: layer }, index) => {
    const from = index === 0 ? 'x' : `layer_${index - 1}_out`
    const last = index === layers.length - 1
    const gemm = makeNode('Gemm', [from, `${layer}_w`, `${layer}_b`], [last ? 'y' : `${layer}_sum`], { transB: 1 })
    return last ? [gemm] : [gemm, makeNode('Relu', [`${layer}_sum`], [`${layer}_out`])]
  })
  const initializers = layers.flatMap(({ name: layer, out, into }) => [
    makeTensor(`${layer}_w`, 'float32', [out, into], values(out * into, into)),
    makeTensor(`${layer}_b`, 'float32', [out], values(out, into)),
  ])
  const path = join(folder, `${name}.onnx`)
  const ports = { inputs: [makeValueInfo('x', 'float32', ['N', features])], outputs: [makeValueInfo('y', 'float32', ['N', 1])] }
  writeFileSync(path, encodeModel(makeModel({ nodes, initializers, ...ports })))
  return path
}

/** Bare node:http: a JSON body parsed, JSON of the same size answered, no checks and no inference. */
export async function startBare(): Promise<Subject> {
  const child = start(process.execPath, [here('bare-server.mjs')])
  return { name: 'bare node:http', url: `http://127.0.0.1:${await firstLine(child)}/predict`, pid: child.pid as number }
}

/** Ours, as it is deployed: token, the ranges of all values, metrics and the drift monitor are on. */
export async function startOurs(agent: string, modelPath: string, name: string): Promise<Subject> {
  const statePath = join(folder, `${name}-state.json`)
  const config: ServiceConfigFile = {
    service: 'benchmark',
    modelName: name,
    modelPath,
    modelSha256: sha256Of(readFileSync(modelPath)),
    version: '0123456789ab',
    host: '127.0.0.1',
    port: 0,
    tokenPath: join(folder, 'token'),
    statePath,
    preprocessing: {},
    labels: null,
    accuracy: null,
    latencyP50Ms: null,
    threads: 1,
    fields: Array.from({ length: features }, (_, index) => ({ input: 'x', index, name: `feature_${index}`, min: -10, max: 10 })),
    driftReference: driftReference(),
  }
  writeFileSync(config.tokenPath, TOKEN, { mode: 0o600 })
  const configPath = join(folder, `${name}.json`)
  writeFileSync(configPath, JSON.stringify(config), { mode: 0o600 })
  const child = start(process.execPath, [agent, 'serve', configPath])
  child.stdout?.resume()
  while (!existsSync(statePath)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    await sleep(50)
  }
  const { port } = JSON.parse(readFileSync(statePath, 'utf8')) as { port: number }
  return { name: 'edgesmith', url: `http://127.0.0.1:${port}`, pid: child.pid as number }
}

/** FastAPI + ONNX Runtime (`fastapi_server.py`). */
export async function startFastApi(python: string, modelPath: string): Promise<Subject> {
  const port = 18_000 + (process.pid % 1000)
  const child = start(python, [here('fastapi_server.py'), modelPath, String(port)])
  const url = `http://127.0.0.1:${port}/predict`
  for (;;) {
    if (await fetch(url, { method: 'POST' }).catch(() => null)) return { name: 'FastAPI + ONNX Runtime', url, pid: child.pid as number }
    if (child.exitCode !== null) throw new Error(`FastAPI ended with ${child.exitCode}`)
    await sleep(100)
  }
}

/** Runs a model without any server, one run after the other, on the server's core. @returns the median of a run */
export async function bareRunMs(modelPath: string, seconds: string): Promise<number> {
  return Number(await firstLine(start(process.execPath, [here('../bare-model.ts'), modelPath, seconds])))
}

export function endAll(): void {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

/** What the build of such a model would bring along: every feature and the output are watched. */
function driftReference() {
  const random = seededRandom(1)
  const inputs = Array.from({ length: features }, (_, index) => ({
    name: `feature_${index}`,
    source: { kind: 'input', name: 'x', index } as const,
  }))
  const sketcher = new ReferenceSketcher([...inputs, { name: 'y', source: { kind: 'output', name: 'y', index: 0 } }], random)
  for (let row = 0; row < REFERENCE_ROWS; row++) sketcher.add([...sampleOf(random), random.uniform()])
  return driftReferenceSchema.parse(sketcher.finish())
}

function here(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url))
}

function start(program: string, args: readonly string[]): ChildProcess {
  const child = spawn('taskset', ['-c', SERVER_CORE, program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) return chunk.toString().split('\n')[0] as string
  throw new Error('the program ended')
}
