import { dirname, resolve } from 'node:path'
import { assertWritableFolder } from '../../backend/use-cases/models.ts'
import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { accuracyDrop } from '../../contract/evaluation.ts'
import { benchSettingsSchema } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { displayNameSchema, targetSchema } from '../../contract/names.ts'
import { procedures } from '../../contract/procedures.ts'
import { int8StaticStepSchema, recipeNames } from '../../contract/recipe.ts'
import { sha256OfFile } from '../../platform/file-hash.ts'
import { type AccuracyPair, describeBuild } from '../build-description.ts'
import { type CommandContext, type CommandResult, defineCommand } from '../command.ts'
import { deviceOption, lengthOptions, preprocessOption, readPreprocessing, threadsOption } from '../common-options.ts'
import { compareAllRecipes } from '../compare-all-recipes.ts'
import { checkGates, gateFailure, gateLines, gateOptions } from '../gates.ts'
import { flag, type OptionValues, repeated, setting, text } from '../option.ts'
import { readRecipe } from '../recipe-argument.ts'
import { recipeSections } from '../recipe-help.ts'
import { findDataset, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import { checkSpeed, speedLines } from '../speed-check.ts'

/** Only read with --compare-all. */
const measuringOptions = {
  device: deviceOption,
  batch: setting('N', benchSettingsSchema.shape.batch, 'samples of one inference'),
  threads: threadsOption,
  ...lengthOptions,
  blocks: setting('N', procedures['compareAll.start'].input.shape.blocks),
} as const

const options = {
  recipe: text('NAME[,NAME…]|FILE', `${recipeNames.join(', ')}; several are applied in order; or a .json file`),
  out: text('FILE', 'write the build to this .onnx file (it is kept in the workspace in any case)'),
  target: setting('T', targetSchema, 'processor the build is for; left out: this computer'),
  calibration: text('DATASET', 'typical inputs: int8-static needs them, other recipes get better with them; labels are not needed'),
  samples: setting('N', procedures['optimize.start'].input.shape.samples),
  set: repeated(text('KEY=VALUE', 'a setting of the step that has it; RECIPE.KEY=VALUE says which step')),
  calibrator: setting('NAME', int8StaticStepSchema.shape.calibrator.unwrap(), 'short for --set int8-static.calibrator=NAME'),
  name: setting('NAME', displayNameSchema, 'name of the build in the workspace'),
  data: text('DATASET', 'labelled data for --max-accuracy-drop and --compare-all'),
  preprocess: preprocessOption,
  'max-accuracy-drop': gateOptions['max-accuracy-drop'],
  'max-size-bytes': gateOptions['max-size-bytes'],
  'no-speed-check': flag('do not look whether the build is slower than its source on this computer'),
  'compare-all': flag('instead of one recipe: make a build by every recipe that makes sense and compare them all'),
  ...measuringOptions,
} as const

/** Options of `optimize` as they were given. */
export type OptimizeOptions = OptionValues<typeof options>

export const optimizeCommand = defineCommand({
  name: 'optimize',
  summary: 'Make a smaller or faster build of a model by a recipe, or try them all',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options,
  sections: recipeSections,
  notes: [
    'A recipe file holds a list of steps: [{"recipe": "prune-magnitude", "sparsity": 0.5}, {"recipe": "int8-static"}].',
    'With --max-accuracy-drop both models are evaluated on --data on this computer. With int8-static in the recipe the fastest build within that drop is searched: nodes that cost too much accuracy stay in float.',
    'With --compare-all, --out takes results.json (everything), report.html, or build.onnx (the recommended build). --device, --batch, --threads, --runs, --seconds, --warmup-runs, --warmup-seconds and --blocks say how to measure.',
  ],
  examples: [
    'optimize model.onnx --recipe int8-static --calibration calibration.npz --out model-int8.onnx',
    'optimize model.onnx --recipe int8-static --calibration calibration.npz --max-accuracy-drop 0.01 --data test.npz',
    'optimize model.onnx --recipe prune-magnitude,int8-dynamic --set sparsity=0.6 --out small.onnx --json',
    'optimize model.onnx --compare-all --calibration calibration.npz --data test.npz --out results.json',
  ],
  run: async (context, given, { model }) => {
    if (given['compare-all']) return compareAllRecipes(context, given, model)
    if (given.recipe === undefined) {
      throw new EdgesmithError('USAGE', 'optimize needs --recipe NAME, or --compare-all', { hint: `Recipes: ${recipeNames.join(', ')}.` })
    }
    for (const name of Object.keys(measuringOptions) as (keyof typeof measuringOptions)[]) {
      if (given[name] !== undefined) throw new EdgesmithError('USAGE', `--${name} is for --compare-all`)
    }
    return optimizeByRecipe(context, given, given.recipe, model)
  },
})

async function optimizeByRecipe(
  context: CommandContext,
  given: OptimizeOptions,
  recipeText: string,
  modelText: string,
): Promise<CommandResult> {
  const out = given.out === undefined ? null : resolve(context.workingFolder, given.out)
  // Better to hear it now than after minutes of work.
  if (out !== null) await assertWritableFolder(dirname(out))
  const maxDrop = given['max-accuracy-drop']
  if (maxDrop !== undefined && given.data === undefined) {
    throw new EdgesmithError('USAGE', '--max-accuracy-drop needs --data with labelled samples')
  }
  const calibrator = given.calibrator === undefined ? [] : [`int8-static.calibrator=${given.calibrator}`]
  const recipe = await readRecipe(context.workingFolder, recipeText, [...given.set, ...calibrator])
  const preprocessing = await readPreprocessing(context, given.preprocess)
  const source = await findModel(context, modelText)
  const calibration = given.calibration === undefined ? undefined : await findDataset(context, given.calibration, preprocessing)
  const labelled = maxDrop === undefined ? undefined : await findDataset(context, given.data ?? '', preprocessing)
  const searches = recipe.some((step) => step.recipe === 'int8-static')
  const { model, summary } = await runJob(context, 'optimize.start', {
    modelId: source.id,
    recipe,
    target: given.target,
    calibrationId: calibration?.id,
    samples: given.samples,
    name: given.name,
    budget: maxDrop !== undefined && labelled && searches ? { maxAccuracyDrop: maxDrop, datasetId: labelled.id } : undefined,
  })
  if (out !== null) await (await context.backend()).call('models.export', { id: model.id, path: out })
  // Of what is really on the disk, so that the printed hash is a check of the written file.
  const written = out === null ? summary.output.sha256 : await sha256OfFile(out)
  const accuracy = labelled === undefined ? null : await measureAccuracy(context, source, model, labelled.id)
  const speed = given['no-speed-check'] ? null : await checkSpeed(context, source, model)
  const gates = checkGates(given, {
    model: model.name,
    sizeBytes: summary.output.sizeBytes,
    accuracyDrop: accuracyDrop(accuracy?.baseline.metrics, accuracy?.build.metrics),
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
      speed,
      ...(gates.length > 0 && { gates }),
    },
    text: [
      describeBuild(model, summary, out, accuracy),
      ...(speed ? ['', speedLines(speed)] : []),
      ...(gates.length > 0 ? ['', gateLines(gates)] : []),
    ].join('\n'),
    failure: gateFailure(gates),
  }
}

async function measureAccuracy(context: CommandContext, source: Model, build: Model, datasetId: string): Promise<AccuracyPair> {
  const evaluate = (model: Model) => runJob(context, 'evaluate.start', { modelId: model.id, datasetId, deviceId: LOCAL_DEVICE_ID })
  return { baseline: await evaluate(source), build: await evaluate(build) }
}
