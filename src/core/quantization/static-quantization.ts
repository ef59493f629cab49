import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { Graph } from '../onnx/graph.ts'
import { decodeModel, encodeModel } from '../onnx/model-file.ts'
import type { ValueRange } from './affine-parameters.ts'
import { exclusion } from './exclusion.ts'
import type { SkippedNode } from './fusable-units.ts'
import { prepareForQuantization, type QuantizableModel } from './prepare-model.ts'
import { insertQdq } from './qdq-insertion.ts'
import { planQuantization, type QuantizationPlan } from './quantization-plan.ts'
import { type CalibrationSamples, collectRanges, requireFinite } from './range-collection.ts'
import { type QuantizationTarget, targetRules } from './target-rules.ts'

/** Settings of int8 quantization. */
export interface QuantizationOptions {
  readonly target: QuantizationTarget
  /** One weight scale for each output channel. */
  readonly perChannel: boolean
  /** Node names or operator types to leave in float. */
  readonly exclude: readonly string[]
}

/** A quantized model and what was done to it. */
export interface QuantizedModel {
  readonly model: ModelProto
  /** Nodes that work on 8-bit values, by name, in graph order. */
  readonly quantized: readonly string[]
  readonly skipped: readonly SkippedNode[]
}

/**
 * Quantizes a model to int8 with Q/DQ pairs in two halves, so that a caller can look at the result, exclude further nodes
 * and write it again without calibrating again: {@link StaticQuantization.calibrated} runs the samples,
 * {@link StaticQuantization.quantize} writes the model.
 */
export class StaticQuantization {
  private readonly prepared: QuantizableModel
  private readonly ranges: ReadonlyMap<string, ValueRange>
  /** Scale owners as they were calibrated. */
  private readonly owners: ReadonlyMap<string, string>
  private readonly options: QuantizationOptions
  /** The prepared model as bytes: every quantization starts from a copy of its own. */
  private readonly bytes: Uint8Array

  private constructor(
    prepared: QuantizableModel,
    plan: QuantizationPlan,
    ranges: ReadonlyMap<string, ValueRange>,
    options: QuantizationOptions,
  ) {
    this.prepared = prepared
    this.owners = plan.tensors
    this.ranges = new Map([...ranges, ...plan.fixedRanges])
    this.options = options
    this.bytes = encodeModel(prepared.graph.model)
  }

  /**
   * Prepares the model, chooses what to quantize and collects the ranges of its activations.
   *
   * @param source is not changed
   * @throws CoreError `RECIPE_NOT_APPLICABLE` when there is nothing to quantize, with the reasons
   */
  static async calibrated(
    source: ModelProto,
    samples: CalibrationSamples,
    runtime: InferenceRuntime,
    options: QuantizationOptions,
    progress: (done: number) => void = () => {},
  ): Promise<StaticQuantization> {
    const prepared = await prepareForQuantization(source, runtime)
    const plan = plannedFor(prepared, options, [])
    const owners = new Set([...plan.tensors.values()].filter((tensor) => !plan.fixedRanges.has(tensor)))
    const ranges = await collectRanges(prepared.graph.model, owners, samples, runtime, progress)
    for (const tensor of owners) requireFinite(tensor, ranges.get(tensor))
    return new StaticQuantization(prepared, plan, ranges, options)
  }

  /**
   * Writes the quantized model.
   * @param alsoExcluded names of further nodes to leave in float, each with the reason to report
   * @throws CoreError `RECIPE_NOT_APPLICABLE` when nothing is left to quantize
   */
  quantize(alsoExcluded: ReadonlyMap<string, string> = new Map()): QuantizedModel {
    const { options, prepared } = this
    const graph = new Graph(decodeModel(this.bytes, 'the prepared model'))
    const plan = plannedFor({ graph, facts: prepared.facts }, options, [...alsoExcluded.keys()])
    // With fewer units a tensor may own its scale that shared one before; its values lie in the range it shared.
    const ranges = new Map(
      [...plan.tensors.values()].map((owner) => [owner, this.ranges.get(owner) ?? this.ranges.get(this.owners.get(owner)!)!]),
    )
    insertQdq(graph, plan, ranges, { rules: targetRules(options.target), perChannel: options.perChannel })
    return {
      model: graph.model,
      quantized: plan.units.map(({ node }) => node.name),
      skipped: plan.skipped.map((entry) => ({ ...entry, reason: alsoExcluded.get(entry.node) ?? entry.reason })),
    }
  }
}

function plannedFor(
  { graph, facts }: QuantizableModel,
  { target, exclude }: QuantizationOptions,
  alsoExcluded: readonly string[],
): QuantizationPlan {
  const plan = planQuantization({ graph, facts, rules: targetRules(target), excluded: exclusion([...exclude, ...alsoExcluded]) })
  if (plan.units.length > 0) return plan
  const reasons = plan.skipped.slice(0, 5).map(({ node, op, reason }) => `${op} "${node}": ${reason}`)
  throw new CoreError(
    'RECIPE_NOT_APPLICABLE',
    `There is nothing to quantize to int8 in this model. ${reasons.join('; ') || 'It has no Conv, Gemm or MatMul with constant float32 weights.'}`,
    {
      hint: 'Use fp16 to halve the file, or exclude fewer nodes.',
      details: { skipped: plan.skipped.length },
    },
  )
}
