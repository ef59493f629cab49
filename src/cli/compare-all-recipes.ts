import { dirname, extname, resolve } from 'node:path'
import { formatBytes, formatMs, formatPercent, formatPoints, formatRatio, NOTHING } from '../backend/report/quantities.ts'
import { baselineRow } from '../backend/report/verdicts.ts'
import { writeReport } from '../backend/report/write-report.ts'
import { assertWritableFolder } from '../backend/use-cases/models.ts'
import type { CompareAllResult } from '../contract/compare-all.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { Comparison, ComparisonRow } from '../contract/measurement.ts'
import type { Model } from '../contract/model.ts'
import type { CommandContext, CommandResult } from './command.ts'
import type { OptimizeOptions } from './commands/optimize.ts'
import { lengthSettings, readPreprocessing } from './common-options.ts'
import { explanationLines } from './explanation-text.ts'
import { checkGates, type GateResult, gateFailure, gateLines } from './gates.ts'
import { findDataset, findDevice, findModel, shortId } from './references.ts'
import { runJob } from './run-job.ts'
import { textTable } from './text-table.ts'

/** What `--out` writes, by the ending of the file. */
const outputs = { '.json': 'results', '.html': 'report', '.onnx': 'build' } as const
type OutputKind = (typeof outputs)[keyof typeof outputs]

interface Output {
  readonly kind: OutputKind
  readonly path: string
}

/** One recipe with what was measured of its build. */
interface ResultRow {
  readonly title: string
  readonly model: string | null
  readonly row: ComparisonRow | null
  readonly error: CompareAllResult['entries'][number]['error']
  readonly recommended: boolean
}

/** `optimize --compare-all`: every recipe, one comparison, one recommendation. */
export async function compareAllRecipes(context: CommandContext, given: OptimizeOptions, modelText: string): Promise<CommandResult> {
  refuseOptions(given)
  const output = await readOutput(context, given.out)
  const preprocessing = await readPreprocessing(context, given.preprocess)
  const device = await findDevice(context, given.device)
  const source = await findModel(context, modelText)
  const calibration = given.calibration === undefined ? undefined : await findDataset(context, given.calibration, preprocessing)
  const labelled = given.data === undefined ? undefined : await findDataset(context, given.data, preprocessing)
  const result = await runJob(context, 'compareAll.start', {
    modelId: source.id,
    target: given.target,
    calibrationId: calibration?.id,
    samples: given.samples,
    datasetId: labelled?.id,
    deviceId: device.id,
    settings: { ...lengthSettings(given), batch: given.batch, threads: given.threads },
    blocks: given.blocks,
  })
  const backend = await context.backend()
  const models = await backend.call('models.list', {})
  const rows = resultRows(result, models)
  const gates = recommendedGates(given, rows)
  const document = {
    source: source.name,
    sourceId: source.id,
    ...result,
    results: rows.map(({ row, ...entry }) => ({ ...entry, ...measured(row) })),
    ...(gates.length > 0 && { gates }),
  }
  const written = output && (await writeOutput(context, output, result, document))
  const failure = gateFailure(gates) ?? missingResult(result, output)
  return {
    document: { ...document, output: written },
    text: [
      describeResult(source, result, rows),
      ...(gates.length > 0 ? ['', gateLines(gates)] : []),
      '',
      ...(written && output ? [`${sentence(output.kind)}: ${written.path}`] : []),
      ...(result.comparison ? [`All numbers: edgesmith report ${shortId(result.comparison.id)} --out report.html`] : []),
    ].join('\n'),
    failure,
  }
}

/** @throws EdgesmithError `USAGE` for options that only make sense with one recipe */
function refuseOptions(given: OptimizeOptions): void {
  const wrong = (['recipe', 'name', 'calibrator'] as const).find((name) => given[name] !== undefined)
  if (wrong) throw new EdgesmithError('USAGE', `--${wrong} is for one recipe and does not go with --compare-all`)
  if (given.set.length > 0) throw new EdgesmithError('USAGE', '--set is for one recipe and does not go with --compare-all')
  if (given['max-accuracy-drop'] !== undefined && given.data === undefined) {
    throw new EdgesmithError('USAGE', '--max-accuracy-drop needs --data with labelled samples')
  }
}

async function readOutput(context: CommandContext, out: string | undefined): Promise<Output | null> {
  if (out === undefined) return null
  const ending = extname(out).toLowerCase()
  if (!Object.hasOwn(outputs, ending)) {
    throw new EdgesmithError('USAGE', `--compare-all writes ${Object.keys(outputs).join(', ')}, found "${out}"`, {
      hint: 'results.json has everything, report.html is for people, build.onnx is the recommended build.',
    })
  }
  const path = resolve(context.workingFolder, out)
  await assertWritableFolder(dirname(path))
  return { kind: outputs[ending as keyof typeof outputs], path }
}

async function writeOutput(
  context: CommandContext,
  { kind, path }: Output,
  { comparison, recommended }: CompareAllResult,
  document: object,
): Promise<{ kind: OutputKind; path: string; sizeBytes: number } | null> {
  const backend = await context.backend()
  if (kind === 'results') return { kind, ...(await writeReport(path, `${JSON.stringify(document, null, 2)}\n`)) }
  if (kind === 'report') return comparison && { kind, ...(await backend.call('report.write', { comparisonIds: [comparison.id], path })) }
  return recommended && { kind, ...(await backend.call('models.export', { id: recommended.modelId, path })) }
}

/** Why the asked-for file could not be written, or that nothing was made at all. */
function missingResult({ comparison, recommended, entries }: CompareAllResult, output: Output | null): EdgesmithError | undefined {
  if (!comparison) {
    return new EdgesmithError('RECIPE_NOT_APPLICABLE', `None of ${entries.length} recipes could be applied`, {
      hint: 'The table above says why, recipe by recipe.',
    })
  }
  if (output?.kind !== 'build' || recommended) return undefined
  return new EdgesmithError('RECIPE_NOT_APPLICABLE', 'No build is better than the source, so none was written', {
    hint: 'The builds are in the workspace: edgesmith models lists them.',
  })
}

function resultRows({ entries, comparison, recommended }: CompareAllResult, models: readonly Model[]): ResultRow[] {
  return entries.map(({ title, modelId, error }) => ({
    title,
    model: models.find(({ id }) => id === modelId)?.name ?? null,
    row: comparison?.rows.find((row) => row.modelId === modelId) ?? null,
    error,
    recommended: modelId !== null && modelId === recommended?.modelId,
  }))
}

function measured(row: ComparisonRow | null): object {
  if (!row) return {}
  const { modelId, sizeBytes, metrics, accuracyDifference, latencyMs, speedup, explanation } = row
  return { modelId, sizeBytes, metrics, accuracyDifference, latencyMs, speedup, explanation }
}

/** Limits hold for the recommended build; without one they are missed. */
function recommendedGates(given: OptimizeOptions, rows: readonly ResultRow[]): GateResult[] {
  const best = rows.find(({ recommended }) => recommended)?.row
  const difference = best?.accuracyDifference?.difference
  const limits = { 'max-accuracy-drop': given['max-accuracy-drop'], 'max-size-bytes': given['max-size-bytes'] }
  return checkGates(limits, {
    model: best?.model ?? 'no recommended build',
    sizeBytes: best?.sizeBytes ?? Number.POSITIVE_INFINITY,
    accuracyDrop: difference === undefined ? null : -difference,
    latencyMs: null,
    speedup: null,
  })
}

function describeResult(source: Model, { comparison, recommended }: CompareAllResult, rows: readonly ResultRow[]): string {
  const slower = rows.filter(({ row }) => row?.speedup?.verdict === 'slower')
  const explained = slower.flatMap(({ title, row }) => (row?.explanation ? [{ title, explanation: row.explanation }] : []))
  return [
    textTable(
      [
        { title: 'recipe' },
        { title: 'size', align: 'right' },
        { title: 'accuracy', align: 'right' },
        { title: 'difference', align: 'right' },
        { title: 'p50', align: 'right' },
        { title: 'speed-up', align: 'right' },
        { title: 'verdict' },
        { title: '' },
      ],
      [...(comparison ? [sourceCells(source, comparison)] : []), ...rows.map((row, index) => cells(row, rows.slice(0, index)))],
    ),
    ...explained.flatMap(({ title, explanation }) => [
      '',
      `${title} is slower:`,
      ...explanationLines(explanation).map((line) => `  ${line}`),
    ]),
    '',
    recommended
      ? `Recommended: ${rows.find((row) => row.recommended)?.model ?? ''}. ${recommended.reason}`
      : `Recommended: ${source.name} as it is. No build was shown to be better.`,
  ].join('\n')
}

function sourceCells(source: Model, comparison: Comparison): string[] {
  const { sizeBytes, metrics, latencyMs } = baselineRow(comparison)
  return [
    `(${source.name})`,
    formatBytes(sizeBytes),
    formatPercent(metrics?.accuracy),
    NOTHING,
    formatMs(latencyMs.p50),
    NOTHING,
    'source',
    '',
  ]
}

function cells({ title, model, row, error, recommended }: ResultRow, before: readonly ResultRow[]): string[] {
  if (!row) return [title, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, 'not made', error ? `${error.code}: ${error.message}` : '']
  const twin = before.find((other) => other.row?.modelId === row.modelId)
  return [
    title,
    formatBytes(row.sizeBytes),
    formatPercent(row.metrics?.accuracy),
    formatPoints(row.accuracyDifference?.difference),
    formatMs(row.latencyMs.p50),
    formatRatio(row.speedup?.estimate),
    row.speedup?.verdict ?? NOTHING,
    twin ? `the same build as ${twin.title}` : recommended ? 'recommended' : model !== row.model ? row.model : '',
  ]
}

function sentence(kind: OutputKind): string {
  return { results: 'Results', report: 'Report', build: 'Recommended build' }[kind]
}
