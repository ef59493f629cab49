import type { OptimizeSummary } from '../../../contract/recipe.ts'
import type { ReportDocument, ReportedModel } from '../../../contract/report.ts'
import { type Block, code, facts, heading, type Inline, list, strong, table, text } from '../blocks/report-block.ts'
import { formatBytes, formatCount, formatCounted, formatDecibels, formatPercent, formatSignificant, formatSpan } from '../quantities.ts'
import { buildTables } from './build-tables.ts'
import type { ReportNames } from './report-names.ts'

/** Models described, and their ancestors. */
const MAX_MODELS = 200
const MAX_ANCESTORS = 50

/** How each model in the report was made: its ancestors, its recipe with all settings, and how far its outputs are from the source's. */
export function buildBlocks(document: ReportDocument, { models, model: nameOf }: ReportNames): Block[] {
  const measured = new Set([
    ...document.comparisons.flatMap(({ rows }) => rows.map(({ modelId }) => modelId)),
    ...document.benchmarks.map(({ modelId }) => modelId),
    ...document.evaluations.map(({ modelId }) => modelId),
    ...document.analyses.flatMap(({ modelId, baselineId }) => (baselineId === null ? [modelId] : [baselineId, modelId])),
    ...document.matrices.flatMap(({ models: own }) => own.map(({ id }) => id)),
    ...document.validations.map(({ modelId }) => modelId),
  ])
  if (measured.size === 0) return []
  return [
    heading(2, 'How each was made'),
    ...[...measured].slice(0, MAX_MODELS).map((id): Block => {
      const model = models.get(id)
      if (!model)
        return {
          kind: 'together',
          blocks: [heading(3, nameOf(id)), text('It is no longer in the workspace; how it was made is not known any more.')],
        }
      return {
        kind: 'together',
        blocks: [
          heading(3, model.name),
          text(['SHA-256 ', code(model.sha256), `, ${formatBytes(model.sizeBytes)}`], 'soft'),
          list(lineage(model, models).map(describeStep), { ordered: true }),
          ...(model.summary ? [facts(summaryFacts(model.summary)), ...warnings(model.summary), ...buildTables(model.summary)] : []),
        ],
      }
    }),
  ]
}

/** The datasets, with what tells whether another one is the same. */
export function datasetBlocks({ datasets }: ReportDocument): Block[] {
  if (datasets.length === 0) return []
  return [
    heading(2, 'Datasets'),
    table(
      ['name', '>samples', 'split', 'SHA-256 of its files'],
      datasets.map(({ name, samples, split, sha256 }) => [
        name,
        formatCount(samples),
        split ?? 'whole',
        sha256.flatMap((hash, index): Inline[] => (index === 0 ? [code(hash)] : [' ', code(hash)])),
      ]),
    ),
  ]
}

function lineage(model: ReportedModel, models: ReadonlyMap<string, ReportedModel>): ReportedModel[] {
  const chain: ReportedModel[] = [model]
  for (
    let parent = models.get(model.parentId ?? '');
    parent && !chain.includes(parent) && chain.length < MAX_ANCESTORS;
    parent = models.get(parent.parentId ?? '')
  )
    chain.unshift(parent)
  return chain
}

function describeStep(model: ReportedModel): Inline {
  if (model.recipe) return [strong(model.name), ': ', describeRecipe(model.recipe, model.target)]
  const { opset, parameters, producer, statedLineage: stated } = model
  const known = [
    ...(opset === null ? [] : [`opset ${opset}`]),
    ...(parameters === null ? [] : [`${formatCount(parameters)} parameters`]),
    ...(producer === '' ? [] : [`made by ${producer}`]),
  ].join(', ')
  const calibration = stated?.calibration ?? null
  return [
    strong(model.name),
    known === '' ? ', imported' : `, imported: ${known}`,
    ...(stated ? [`; by its own account made from ${stated.source.name}: `, describeRecipe(stated.recipe, stated.target)] : []),
    ...(calibration ? [`, calibrated on ${formatCounted(calibration.samples, 'sample')} of ${calibration.dataset}`] : []),
  ]
}

function describeRecipe(steps: readonly { readonly recipe: string }[], target: string | null): Inline {
  return [
    ...steps.map((step, index): Inline => [`${index > 0 ? ', then ' : ''}${step.recipe} `, code(settings(step))]),
    ...(target === null ? [] : [` for ${target}`]),
  ]
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

function summaryFacts(summary: OptimizeSummary): (readonly [string, string])[] {
  const { fidelity } = summary
  return [
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
}

function warnings({ warnings: found }: OptimizeSummary): Block[] {
  return found.length === 0 ? [] : [list(found, { tone: 'warning' })]
}

function memory({ peakRssBytes, idleRssBytes }: OptimizeSummary): string {
  return idleRssBytes === null
    ? formatBytes(peakRssBytes)
    : `${formatBytes(peakRssBytes)}, ${formatBytes(Math.max(0, peakRssBytes - idleRssBytes))} above idle`
}
