import { type BenchResult, type BenchSettings, worstNoise } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { type Energy, MOST_RUN_READINGS, type RunTelemetry } from '../../contract/telemetry.ts'
import { latencyStatistics } from '../../core/statistics/latency-statistics.ts'
import { outlierShare } from '../../core/statistics/outliers.ts'
import { percentileOfSorted } from '../../core/statistics/percentiles.ts'
import { thinReadings } from '../../core/telemetry/thinned-readings.ts'
import { pooledReasons, pooledWarnings } from '../../engine/measure/measurement-warnings.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { benchOn, type ReadyDevice } from '../devices/agent-work.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { pooledTensorRt } from './pooled-tensorrt.ts'

/** A block shorter than this has a median that one interruption moves. */
const MIN_RUNS_PER_BLOCK = 20

/** Blocks of each model, in the order of the models, and what is to be said about how they were taken. */
export interface InterleavedBlocks {
  readonly blocks: BenchResult[][]
  readonly warnings: string[]
}

/** Going on after the asked rounds, while the answer is not sharp enough. */
export interface MoreRounds {
  readonly most: number
  /** Asked after each round from the last asked one on, with the blocks of each model so far. */
  readonly isEnough: (blocks: readonly (readonly BenchResult[])[]) => boolean
}

/**
 * Latency of several models in interleaved blocks, each block in a fresh process: A B C, C B A, A B C … so that drift of the
 * machine (heat, clocks, other load) hits all alike. Answers one list of blocks for each model, in the order of `models`.
 * The first block of each model is warmed up as the settings say, later ones by their share of it: the machine is warm by then.
 *
 * A round in which clocks were held down (heat, supply) says little about the models: it is measured again, up to half as many times as
 * there are rounds; rounds that stay throttled are kept, and said to be.
 */
export async function measureInterleaved(
  device: ReadyDevice,
  models: readonly Model[],
  settings: BenchSettings,
  asked: number,
  context: JobContext,
  more?: MoreRounds,
): Promise<InterleavedBlocks> {
  const share: BenchSettings = {
    ...settings,
    runs: Math.max(MIN_RUNS_PER_BLOCK, Math.ceil(settings.runs / asked)),
    ...(settings.seconds === undefined ? {} : { seconds: settings.seconds / asked }),
    warmupRuns: Math.ceil(settings.warmupRuns / asked),
    warmupSeconds: settings.warmupSeconds / asked,
  }
  const blocks: BenchResult[][] = models.map(() => [])
  const quiet: JobContext = { ...context, progress: () => {} }
  let repeatsLeft = Math.floor(asked / 2)
  let rounds = asked
  let repeated = 0
  let throttled = 0
  for (let round = 0; round < rounds; ) {
    const order = models.map((_, index) => index)
    if (round % 2 === 1) order.reverse()
    const own = round === 0 ? { ...share, warmupRuns: settings.warmupRuns, warmupSeconds: settings.warmupSeconds } : share
    const results: BenchResult[] = []
    for (const [done, index] of order.entries()) {
      throwIfCancelled(context.signal)
      context.progress({ phase: 'measuring', done: round * models.length + done, total: rounds * models.length, unit: 'blocks' })
      results[index] = await benchOn(device, models[index] as Model, own, quiet)
    }
    const held = results.some(({ noise }) => noise.label === 'throttled')
    if (held && repeatsLeft > 0) {
      repeatsLeft--
      repeated++
      context.log(`Round ${round + 1} is measured again: clocks were held down.`)
      continue
    }
    if (held) throttled++
    for (const [index, result] of results.entries()) blocks[index]?.push(result)
    round++
    if (round === rounds && more && rounds < more.most && !more.isEnough(blocks)) rounds++
  }
  context.progress({ phase: 'measuring', done: rounds * models.length, total: rounds * models.length, unit: 'blocks' })
  const warnings: string[] = []
  if (repeated > 0)
    warnings.push(`${repeated} of ${rounds + repeated} rounds were measured again because clocks were held down by heat or supply.`)
  if (throttled > 0) warnings.push(`In ${throttled} of ${rounds} rounds clocks were held down by heat or supply.`)
  return { blocks, warnings }
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
  const worst = worstNoise(blocks)
  const known = (pick: (block: BenchResult) => number | null) => blocks.flatMap((block) => pick(block) ?? [])
  const middle = (pick: (block: BenchResult) => number) => percentileOfSorted(Float64Array.from(blocks, pick).sort(), 50)
  const mean = (pick: (block: BenchResult) => number) =>
    blocks.reduce((sum, block) => sum + pick(block) * block.samples, 0) / latenciesMs.length
  return {
    settings,
    latenciesMs,
    offsetsMs: joinedOffsets(blocks),
    latencyMs: latencyStatistics(latenciesMs),
    // Runs per second of measured time: the harmonic mean weighted by runs, so that slow blocks count for the time they took.
    throughputPerSecond: latenciesMs.length / blocks.reduce((sum, block) => sum + block.samples / block.throughputPerSecond, 0),
    loadMs: middle((block) => block.loadMs),
    firstInferenceMs: middle((block) => block.firstInferenceMs),
    warmupRuns: blocks.reduce((sum, block) => sum + block.warmupRuns, 0),
    // Only the first block is warmed up long enough to tell.
    steady: blocks.find(({ steady }) => steady !== null)?.steady ?? null,
    outlierShare: outlierShare(latenciesMs),
    noise: { label: worst ?? 'unknown', reasons: pooledReasons(blocks.map(({ noise }) => noise.reasons)) },
    preflight: first.preflight,
    load: null,
    cpuMsPerInference: mean((block) => block.cpuMsPerInference),
    peakRssBytes: Math.max(...blocks.map((block) => block.peakRssBytes)),
    idleRssBytes: middle((block) => block.idleRssBytes),
    steadyRssBytes: largest(known((block) => block.steadyRssBytes)),
    memoryGrowthBytes: largest(known((block) => block.memoryGrowthBytes)),
    samples: latenciesMs.length,
    environment: first.environment,
    telemetry: pooledTelemetry(blocks),
    energy: pooledEnergy(blocks),
    tensorRt: pooledTensorRt(blocks),
    warnings: [...overloadedWarning(blocks), ...pooledWarnings(blocks)],
  }
}

/** The loads of blocks are not pooled; that they were too high must not be lost. */
function overloadedWarning(blocks: readonly BenchResult[]): string[] {
  const overloaded = blocks.filter(({ load }) => load?.overloaded).length
  if (overloaded === 0) return []
  return [
    `In ${overloaded} of ${blocks.length} blocks more requests arrived than could be answered: latencies grew with the length of the block.`,
  ]
}

/** Offsets of blocks that ran in processes of their own, one block after the other without the time between them. */
function joinedOffsets(blocks: readonly BenchResult[]): Float64Array {
  const joined = new Float64Array(blocks.reduce((sum, block) => sum + block.offsetsMs.length, 0))
  let index = 0
  for (const [block, startMs] of blockStarts(blocks)) for (const offsetMs of block.offsetsMs) joined[index++] = startMs + offsetMs
  return joined
}

/** Where each block begins in the joined series. */
function blockStarts(blocks: readonly BenchResult[]): (readonly [BenchResult, number])[] {
  let startMs = 0
  return blocks.map((block) => {
    const start = startMs
    startMs += (block.offsetsMs.at(-1) ?? 0) + (block.latenciesMs.at(-1) ?? 0)
    return [block, start] as const
  })
}

/** Readings joined like the samples. */
function pooledTelemetry(blocks: readonly BenchResult[]): RunTelemetry | null {
  const readings = blockStarts(blocks).flatMap(([{ telemetry }, startMs]) =>
    (telemetry?.readings ?? []).map((reading) => ({ ...reading, atMs: startMs + reading.atMs })),
  )
  if (readings.length === 0) return null
  const powerSource = blocks.find(({ telemetry }) => telemetry?.powerSource)?.telemetry?.powerSource ?? null
  return { readings: thinReadings(readings, MOST_RUN_READINGS), powerSource }
}

/**
 * Of the blocks in which energy could be measured: energy weighted by runs, power by measured time. Why not, where it could be in none.
 */
function pooledEnergy(blocks: readonly BenchResult[]): Energy | null {
  const measured = blocks.flatMap(({ energy, samples, throughputPerSecond }) =>
    energy?.measurable ? [{ energy, runs: samples, time: samples / throughputPerSecond }] : [],
  )
  const [first] = measured
  if (!first) return blocks.find(({ energy }) => energy !== null)?.energy ?? null
  const mean = (weight: 'runs' | 'time', key: 'grossMj' | 'netMj' | 'meanW' | 'idleW') =>
    measured.reduce((sum, block) => sum + block.energy[key] * block[weight], 0) / measured.reduce((sum, block) => sum + block[weight], 0)
  return {
    measurable: true,
    grossMj: mean('runs', 'grossMj'),
    netMj: mean('runs', 'netMj'),
    meanW: mean('time', 'meanW'),
    idleW: mean('time', 'idleW'),
    readings: measured.reduce((sum, { energy }) => sum + energy.readings, 0),
    source: first.energy.source,
    estimated: measured.some(({ energy }) => energy.estimated),
  }
}

function largest(values: readonly number[]): number | null {
  return values.length > 0 ? Math.max(...values) : null
}
