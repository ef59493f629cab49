import type { Benchmark, RunComparison } from '../../contract/measurement.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { isSameMachine, stateDifferences } from '../../core/comparison/machine-differences.ts'
import { sharedHistogram } from '../../core/statistics/histogram.ts'
import { percentileOfSorted, sortedAscending } from '../../core/statistics/percentiles.ts'
import { BOOTSTRAP_SEED, PIECES, speedupOfSeparateRuns } from '../../core/statistics/speedup.ts'
import type { HandlersOf } from '../handlers.ts'
import type { Services } from '../services.ts'

/** Stored benchmarks beside each other, whenever they were measured. */
export function runHandlers(services: Services): HandlersOf<'runs'> {
  return { 'runs.compare': (input) => compareRuns(services, input) }
}

function compareRuns({ measurements, models, devices }: Services, { ids, bins }: ProcedureArguments<'runs.compare'>): RunComparison {
  const benchmarks = [...new Set(ids)].map((id) => measurements.benchmark(id))
  const latencies = benchmarks.map(({ id }) => measurements.latencies(id))
  const histogram = sharedHistogram(latencies, bins)
  const modelNames = new Map(models.list().map(({ id, name }) => [id, name]))
  const deviceNames = new Map(devices.list().map(({ id, name }) => [id, name]))
  const [first] = benchmarks as [Benchmark]
  const others = benchmarks.slice(1)
  const isSame = others.map((other) => isSameMachine(first.environment, other.environment))
  return {
    runs: benchmarks.map((benchmark, index) => {
      const sorted = sortedAscending(latencies[index] as Float32Array)
      return {
        benchmark,
        model: modelNames.get(benchmark.modelId) ?? 'removed model',
        device: deviceNames.get(benchmark.deviceId) ?? 'removed device',
        histogram: { edgesMs: histogram.edges, counts: histogram.counts[index] as number[] },
        quantilesMs: Array.from({ length: 101 }, (_, percent) => percentileOfSorted(sorted, percent)),
      }
    }),
    ratios: others.map((_, index) => {
      const [baseline, run] = [latencies[0] as Float32Array, latencies[index + 1] as Float32Array]
      // A ratio across machines is one of machines, not of models.
      if (!isSame[index] || Math.min(baseline.length, run.length) < 2 * PIECES) return null
      return speedupOfSeparateRuns(baseline, run, BOOTSTRAP_SEED)
    }),
    sameMachine: isSame.every(Boolean),
    caveats: [...new Set(others.flatMap((other) => caveatsOf(first, other)))],
  }
}

/** What limits a conclusion from two runs, a sentence each. */
function caveatsOf(first: Benchmark, other: Benchmark): string[] {
  const sentences: string[] = []
  if (!isSameMachine(first.environment, other.environment)) {
    sentences.push(
      `These runs are of different machines (${machineText(first)} and ${machineText(other)}): no ratio is given across machines.`,
    )
  } else {
    const [one, two] = [first, other].map(({ comparisonId, sweepId }) => comparisonId ?? sweepId)
    if (one === null || one !== two) {
      sentences.push(
        'These runs were made at different times: what changed on the machine in between is part of the ratio. A comparison measures in turns.',
      )
    }
    const changed = stateDifferences(first.environment, other.environment)
    if (changed.length > 0) sentences.push(`The machine was not in the same state: ${changed.join('; ')}.`)
  }
  const settings = settingDifferences(first, other)
  if (settings.length > 0) sentences.push(`The runs were made with different settings: ${settings.join('; ')}.`)
  for (const run of [first, other]) {
    if (run.noise.label === 'noisy' || run.noise.label === 'throttled') {
      sentences.push(`The machine was ${run.noise.label} during the run of ${run.createdAt.slice(0, 16).replace('T', ' ')} UTC.`)
    }
    if (run.samples < 2 * PIECES) sentences.push(`A run has only ${run.samples} samples: too few for a ratio.`)
  }
  return sentences
}

function machineText({ environment: { hostname, cpu } }: Benchmark): string {
  return `${hostname}, ${cpu}`
}

function settingDifferences({ settings: a }: Benchmark, { settings: b }: Benchmark): string[] {
  const keys = ['runtime', 'scenario', 'batch', 'threads', 'rate', 'connections', 'streams'] as const
  const differing = keys.flatMap((key) => (a[key] === b[key] ? [] : [`${key} ${a[key] ?? 'none'} and ${b[key] ?? 'none'}`]))
  // Half precision is a setting of TensorRT alone.
  const precision = a.runtime === 'tensorrt' && b.runtime === 'tensorrt' && a.fp16 !== b.fp16
  return precision
    ? [...differing, `half precision ${a.fp16 ? 'allowed' : 'not allowed'} and ${b.fp16 ? 'allowed' : 'not allowed'}`]
    : differing
}
