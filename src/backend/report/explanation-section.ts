import type { Comparison, Explanation, NodeTime } from '../../contract/measurement.ts'
import { html, type Markup } from './html.ts'
import { formatMs, formatRatio } from './quantities.ts'

/** Nodes listed; the JSON at the end of the report has them all. */
const MAX_NODES = 15

/** Why builds are slower than the baseline, node by node; null when none is, or none was explained. */
export function explanationSection(comparison: Comparison): Markup | null {
  const explained = comparison.rows.flatMap((row, index) => (row.explanation ? [{ row, index, explanation: row.explanation }] : []))
  if (explained.length === 0) return null
  return html`<h3>Why slower</h3>${explained.map(
    ({ row, index, explanation }) =>
      html`<h4><span class="badge series-${index % 8}">${index + 1}</span> ${row.model}, ${formatRatio(row.speedup?.estimate)} the speed</h4>${describe(explanation)}`,
  )}`
}

function describe({ findings, advice, nodes, baselineMs, buildMs }: Explanation): Markup {
  return html`${
    findings.length === 0
      ? html`<p>No single cause stands out: ${formatMs(buildMs)} against ${formatMs(baselineMs)} in the profile.</p>`
      : html`<ol>${findings.map(({ message, lostMs }) => html`<li>${message}${lostMs !== null && html` (${formatMs(lostMs)})`}</li>`)}</ol>`
  }${advice !== null && html`<p>${advice}</p>`}${nodes.length > 0 && nodeTable(nodes)}`
}

function nodeTable(nodes: Explanation['nodes']): Markup {
  return html`<details><summary>Time by node</summary><table class="skipped"><thead><tr><th>node</th><th>baseline</th><th>build</th><th>lost</th><th>kernels</th></tr></thead>${nodes
    .slice(0, MAX_NODES)
    .map(
      ({ node, baseline, build, lostMs }) =>
        html`<tr><td>${node}</td><td>${formatMs(baseline?.ms)}</td><td>${formatMs(build?.ms)}</td><td>${formatMs(lostMs)}</td><td>${kernels(baseline)} → ${kernels(build)}</td></tr>`,
    )}</table>${nodes.length > MAX_NODES && html`<p>… and ${nodes.length - MAX_NODES} more, listed in the data at the end of this file.</p>`}</details>`
}

function kernels(time: NodeTime | null): string {
  return time === null ? 'none' : time.kernels.join(', ')
}
