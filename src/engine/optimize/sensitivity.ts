import { readFile } from 'node:fs/promises'
import type { EngineRequest } from '../../contract/engine-protocol.ts'
import type { JobReporter } from '../../contract/job.ts'
import { int8StaticStepSchema, type SensitivityReport } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { dropOverridableInputs } from '../../core/onnx/constant-inputs.ts'
import { inspectModel } from '../../core/onnx/inspect.ts'
import { decodeModel, encodeModel } from '../../core/onnx/model-file.ts'
import { StaticQuantization } from '../../core/quantization/static-quantization.ts'
import { shownDecibels, unitSensitivities } from '../../core/quantization/unit-sensitivity.ts'
import { openDataset } from '../datasets/open-dataset.ts'
import { accuracyBudget } from './accuracy-budget.ts'
import { type CalibrationFeeds, calibrationFeeds, someFeeds } from './calibration-feeds.ts'
import { staticOptions, unfusedBy, withoutUnfused } from './static-step.ts'
import { unitGains } from './unit-gains.ts'

/** Samples the outputs are compared on: ranks settle early, and every unit costs a run over them. */
const COMPARED_FEEDS = 32

/**
 * Quantizes one unit at a time: what each does to the outputs (and to the accuracy, with labelled data), and what it gains.
 * @throws EdgesmithError, CoreError `RECIPE_NOT_APPLICABLE`, errors of model and datasets
 */
export async function analyseSensitivity(
  request: Extract<EngineRequest, { command: 'sensitivity' }>,
  runtime: InferenceRuntime,
  reporter: JobReporter,
): Promise<SensitivityReport> {
  const source = await readFile(request.modelPath)
  const ports = await runtime.load(source, { optimization: 'disabled' })
  await ports.close()
  const dataset = await openDataset(request.calibration, ports.inputs)
  let labelled: LabelledDataset | undefined
  try {
    labelled = request.labelled ? await accuracyBudget(source, { maxAccuracyDrop: 0, labelled: request.labelled }, runtime) : undefined
    return await rankedUnits(source, request, { samples: calibrationFeeds(dataset, request.samples), labelled }, runtime, reporter)
  } finally {
    labelled?.close()
    dataset.close()
  }
}

type LabelledDataset = Awaited<ReturnType<typeof accuracyBudget>>

async function rankedUnits(
  source: Uint8Array,
  request: Extract<EngineRequest, { command: 'sensitivity' }>,
  { samples, labelled }: { readonly samples: CalibrationFeeds; readonly labelled: LabelledDataset | undefined },
  runtime: InferenceRuntime,
  reporter: JobReporter,
): Promise<SensitivityReport> {
  const started = performance.now()
  const { target } = request
  const model = decodeModel(source, request.modelName)
  dropOverridableInputs(model)
  const step = int8StaticStepSchema.parse({ recipe: 'int8-static', calibrator: 'minmax' })
  const context = {
    runtime,
    target,
    calibration: samples,
    budget: undefined,
    progress: (phase: string, done: number, total: number | null, unit: string) => reporter.progress({ phase, done, total, unit }),
    log: (text: string) => reporter.log(text),
  }
  const quantization = await StaticQuantization.calibrated(model, samples, runtime, staticOptions(step, context), (done) =>
    context.progress('calibrating', done, samples.feeds, 'samples'),
  )
  const { leave, build } = await withoutUnfused(quantization, unfusedBy(context), context.log)
  const compared = someFeeds(samples, COMPARED_FEEDS)
  const how = { target, calibrator: 'minmax', leave } as const
  const units = await unitSensitivities(quantization, compared, runtime, how, (done, total) =>
    context.progress('quantizing one at a time', done, total, 'units'),
  )
  const float = encodeModel(quantization.prepared)
  const gains = await unitGains(float, encodeModel(build.model), compared, context)
  const prepared = inspectModel(quantization.prepared, 0, '')
  const macs = new Map(prepared.nodes.map((node) => [node.name, node.macs]))
  const accuracies = new Map<string, number>()
  if (labelled) {
    for (const [index, { node, weighted }] of units.entries()) {
      const others = quantization.units.filter((unit) => unit.node.name !== node)
      const alone = new Map([...leave, ...others.map((unit) => [unit.node.name, ''] as const)])
      context.progress('evaluating one at a time', index, units.length, 'units')
      if (weighted) accuracies.set(node, share(await labelled.correct(encodeModel(quantization.quantize({ leave: alone }).model))))
    }
  }
  const baseline = labelled ? share(await labelled.correct(float)) : null
  const ranked = units.map(({ node, op, sqnrDb }) => ({
    node,
    op,
    sqnrDb: shownDecibels(sqnrDb),
    accuracy: accuracies.get(node) ?? null,
    gainMs: gains.get(node) ?? null,
    macs: macs.get(node) ?? null,
  }))
  const decibels = ({ sqnrDb }: { readonly sqnrDb: number | null }): number => sqnrDb ?? Number.POSITIVE_INFINITY
  ranked.sort((a, b) => (a.accuracy ?? 2) - (b.accuracy ?? 2) || decibels(a) - decibels(b) || 0)
  return {
    target,
    metric: labelled ? 'accuracy' : 'sqnrDb',
    baseline,
    samples: samples.samples,
    units: ranked,
    skipped: build.skipped.map((entry) => ({ ...entry })),
    warnings: [],
    durationMs: performance.now() - started,
  }
}

function share(correct: Uint8Array): number {
  return correct.reduce((sum, answer) => sum + answer, 0) / Math.max(1, correct.length)
}
