import type { Benchmark } from '../../../contract/measurement.ts'
import type { SampleSummary } from '../../../contract/report.ts'
import { type Block, chip, cutTable, facts, figure, folded, heading, list, table, text } from '../blocks/report-block.ts'
import { distributionChart } from '../charts/distribution-chart.ts'
import { lineChart } from '../charts/line-chart.ts'
import { energyFacts } from '../energy-text.ts'
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatInterval,
  formatMs,
  formatPercent,
  formatSignificant,
  NOTHING,
} from '../quantities.ts'
import { grouped } from './grouped.ts'
import type { ReportNames } from './report-names.ts'
import { lengthText, noiseChip, scenarioText, warningsOf } from './setting-facts.ts'
import { sweepBlocks } from './sweep-section.ts'
import { tensorRtFacts } from './tensorrt-facts.ts'

/** Runs in the table of all, and those that are shown by themselves. */
const MAX_LISTED = 500
const MAX_SHOWN = 60

/** Quantiles listed where there is no drawing. */
const LISTED_PERCENTS = [0, 1, 5, 25, 50, 75, 90, 95, 99, 99.5, 100]

/** Single benchmarks and sweeps: a table of all, the sweeps as charts, then each run by itself. */
export function benchmarkBlocks(benchmarks: readonly Benchmark[], names: ReportNames): Block[] {
  if (benchmarks.length === 0) return []
  const sweeps = grouped(
    benchmarks.filter(({ sweepId }) => sweepId !== null),
    ({ sweepId }) => sweepId ?? '',
  )
  const alone = benchmarks.filter(({ sweepId }) => sweepId === null)
  return [
    heading(2, 'Benchmarks'),
    ...scenarioTable(benchmarks, names),
    ...sweeps.slice(0, MAX_SHOWN).flatMap((runs) => sweepBlocks(runs, names)),
    ...alone.slice(0, MAX_SHOWN).flatMap((benchmark) => runBlocks(benchmark, names)),
  ]
}

function scenarioTable(benchmarks: readonly Benchmark[], names: ReportNames): Block[] {
  const devices = new Set(benchmarks.map(({ deviceId }) => deviceId))
  return cutTable(
    [
      'model',
      ...(devices.size > 1 ? ['device'] : []),
      'scenario',
      '>threads',
      '>p50',
      '>95 % interval',
      '>p95',
      '>p99',
      '>per second',
      '>peak memory',
      'machine',
    ],
    benchmarks.map((benchmark) => {
      const { modelId, deviceId, settings, latencyMs, throughputPerSecond, peakRssBytes, noise } = benchmark
      return [
        names.model(modelId),
        ...(devices.size > 1 ? [names.device(deviceId)] : []),
        scenarioText(settings),
        formatCount(settings.threads),
        formatMs(latencyMs.p50),
        formatInterval(latencyMs.ci.p50, formatMs),
        formatMs(latencyMs.p95),
        formatMs(latencyMs.p99),
        formatSignificant(throughputPerSecond),
        formatBytes(peakRssBytes),
        noiseChip(noise),
      ]
    }),
    MAX_LISTED,
  )
}

function runBlocks(benchmark: Benchmark, names: ReportNames): Block[] {
  const { modelId, deviceId, settings, latencyMs, samples } = benchmark
  const warnings = warningsOf(benchmark)
  const summary = names.samples.get(benchmark.id)
  const model = names.model(modelId)
  return [
    heading(3, `${model} on ${names.device(deviceId)}: ${scenarioText(settings)}`),
    facts([...runFacts(benchmark), ...(benchmark.load ? loadFacts(benchmark.load) : [])]),
    ...(warnings.length > 0 ? [list(warnings, { tone: 'warning' })] : []),
    ...(summary
      ? [
          figure(distributionChart([{ model, latencyMs, samples, histogram: summary.histogram }]), quantileTable(summary)),
          ...overTime(summary, model),
        ]
      : []),
    ...preflightBlocks(benchmark),
  ]
}

function runFacts(benchmark: Benchmark): (readonly [string, string])[] {
  const { settings, latencyMs, samples, warmupRuns, steady, outlierShare, memoryGrowthBytes, createdAt } = benchmark
  const percentile = (name: 'p50' | 'p90' | 'p95' | 'p99' | 'p999', label: string): (readonly [string, string])[] =>
    latencyMs[name] === null
      ? [[label, `not enough samples (${formatCount(samples)})`]]
      : [
          [
            label,
            `${formatMs(latencyMs[name])}${latencyMs.ci[name] ? `, 95 % interval ${formatInterval(latencyMs.ci[name], formatMs)}` : ''}`,
          ],
        ]
  return [
    ...percentile('p50', 'p50'),
    ...percentile('p90', 'p90'),
    ...percentile('p95', 'p95'),
    ...percentile('p99', 'p99'),
    ...percentile('p999', 'p99.9'),
    [
      'mean, standard deviation, fastest, slowest',
      [latencyMs.mean, latencyMs.std, latencyMs.min, latencyMs.max].map((value) => formatMs(value)).join(', '),
    ],
    ['throughput', `${formatSignificant(benchmark.throughputPerSecond)} samples a second`],
    [
      'measured',
      `${lengthText(settings)} asked for, ${formatCounted(samples, 'sample')} taken, ${formatCounted(settings.threads, 'thread')} inside an operator`,
    ],
    ['warm-up', `${formatCounted(warmupRuns, 'run')}; ${steadyText(steady)}`],
    ['load, first inference', `${formatMs(benchmark.loadMs)}, ${formatMs(benchmark.firstInferenceMs)}`],
    ['processor time per inference', formatMs(benchmark.cpuMsPerInference)],
    [
      'memory',
      `${formatBytes(benchmark.idleRssBytes)} before loading, ${formatBytes(benchmark.peakRssBytes)} at most, ${formatBytes(benchmark.steadyRssBytes)} after the last run${memoryGrowthBytes === null ? '' : ` (${formatBytes(memoryGrowthBytes)} more than after warm-up)`}`,
    ],
    ...energyFacts(benchmark.energy),
    ...tensorRtFacts(benchmark.tensorRt),
    ['outliers (kept)', outlierShare === null ? NOTHING : `${formatPercent(outlierShare)} of the samples`],
    ['when', createdAt],
  ]
}

function steadyText(steady: boolean | null): string {
  if (steady === null) return 'too short to tell whether the clocks had settled'
  return steady ? 'three half-second medians in a row agreed within 3 %' : 'the medians had not settled when measuring began'
}

function loadFacts(load: NonNullable<Benchmark['load']>): (readonly [string, string])[] {
  const { offeredPerSecond, answeredPerSecond, serviceMs, longestQueue, overloaded, errors } = load
  return [
    [
      'requests',
      `${offeredPerSecond === null ? 'as fast as answered' : `${formatSignificant(offeredPerSecond)} a second offered`}, ${formatSignificant(answeredPerSecond)} a second answered`,
    ],
    ['in the model alone', `p50 ${formatMs(serviceMs.p50)}, p99 ${formatMs(serviceMs.p99)}`],
    ['longest queue', formatCount(longestQueue)],
    ['not answered with 200', formatCount(errors)],
    ...(overloaded
      ? [['overloaded', 'yes: more arrived than could be answered, and latency grew with the length of the run'] as const]
      : []),
  ]
}

function overTime(summary: SampleSummary, model: string): Block[] {
  if (summary.mediansMs.length < 2) return []
  const drawing = lineChart(
    [{ name: model, series: 0, points: summary.mediansMs.map((y, piece) => ({ x: (summary.offsetsMs[piece] ?? 0) / 1000, y })) }],
    { label: `Latency of ${model} over time`, xTitle: 'time since the first sample, s', yTitle: 'median latency, ms' },
  )
  return [figure(drawing, null, { caption: `Medians of ${formatCounted(summary.mediansMs.length, 'group')} of consecutive samples.` })]
}

function quantileTable({ quantilesMs }: SampleSummary): Block | null {
  if (quantilesMs.length < 2) return null
  const at = (percent: number) => quantilesMs[Math.round((percent / 100) * (quantilesMs.length - 1))]
  return table(
    ['percentile', '>latency'],
    LISTED_PERCENTS.map((percent) => [`${percent} %`, formatMs(at(percent))]),
  )
}

function preflightBlocks({ preflight, noise }: Benchmark): Block[] {
  if (preflight.length === 0) return [text(['Machine: ', noiseChip(noise), '. What it was like before measuring was not recorded.'])]
  const rows = preflight.map(({ name, found, wanted, ok }) => [
    name,
    found,
    wanted,
    chip(ok ? 'as wanted' : 'not as wanted', ok ? 'good' : 'bad'),
  ])
  return [
    text(['Machine: ', noiseChip(noise)]),
    folded('What the machine was like before measuring', [table(['condition', 'found', 'wanted', ''], rows)]),
  ]
}
