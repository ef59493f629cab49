import type { Comparison, ComparisonRow } from '../../../contract/measurement.ts'
import type { SampleSummary } from '../../../contract/report.ts'
import { type Block, badge, facts, figure, heading, list, table, text } from '../blocks/report-block.ts'
import { distributionChart } from '../charts/distribution-chart.ts'
import { lineChart } from '../charts/line-chart.ts'
import { scatterChart } from '../charts/scatter-chart.ts'
import { speedupChart } from '../charts/speedup-chart.ts'
import { formatCount, formatCounted, formatInterval, formatMs, formatRatio } from '../quantities.ts'
import { baselineRow, comparedRows, headline, rowSentences } from '../verdicts.ts'
import { slowerBlocks } from './explanation-section.ts'
import type { ReportNames } from './report-names.ts'
import { resultTable } from './result-table.ts'
import { lengthText, scenarioText, warningsOf } from './setting-facts.ts'

/** Blocks of a comparison listed one by one where there are no drawings. */
const MAX_LISTED_BLOCKS = 40

/** One comparison: verdicts in words, every number, its charts, why builds are slower, and how it ran. */
export function comparisonBlocks(comparison: Comparison, names: ReportNames): Block[] {
  const baseline = baselineRow(comparison)
  const scatter = scatterChart(comparison)
  const compared = comparedRows(comparison)
  return [
    heading(2, `Comparison with ${comparison.baseline} on ${comparison.device}`),
    text(headline(comparison), 'headline'),
    ...compared.flatMap((row): Block[] => [
      heading(4, [badge(comparison.rows.indexOf(row)), ` ${row.model}`]),
      list(rowSentences(row, baseline)),
    ]),
    heading(3, 'All numbers'),
    resultTable(comparison),
    ...(scatter ? [figure(scatter, null, { title: 'Accuracy and latency' })] : []),
    ...(compared.some(({ speedup }) => speedup !== null) ? [figure(speedupChart(comparison), null, { title: 'Speed-up' })] : []),
    ...noiseFloor(comparison),
    figure(distributionChart(comparison.rows), null, { title: 'Latency distributions' }),
    ...overTime(comparison, names.samples),
    ...slowerBlocks(comparison),
    heading(3, 'How it ran'),
    facts(settingFacts(comparison)),
    heading(3, 'Warnings'),
    ...warnings(comparison),
  ]
}

function noiseFloor({ noiseFloor: floor, baseline }: Comparison): Block[] {
  if (!floor) return []
  const interval = `${formatRatio(floor.estimate)} (95 % interval ${formatInterval(floor.ci95, formatRatio)})`
  return [text(`Noise floor: ${baseline} measured against itself in the same blocks gave ${interval}, ${floor.verdict}.`)]
}

/** Medians of the interleaved blocks show whether all models met the same machine. */
function overTime({ rows }: Comparison, samples: ReadonlyMap<string, SampleSummary>): Block[] {
  const measured = rows.flatMap((row, index) => (row.blockMediansMs.length > 1 ? [{ row, index }] : []))
  if (measured.length > 0) {
    const drawing = lineChart(
      measured.map(({ row, index }) => ({
        name: `${index + 1} ${row.model}`,
        series: index,
        points: row.blockMediansMs.map((y, x) => ({ x, y })),
      })),
      {
        label: 'Median latency of each block, in the order they ran',
        xTitle: 'block',
        xNames: Array.from({ length: Math.max(...measured.map(({ row }) => row.blockMediansMs.length)) }, (_, block) =>
          formatCount(block + 1),
        ),
        yTitle: 'median latency, ms',
        marks: true,
      },
    )
    return [figure(drawing, blockTable(measured), { title: 'Latency over time', caption: 'Median of each interleaved block.' })]
  }
  const lines = rows.flatMap((row, index) => {
    const summary = samples.get(row.benchmarkId)
    return summary && summary.mediansMs.length > 1 ? [{ row, index, summary }] : []
  })
  if (lines.length === 0) return []
  const drawing = lineChart(
    lines.map(({ row, index, summary }) => ({
      name: `${index + 1} ${row.model}`,
      series: index,
      points: summary.mediansMs.map((y, piece) => ({ x: (summary.offsetsMs[piece] ?? 0) / 1000, y })),
    })),
    { label: 'Latency over the time measured', xTitle: 'time measured, s', yTitle: 'median latency, ms' },
  )
  return [figure(drawing, null, { title: 'Latency over time', caption: 'Medians of consecutive samples.' })]
}

function blockTable(measured: readonly { readonly row: ComparisonRow; readonly index: number }[]): Block {
  const blocks = Math.min(MAX_LISTED_BLOCKS, Math.max(...measured.map(({ row }) => row.blockMediansMs.length)))
  return table(
    ['block', ...measured.map(({ row }) => `>${row.model}`)],
    Array.from({ length: blocks }, (_, block) => [
      formatCount(block + 1),
      ...measured.map(({ row }) => formatMs(row.blockMediansMs[block])),
    ]),
  )
}

/** Blocks have a least length, so that more may have been run than was asked for. */
function ranText(settings: Comparison['settings'], rows: Comparison['rows']): string {
  const most = Math.max(0, ...rows.map(({ samples }) => samples))
  return settings.seconds === undefined && most > settings.runs ? formatCounted(most, 'run') : lengthText(settings)
}

function settingFacts({ settings, dataset, rows, createdAt }: Comparison): (readonly [string, string])[] {
  const blocks = Math.max(0, ...rows.map(({ speedup }) => speedup?.blocks ?? 0))
  return [
    [
      'measured',
      `${ranText(settings, rows)} per model in ${formatCounted(blocks, 'block')}, batch ${formatCount(settings.batch)}, ${formatCounted(settings.threads, 'thread')} inside an operator`,
    ],
    ['scenario', scenarioText(settings)],
    [
      'warm-up',
      `at least ${formatCounted(settings.warmupRuns, 'run')} and ${settings.warmupSeconds} s before the first block of each model`,
    ],
    ['dataset', dataset ?? 'none: accuracy was not measured'],
    ['when', createdAt],
  ]
}

function warnings({ rows }: Comparison): Block[] {
  const found = rows.flatMap((row, index) => warningsOf(row).map((warning) => `${index + 1} ${row.model}: ${warning}`))
  if (found.length > 0) return [list(found, { tone: 'warning' })]
  const known = rows.every(({ noise }) => noise.label === 'quiet')
  return [
    text(
      known
        ? 'None: the machine was quiet and its clocks were steady as far as it tells.'
        : 'None; how quiet the machine was could not be told for every model.',
    ),
  ]
}
