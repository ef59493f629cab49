import type { Benchmark } from '../../../contract/measurement.ts'
import { type Block, figure, heading, table } from '../blocks/report-block.ts'
import { type Line, lineChart } from '../charts/line-chart.ts'
import { formatCount, formatCounted, formatMs, formatSignificant, NOTHING } from '../quantities.ts'
import type { ReportNames } from './report-names.ts'

/**
 * A sweep as two charts, latency and throughput, over what was varied most: batch sizes with a line for each thread count, or the
 * other way round.
 */
export function sweepBlocks(runs: readonly Benchmark[], names: ReportNames): Block[] {
  const [first] = runs
  if (!first) return []
  const batches = distinct(runs.map(({ settings }) => settings.batch))
  const threads = distinct(runs.map(({ settings }) => settings.threads))
  const overBatches = batches.length >= threads.length
  const along = overBatches ? batches : threads
  const across = overBatches ? threads : batches
  const [alongName, acrossName] = overBatches ? [batchName, threadName] : [threadName, batchName]
  const acrossNames = across.map(acrossName)
  const lines = (value: (run: Benchmark) => Pick<Line['points'][number], 'y' | 'ci95'>): Line[] =>
    across.map((fixed, series) => ({
      name: acrossNames[series] ?? '',
      series: series + 1,
      points: runs
        .filter(({ settings }) => (overBatches ? settings.threads : settings.batch) === fixed)
        .map((run) => ({ x: along.indexOf(overBatches ? run.settings.batch : run.settings.threads), ...value(run) }))
        .sort((a, b) => a.x - b.x),
    }))
  const numbers = (cell: (run: Benchmark) => string): Block =>
    table(
      ['', ...acrossNames.map((name) => `>${name}`)],
      along.map((value) => [
        alongName(value),
        ...across.map((fixed) => {
          const [batch, thread] = overBatches ? [value, fixed] : [fixed, value]
          const run = runs.find(({ settings }) => settings.batch === batch && settings.threads === thread)
          return run ? cell(run) : NOTHING
        }),
      ]),
    )
  const xTitle = overBatches ? 'samples in one inference (batch)' : 'threads inside an operator'
  const shared = { xTitle, xNames: along.map((value) => formatCount(value)), marks: true, fromZero: true }
  return [
    heading(3, `Sweep of ${names.model(first.modelId)} on ${names.device(first.deviceId)}`),
    figure(
      lineChart(
        lines(({ latencyMs }) => ({ y: latencyMs.p50, ci95: latencyMs.ci.p50 })),
        { ...shared, label: `Median latency over ${xTitle}`, yTitle: 'median latency, ms' },
      ),
      numbers(({ latencyMs }) => formatMs(latencyMs.p50)),
      { caption: 'Median latency of one inference, with 95 % intervals.' },
    ),
    figure(
      lineChart(
        lines(({ throughputPerSecond }) => ({ y: throughputPerSecond })),
        { ...shared, label: `Throughput over ${xTitle}`, yTitle: 'samples a second' },
      ),
      numbers(({ throughputPerSecond }) => `${formatSignificant(throughputPerSecond)} /s`),
      { caption: 'Samples a second.' },
    ),
  ]
}

function batchName(batch: number): string {
  return `batch of ${formatCount(batch)}`
}

function threadName(threads: number): string {
  return formatCounted(threads, 'thread')
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b)
}
