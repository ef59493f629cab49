/**
 * What watching for drift costs a service: CPU time of one prediction of 52 features, and of judging a window of 1,000.
 *
 *     node bench/drift-monitor.ts
 */
import { DriftMonitor } from '../src/agent/monitor/drift-monitor.ts'
import type { ObservedPrediction } from '../src/agent/serve/prediction-observer.ts'
import { ReferenceSketcher } from '../src/core/drift/reference-sketcher.ts'
import { seededRandom } from '../src/core/statistics/seeded-random.ts'

const FEATURES = 52
const PREDICTIONS = 2_000_000
const WINDOWS = 20

const random = seededRandom(1)
const row = () => Float32Array.from({ length: FEATURES }, () => random.uniform())
const sketcher = new ReferenceSketcher(
  [
    ...Array.from({ length: FEATURES }, (_, index) => ({ name: `f${index}`, source: { kind: 'input', name: 'x', index } as const })),
    { name: 'class', source: { kind: 'class' } },
  ],
  random,
)
for (let count = 0; count < 10_000; count++) sketcher.add([...row(), random.below(3)])
const reference = sketcher.finish()

function prediction(at: number): ObservedPrediction {
  return {
    samples: [{ x: { type: 'float32', dims: [FEATURES], values: row() } }],
    answers: [{ outputs: { y: [0.5] }, prediction: { class: random.below(3), label: null, confidence: 0.5 } }],
    latencyMs: 1,
    requestId: 'r',
    version: 'v',
    at,
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const predictions = Array.from({ length: 1000 }, () => prediction(0))

/** Every prediction is looked at: never more than a window is filled, and nothing is judged before the loop ends. */
async function filling(): Promise<number> {
  let ms = 0
  for (let fed = 0; fed < PREDICTIONS; fed += predictions.length - 1) {
    const monitor = new DriftMonitor({ reference })
    const start = cpuMs()
    for (let index = 0; index < predictions.length - 1; index++) monitor.predicted(predictions[index] as ObservedPrediction)
    ms += cpuMs() - start
    monitor.close()
  }
  return (1000 * ms) / PREDICTIONS
}

/** The usual case of a fast service: the rate limit lets nearly all of them go by. */
async function passing(): Promise<number> {
  const monitor = new DriftMonitor({ reference })
  for (let round = 0; round < 3; round++) for (const one of predictions) monitor.predicted(one)
  const start = cpuMs()
  for (let fed = 0; fed < PREDICTIONS; fed++) monitor.predicted(predictions[fed % 1000] as ObservedPrediction)
  const used = cpuMs() - start
  monitor.close()
  return (1000 * used) / PREDICTIONS
}

async function judging(): Promise<number> {
  let at = 0
  const monitor = new DriftMonitor({ reference })
  const start = cpuMs()
  for (let judged = 0; judged < WINDOWS; judged++) {
    at += 60_000
    for (const prediction of predictions) monitor.predicted({ ...prediction, at })
    while (monitor.state.judgedWindows <= judged) await turn()
  }
  return (cpuMs() - start) / WINDOWS
}

console.log(`one prediction, looked at      ${(await filling()).toFixed(3)} µs`)
console.log(`one prediction, passed by      ${(await passing()).toFixed(3)} µs`)
console.log(`a window of 1,000, filled and judged  ${(await judging()).toFixed(1)} ms`)
