// How many requests a second the device server answers on one core, beside bare node:http (JSON parsed, no inference) and, where a Python with
// FastAPI is given, beside FastAPI + ONNX Runtime. One MLP (52-64-32-1), JSON, 64 connections of wrk on another core, in turns. Ours checks token
// and ranges, counts metrics and watches for drift. Then its batch endpoints, and what HTTP adds to a model of some milliseconds.
//
//   npm run build && node bench/server.ts [--rounds 5] [--seconds 4] [--connections 64] [--python /path/to/python] [--only single,batch,overhead]
//
// Needs wrk and taskset (Debian: wrk, util-linux) and two cores. Prints requests a second, CPU time of the server for one request, p50 and p99 (all
// medians of the rounds), and ratios. On a busy machine only the ratios mean something.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { percentileOfSorted } from '../src/core/statistics/percentiles.ts'
import { seededRandom } from '../src/core/statistics/seeded-random.ts'
import { machineLine, markdownTable } from './markdown.ts'
import {
  authorization,
  bareRunMs,
  endAll,
  features,
  type Subject,
  sampleOf,
  startBare,
  startFastApi,
  startOurs,
  writeMlp,
} from './serving/subjects.ts'
import { type Load, type LoadOptions, load } from './serving/wrk.ts'

const BATCH = 1000
const BATCH_CONNECTIONS = '4'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    python: { type: 'string' },
    only: { type: 'string', default: 'single,batch,overhead' },
    agent: { type: 'string', default: fileURLToPath(new URL('../out/agent/agent.cjs', import.meta.url)) },
  },
})
const { seconds, connections } = options
const parts = options.only.split(',')
const random = seededRandom(9)
const json = { 'content-type': 'application/json', authorization }

/** Something to measure, and how. */
interface Turn {
  readonly name: string
  readonly subject: Pick<Subject, 'url' | 'pid'>
  readonly load: LoadOptions
  /** Predictions in a request. */
  readonly predictions: number
}

/** All in turns, round by round, so that what else the machine does meets all of them. */
function inTurns(turns: readonly Turn[]): readonly { readonly turn: Turn; readonly median: (of: (load: Load) => number) => number }[] {
  for (const { subject, load: how } of turns) load(subject, { ...how, seconds: '1' })
  const loads = turns.map((): Load[] => [])
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [index, { subject, load: how }] of turns.entries()) loads[index]?.push(load(subject, how))
  }
  return turns.map((turn, index) => ({ turn, median: (of) => median((loads[index] ?? []).map(of)) }))
}

function median(values: readonly number[]): number {
  return percentileOfSorted(Float64Array.from(values).sort(), 50)
}

async function single(ours: Subject, modelPath: string): Promise<void> {
  const how = { body: JSON.stringify({ inputs: { x: sampleOf(random) } }), headers: json, connections, seconds }
  const turn = (name: string, subject: Turn['subject'], more: Partial<LoadOptions> = {}): Turn => ({
    name,
    subject,
    load: { ...how, ...more },
    predictions: 1,
  })
  const bare = await startBare()
  const predict = { url: `${ours.url}/predict`, pid: ours.pid }
  const fastApi = options.python ? [await startFastApi(options.python, modelPath)] : []
  const results = inTurns([
    turn('bare node:http, no inference', bare),
    turn('edgesmith', predict),
    turn('bare, another head each time', bare, { newHeads: true }),
    turn('edgesmith, another head each time', predict, { newHeads: true }),
    ...fastApi.map((subject) => turn(subject.name, subject)),
  ])
  // Each beside node:http that got the same heads.
  const bareRate = ({ load: { newHeads } }: Turn) =>
    results
      .find(({ turn: { subject, load: how } }) => subject === bare && how.newHeads === newHeads)
      ?.median(({ perSecond }) => perSecond) ?? Number.NaN
  console.log(
    markdownTable(
      ['server', 'requests/s', 'CPU µs', 'p50 ms', 'p99 ms', 'of bare', 'failed'],
      results.map(({ turn, median: of }) => {
        const rate = of(({ perSecond }) => perSecond)
        return [
          turn.name,
          rate.toFixed(0),
          of(({ cpuUs }) => cpuUs).toFixed(1),
          of(({ p50Ms }) => p50Ms).toFixed(2),
          of(({ p99Ms }) => p99Ms).toFixed(2),
          `${((100 * rate) / bareRate(turn)).toFixed(0)} %`,
          String(of(({ failures }) => failures)),
        ]
      }),
    ),
  )
}

function batches({ url, pid }: Subject): void {
  const samples = Array.from({ length: BATCH }, () => sampleOf(random))
  const bytes = Buffer.from(Float32Array.from(samples.flat()).buffer)
  const tensor = { name: 'x', shape: [BATCH, features], datatype: 'FP32', parameters: { binary_data_size: bytes.length } }
  const head = Buffer.from(JSON.stringify({ inputs: [tensor], parameters: { binary_data_output: true } }))
  const how = { connections: BATCH_CONNECTIONS, seconds }
  const results = inTurns([
    {
      name: 'POST /predict/batch, JSON',
      subject: { url: `${url}/predict/batch`, pid },
      load: { ...how, headers: json, body: JSON.stringify({ inputs: samples.map((x) => ({ x })) }) },
      predictions: BATCH,
    },
    {
      name: 'POST /v2/models/…/infer, binary',
      subject: { url: `${url}/v2/models/benchmark/infer`, pid },
      load: {
        ...how,
        headers: { authorization, 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) },
        body: Buffer.concat([head, bytes]),
      },
      predictions: BATCH,
    },
  ])
  console.log(
    markdownTable(
      [`${BATCH} samples a request, ${BATCH_CONNECTIONS} connections`, 'predictions/s', 'CPU µs each', 'p50 ms', 'p99 ms', 'failed'],
      results.map(({ turn: { name, predictions }, median: of }) => [
        name,
        (of(({ perSecond }) => perSecond) * predictions).toFixed(0),
        (of(({ cpuUs }) => cpuUs) / predictions).toFixed(2),
        of(({ p50Ms }) => p50Ms).toFixed(2),
        of(({ p99Ms }) => p99Ms).toFixed(2),
        String(of(({ failures }) => failures)),
      ]),
    ),
  )
}

/** One client that waits for each answer, beside the same runs without a server. */
async function overhead(): Promise<void> {
  const modelPath = writeMlp('large', [2048, 2048, 2048])
  const ours = await startOurs(options.agent, modelPath, 'large')
  const how = { body: JSON.stringify({ inputs: { x: sampleOf(random) } }), headers: json, connections: '1', seconds }
  const ratios: number[] = []
  const runs: number[] = []
  const asked: number[] = []
  load({ ...ours, url: `${ours.url}/predict` }, { ...how, seconds: '1' })
  for (let round = 0; round < Number(options.rounds); round++) {
    runs.push(await bareRunMs(modelPath, seconds))
    asked.push(load({ ...ours, url: `${ours.url}/predict` }, how).p50Ms)
    ratios.push((asked.at(-1) as number) / (runs.at(-1) as number))
  }
  console.log(
    `A larger model, one client: ${median(runs).toFixed(2)} ms without a server, ${median(asked).toFixed(2)} ms over HTTP (p50): ${((median(ratios) - 1) * 100).toFixed(1)} % more.`,
  )
}

try {
  console.log(`${machineLine()} wrk -t1, ${options.rounds} rounds of ${seconds} s.\n`)
  const modelPath = writeMlp('mlp', [64, 32])
  const ours = parts.includes('single') || parts.includes('batch') ? await startOurs(options.agent, modelPath, 'mlp') : null
  if (ours && parts.includes('single')) await single(ours, modelPath)
  if (ours && parts.includes('batch')) batches(ours)
  if (parts.includes('overhead')) await overhead()
} finally {
  endAll()
}
