import type { ModelProto } from 'onnx-buf'
import { EdgesmithError } from '../../contract/errors.ts'
import { calibratorSchema, type StepOf } from '../../contract/recipe.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'
import { tryCalibrators } from '../../core/quantization/calibrator-choice.ts'
import { type StaticallyQuantizedModel, type StaticOptions, StaticQuantization } from '../../core/quantization/static-quantization.ts'
import { targetRules } from '../../core/quantization/target-rules.ts'
import { countInt8Kernels } from '../runtimes/int8-kernels.ts'
import { pickFeeds } from './calibration-feeds.ts'
import { slowerUnits } from './faster-units.ts'
import { type QuantizationWay, withinBudget } from './mixed-precision-step.ts'
import { tensorErrors } from './quantization-errors.ts'
import type { StepContext, StepFacts, StepResult } from './step-context.ts'

/** How often units that ONNX Runtime did not fuse are taken back: taking one back can cost its neighbour the fusion. */
const MAX_ROUNDS = 4
/** With fewer feeds than this none is held back: `auto` then judges on the samples that ranges were measured on. */
const LEAST_TO_HOLD_BACK = 16
/** One feed in this many is held back to judge calibrators on, … */
const HELD_BACK_SHARE = 4
/** … up to so many. */
const MOST_HELD_BACK = 64

/** Applies `int8-static`. @throws EdgesmithError, CoreError `CALIBRATION_NEEDED`, `RECIPE_NOT_APPLICABLE`, the runtime's errors */
export async function staticStep(model: ModelProto, step: StepOf<'int8-static'>, context: StepContext): Promise<StepResult> {
  const { calibration, runtime } = context
  if (!calibration) {
    throw new EdgesmithError(
      'CALIBRATION_NEEDED',
      'int8-static needs calibration data: samples that the ranges of activations are measured on.',
      {
        hint: 'Give a dataset with --calibration; 100 to 500 typical samples are enough, labels are not needed.',
      },
    )
  }
  const { calibrating, judging } = splitFeeds(calibration.feeds, step.calibrator === 'auto')
  const quantization = await StaticQuantization.calibrated(
    model,
    calibration,
    runtime,
    { ...staticOptions(step, context), feeds: calibrating },
    (done) => context.progress('calibrating', done, calibrating.length, 'samples'),
  )
  context.progress('quantizing', 0, null, 'nodes')
  const fusing = await withoutUnfused(quantization, unfusedBy(context), context.log)
  const judged = pickFeeds(calibration, judging)
  const { way, trials } = await chooseWay(quantization, judged, fusing.leave, context)
  const start = { quantization, ...way, leave: fusing.leave, samples: judged }
  const slow = step.onlyFaster ? await slowerUnits(start, context) : undefined
  const fast = new Map([...fusing.leave, ...(slow?.leave ?? [])])
  const search = await withinBudget({ ...start, leave: fast }, context)
  const build = quantization.quantize({ ...way, leave: new Map([...fast, ...(search?.leave ?? [])]) })
  const facts: StepFacts = {
    calibrator: way.calibrator,
    calibratorTrials: trials,
    tensors: await tensorErrors(quantization, build, judged, context),
    weights: build.weights.map((entry) => ({ ...entry })).sort((a, b) => (a.sqnrDb ?? 300) - (b.sqnrDb ?? 300)),
    mixedPrecision: search?.facts ?? null,
  }
  return {
    model: build.model,
    changed: build.quantized,
    skipped: build.skipped,
    warnings: [...(slow?.warnings ?? []), ...(search?.warnings ?? [])],
    facts,
  }
}

/** Settings of the core's quantization for a step. */
export function staticOptions(step: StepOf<'int8-static'>, { target }: Pick<StepContext, 'target'>): StaticOptions {
  const { recipe: _, calibrator, onlyFaster: __, ...settings } = step
  return { ...settings, target, calibrators: calibrator === 'auto' ? calibratorSchema.options : [calibrator] }
}

/** Feeds to measure ranges on, and feeds to judge builds on: apart where there are enough, both evenly spaced. */
function splitFeeds(feeds: number, holdBack: boolean): { readonly calibrating: number[]; readonly judging: number[] } {
  const all = Array.from({ length: feeds }, (_, index) => index)
  const share = Math.max(HELD_BACK_SHARE, Math.ceil(feeds / MOST_HELD_BACK))
  const judging = all.filter((index) => index % share === share >> 1)
  if (!holdBack || feeds < LEAST_TO_HOLD_BACK) return { calibrating: all, judging: judging.length > 0 ? judging : all }
  const held = new Set(judging)
  return { calibrating: all.filter((index) => !held.has(index)), judging }
}

/** Calibrator and bias correction: as the recipe says, or, with several calibrators, what is best on samples held back. */
async function chooseWay(
  quantization: StaticQuantization,
  judged: CalibrationSamples,
  leave: ReadonlyMap<string, string>,
  { runtime, target, progress }: StepContext,
): Promise<{ readonly way: QuantizationWay; readonly trials: NonNullable<StepFacts['calibratorTrials']> }> {
  const [only = 'minmax', ...others] = quantization.calibrators
  if (others.length === 0) return { way: { calibrator: only, biasCorrection: quantization.correctsBiases }, trials: [] }
  const trials = await tryCalibrators(quantization, judged, runtime, { target, leave }, (done, total) =>
    progress('choosing calibrator', done, total, 'builds'),
  )
  const { calibrator, biasCorrection } = trials[0]!
  return { way: { calibrator, biasCorrection }, trials }
}

/** Which nodes of a build ONNX Runtime runs in float. TensorRT fuses on the device; this computer's kernels say nothing about it. */
export function unfusedBy({ target }: Pick<StepContext, 'target'>): (build: Uint8Array) => Promise<ReadonlySet<string>> {
  if (target === 'tensorrt') return async () => new Set()
  const signedActivations = targetRules(target).signedKernels
  return async (build) => (await countInt8Kernels(build, { signedActivations })).others
}

/** A build whose units all run in 8 bits, and what was left in float for it. */
export interface FusingBuild {
  readonly build: StaticallyQuantizedModel
  /** Names of the nodes taken back, each with the reason. */
  readonly leave: ReadonlyMap<string, string>
}

/**
 * Quantizes, looks what ONNX Runtime makes of it, and takes back what it would run in float32 between Q and DQ.
 * @param runsInFloat names of the nodes of a build that do not run in 8 bits
 */
export async function withoutUnfused(
  quantization: StaticQuantization,
  runsInFloat: (build: Uint8Array) => Promise<ReadonlySet<string>>,
  log: (text: string) => void,
): Promise<FusingBuild> {
  const leave = new Map<string, string>()
  for (let round = 1; ; round++) {
    const build = quantization.quantize({ leave })
    const others = await runsInFloat(encodeModel(build.model))
    const unfused = build.quantized.filter((name) => others.has(name))
    if (unfused.length === 0 || round === MAX_ROUNDS) return { build, leave }
    for (const name of unfused) leave.set(name, 'ONNX Runtime did not run it in 8 bits here, so it was taken back to float32')
    log(`${unfused.length} nodes did not fuse and are taken back to float32: ${unfused.slice(0, 10).join(', ')}`)
  }
}
