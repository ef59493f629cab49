import type { ObservedPrediction } from '../../../src/agent/serve/prediction-observer.ts'
import type { ServiceLog } from '../../../src/agent/serve/service-log.ts'
import type { WatchedFeature } from '../../../src/core/drift/feature-sketch.ts'
import { ReferenceSketcher } from '../../../src/core/drift/reference-sketcher.ts'
import { type RandomSource, seededRandom } from '../../../src/core/statistics/seeded-random.ts'

/** Standard normal numbers (Box-Muller). */
export function normal(random: RandomSource): number {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
}

/** A prediction of a classifier with one float32 input `x`. */
export function observed(row: ArrayLike<number>, at: number, predicted: number | null = 0): ObservedPrediction {
  return observedRows([row], at, predicted)
}

/** A batch of them. */
export function observedRows(rows: readonly ArrayLike<number>[], at: number, predicted: number | null = 0): ObservedPrediction {
  return {
    samples: rows.map((row) => ({ x: { type: 'float32', dims: [row.length], values: Float32Array.from(row) } })),
    answers: rows.map(() => ({
      outputs: { scores: [0.25, 0.75] },
      prediction: predicted === null ? null : { class: predicted, label: null, confidence: 0.75 },
    })),
    latencyMs: 0.5,
    requestId: 'r1',
    at,
    version: 'v1',
  }
}

/** A reference of `features` standard normal inputs and an even class of two. */
export function normalReference(features: number, seed = 1) {
  const watched: WatchedFeature[] = Array.from({ length: features }, (_, index) => ({
    name: `f${index}`,
    source: { kind: 'input', name: 'x', index },
  }))
  const sketcher = new ReferenceSketcher([...watched, { name: 'class', source: { kind: 'class' } }], seededRandom(seed))
  const random = seededRandom(seed + 1)
  for (let row = 0; row < 3000; row++) sketcher.add([...Array.from({ length: features }, () => normal(random)), row % 2])
  return sketcher.finish()
}

/** Keeps what it is told. */
export function recordingLog() {
  const lines: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[] = []
  const log: ServiceLog = {
    info: (event, fields = {}) => lines.push({ level: 'info', event, fields }),
    error: (event, fields = {}) => lines.push({ level: 'error', event, fields }),
  }
  return { log, lines }
}

/** Waits until something is so, asking again and again. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
