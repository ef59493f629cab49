// How many requests a second the device server answers on one core, beside bare node:http (JSON parsed, no inference) and, where a Python with
// FastAPI is given, beside FastAPI + ONNX Runtime. One MLP (52-64-32-1), JSON, 64 connections of wrk on another core, in turns.
//
//   npm run build && node bench/server.ts [--rounds 5] [--seconds 4] [--python /path/to/python] [--threads 64]
//
// Needs wrk and taskset (Debian: wrk, util-linux) and two cores. Prints requests a second (median of the rounds), p50 and p99 and ratios, then the
// batch endpoint and what HTTP adds to a model of some milliseconds.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ServiceConfigFile } from '../src/contract/agent-protocol.ts'
import { makeModel, makeNode, makeValueInfo } from '../src/core/onnx/builders.ts'
import { encodeModel } from '../src/core/onnx/model-file.ts'
import { makeTensor } from '../src/core/onnx/tensor-values.ts'
import { percentileOfSorted } from '../src/core/statistics/percentiles.ts'
import { seededRandom } from '../src/core/statistics/seeded-random.ts'
import { machineLine, markdownTable } from './markdown.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    python: { type: 'string' },
    agent: { type: 'string', default: fileURLToPath(new URL('../out/agent/agent.cjs', import.meta.url)) },
  },
})
const [SERVER_CORE, CLIENT_CORE] = ['0', '1']
const FEATURES = 52
const TOKEN = 'benchmark-token-0123456789'
const here = (name: string) => fileURLToPath(new URL(`./serving/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'edgesmith-server-bench-'))
const children: ChildProcess[] = []

interface Target {
  readonly name: string
  readonly url: string
  readonly pid: number
}

interface Load {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failures: number
  /** CPU time of the server for one request, user and system. */
  readonly cpuUs: number
}

/** MLP 52-64-32-1 with an open batch. */
function writeMlp(): string {
  const random = seededRandom(5)
  const values = (count: number) => Float32Array.from({ length: count }, () => random.uniform() - 0.5)
  const sizes = [FEATURES, 64, 32, 1]
  const layers = sizes.slice(1).map((out, index) => ({ out, into: sizes[index] as number, name: `layer_${index}` }))
  const nodes = layers.flatMap(({ name }, index) => {
    const from = index === 0 ? 'x' : `layer_${index - 1}_out`
    const last = index === layers.length - 1
    const gemm = makeNode('Gemm', [from, `${name}_w`, `${name}_b`], [last ? 'y' : `${name}_sum`], { transB: 1 })
    return last ? [gemm] : [gemm, makeNode('Relu', [`${name}_sum`], [`${name}_out`])]
  })
  const initializers = layers.flatMap(({ name, out, into }) => [
    makeTensor(`${name}_w`, 'float32', [out, into], values(out * into)),
    makeTensor(`${name}_b`, 'float32', [out], values(out)),
  ])
  const path = join(folder, 'mlp.onnx')
  const ports = { inputs: [makeValueInfo('x', 'float32', ['N', FEATURES])], outputs: [makeValueInfo('y', 'float32', ['N', 1])] }
  writeFileSync(path, encodeModel(makeModel({ nodes, initializers, ...ports })))
  return path
}

function start(program: string, args: readonly string[]): ChildProcess {
  const child = spawn('taskset', ['-c', SERVER_CORE, program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) return chunk.toString().split('\n')[0] as string
  throw new Error('the server ended')
}

async function startBare(): Promise<Target> {
  const child = start(process.execPath, [here('bare-server.mjs')])
  return { name: 'bare node:http', url: `http://127.0.0.1:${await firstLine(child)}/predict`, pid: child.pid as number }
}

async function startOurs(modelPath: string, name: string): Promise<Target> {
  const statePath = join(folder, `${name}-state.json`)
  const config: ServiceConfigFile = {
    service: 'benchmark',
    modelName: name,
    modelPath,
    modelSha256: createHash('sha256').update(readFileSync(modelPath)).digest('hex'),
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
    // Range checks of every value, as a tabular model has them.
    fields: Array.from({ length: FEATURES }, (_, index) => ({ input: 'x', index, name: `feature_${index}`, min: -10, max: 10 })),
  }
  writeFileSync(config.tokenPath, TOKEN, { mode: 0o600 })
  const configPath = join(folder, `${name}.json`)
  writeFileSync(configPath, JSON.stringify(config), { mode: 0o600 })
  const child = start(process.execPath, [options.agent, 'serve', configPath])
  child.stdout?.resume()
  while (!existsSync(statePath)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    await sleep(50)
  }
  return {
    name: 'edgesmith',
    url: `http://127.0.0.1:${(JSON.parse(readFileSync(statePath, 'utf8')) as { port: number }).port}`,
    pid: child.pid as number,
  }
}

async function startFastApi(python: string, modelPath: string): Promise<Target> {
  const port = 18_000 + (process.pid % 1000)
  const child = start(python, [here('fastapi_server.py'), modelPath, String(port)])
  const url = `http://127.0.0.1:${port}/predict`
  for (;;) {
    if (await fetch(url, { method: 'POST' }).catch(() => null)) return { name: 'FastAPI + ONNX Runtime', url, pid: child.pid as number }
    await sleep(100)
  }
}

/** One run of wrk with a body in a file. */
function load(
  { url, pid }: Pick<Target, 'url' | 'pid'>,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
  connections = options.connections,
): Load {
  const bodyPath = join(folder, 'body')
  writeFileSync(bodyPath, body)
  const script = join(folder, 'load.lua')
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`)
  writeFileSync(
    script,
    `local file = io.open("${bodyPath}", "rb")\nwrk.body = file:read("*a")\nwrk.method = "POST"\n${lines.join('\n')}
done = function(summary, latency)
  io.write(string.format("RESULT %f %f %f %d\\n", summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end\n`,
  )
  const cpuBefore = cpuMs(pid)
  const out = execFileSync('taskset', ['-c', CLIENT_CORE, 'wrk', '-t1', `-c${connections}`, `-d${options.seconds}s`, '-s', script, url], {
    encoding: 'utf8',
  })
  const [, perSecond, p50Ms, p99Ms, failures] = /RESULT (\S+) (\S+) (\S+) (\d+)/.exec(out) ?? []
  if (perSecond === undefined) throw new Error(`wrk said: ${out}`)
  const cpuUs = ((cpuMs(pid) - cpuBefore) * 1000) / (Number(perSecond) * Number(options.seconds))
  return { perSecond: Number(perSecond), p50Ms: Number(p50Ms), p99Ms: Number(p99Ms), failures: Number(failures), cpuUs }
}

/** The kernel counts in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function median(values: readonly number[]): number {
  return percentileOfSorted(Float64Array.from(values).sort(), 50)
}

const json = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
const random = seededRandom(9)
const sample = Array.from({ length: FEATURES }, () => Number((random.uniform() * 2 - 1).toFixed(4)))

try {
  const model = writeMlp()
  const bare = await startBare()
  const ours = await startOurs(model, 'mlp')
  const targets = [bare, { ...ours, url: `${ours.url}/predict` }, ...(options.python ? [await startFastApi(options.python, model)] : [])]
  const body = JSON.stringify({ inputs: { x: sample } })
  for (const target of targets) load(target, body, json)
  const runs = targets.map((): Load[] => [])
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [index, target] of targets.entries()) runs[index]?.push(load(target, body, json))
  }
  const bareRate = median((runs[0] ?? []).map(({ perSecond }) => perSecond))
  console.log(`${machineLine()} wrk -t1 -c${options.connections}, ${options.rounds} rounds of ${options.seconds} s.\n`)
  console.log(
    markdownTable(
      ['server', 'requests/s', 'CPU µs', 'p50 ms', 'p99 ms', 'of bare', 'failed'],
      targets.map(({ name }, index) => {
        const own = runs[index] as Load[]
        const rate = median(own.map(({ perSecond }) => perSecond))
        return [
          name,
          rate.toFixed(0),
          median(own.map(({ cpuUs }) => cpuUs)).toFixed(1),
          median(own.map(({ p50Ms }) => p50Ms)).toFixed(2),
          median(own.map(({ p99Ms }) => p99Ms)).toFixed(2),
          `${((100 * rate) / bareRate).toFixed(0)} %`,
          String(own.reduce((sum, { failures }) => sum + failures, 0)),
        ]
      }),
    ),
  )
  const batch = 1000
  const jsonBatch = JSON.stringify({ inputs: Array.from({ length: batch }, () => ({ x: sample })) })
  const batchRate = median(
    Array.from(
      { length: Number(options.rounds) },
      () => load({ url: `${ours.url}/predict/batch`, pid: ours.pid }, jsonBatch, json, '4').perSecond * batch,
    ),
  )
  console.log(`\nPOST /predict/batch, ${batch} samples in JSON, 4 connections: ${batchRate.toFixed(0)} predictions/s`)
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
