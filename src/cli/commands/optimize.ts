import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDecibels,
  formatPercent,
  formatPoints,
  formatRatio,
  formatSignificant,
  formatSpan,
} from '../../backend/report/quantities.ts'
import { assertWritableFolder } from '../../backend/use-cases/models.ts'
import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Evaluation } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { displayNameSchema, targetSchema } from '../../contract/names.ts'
import { procedures } from '../../contract/procedures.ts'
import type { OptimizeSummary } from '../../contract/recipe.ts'
import { type CommandContext, defineCommand } from '../command.ts'
import { preprocessOption, readPreprocessing } from '../common-options.ts'
import { checkGates, gateFailure, gateLines, gateOptions } from '../gates.ts'
import { repeated, required, setting, text } from '../option.ts'
import { readRecipe } from '../recipe-argument.ts'
import { findDataset, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import { factList, textTable } from '../text-table.ts'

/** Nodes left alone that are listed for people; `--json` has them all. */
const MAX_SKIPPED = 20

export const optimizeCommand = defineCommand({
  name: 'optimize',
  summary: 'Make a smaller or faster build of a model by a recipe',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {
    recipe: required(
      text('NAME[,NAME…]|FILE', 'fp16, int8-dynamic, int8-static, prune-magnitude; several are applied in order; or a .json file'),
    ),
    out: text('FILE', 'write the build to this .onnx file (it is kept in the workspace in any case)'),
    target: setting('T', targetSchema, 'processor the build is for; left out: this computer'),
    calibration: text('DATASET', 'typical inputs for int8-static; labels are not needed'),
    samples: setting('N', procedures['optimize.start'].input.shape.samples),
    set: repeated(text('KEY=VALUE', 'a setting of the step that has it; RECIPE.KEY=VALUE says which step')),
    name: setting('NAME', displayNameSchema, 'name of the build in the workspace'),
    data: text('DATASET', 'labelled data for --max-accuracy-drop'),
    preprocess: preprocessOption,
    'max-accuracy-drop': gateOptions['max-accuracy-drop'],
    'max-size-bytes': gateOptions['max-size-bytes'],
  },
  notes: [
    'A recipe file holds a list of steps: [{"recipe": "prune-magnitude", "sparsity": 0.5}, {"recipe": "int8-static"}].',
    'With --max-accuracy-drop both models are evaluated on --data on this computer.',
  ],
  examples: [
    'optimize model.onnx --recipe int8-static --calibration calibration.npz --out model-int8.onnx',
    'optimize model.onnx --recipe prune-magnitude,int8-dynamic --set sparsity=0.6 --out small.onnx --json',
  ],
  run: async (context, options, { model: modelText }) => {
    const out = options.out === undefined ? null : resolve(context.workingFolder, options.out)
    // Better to hear it now than after minutes of work.
    if (out !== null) await assertWritableFolder(dirname(out))
    if (options['max-accuracy-drop'] !== undefined && options.data === undefined) {
      throw new EdgesmithError('USAGE', '--max-accuracy-drop needs --data with labelled samples')
    }
    const recipe = await readRecipe(context.workingFolder, options.recipe, options.set)
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const source = await findModel(context, modelText)
    const calibration = options.calibration === undefined ? undefined : await findDataset(context, options.calibration, preprocessing)
    const { model, summary } = await runJob(context, 'optimize.start', {
      modelId: source.id,
      recipe,
      target: options.target,
      calibrationId: calibration?.id,
      samples: options.samples,
      name: options.name,
    })
    if (out !== null) {
      const backend = await context.backend()
      await backend.call('models.export', { id: model.id, path: out })
    }
    const written = out === null ? summary.output.sha256 : await fileHash(out)
    const accuracy =
      options['max-accuracy-drop'] === undefined ? null : await measureAccuracy(context, source, model, options.data ?? '', preprocessing)
    const gates = checkGates(options, {
      model: model.name,
      sizeBytes: summary.output.sizeBytes,
      accuracyDrop: accuracy && accuracy.baseline.metrics.accuracy - accuracy.build.metrics.accuracy,
      latencyMs: null,
      speedup: null,
    })
    return {
      document: {
        model: model.name,
        id: model.id,
        source: source.name,
        ...summary,
        output: { path: out, sizeBytes: summary.output.sizeBytes, sha256: written },
        ...(accuracy && {
          accuracy: { baseline: accuracy.baseline.metrics, build: accuracy.build.metrics, dataset: accuracy.baseline.datasetName },
        }),
        ...(gates.length > 0 && { gates }),
      },
      text: [describeBuild(model, summary, out, accuracy), ...(gates.length > 0 ? ['', gateLines(gates)] : [])].join('\n'),
      failure: gateFailure(gates),
    }
  },
})

interface AccuracyPair {
  readonly baseline: Evaluation
  readonly build: Evaluation
}

async function measureAccuracy(
  context: CommandContext,
  source: Model,
  build: Model,
  data: string,
  preprocessing: Awaited<ReturnType<typeof readPreprocessing>>,
): Promise<AccuracyPair> {
  const dataset = await findDataset(context, data, preprocessing)
  const evaluate = (model: Model) =>
    runJob(context, 'evaluate.start', { modelId: model.id, datasetId: dataset.id, deviceId: LOCAL_DEVICE_ID })
  return { baseline: await evaluate(source), build: await evaluate(build) }
}

/** SHA-256 of what is really on the disk, so that the printed hash is a check of the written file. */
async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

function describeBuild(model: Model, summary: OptimizeSummary, out: string | null, accuracy: AccuracyPair | null): string {
  const { input, output, fidelity, skipped } = summary
  return [
    factList([
      ['build', model.name],
      ['file', out],
      [
        'size',
        `${formatBytes(input.sizeBytes)} → ${formatBytes(output.sizeBytes)} (${formatRatio(input.sizeBytes / output.sizeBytes)} smaller)`,
      ],
      ['target', summary.target],
      ['steps', summary.steps.map((step) => `${step.recipe} ${formatSpan(step.durationMs)}`).join(', ')],
      ['nodes changed', `${formatCount(summary.quantizedNodes)}, ${formatCount(summary.fusedNodes)} run by int8 kernels after loading`],
      ['zero weights', summary.sparsity === null ? null : formatPercent(summary.sparsity)],
      ['calibration', summary.calibrationSamples > 0 ? formatCounted(summary.calibrationSamples, 'sample') : null],
      [
        'against source',
        `SQNR ${formatDecibels(fidelity.sqnrDb)}, cosine ${fidelity.cosine.toFixed(6)}, largest difference ${formatSignificant(fidelity.maxAbsDiff)} (${formatCount(fidelity.samples)} ${fidelity.inputs} inputs)`,
      ],
      [
        'accuracy',
        accuracy &&
          `${formatPercent(accuracy.build.metrics.accuracy)} against ${formatPercent(accuracy.baseline.metrics.accuracy)} (${formatPoints(accuracy.build.metrics.accuracy - accuracy.baseline.metrics.accuracy)})`,
      ],
      ['peak memory', formatBytes(summary.peakRssBytes)],
      ['time', formatSpan(summary.durationMs)],
    ]),
    ...summary.warnings.map((warning) => `warning: ${warning}`),
    ...(skipped.length > 0
      ? [
          '',
          `${formatCounted(skipped.length, 'node')} left as before:`,
          textTable(
            [{ title: 'node' }, { title: 'operator' }, { title: 'reason' }],
            skipped.slice(0, MAX_SKIPPED).map(({ node, op, reason }) => [node, op, reason]),
          ),
          ...(skipped.length > MAX_SKIPPED ? [`… and ${skipped.length - MAX_SKIPPED} more (--json lists all)`] : []),
        ]
      : []),
  ].join('\n')
}
