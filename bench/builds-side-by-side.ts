import type { NamedTensors } from '../src/core/inference-runtime.ts'
import { FidelityAccumulator, worstFidelity } from '../src/core/metrics/fidelity.ts'
import { median } from '../src/core/statistics/percentiles.ts'
import { speedup } from '../src/core/statistics/speedup.ts'
import { timeRuns } from '../src/engine/measure/timed-runs.ts'
import { onnxRuntime } from '../src/engine/runtimes/onnx-runtime.ts'
import { openPreparedModel } from '../src/engine/runtimes/prepared-model.ts'

/** Latency of a build, and how much faster it is than the first one. */
export interface Latency {
  readonly medianMs: number
  /** Baseline time ÷ this build's, with its 95 % interval; 1 for the baseline itself. */
  readonly speedup: number
  readonly ci95: readonly [number, number]
}

/** Blocks of each build, A B C, C B A …; with 12 pairs the bootstrap's interval holds what it says. */
const BLOCKS = 12
const BLOCK_SECONDS = 0.25

/** Times builds in interleaved blocks in this process, one thread, batch 1; the first is the baseline. */
export async function sideBySide(builds: readonly Uint8Array[], feed: NamedTensors): Promise<Latency[]> {
  const models = []
  for (const bytes of builds) models.push(await openPreparedModel(bytes, 1))
  const blocks: Float32Array[][] = builds.map(() => [])
  const enough = (runs: number, elapsedMs: number) => runs > 0 && elapsedMs >= BLOCK_SECONDS * 1000
  const runs = models.map((model) => model.prepare(feed))
  const block = async (index: number) =>
    (await timeRuns(runs[index]!, { enough, onTick: () => {}, signal: new AbortController().signal })).latenciesMs
  const order = builds.map((_, index) => index)
  // Warm-up of all.
  for (const index of order) await block(index)
  for (let round = 0; round < BLOCKS; round++) {
    for (const index of round % 2 === 0 ? order : order.toReversed()) blocks[index]!.push(await block(index))
  }
  for (const model of models) await model.close()
  return blocks.map((own) => {
    const { estimate, ci95 } = own === blocks[0] ? { estimate: 1, ci95: [1, 1] as const } : speedup(blocks[0]!, own, 1)
    return { medianMs: median(Float32Array.from(own.flatMap((values) => [...values]))), speedup: estimate, ci95 }
  })
}

/** Outputs of a build against those of the float model. */
export interface Closeness {
  /** Of the worst output; null when all are identical. */
  readonly worstDb: number | null
  /** Of all outputs as one signal. */
  readonly togetherDb: number | null
}

/** Runs both models on the same feeds, as a user's program would (all optimizations, this processor's own kernels). */
export async function closeness(reference: Uint8Array, build: Uint8Array, feeds: readonly NamedTensors[]): Promise<Closeness> {
  const [source, other] = [await onnxRuntime.load(reference), await onnxRuntime.load(build)]
  const outputs = new Map(source.outputs.map(({ name }) => [name, new FidelityAccumulator()]))
  const together = new FidelityAccumulator()
  for (const feed of feeds) {
    const [expected, found] = [await source.run(feed), await other.run(feed)]
    for (const [name, accumulator] of outputs) {
      const [wanted, values] = [expected[name]!.values as Float32Array, found[name]!.values as Float32Array]
      accumulator.add(wanted, values)
      together.add(wanted, values)
    }
  }
  await source.close()
  await other.close()
  return { worstDb: worstFidelity([...outputs.values()].map((entry) => entry.result())).sqnrDb, togetherDb: together.result().sqnrDb }
}

/** Correct answers of a classifier; its only output holds one score for each class. */
export async function correctAnswers(build: Uint8Array, feeds: readonly NamedTensors[], labels: Uint8Array): Promise<number> {
  const model = await onnxRuntime.load(build)
  let correct = 0
  for (const [index, feed] of feeds.entries()) {
    const scores = Object.values(await model.run(feed))[0]!.values as Float32Array
    if (scores.indexOf(Math.max(...scores)) === labels[index]) correct++
  }
  await model.close()
  return correct
}

export function decibels(value: number | null): string {
  return value === null ? 'identical' : value.toFixed(1)
}

export function milliseconds({ medianMs }: Latency): string {
  return medianMs.toFixed(medianMs < 1 ? 4 : 2)
}

export function timesFaster({ speedup: estimate, ci95 }: Latency): string {
  return `${estimate.toFixed(2)} (${ci95[0].toFixed(2)} to ${ci95[1].toFixed(2)})`
}
