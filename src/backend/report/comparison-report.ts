import { createHash } from 'node:crypto'
import type { Comparison } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { buildSection } from './build-section.ts'
import { distributionChart } from './distribution-chart.ts'
import { environmentSection } from './environment-section.ts'
import { explanationSection } from './explanation-section.ts'
import { embeddedJson, html, Markup } from './html.ts'
import { methodSection } from './method-section.ts'
import { reportStyle } from './report-style.ts'
import { resultTable } from './result-table.ts'
import { scatterChart } from './scatter-chart.ts'
import { speedupChart } from './speedup-chart.ts'
import { baselineRow, comparedRows, headline, rowSentences } from './verdicts.ts'

/** What a report says besides the comparisons themselves. */
export interface ReportContext {
  /** The compared models and builds with their ancestors; one that is missing is reported as gone. */
  readonly models: readonly Model[]
  readonly edgesmithVersion: string
  /** When the report was written, ISO 8601. */
  readonly writtenAt: string
}

/** Version of the JSON at the end of a report. */
const DATA_VERSION = 1

/**
 * Comparisons as one HTML file that needs nothing else: style, charts (SVG) and the summary of the raw samples (JSON in
 * `<script type="application/json" id="edgesmith-report">`) are inside, no script runs, and its Content-Security-Policy lets it
 * load nothing. The same input gives the same text.
 *
 * @param comparisons at least one
 */
export function renderComparisonReport(comparisons: readonly Comparison[], context: ReportContext): string {
  const [first] = comparisons
  if (!first) throw new RangeError('a report needs at least one comparison')
  const title =
    comparisons.length === 1
      ? `${comparedRows(first)
          .map(({ model }) => model)
          .join(', ')} against ${first.baseline} on ${first.device}`
      : `${comparisons.length} comparisons`
  // Taken over the exact text of the style element: not even a style that came in with a name could apply.
  const styleHash = createHash('sha256').update(reportStyle).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Edgesmith ${context.edgesmithVersion}">
<title>${title}</title>
<style>${new Markup(reportStyle)}</style>
</head>
<body>
<header><h1>${title}</h1><p class="meta">Written by Edgesmith ${context.edgesmithVersion} at ${context.writtenAt}</p></header>
<main>
${comparisons.map((comparison) => comparisonSection(comparison, context, comparisons.length > 1))}
${methodSection()}
</main>
<script type="application/json" id="edgesmith-report">${embeddedJson(reportData(comparisons, context))}</script>
</body>
</html>
`.text
}

function comparisonSection(comparison: Comparison, { models }: ReportContext, several: boolean): Markup {
  const baseline = baselineRow(comparison)
  const scatter = scatterChart(comparison)
  return html`<section>${several && html`<h2>${comparison.baseline} on ${comparison.device}</h2>`}
<p class="headline">${headline(comparison)}</p>
${comparedRows(comparison).map((row) => html`<h4>${row.model}</h4><ul>${rowSentences(row, baseline).map((sentence) => html`<li>${sentence}</li>`)}</ul>`)}
<h3>All numbers</h3>${resultTable(comparison)}
${scatter && html`<h3>Accuracy and latency</h3>${scatter}`}
<h3>Speed-up</h3>${speedupChart(comparison)}
<h3>Latency distributions</h3>${distributionChart(comparison)}
${explanationSection(comparison)}
${buildSection(comparison, models)}
${environmentSection(comparison)}</section>`
}

/** Everything above for programs: the comparisons as the workspace has them, and how their builds were made. */
function reportData(comparisons: readonly Comparison[], { models, edgesmithVersion, writtenAt }: ReportContext): object {
  const builds = models.map(({ id, name, kind, sha256, sizeBytes, parentId, recipe, target, summary }) => ({
    id,
    name,
    kind,
    sha256,
    sizeBytes,
    parentId,
    recipe,
    target,
    summary,
  }))
  return { generator: 'edgesmith', dataVersion: DATA_VERSION, edgesmithVersion, writtenAt, comparisons, models: builds }
}
