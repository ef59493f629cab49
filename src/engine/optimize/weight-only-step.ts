import type { ModelProto } from 'onnx-buf'
import { EdgesmithError } from '../../contract/errors.ts'
import type { StepOf } from '../../contract/recipe.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import {
  quantizeWeightsOnly,
  type WeightOnlyModel,
  type WeightOnlyOptions,
} from '../../core/quantization/weight-only/quantize-weights-only.ts'
import { countPackedKernels } from '../runtimes/packed-kernels.ts'
import type { StepContext, StepResult } from './step-context.ts'

const NOT_FUSED =
  'ONNX Runtime did not fuse it here and would convert its weights to float again in each inference, so it was taken back to float'
/** How often nodes that ONNX Runtime did not fuse are taken back: each round loads the model once. */
const MAX_ROUNDS = 3

/** Applies `int8-weights` and `int4-weights`. @throws EdgesmithError, CoreError `RECIPE_NOT_APPLICABLE`, `CALIBRATION_NEEDED`, the runtime's errors */
export async function weightOnlyStep(
  model: ModelProto,
  step: StepOf<'int8-weights'> | StepOf<'int4-weights'>,
  context: StepContext,
): Promise<StepResult> {
  const { runtime, target, calibration, log, progress } = context
  if (step.rounding === 'gptq' && !calibration)
    throw new EdgesmithError('CALIBRATION_NEEDED', 'Rounding with gptq needs calibration data.', {
      hint: 'Give a dataset with --calibration (labels are not needed), or set rounding=nearest.',
    })
  const options: WeightOnlyOptions = {
    bits: step.recipe === 'int4-weights' ? 4 : 8,
    blockSize: step.blockSize,
    symmetric: step.recipe === 'int4-weights' ? step.symmetric : true,
    rounding: step.rounding === 'nearest' || !calibration ? 'nearest' : 'gptq',
    mseScales: step.mseScales,
    negativeScales: target !== 'tensorrt',
    exclude: step.exclude,
    include: step.include,
  }
  progress('quantizing', 0, null, 'layers')
  // TensorRT fuses on the device; ONNX Runtime's processor kernels say nothing about it.
  const alsoExcluded = target === 'tensorrt' ? new Map<string, string>() : await unfusedNodes(model, options, context)
  const result = await quantizeWeightsOnly(model, runtime, { ...options, alsoExcluded }, calibration, (done, total) =>
    progress('calibrating', done, total, 'samples'),
  )
  if (result.notCompensated.length > 0)
    log(`${result.notCompensated.length} nodes were rounded to nearest, without gptq: ${result.notCompensated.slice(0, 10).join(', ')}`)
  return {
    model: result.model,
    changed: result.quantized,
    skipped: result.skipped,
    warnings: warningsOf(result, step),
    facts: { weights: [...result.weights] },
  }
}

/**
 * Nodes that ONNX Runtime would not multiply with packed weights, found with weights rounded in the simplest way: which nodes
 * are fused does not depend on the numbers.
 */
async function unfusedNodes(model: ModelProto, options: WeightOnlyOptions, { runtime, log }: StepContext): Promise<Map<string, string>> {
  const reverted = new Map<string, string>()
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const simple = { ...options, rounding: 'nearest', mseScales: false, alsoExcluded: reverted } as const
    const { model: trial, dequantizers } = await quantizeWeightsOnly(model, runtime, simple)
    const left = (await countPackedKernels(encodeModel(trial))).dequantizers
    const unfused = [...dequantizers].filter(([dequantizer]) => left.has(dequantizer)).map(([, node]) => node)
    log(`${dequantizers.size - unfused.length} of ${dequantizers.size} matrices run as MatMulNBits`)
    if (unfused.length === 0) break
    for (const node of unfused) reverted.set(node, NOT_FUSED)
    log(`${unfused.length} nodes did not fuse and are taken back to float: ${unfused.slice(0, 10).join(', ')}`)
  }
  return reverted
}

function warningsOf({ skipped }: WeightOnlyModel, step: StepOf<'int8-weights'> | StepOf<'int4-weights'>): string[] {
  const convolutions = skipped.filter(({ op }) => op === 'Conv').length
  if (convolutions === 0) return []
  return [
    `${step.recipe} leaves ${convolutions} ${convolutions === 1 ? 'convolution' : 'convolutions'} in float32; int8-static quantizes convolutions.`,
  ]
}
