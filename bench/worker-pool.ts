// What serving adds to models of some milliseconds, which run in threads beside the one that answers; and how fast health checks are meanwhile.
//
//   npm run build && node bench/worker-pool.ts [--runs 200] [--agent out/agent/agent.cjs]
//
// A chain of MatMul and Tanh with 52 inputs and 10 outputs stands for a model. Runs in this process and requests to the server take turns, one of each, so that whatever else
// the machine does hits both alike. "Fastest" says what the code costs; medians say what a client sees on this machine. Then 8 clients at once.
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ServiceConfigFile } from '../src/contract/service.ts'
import { percentileOfSorted } from '../src/core/statistics/percentiles.ts'
import { onnxRuntime } from '../src/engine/runtimes/onnx-runtime.ts'
import { matmulChain } from '../tests/agent/workers/matmul-chain.ts'
import { machineLine, markdownTable } from './markdown.ts'

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    agent: { type: 'string', default: fileURLToPath(new URL('../out/agent/agent.cjs', import.meta.url)) },
  },
})
const TOKEN = 'benchmark-token-0123456789'
const CLIENTS = 8
const LOAD_MS = 3000
const [INPUTS, OUTPUTS] = [52, 10]
/** Layers and their size: some 5, 20 and 80 ms on a desktop core. */
const MODELS = [
  [30, 1024],
  [120, 1024],
  [480, 1024],
] as const

interface Server {
  readonly child: ChildProcess
  send(path: string, body?: string): Promise<void>
  stop(): Promise<void>
}

async function startServer(folder: string, model: Uint8Array, workers: number | null): Promise<Server> {
  const at = (name: string) => join(folder, name)
  const config: ServiceConfigFile = {
    service: 'benchmark',
    modelName: 'chain',
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
    workers,
  }
  writeFileSync(config.modelPath, model)
  writeFileSync(config.tokenPath, TOKEN, { mode: 0o600 })
  writeFileSync(at('service.json'), JSON.stringify(config), { mode: 0o600 })
  const child = spawn(process.execPath, [options.agent, 'serve', at('service.json')], { stdio: ['ignore', 'ignore', 'inherit'] })
  while (!existsSync(config.statePath)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    await sleep(50)
  }
  const { port } = JSON.parse(readFileSync(config.statePath, 'utf8')) as { port: number }
  const agent = new Agent({ keepAlive: true })
  const headers = { authorization: `Bearer ${TOKEN}` }
  const send = (path: string, body?: string) =>
    new Promise<void>((resolve, reject) => {
      const json = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) }
      const outgoing = request({ host: '127.0.0.1', port, path, agent, method: body ? 'POST' : 'GET', headers: { ...headers, ...json } })
      outgoing.on('error', reject)
      outgoing.on('response', (incoming) => {
        incoming.resume()
        incoming.on('end', () => (incoming.statusCode === 200 ? resolve() : reject(new Error(`${path}: ${incoming.statusCode}`))))
      })
      outgoing.end(body)
    })
  const stop = async () => {
    agent.destroy()
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
  return { child, send, stop }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Requests a second of clients that ask again at once, and how long health checks take meanwhile. */
async function underLoad(server: Server, body: string): Promise<{ perSecond: number; healthMs: number[] }> {
  let isOn = true
  let answered = 0
  const start = performance.now()
  const clients = Array.from({ length: CLIENTS }, async () => {
    for (; isOn; answered++) await server.send('/predict', body)
  })
  const healthMs: number[] = []
  while (performance.now() - start < LOAD_MS) {
    healthMs.push(await timed(() => server.send('/health')))
    await sleep(20)
  }
  isOn = false
  await Promise.all(clients)
  return { perSecond: (answered * 1000) / (performance.now() - start), healthMs: healthMs.sort((a, b) => a - b) }
}

async function measure(layers: number, size: number): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-worker-bench-'))
  const model = matmulChain(layers, size, INPUTS, OUTPUTS)
  const input = Array.from({ length: INPUTS }, (_, index) => Math.round(1000 * Math.cos(index)) / 1000)
  const body = JSON.stringify({ input })
  const feeds = { x: { type: 'float32' as const, dims: [1, INPUTS], values: Float32Array.from(input) } }
  const here = await onnxRuntime.load(model)
  const server = await startServer(folder, model, null)
  try {
    const [alone, served]: [number[], number[]] = [[], []]
    for (let run = -10; run < Number(options.runs); run++) {
      const times = [await timed(() => here.run(feeds)), await timed(() => server.send('/predict', body))] as const
      if (run < 0) continue
      alone.push(times[0])
      served.push(times[1])
    }
    alone.sort((a, b) => a - b)
    served.sort((a, b) => a - b)
    const { perSecond, healthMs } = await underLoad(server, body)
    const ratio = (p: number) => `+${(100 * (percentileOfSorted(served, p) / percentileOfSorted(alone, p) - 1)).toFixed(1)} %`
    const ms = (sorted: readonly number[], p: number) => percentileOfSorted(sorted, p).toFixed(2)
    return [
      `${layers} × ${size}`,
      `${ms(alone, 1)} / ${ms(alone, 50)}`,
      `${ms(served, 1)} / ${ms(served, 50)}`,
      `${ratio(1)} / ${ratio(50)}`,
      perSecond.toFixed(1),
      `${ms(healthMs, 50)} / ${ms(healthMs, 99)}`,
    ]
  } finally {
    await server.stop()
    await here.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

console.log(machineLine())
const rows: string[][] = []
for (const [layers, size] of MODELS) rows.push(await measure(layers, size))
console.log(
  markdownTable(
    [
      'model',
      'run alone, fastest 1 % / median (ms)',
      'request (ms)',
      'HTTP adds',
      `predictions/s, ${CLIENTS} clients`,
      'health meanwhile, p50 / p99 (ms)',
    ],
    rows,
  ),
)
