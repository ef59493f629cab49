import type { Comparison, ComparisonRow } from '../../contract/measurement.ts'
import { html, type Markup } from './html.ts'
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
} from './quantities.ts'
import { accuracyVerdict } from './verdicts.ts'

/** One line of the table: a label, and what each model shows there. */
interface Line {
  readonly label: string
  readonly cell: (row: ComparisonRow, comparison: Comparison) => string | Markup
}

const percentiles = ['p50', 'p90', 'p95', 'p99'] as const

const groups: readonly { readonly title: string; readonly lines: readonly Line[] }[] = [
  {
    title: 'Verdict',
    lines: [
      { label: 'speed-up', cell: (row) => (row.speedup ? formatRatio(row.speedup.estimate) : 'baseline') },
      { label: '95 % interval', cell: (row) => formatInterval(row.speedup?.ci95, formatRatio) },
      { label: 'speed', cell: (row) => (row.speedup ? chip(row.speedup.verdict) : NOTHING) },
      { label: 'accuracy', cell: (row) => chip(accuracyVerdict(row)) },
    ],
  },
  {
    title: 'Accuracy',
    lines: [
      { label: 'top-1', cell: (row) => formatPercent(row.metrics?.accuracy) },
      { label: '95 % interval', cell: (row) => formatInterval(row.metrics?.accuracyCi95, formatPercent) },
      { label: 'difference', cell: (row) => formatPoints(row.accuracyDifference?.difference) },
      { label: 'McNemar test', cell: (row) => formatPValue(row.accuracyDifference?.pValue) },
      {
        label: 'right only here / only in baseline',
        cell: ({ accuracyDifference: d }) => (d ? `${formatCount(d.onlyBuild)} / ${formatCount(d.onlyBaseline)}` : NOTHING),
      },
      { label: 'same answer as baseline', cell: (row) => formatPercent(row.accuracyDifference?.agreement) },
      { label: 'top-5', cell: (row) => formatPercent(row.metrics?.top5) },
      { label: 'F1, macro', cell: (row) => formatSignificant(row.metrics?.f1Macro) },
    ],
  },
  {
    title: 'Latency',
    lines: [
      ...percentiles.flatMap((name): Line[] => [
        { label: name, cell: (row) => formatMs(row.latencyMs[name]) },
        {
          label: `${name}, 95 % interval`,
          cell: (row) => formatInterval(row.latencyMs[name] === null ? null : row.latencyMs.ci[name], formatMs),
        },
      ]),
      { label: 'mean', cell: (row) => formatMs(row.latencyMs.mean) },
      { label: 'standard deviation', cell: (row) => formatMs(row.latencyMs.std) },
      { label: 'fastest', cell: (row) => formatMs(row.latencyMs.min) },
      { label: 'slowest', cell: (row) => formatMs(row.latencyMs.max) },
      { label: 'samples', cell: (row) => formatCount(row.samples) },
    ],
  },
  {
    title: 'Cost',
    lines: [
      { label: 'file', cell: (row) => formatBytes(row.sizeBytes) },
      { label: 'throughput', cell: (row) => `${formatSignificant(row.throughputPerSecond)} /s` },
      { label: 'load', cell: (row) => formatMs(row.loadMs) },
      { label: 'first inference', cell: (row) => formatMs(row.firstInferenceMs) },
      { label: 'processor time per inference', cell: (row) => formatMs(row.cpuMsPerInference) },
      { label: 'peak memory of the process', cell: (row) => formatBytes(row.peakRssBytes) },
    ],
  },
]

/** Every number of a comparison with its interval: a column for each model, the baseline first as it was measured. */
export function resultTable(comparison: Comparison): Markup {
  const { rows } = comparison
  const measured = rows.some(({ metrics }) => metrics !== null)
  return html`<div class="wide"><table class="results"><thead><tr><th></th>${rows.map(
    (row, index) =>
      html`<th><span class="badge series-${index % 8}">${index + 1}</span> ${row.model}<br><small>${row.modelId === comparison.baselineId ? 'baseline' : (row.recipe ?? row.kind)}</small></th>`,
  )}</tr></thead>${groups
    .filter(({ title }) => measured || title !== 'Accuracy')
    .map(
      ({ title, lines }) =>
        html`<tbody><tr class="group"><th colspan="${rows.length + 1}">${title}</th></tr>${lines
          .filter(({ label }) => measured || label !== 'accuracy')
          .map(
            ({ label, cell }) => html`<tr><th>${label}</th>${rows.map((row) => html`<td>${cell(row, comparison)}</td>`)}</tr>`,
          )}</tbody>`,
    )}</table></div>`
}

function chip(verdict: string | null): Markup | string {
  if (verdict === null) return NOTHING
  const kind = verdict === 'faster' || verdict === 'higher' ? 'good' : verdict === 'slower' || verdict === 'lower' ? 'bad' : 'neutral'
  return html`<span class="chip ${kind}">${verdict}</span>`
}
