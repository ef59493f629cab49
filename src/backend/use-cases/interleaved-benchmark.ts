import type { BenchResult, BenchSettings } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { latencyStatistics } from '../../core/statistics/latency-statistics.ts'
import { percentileOfSorted } from '../../core/statistics/percentiles.ts'
import { pooledWarnings } from '../../engine/measure/measurement-warnings.ts'
import { benchOn, type ReadyDevice } from '../devices/agent-work.ts'
import { throwIfCancelled } from '../jobs/cancellation.ts'
import type { JobContext } from '../jobs/job-queue.ts'

/** A block shorter than this has a median that one interruption moves. */
const MIN_RUNS_PER_BLOCK = 20

/**
 * Latency of several models in interleaved blocks, each block in a fresh process: A B C, C B A, A B C … so that drift of the
 * machine (heat, clocks, other load) hits all alike. Answers one list of blocks for each model, in the order of `models`.
 * The first block of each model is warmed up as the settings say, later ones by their share of it: the machine is warm by then.
 */
export async function measureInterleaved(
  device: ReadyDevice,
  models: readonly Model[],
  settings: BenchSettings,
  blocks: number,
  context: JobContext,
): Promise<BenchResult[][]> {
  const share: BenchSettings = {
    ...settings,
    runs: Math.max(MIN_RUNS_PER_BLOCK, Math.ceil(settings.runs / blocks)),
    ...(settings.seconds === undefined ? {} : { seconds: settings.seconds / blocks }),
    warmupRuns: Math.ceil(settings.warmupRuns / blocks),
    warmupSeconds: settings.warmupSeconds / blocks,
  }
  const results: BenchResult[][] = models.map(() => [])
  let done = 0
  const quiet: JobContext = { ...context, progress: () => {} }
  for (let block = 0; block < blocks; block++) {
    const order = models.map((_, index) => index)
    if (block % 2 === 1) order.reverse()
    for (const index of order) {
      throwIfCancelled(context.signal)
      context.progress({ phase: 'measuring', done, total: blocks * models.length, unit: 'blocks' })
      const own = block === 0 ? { ...share, warmupRuns: settings.warmupRuns, warmupSeconds: settings.warmupSeconds } : share
      results[index]?.push(await benchOn(device, models[index] as Model, own, quiet))
      done++
    }
  }
  context.progress({ phase: 'measuring', done, total: blocks * models.length, unit: 'blocks' })
  return results
}

/**
 * All blocks of one model as one result: every sample in the order it was taken; load and first inference are medians over
 * the blocks (each is a cold process), memory is the largest, warnings are collected.
 */
export function poolBlocks(blocks: readonly BenchResult[], settings: BenchSettings): BenchResult {
  const [first] = blocks
  if (!first) throw new Error('no blocks to pool')
  const latenciesMs = new Float32Array(blocks.reduce((sum, block) => sum + block.latenciesMs.length, 0))
  let offset = 0
  for (const block of blocks) {
    latenciesMs.set(block.latenciesMs, offset)
    offset += block.latenciesMs.length
  }
  const middle = (pick: (block: BenchResult) => number) => percentileOfSorted(Float64Array.from(blocks, pick).sort(), 50)
  const mean = (pick: (block: BenchResult) => number) =>
    blocks.reduce((sum, block) => sum + pick(block) * block.samples, 0) / latenciesMs.length
  return {
    settings,
    latenciesMs,
    latencyMs: latencyStatistics(latenciesMs),
    // Runs per second of measured time: the harmonic mean weighted by runs, so that slow blocks count for the time they took.
    throughputPerSecond: latenciesMs.length / blocks.reduce((sum, block) => sum + block.samples / block.throughputPerSecond, 0),
    loadMs: middle((block) => block.loadMs),
    firstInferenceMs: middle((block) => block.firstInferenceMs),
    warmupRuns: blocks.reduce((sum, block) => sum + block.warmupRuns, 0),
    cpuMsPerInference: mean((block) => block.cpuMsPerInference),
    peakRssBytes: Math.max(...blocks.map((block) => block.peakRssBytes)),
    idleRssBytes: middle((block) => block.idleRssBytes),
    samples: latenciesMs.length,
    environment: first.environment,
    warnings: pooledWarnings(blocks),
  }
}
