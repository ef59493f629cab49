import { dirname, resolve } from 'node:path'
import { differenceText, headlineText } from '../../backend/report/metric-text.ts'
import { formatBytes, formatInterval, formatMs, formatPoints, formatPValue, formatRatio, NOTHING } from '../../backend/report/quantities.ts'
import { baselineRow, comparedRows, headline, rowSentences } from '../../backend/report/verdicts.ts'
import { assertWritableFolder } from '../../backend/use-cases/models.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { accuracyDrop } from '../../contract/evaluation.ts'
import { benchSettingsSchema, type Comparison } from '../../contract/measurement.ts'
import { procedures } from '../../contract/procedures.ts'
import { defineCommand } from '../command.ts'
import {
  deviceOption,
  lengthOptions,
  lengthSettings,
  preprocessOption,
  readPreprocessing,
  runtimeOptions,
  runtimeSettings,
  threadsOption,
} from '../common-options.ts'
import { explanationLines } from '../explanation-text.ts'
import { checkGates, type GateLimits, type GateResult, gateFailure, gateLines, gateOptions } from '../gates.ts'
import { flag, setting, text } from '../option.ts'
import { findDataset, findDevice, findModel, shortId } from '../references.ts'
import { reportPath } from '../report-path.ts'
import { runJob } from '../run-job.ts'
import { textTable } from '../text-table.ts'

export const compareCommand = defineCommand({
  name: 'compare',
  summary: 'Accuracy and latency of models against a baseline, interleaved on one device',
  positionals: {
    baseline: { description: 'the model everything is compared with' },
    model: { description: 'models or builds to compare with it', many: true },
  },
  options: {
    data: text(
      'DATASET',
      'data to compare answers on (labels, targets, or neither: then outputs against the baseline’s); left out: only latency',
    ),
    device: deviceOption,
    report: text('FILE', 'also write a report to this file: .html, .pdf, .md, .json or .csv'),
    batch: setting('N', benchSettingsSchema.shape.batch, 'samples of one inference'),
    threads: threadsOption,
    ...lengthOptions,
    ...runtimeOptions,
    blocks: setting('N', procedures['compare.start'].input.shape.blocks),
    'max-blocks': setting(
      'N',
      procedures['compare.start'].input.shape.maxBlocks.unwrap(),
      procedures['compare.start'].input.shape.maxBlocks.description,
    ),
    control: flag('measure the baseline against itself as well, and print the noise floor'),
    preprocess: preprocessOption,
    ...gateOptions,
  },
  notes: [
    'Limits (--max-accuracy-drop, --max-latency-ms, --min-speedup, --max-size-bytes) hold for every model but the baseline. A missed one makes the exit code 1; the results are printed and kept.',
  ],
  examples: [
    'compare model.onnx model-int8.onnx --data test.npz --report out.html',
    'compare model.onnx model-int8.onnx --data test.npz --device pi5 --max-accuracy-drop 0.01 --min-speedup 1.5 --json',
  ],
  run: async (context, options, { baseline: baselineText, model: modelTexts }) => {
    if (options['max-accuracy-drop'] !== undefined && options.data === undefined) {
      throw new EdgesmithError('USAGE', '--max-accuracy-drop needs --data with labelled samples')
    }
    const report = options.report === undefined ? null : reportPath(context.workingFolder, options.report)
    if (report !== null) await assertWritableFolder(dirname(resolve(report)))
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const device = await findDevice(context, options.device)
    const baseline = await findModel(context, baselineText)
    const modelIds: string[] = []
    for (const modelText of modelTexts) modelIds.push((await findModel(context, modelText)).id)
    const dataset = options.data === undefined ? undefined : await findDataset(context, options.data, preprocessing)
    const comparison = await runJob(context, 'compare.start', {
      baselineId: baseline.id,
      modelIds,
      datasetId: dataset?.id,
      deviceId: device.id,
      settings: { ...lengthSettings(options), ...runtimeSettings(options), batch: options.batch, threads: options.threads },
      blocks: options.blocks,
      maxBlocks: options['max-blocks'],
      control: options.control,
    })
    const backend = await context.backend()
    const written = report === null ? null : await backend.call('report.write', { comparisonIds: [comparison.id], path: report })
    const gates = comparisonGates(options, comparison)
    return {
      document: { ...comparison, ...(written && { report: written }), ...(gates.length > 0 && { gates }) },
      text: [
        describe(comparison),
        ...(gates.length > 0 ? ['', gateLines(gates)] : []),
        '',
        written ? `Report: ${written.path}` : `Report: edgesmith report ${shortId(comparison.id)} --out report.html`,
      ].join('\n'),
      failure: gateFailure(gates),
    }
  },
})

function comparisonGates(limits: GateLimits, comparison: Comparison): GateResult[] {
  const reference = baselineRow(comparison).metrics
  return comparedRows(comparison).flatMap(({ model, sizeBytes, metrics, latencyMs, speedup }) =>
    checkGates(limits, {
      model,
      sizeBytes,
      accuracyDrop: accuracyDrop(reference, metrics),
      latencyMs,
      speedup: speedup?.estimate ?? null,
    }),
  )
}

function describe(comparison: Comparison): string {
  const baseline = baselineRow(comparison)
  const warnings = [...new Set(comparison.rows.flatMap((row) => row.warnings))]
  return [
    headline(comparison),
    '',
    textTable(
      [
        { title: 'model' },
        { title: 'size', align: 'right' },
        { title: metricTitle(comparison), align: 'right' },
        { title: 'difference', align: 'right' },
        { title: 'p-value', align: 'right' },
        { title: 'p50', align: 'right' },
        { title: 'p95', align: 'right' },
        { title: 'speed-up', align: 'right' },
        { title: '95 % interval', align: 'right' },
        { title: 'verdict' },
      ],
      comparison.rows.map((row) => [
        row.model,
        formatBytes(row.sizeBytes),
        headlineText(row.metrics),
        row.accuracyDifference ? formatPoints(row.accuracyDifference.difference) : differenceText(row.metricDifference),
        formatPValue(row.accuracyDifference?.pValue ?? row.metricDifference?.pValue),
        formatMs(row.latencyMs.p50),
        formatMs(row.latencyMs.p95),
        row.speedup ? formatRatio(row.speedup.estimate) : NOTHING,
        formatInterval(row.speedup?.ci95, formatRatio),
        row.speedup?.verdict ?? 'baseline',
      ]),
    ),
    ...comparedRows(comparison).flatMap((row) => [
      '',
      row.model,
      ...[...rowSentences(row, baseline), ...(row.explanation ? explanationLines(row.explanation) : [])].map((sentence) => `  ${sentence}`),
    ]),
    ...noiseFloorLines(comparison),
    ...(warnings.length > 0 ? ['', ...warnings.map((warning) => `warning: ${warning}`)] : []),
  ].join('\n')
}

/** `accuracy`, or `answers` where rows say themselves what their number is. */
function metricTitle({ rows }: Comparison): string {
  return rows.some(({ metrics }) => metrics && metrics.accuracy === undefined) ? 'answers' : 'accuracy'
}

function noiseFloorLines({ noiseFloor, baseline }: Comparison): string[] {
  if (!noiseFloor) return []
  const interval = formatInterval(noiseFloor.ci95, formatRatio)
  return [
    '',
    `Noise floor: ${baseline} against itself in the same blocks ${formatRatio(noiseFloor.estimate)} (95 % interval ${interval}), ${noiseFloor.verdict}.`,
  ]
}
