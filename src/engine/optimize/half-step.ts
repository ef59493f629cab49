import type { ModelProto, NodeProto } from 'onnx-buf'
import { toErrorReport } from '../../contract/errors.ts'
import type { Target } from '../../contract/names.ts'
import type { StepOf } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import { findHalfOverflow } from '../../core/quantization/half-overflow.ts'
import { convertToHalf, type HalfModel, prepareForHalf } from '../../core/quantization/half-precision.ts'
import type { ClampCounts } from '../../core/quantization/half-tensors.ts'
import { storeWeightsInHalf } from '../../core/quantization/half-weights.ts'
import { inferScopeFacts } from '../../core/quantization/scope-facts.ts'
import { someFeeds } from './calibration-feeds.ts'
import type { StepContext, StepResult } from './step-context.ts'

const NO_HALF_FORM = 'ONNX Runtime has no float16 form of it'
/** Samples on which values beyond float16 are looked for. */
const OVERFLOW_FEEDS = 32

/** Applies `fp16`. @throws CoreError `RECIPE_NOT_APPLICABLE`, the runtime's errors */
export async function halfStep(model: ModelProto, step: StepOf<'fp16'>, context: StepContext): Promise<StepResult> {
  return step.weightsOnly ? weightsStep(model, step) : conversionStep(model, step, context)
}

async function weightsStep(model: ModelProto, step: StepOf<'fp16'>): Promise<StepResult> {
  const result = storeWeightsInHalf(model, step)
  return {
    model: result.model,
    changed: result.changed,
    skipped: result.skipped,
    warnings: clampWarnings(result.clamped),
    facts: { weights: [...result.weights] },
  }
}

async function conversionStep(
  model: ModelProto,
  step: StepOf<'fp16'>,
  { runtime, target, calibration, log }: StepContext,
): Promise<StepResult> {
  const prepared = prepareForHalf(model)
  const graph = new Graph(prepared)
  const facts = await inferScopeFacts(graph, runtime)
  const blocked = calibration
    ? await findHalfOverflow(prepared, facts[0]!, someFeeds(calibration, OVERFLOW_FEEDS), runtime)
    : new Map<string, string>()
  const withoutForm = new Set<string>()
  for (;;) {
    const result = convertToHalf(prepared, facts, { ...step, blocked })
    const refused = await refusedNode(result, withoutForm, runtime)
    if (!refused) {
      const warnings = [
        ...speedWarnings(target),
        ...clampWarnings(result.clamped),
        ...(calibration ? uncheckedWarnings(graph, result) : []),
      ]
      return { model: result.model, changed: result.converted, skipped: result.skipped, warnings }
    }
    // What an operator takes does not depend on the node.
    withoutForm.add(refused.opType)
    for (const { name, opType } of allNodes(graph)) if (opType === refused.opType && !blocked.has(name)) blocked.set(name, NO_HALF_FORM)
    log(`${refused.opType} ("${refused.name}") has no float16 form and stays in float32`)
  }
}

/**
 * The node that keeps a float16 model from loading.
 * @param withoutForm operators that were found before
 * @throws the runtime's error when it names no node that could be left in float32
 */
async function refusedNode(
  { model }: HalfModel,
  withoutForm: ReadonlySet<string>,
  runtime: InferenceRuntime,
): Promise<NodeProto | undefined> {
  try {
    await (await runtime.load(encodeModel(model), { optimization: 'disabled' })).close()
    return undefined
  } catch (error) {
    const refused = toErrorReport(error).details?.node
    const known = allNodes(new Graph(model)).find(({ name }) => name !== '' && name === refused)
    if (!known || known.opType === 'Cast' || withoutForm.has(known.opType)) throw error
    return known
  }
}

function allNodes(graph: Graph): NodeProto[] {
  return graph.scopes().flatMap(({ nodes }) => nodes)
}

/** Nodes whose values nobody could look at. */
function uncheckedWarnings(graph: Graph, { converted }: HalfModel): string[] {
  const outer = new Set(graph.nodes.map(({ name }) => name))
  const inner = converted.filter((name) => !outer.has(name)).length
  if (inner === 0) return []
  return [
    `${inner} nodes in sub-graphs work in float16; whether their values stay within ±65504 on the samples cannot be seen from outside.`,
  ]
}

function speedWarnings(target: Target): string[] {
  if (target === 'tensorrt') return []
  const slower = target === 'arm64' || target === 'arm64-dotprod' ? ' and have been seen to be slower on arm64' : ''
  return [
    `float16 makes the file smaller, not faster: on this target ONNX Runtime computes most operators in float32, and casts cost time${slower}. With weightsOnly the file is as small and the model as fast as before.`,
  ]
}

function clampWarnings({ tooLarge, tooSmall }: ClampCounts): string[] {
  const warnings: string[] = []
  if (tooLarge > 0) warnings.push(`${tooLarge} weights were beyond ±65504, the largest float16, and were set to it.`)
  if (tooSmall > 0) warnings.push(`${tooSmall} weights were below 6e-8, the smallest float16, and were set to it.`)
  return warnings
}
