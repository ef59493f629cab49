import type { ModelProto } from 'onnx-buf'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import type { Target } from '../../contract/names.ts'
import type { RecipeStep, SkippedNode } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { decodeModel, encodeModel } from '../../core/onnx/model-file.ts'
import { pruneByMagnitude } from '../../core/pruning/magnitude.ts'
import { quantizeDynamic } from '../../core/quantization/dynamic-quantization.ts'
import { findHalfOverflow } from '../../core/quantization/half-overflow.ts'
import { convertToHalf, type HalfModel } from '../../core/quantization/half-precision.ts'
import { nameNodes } from '../../core/quantization/prepare-model.ts'
import type { CalibrationSamples } from '../../core/quantization/range-collection.ts'
import { type QuantizedModel, StaticQuantization } from '../../core/quantization/static-quantization.ts'
import { targetRules } from '../../core/quantization/target-rules.ts'
import { inferTensorFacts } from '../../core/quantization/tensor-facts.ts'
import { countInt8Kernels } from '../runtimes/int8-kernels.ts'
import { someFeeds } from './calibration-feeds.ts'

/** What a step works with. */
export interface StepContext {
  readonly runtime: InferenceRuntime
  readonly target: Target
  readonly calibration: CalibrationSamples | undefined
  /** Called while calibrating with the feeds done. */
  readonly calibrated: (done: number) => void
  readonly log: (text: string) => void
}

/** What a step made. */
export interface StepResult {
  readonly model: ModelProto
  /** Names of the nodes it changed. */
  readonly changed: readonly string[]
  readonly skipped: readonly SkippedNode[]
  readonly warnings: readonly string[]
  readonly sparsity?: number
}

/** How often units that ONNX Runtime did not fuse are taken back: taking one back can cost its neighbour the fusion. */
const MAX_ROUNDS = 4
const NO_HALF_FORM = 'ONNX Runtime has no float16 form of it'
/** Samples on which values beyond float16 are looked for. */
const OVERFLOW_FEEDS = 32
/** How many nodes may turn out to have no float16 form before the conversion is given up. */
const MAX_BLOCKED = 50

/**
 * Applies one step of a recipe. The model given is not changed.
 * @throws EdgesmithError or CoreError `RECIPE_NOT_APPLICABLE`, `CALIBRATION_NEEDED`, and the runtime's errors
 */
export async function applyStep(model: ModelProto, step: RecipeStep, context: StepContext): Promise<StepResult> {
  switch (step.recipe) {
    case 'prune-magnitude': {
      const result = pruneByMagnitude(model, step)
      const warnings = ['Zeroed weights make the compressed download smaller. The model itself has the same size and is not faster.']
      return { model: result.model, changed: result.pruned, skipped: result.skipped, warnings, sparsity: result.sparsity }
    }
    case 'fp16':
      return halfStep(model, step, context)
    case 'int8-dynamic': {
      const result = await quantizeDynamic(model, context.runtime, { ...step, target: context.target })
      return { ...quantized(result), warnings: dynamicWarnings(result) }
    }
    case 'int8-static':
      return staticStep(model, step, context)
  }
}

async function staticStep(
  model: ModelProto,
  step: Extract<RecipeStep, { recipe: 'int8-static' }>,
  context: StepContext,
): Promise<StepResult> {
  const { runtime, target, calibration } = context
  if (!calibration) {
    throw new EdgesmithError(
      'CALIBRATION_NEEDED',
      'int8-static needs calibration data: samples that the ranges of activations are measured on.',
      {
        hint: 'Give a dataset with --calibration; 100 to 500 typical samples are enough, labels are not needed.',
      },
    )
  }
  const quantization = await StaticQuantization.calibrated(model, calibration, runtime, { ...step, target }, context.calibrated)
  // TensorRT fuses on the device; ONNX Runtime's processor kernels say nothing about it.
  if (target === 'tensorrt') return { ...quantized(quantization.quantize()), warnings: [] }
  const signedActivations = targetRules(target).signedKernels
  const unfused = async (build: Uint8Array): Promise<ReadonlySet<string>> => (await countInt8Kernels(build, { signedActivations })).others
  return { ...quantized(await withoutUnfused(quantization, unfused, context.log)), warnings: [] }
}

/**
 * Quantizes, looks what ONNX Runtime makes of it, and takes back what it would run in float32 between Q and DQ.
 * @param runsInFloat names of the nodes of a build that do not run in 8 bits
 */
export async function withoutUnfused(
  quantization: StaticQuantization,
  runsInFloat: (build: Uint8Array) => Promise<ReadonlySet<string>>,
  log: (text: string) => void,
): Promise<QuantizedModel> {
  const reverted = new Map<string, string>()
  for (let round = 1; ; round++) {
    const result = quantization.quantize(reverted)
    const others = await runsInFloat(encodeModel(result.model))
    const unfused = result.quantized.filter((name) => others.has(name))
    if (unfused.length === 0 || round === MAX_ROUNDS) return result
    for (const name of unfused) reverted.set(name, 'ONNX Runtime did not run it in 8 bits here, so it was taken back to float32')
    log(`${unfused.length} nodes did not fuse and are taken back to float32: ${unfused.slice(0, 10).join(', ')}`)
  }
}

async function halfStep(
  model: ModelProto,
  step: Extract<RecipeStep, { recipe: 'fp16' }>,
  { runtime, target, calibration, log }: StepContext,
): Promise<StepResult> {
  const named = decodeModel(encodeModel(model), 'the model')
  nameNodes(new Graph(named))
  const facts = await inferTensorFacts(named, runtime)
  const blocked = calibration
    ? await findHalfOverflow(named, facts, someFeeds(calibration, OVERFLOW_FEEDS), runtime)
    : new Map<string, string>()
  for (;;) {
    const result = convertToHalf(named, facts, { ...step, blocked })
    const refused = await refusedNode(result, blocked, runtime)
    if (!refused) return { model: result.model, changed: result.converted, skipped: result.skipped, warnings: halfWarnings(result, target) }
    blocked.set(refused, NO_HALF_FORM)
    log(`"${refused}" has no float16 form and stays in float32`)
  }
}

/**
 * The node that keeps a float16 model from loading.
 * @throws the runtime's error when it names no node that could be left in float32
 */
async function refusedNode(
  { model }: HalfModel,
  blocked: ReadonlyMap<string, string>,
  runtime: InferenceRuntime,
): Promise<string | undefined> {
  try {
    await (await runtime.load(encodeModel(model), { optimization: 'disabled' })).close()
    return undefined
  } catch (error) {
    const refused = toErrorReport(error).details?.node
    const known = model.graph?.node.find(({ name }) => name === refused)
    if (!known || blocked.has(known.name) || [...blocked.values()].filter((reason) => reason === NO_HALF_FORM).length >= MAX_BLOCKED)
      throw error
    return known.name
  }
}

function halfWarnings({ clamped }: HalfModel, target: Target): string[] {
  const warnings: string[] = []
  if (target !== 'tensorrt') {
    const arm = target === 'arm64' || target === 'arm64-dotprod'
    const slower = arm ? ' and have been seen to be slower on arm64' : ''
    warnings.push(
      `float16 makes the file smaller, not faster: on this target ONNX Runtime computes most operators in float32, and casts cost time${slower}.`,
    )
  }
  if (clamped.tooLarge > 0) warnings.push(`${clamped.tooLarge} weights were beyond ±65504, the largest float16, and were set to it.`)
  if (clamped.tooSmall > 0) warnings.push(`${clamped.tooSmall} weights were below 6e-8, the smallest float16, and were set to it.`)
  return warnings
}

function dynamicWarnings({ skipped }: QuantizedModel): string[] {
  const convolutions = skipped.filter(({ op }) => op === 'Conv' || op === 'ConvTranspose').length
  if (convolutions === 0) return []
  return [
    `int8-dynamic leaves ${convolutions} ${convolutions === 1 ? 'convolution' : 'convolutions'} in float32. int8-static quantizes convolutions.`,
  ]
}

function quantized({ model, quantized: changed, skipped }: QuantizedModel): Omit<StepResult, 'warnings'> {
  return { model, changed, skipped }
}
