import type { ModelProto } from 'onnx-buf'
import type { StepOf } from '../../contract/recipe.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { type DynamicallyQuantizedModel, quantizeDynamic } from '../../core/quantization/dynamic-quantization.ts'
import type { StepContext, StepResult } from './step-context.ts'

/** Applies `int8-dynamic`. @throws CoreError `RECIPE_NOT_APPLICABLE`, the runtime's errors */
export async function dynamicStep(model: ModelProto, step: StepOf<'int8-dynamic'>, context: StepContext): Promise<StepResult> {
  const result = await quantizeDynamic(model, context.runtime, { ...step, target: context.target })
  return {
    model: result.model,
    changed: result.quantized,
    skipped: result.skipped,
    warnings: dynamicWarnings(result),
    facts: { weights: [...result.weights] },
  }
}

function dynamicWarnings({ model, skipped }: DynamicallyQuantizedModel): string[] {
  const warnings: string[] = []
  const ops = new Graph(model).scopes().flatMap(({ nodes }) => nodes.map(({ opType }) => opType))
  const left = skipped.filter(({ op }) => op === 'Conv' || op === 'ConvTranspose').length
  if (left > 0)
    warnings.push(
      `int8-dynamic leaves ${left} ${left === 1 ? 'convolution' : 'convolutions'} in float32. int8-static quantizes convolutions.`,
    )
  const convolutions = ops.filter((op) => op === 'ConvInteger').length
  if (convolutions > 0) {
    warnings.push(
      `${convolutions} ${convolutions === 1 ? 'convolution runs' : 'convolutions run'} as ConvInteger. Measured on x64 with ONNX Runtime 1.30: 3×3 over 64 channels 0.9 of the float32 time, 1×1 1.1, depthwise 2.7, 1-D 4.7, 3-D 16 times. int8-static is faster.`,
    )
  }
  if (ops.includes('DynamicQuantizeLSTM'))
    warnings.push('DynamicQuantizeLSTM is an operator of ONNX Runtime (domain com.microsoft): other runtimes cannot load the build.')
  return warnings
}
