import type { Comparison, ComparisonRow } from '../../../contract/measurement.ts'
import { differenceVerdict } from '../../../core/comparison/difference-verdict.ts'
import { type Block, badge, chip, type Inline, type TableRow } from '../blocks/report-block.ts'
import { differenceText } from '../metric-text.ts'
import {
  formatBytes,
  formatCount,
  formatInterval,
  formatMs,
  formatPercent,
  formatPoints,
  formatPValue,
  formatRatio,
  formatSignificant,
  NOTHING,
} from '../quantities.ts'
import { accuracyVerdict } from '../verdicts.ts'
import { metricLines } from './metric-lines.ts'
import { noiseChip } from './setting-facts.ts'

/** One line of the table: a label, and what each model shows there. */
interface Line {
  readonly label: string
  readonly cell: (row: ComparisonRow) => Inline
}

const percentiles = ['p50', 'p90', 'p95', 'p99', 'p999'] as const
const percentileNames = { p50: 'p50', p90: 'p90', p95: 'p95', p99: 'p99', p999: 'p99.9' } as const

const verdictLines: readonly Line[] = [
  { label: 'speed-up', cell: (row) => (row.speedup ? formatRatio(row.speedup.estimate) : 'baseline') },
  { label: '95 % interval', cell: (row) => formatInterval(row.speedup?.ci95, formatRatio) },
  { label: 'speed', cell: (row) => (row.speedup ? verdictChip(row.speedup.verdict) : NOTHING) },
]

/** A percentile with its interval; one that no row has enough samples for shows dashes, but not the rarest. */
function percentileLines(rows: readonly ComparisonRow[]): Line[] {
  return percentiles
    .filter((name) => name !== 'p999' || rows.some(({ latencyMs }) => latencyMs.p999 !== null))
    .flatMap((name): Line[] => [
      { label: percentileNames[name], cell: (row) => formatMs(row.latencyMs[name]) },
      {
        label: `${percentileNames[name]}, 95 % interval`,
        cell: (row) => formatInterval(row.latencyMs[name] === null ? null : row.latencyMs.ci[name], formatMs),
      },
    ])
}

const latencyLines: readonly Line[] = [
  { label: 'mean', cell: (row) => formatMs(row.latencyMs.mean) },
  { label: 'standard deviation', cell: (row) => formatMs(row.latencyMs.std) },
  { label: 'fastest', cell: (row) => formatMs(row.latencyMs.min) },
  { label: 'slowest', cell: (row) => formatMs(row.latencyMs.max) },
  { label: 'samples', cell: (row) => formatCount(row.samples) },
  { label: 'machine', cell: (row) => noiseChip(row.noise) },
]

const costLines: readonly Line[] = [
  { label: 'file', cell: (row) => formatBytes(row.sizeBytes) },
  { label: 'throughput', cell: (row) => `${formatSignificant(row.throughputPerSecond)} /s` },
  { label: 'load', cell: (row) => formatMs(row.loadMs) },
  { label: 'first inference', cell: (row) => formatMs(row.firstInferenceMs) },
  { label: 'processor time per inference', cell: (row) => formatMs(row.cpuMsPerInference) },
  { label: 'peak memory of the process', cell: (row) => formatBytes(row.peakRssBytes) },
  { label: 'memory after the last run', cell: (row) => formatBytes(row.steadyRssBytes) },
]

/** Every number of a comparison with its interval: a column for each model, the baseline first as it was measured. */
export function resultTable({ rows, baselineId }: Comparison): Block {
  const groups = [
    { title: 'Verdict', lines: [...verdictLines, ...qualityVerdictLines(rows)] },
    { title: 'Accuracy', lines: accuracyLines(rows) },
    { title: 'Latency', lines: [...percentileLines(rows), ...latencyLines] },
    { title: 'Cost', lines: costLines },
  ]
  return {
    kind: 'table',
    look: 'results',
    columns: [
      { title: '' },
      ...(rows.map((row, index) => ({
        title: [badge(index), ` ${row.model}`, { kind: 'line-break' }, row.modelId === baselineId ? 'baseline' : (row.recipe ?? row.kind)],
        align: 'right',
      })) as { title: Inline; align: 'right' }[]),
    ],
    rows: groups
      .filter(({ lines }) => lines.length > 0)
      .flatMap(({ title, lines }): TableRow[] => [{ group: title }, ...lines.map(({ label, cell }) => [label, ...rows.map(cell)])]),
  }
}

function qualityVerdictLines(rows: readonly ComparisonRow[]): Line[] {
  if (rows.some(({ accuracyDifference }) => accuracyDifference !== null))
    return [{ label: 'accuracy', cell: (row) => verdictChip(accuracyVerdict(row)) }]
  return rows.some(({ metricDifference }) => differenceVerdict(metricDifference) !== null)
    ? [{ label: 'answers', cell: (row) => verdictChip(differenceVerdict(row.metricDifference)) }]
    : []
}

/** The metrics of the task, and how they compare with the baseline's on the same samples. */
function accuracyLines(rows: readonly ComparisonRow[]): Line[] {
  const metrics = metricLines(rows.flatMap((row) => row.metrics ?? [])).map(
    ({ label, cell }): Line => ({ label, cell: (row) => (row.metrics ? cell(row.metrics) : NOTHING) }),
  )
  const compared = rows.some(({ accuracyDifference }) => accuracyDifference !== null)
  const tested = rows.some(({ metricDifference }) => metricDifference !== null)
  return [
    ...metrics,
    ...(compared
      ? [
          { label: 'difference', cell: (row: ComparisonRow) => formatPoints(row.accuracyDifference?.difference) },
          { label: 'McNemar test', cell: (row: ComparisonRow) => formatPValue(row.accuracyDifference?.pValue) },
          {
            label: 'right only here / only in baseline',
            cell: ({ accuracyDifference: d }: ComparisonRow) =>
              d ? `${formatCount(d.onlyBuild)} / ${formatCount(d.onlyBaseline)}` : NOTHING,
          },
          { label: 'same answer as baseline', cell: (row: ComparisonRow) => formatPercent(row.accuracyDifference?.agreement) },
        ]
      : tested
        ? [
            { label: 'difference', cell: (row: ComparisonRow) => differenceText(row.metricDifference) },
            {
              label: '95 % interval of the difference',
              cell: ({ metricDifference: d }: ComparisonRow) => formatInterval(d?.ci95, formatSignificant),
            },
          ]
        : []),
  ]
}

function verdictChip(verdict: string | null): Inline {
  if (verdict === null) return NOTHING
  const good = verdict === 'faster' || verdict === 'higher' || verdict === 'better'
  const bad = verdict === 'slower' || verdict === 'lower' || verdict === 'worse'
  return chip(verdict, good ? 'good' : bad ? 'bad' : 'neutral')
}
