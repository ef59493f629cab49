import type { Comparison } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import type { OptimizeSummary } from '../../contract/recipe.ts'
import { buildTables } from './build-tables.ts'
import { html, type Markup } from './html.ts'
import { formatBytes, formatCount, formatCounted, formatDecibels, formatPercent, formatSignificant, formatSpan } from './quantities.ts'
import { statedLineage } from './stated-lineage.ts'

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
    .filter(([, value]) => typeof value !== 'object' || value === null || Object.keys(value).length > 0)
    .map(([key, value]) => `${key}=${settingText(value)}`)
    .join(' ')
}

function settingText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(', ')}]`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function summaryFacts(summary: OptimizeSummary): Markup {
  const { fidelity } = summary
  const facts: readonly (readonly [string, string])[] = [
    ['size', `${formatBytes(summary.input.sizeBytes)} → ${formatBytes(summary.output.sizeBytes)}`],
    ['nodes changed', `${formatCount(summary.quantizedNodes)}; run by int8 kernels after loading: ${formatCount(summary.fusedNodes)}`],
    ...(summary.sparsity === null ? [] : [['weights that are zero', formatPercent(summary.sparsity)] as const]),
    ['calibration samples', formatCount(summary.calibrationSamples)],
    ...(summary.calibrator === null ? [] : [['calibrator', summary.calibrator] as const]),
    [
      'outputs against the source',
      `SQNR ${formatDecibels(fidelity.sqnrDb)}, cosine ${fidelity.cosine.toFixed(6)}, largest difference ${formatSignificant(fidelity.maxAbsDiff)} (worst output, ${formatCounted(fidelity.samples, fidelity.inputs === 'calibration' ? 'calibration sample' : 'generated input')})`,
    ],
    ['time', summary.steps.map(({ recipe, durationMs }) => `${recipe} ${formatSpan(durationMs)}`).join(', ')],
    ['peak memory of the work', memory(summary)],
  ]
  return html`<table class="facts">${facts.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`)}</table>
${summary.warnings.map((warning) => html`<p class="warning">${warning}</p>`)}${buildTables(summary)}`
}

function memory({ peakRssBytes, idleRssBytes }: OptimizeSummary): string {
  return idleRssBytes === null
    ? formatBytes(peakRssBytes)
    : `${formatBytes(peakRssBytes)}, ${formatBytes(Math.max(0, peakRssBytes - idleRssBytes))} above idle`
}
