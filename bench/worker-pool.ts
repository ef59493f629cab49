// What serving adds to models of some milliseconds, which run in threads beside the one that answers; and how fast health checks are meanwhile.
//
//   npm run build && node bench/worker-pool.ts [--rounds 20] [--only CNN] [--agent out/agent/agent.cjs]
//
// A round is some runs in this process, as many requests to the agent, and as many to a bare `node:http` that runs the same model on its only thread. What
// "adds" says is the median over rounds of the ratio of their medians, with its quartiles, so that whatever else the machine does hits all three alike.
//
// - Runs and requests do not take turns one by one: a run in this process empties the caches of the processor that the server answers on next, which no
//   client does to it. The first of each kind in a round is left out for the same reason.
// - The client is a bare socket. `node:http` as the client took as long for a request as the server did, and that was counted as serving.
// - Wall time has waiting for a processor in it where there is other work than ours: a run waits for none, a request for four (server, thread, server,
//   client). So the processor time of the server is shown too, all its threads together, and how long they waited.
// - The CNN computes much with few weights, as most models do. The chain of MatMul reads 4 MB of weights for each layer, more than caches hold: after each
//   run the server finds nothing of its own in them. That is the worst case, not the usual one.
//
// On a Linux machine that others use as well, root gets this bench a processor nearly for itself (and takes it from the others) with
//   setsid -w sh -c 'echo -19 > /proc/self/autogroup; exec taskset -c 1 node bench/worker-pool.ts --rounds 10'
// where client, answering thread and model's thread then share one processor and its caches.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { percentileOfSorted } from '../src/core/statistics/percentiles.ts'
import { onnxRuntime } from '../src/engine/runtimes/onnx-runtime.ts'
import { matmulChain } from '../tests/agent/workers/matmul-chain.ts'
import { machineLine, markdownTable } from './markdown.ts'
import { openConnection, requestBytes } from './serving/one-connection.ts'
import { type ProcessorTime, processorTime } from './serving/processor-time.ts'
import { INPUTS, OUTPUTS, smallCnn } from './serving/slow-models.ts'
import { startAgent, startBare, TOKEN } from './serving/slow-servers.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    agent: { type: 'string', default: fileURLToPath(new URL('../out/agent/agent.cjs', import.meta.url)) },
  },
})
const CLIENTS = 8
const LOAD_MS = 3000
/** Of each third of a round: long enough that one thing that comes between hardly counts, short enough that the machine stays as it is. */
const PART_MS = 150
const FEWEST_IN_PART = 5
/** Requests until V8 has compiled what they need (the agent asks it to after a hundred or so); fewer to long models. */
const WARM_UP = { requests: 1000, longestMs: 8000 }
/** With what they take on a desktop core. */
const MODELS: readonly (readonly [name: string, make: () => Uint8Array])[] = [
  ['CNN, 5 ms', () => smallCnn(80, 8)],
  ['CNN, 20 ms', () => smallCnn(80, 16)],
  ['MatMul, 5 ms', () => matmulChain(40, 1024, INPUTS, OUTPUTS)],
  ['MatMul, 20 ms', () => matmulChain(160, 1024, INPUTS, OUTPUTS)],
]

/** A third of a round. */
interface Part {
  readonly medianMs: number
  /** For each piece of work; null where the system does not say. */
  readonly processor: ProcessorTime | null
}

interface Round {
  readonly alone: Part
  readonly served: Part
  readonly bare: Part
}

async function part(count: number, pid: number, work: () => Promise<unknown>): Promise<Part> {
  await work()
  const before = processorTime(pid)
  const timesMs: number[] = []
  while (timesMs.length < count) timesMs.push(await timed(work))
  const after = processorTime(pid)
  const each = (of: keyof ProcessorTime) => ((after?.[of] ?? 0) - (before?.[of] ?? 0)) / count
  return { medianMs: percentile(timesMs, 50), processor: before && after && { workedMs: each('workedMs'), waitedMs: each('waitedMs') } }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function warmUp(work: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + WARM_UP.longestMs
  for (let done = 0; done < WARM_UP.requests && performance.now() < end; done++) await work()
}

/** Requests a second of clients that ask again at once, and how long health checks take meanwhile. */
async function underLoad(port: number, predict: Buffer): Promise<{ perSecond: number; healthMs: number[] }> {
  let isOn = true
  let answered = 0
  const start = performance.now()
  const clients = Array.from({ length: CLIENTS }, async () => {
    const connection = await openConnection(port)
    for (; isOn; answered++) await connection.ask(predict)
    connection.end()
  })
  const connection = await openConnection(port)
  const health = requestBytes('/health', TOKEN)
  const healthMs: number[] = []
  while (performance.now() - start < LOAD_MS) {
    healthMs.push(await timed(() => connection.ask(health)))
    await sleep(20)
  }
  isOn = false
  connection.end()
  await Promise.all(clients)
  return { perSecond: (answered * 1000) / (performance.now() - start), healthMs }
}

async function measure(name: string, model: Uint8Array): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-worker-bench-'))
  const input = Array.from({ length: INPUTS }, (_, index) => Math.round(1000 * Math.cos(index)) / 1000)
  const predict = requestBytes('/predict', TOKEN, JSON.stringify({ input }))
  const feeds = { x: { type: 'float32' as const, dims: [1, INPUTS], values: Float32Array.from(input) } }
  const here = await onnxRuntime.load(model)
  const agent = await startAgent(options.agent, folder, model)
  const bare = await startBare(folder, model)
  try {
    const [toAgent, toBare] = [await openConnection(agent.port), await openConnection(bare.port)]
    const run = () => here.run(feeds)
    const askAgent = () => toAgent.ask(predict)
    const askBare = () => toBare.ask(predict)
    for (const work of [run, askAgent, askBare]) await warmUp(work)
    const { medianMs } = await part(FEWEST_IN_PART, process.pid, run)
    const count = Math.max(FEWEST_IN_PART, Math.round(PART_MS / medianMs))
    const rounds: Round[] = []
    while (rounds.length < Number(options.rounds)) {
      rounds.push({
        alone: await part(count, process.pid, run),
        served: await part(count, agent.pid, askAgent),
        bare: await part(count, bare.pid, askBare),
      })
    }
    toAgent.end()
    toBare.end()
    return [name, ...latencyCells(rounds), ...processorCells(rounds), ...loadCells(await underLoad(agent.port, predict))]
  } finally {
    await Promise.all([agent.stop(), bare.stop()])
    await here.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function latencyCells(rounds: readonly Round[]): string[] {
  const ms = (kind: keyof Round) => median(rounds.map((round) => round[kind].medianMs)).toFixed(2)
  const adds = (kind: 'served' | 'bare') => percents(rounds.map((round) => round[kind].medianMs / round.alone.medianMs - 1))
  return [`${ms('alone')} / ${ms('served')} / ${ms('bare')}`, adds('served'), adds('bare')]
}

function processorCells(rounds: readonly Round[]): string[] {
  const of = (kind: keyof Round, what: keyof ProcessorTime) => rounds.map((round) => round[kind].processor?.[what] ?? Number.NaN)
  const cell = (what: keyof ProcessorTime) =>
    (['alone', 'served', 'bare'] as const)
      .map((kind) => of(kind, what))
      .map((values) => (values.some(Number.isNaN) ? '–' : median(values).toFixed(2)))
      .join(' / ')
  return [cell('workedMs'), cell('waitedMs')]
}

function loadCells({ perSecond, healthMs }: Awaited<ReturnType<typeof underLoad>>): string[] {
  return [perSecond.toFixed(1), `${median(healthMs).toFixed(2)} / ${percentile(healthMs, 99).toFixed(2)}`]
}

function percents(shares: readonly number[]): string {
  const text = (p: number) => `${percentile(shares, p) < 0 ? '' : '+'}${(100 * percentile(shares, p)).toFixed(1)}`
  return `${text(50)} % (${text(25)} to ${text(75)})`
}

function percentile(values: readonly number[], p: number): number {
  return percentileOfSorted(Float64Array.from(values).sort(), p)
}

function median(values: readonly number[]): number {
  return percentile(values, 50)
}

console.log(machineLine())
const rows: string[][] = []
for (const [name, make] of MODELS) if (name.startsWith(options.only)) rows.push(await measure(name, make()))
const three = 'run / agent / bare'
console.log(
  markdownTable(
    [
      'model',
      `${three}, median (ms)`,
      'agent adds (quartiles)',
      'bare node:http adds',
      `processor time, ${three} (ms)`,
      `waited for a processor, ${three} (ms)`,
      `predictions/s, ${CLIENTS} clients`,
      'health meanwhile, p50 / p99 (ms)',
    ],
    rows,
  ),
)
console.log(`Afterwards: ${machineLine()}`)
