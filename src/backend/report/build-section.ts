import type { Comparison } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import type { OptimizeSummary } from '../../contract/recipe.ts'
import { html, type Markup } from './html.ts'
import { formatBytes, formatCount, formatCounted, formatDecibels, formatPercent, formatSignificant, formatSpan } from './quantities.ts'
import { statedLineage } from './stated-lineage.ts'

/** Nodes left alone that are listed; a reader who needs the rest has them in the JSON at the end of the report. */
const MAX_SKIPPED = 40

/** How each model of a comparison was made: its ancestors, its recipe with all settings, and how far its outputs are from the source's. */
export function buildSection(comparison: Comparison, models: readonly Model[]): Markup {
  return html`<h3>How each was made</h3>${comparison.rows.map((row, index) => {
    const model = models.find(({ id }) => id === row.modelId)
    return html`<section class="build"><h4><span class="badge series-${index % 8}">${index + 1}</span> ${row.model}</h4>
<p class="hash">SHA-256 ${row.sha256}, ${formatBytes(row.sizeBytes)}</p>${model ? lineage(model, models) : html`<p>It is no longer in the workspace; how it was made is not known any more.</p>`}</section>`
  })}`
}

function lineage(model: Model, models: readonly Model[]): Markup {
  const chain: Model[] = [model]
  for (let parent = parentOf(model, models); parent && !chain.includes(parent); parent = parentOf(parent, models)) chain.unshift(parent)
  return html`<ol class="lineage">${chain.map((step) => html`<li>${describeStep(step)}</li>`)}</ol>${model.summary && summaryFacts(model.summary)}`
}

function parentOf({ parentId }: Model, models: readonly Model[]): Model | undefined {
  return parentId === null ? undefined : models.find(({ id }) => id === parentId)
}

function describeStep(model: Model): Markup {
  if (model.recipe) return html`<b>${model.name}</b>: ${describeRecipe(model.recipe, model.target)}`
  const { opset, parameters, producer, metadata } = model.report
  const stated = statedLineage(metadata)
  const calibration = stated?.calibration ?? null
  return html`<b>${model.name}</b>, imported: opset ${opset}, ${formatCount(parameters)} parameters${producer !== '' && html`, made by ${producer}`}${
    stated && html`; by its own account made from ${stated.source.name}: ${describeRecipe(stated.recipe, stated.target)}`
  }${calibration && html`, calibrated on ${formatCounted(calibration.samples, 'sample')} of ${calibration.dataset}`}`
}

function describeRecipe(steps: readonly { readonly recipe: string }[], target: string | null): Markup {
  return html`${steps.map((step, index) => html`${index > 0 && html`, then `}${step.recipe} <code>${settings(step)}</code>`)}${target && html` for ${target}`}`
}

function settings({ recipe: _name, ...rest }: { readonly recipe: string }): string {
  return Object.entries(rest)
    .map(([key, value]) => `${key}=${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`)
    .join(' ')
}

function summaryFacts(summary: OptimizeSummary): Markup {
  const { fidelity, skipped } = summary
  const facts: readonly (readonly [string, string])[] = [
    ['size', `${formatBytes(summary.input.sizeBytes)} → ${formatBytes(summary.output.sizeBytes)}`],
    ['nodes changed', `${formatCount(summary.quantizedNodes)}; run by int8 kernels after loading: ${formatCount(summary.fusedNodes)}`],
    ...(summary.sparsity === null ? [] : [['weights that are zero', formatPercent(summary.sparsity)] as const]),
    ['calibration samples', formatCount(summary.calibrationSamples)],
    [
      'outputs against the source',
      `SQNR ${formatDecibels(fidelity.sqnrDb)}, cosine ${fidelity.cosine.toFixed(6)}, largest difference ${formatSignificant(fidelity.maxAbsDiff)} (worst output, ${formatCounted(fidelity.samples, fidelity.inputs === 'calibration' ? 'calibration sample' : 'generated input')})`,
    ],
    ['time', summary.steps.map(({ recipe, durationMs }) => `${recipe} ${formatSpan(durationMs)}`).join(', ')],
    ['peak memory of the work', formatBytes(summary.peakRssBytes)],
  ]
  return html`<table class="facts">${facts.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`)}</table>
${summary.warnings.map((warning) => html`<p class="warning">${warning}</p>`)}${
  skipped.length > 0 &&
  html`<details><summary>${formatCounted(skipped.length, 'node')} left as before</summary><table class="skipped"><thead><tr><th>node</th><th>operator</th><th>reason</th></tr></thead>
${skipped.slice(0, MAX_SKIPPED).map(({ node, op, reason }) => html`<tr><td>${node}</td><td>${op}</td><td>${reason}</td></tr>`)}</table>${
    skipped.length > MAX_SKIPPED &&
    html`<p>… and ${formatCount(skipped.length - MAX_SKIPPED)} more, listed in the data at the end of this file.</p>`
  }</details>`
}`
}
