import type { ModelProto } from 'onnx-buf'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import type { StepOf } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { cloneModel } from '../../core/onnx/clone-model.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { decodeModel, encodeModel } from '../../core/onnx/model-file.ts'
import { raiseOpset } from '../../core/quantization/opset-upgrade.ts'
import { nameNodes, restoreDescription } from '../../core/quantization/prepare-model.ts'
import { inferTensorFacts } from '../../core/quantization/tensor-facts.ts'
import { dynamicBatchStep } from './dynamic-batch-step.ts'
import { extractStep } from './extract-step.ts'
import type { StepContext, StepResult } from './step-context.ts'

/**
 * Applies the steps that change a graph's form, not its numbers.
 * @throws EdgesmithError, CoreError `RECIPE_NOT_APPLICABLE`, `BUILD_VERIFICATION_FAILED`, the runtime's errors
 */
export function graphStep(
  model: ModelProto,
  step: StepOf<'extract'> | StepOf<'dynamic-batch'> | StepOf<'opset'>,
  context: StepContext,
): Promise<StepResult> {
  switch (step.recipe) {
    case 'extract':
      return extractStep(model, step, context)
    case 'dynamic-batch':
      return dynamicBatchStep(model, step, context)
    case 'opset':
      return opsetStep(model, step, context)
  }
}

/** Raises the operator set; functions of the model's own are inlined first, because they have operator sets of their own. */
async function opsetStep(source: ModelProto, { version }: StepOf<'opset'>, { runtime }: StepContext): Promise<StepResult> {
  const from = new Graph(source).opset
  if (from >= version) {
    throw new EdgesmithError('RECIPE_NOT_APPLICABLE', `The model has opset ${from} already; operator sets are only raised, not lowered.`, {
      hint: `Leave the step out, or give a version above ${from}.`,
      details: { opset: from, version },
    })
  }
  const model = source.functions.length > 0 ? await inlined(source, runtime) : cloneModel(source)
  const graph = new Graph(model)
  nameNodes(graph)
  raiseOpset(graph, await inferTensorFacts(model, runtime), version)
  await requireKernels(model, version, runtime)
  return { model, changed: [], skipped: [], warnings: [] }
}

async function inlined(source: ModelProto, runtime: InferenceRuntime): Promise<ModelProto> {
  const model = decodeModel(await runtime.optimized(encodeModel(source), 'basic'), 'the model without functions')
  restoreDescription(model, source)
  return model
}

/** ONNX Runtime lacks some operators in their newest version that it has in an older one. */
async function requireKernels(model: ModelProto, version: number, runtime: InferenceRuntime): Promise<void> {
  try {
    await (await runtime.load(encodeModel(model), { optimization: 'disabled' })).close()
  } catch (error) {
    const { code, message, details } = toErrorReport(error)
    if (code !== 'MODEL_UNSUPPORTED_OP') throw error
    throw new EdgesmithError('RECIPE_NOT_APPLICABLE', `The model cannot be raised to opset ${version}: ${message}`, {
      hint: 'Choose a lower version; 21 has everything that quantization needs.',
      details: { ...details, version },
    })
  }
}
