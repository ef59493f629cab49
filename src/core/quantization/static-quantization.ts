import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { cloneModel } from '../onnx/clone-model.ts'
import { Graph } from '../onnx/graph.ts'
import { type AffineParameters, integerLimits, type ValueRange } from './affine-parameters.ts'
import { CalibrationStatistics, type Calibrator } from './calibration/calibration-statistics.ts'
import type { CalibrationSamples } from './calibration-samples.ts'
import { exclusion } from './exclusion.ts'
import type { SkippedNode } from './fusable-units.ts'
import { prepareForQuantization, type QuantizableModel } from './prepare-model.ts'
import { type InsertionResult, insertQdq } from './qdq-insertion.ts'
import { type PlannedUnit, planQuantization, type QuantizationPlan } from './quantization-plan.ts'
import { requireFinite } from './range-collection.ts'
import { type QuantizationTarget, type TargetRules, targetRules, type WeightScale } from './target-rules.ts'
import type { TensorFactsByName } from './tensor-facts.ts'

/** Settings of int8 quantization. */
export interface QuantizationOptions {
  readonly target: QuantizationTarget
  /** One weight scale for each output channel. */
  readonly perChannel: boolean
  /** Nodes to leave in float: names, operator types, patterns. */
  readonly exclude: readonly string[]
  /** The only nodes to quantize; all without it. */
  readonly include?: readonly string[]
}

/** A range, or exact parameters, for one activation instead of what calibration finds. */
export type TensorOverride = ValueRange | AffineParameters

/** Settings of static quantization; what is left out is as the target wants it. */
export interface StaticOptions extends QuantizationOptions {
  /** The calibrators whose ranges are wanted; the first is used unless {@link StaticQuantization.quantize} is told another. Default MinMax. */
  readonly calibrators?: readonly Calibrator[]
  /** Share of values, in percent, that the percentile calibrator keeps. Default 99.999. */
  readonly percentile?: number
  /** The feeds to calibrate on; all without it. */
  readonly feeds?: readonly number[]
  readonly symmetricActivations?: boolean
  readonly weightScale?: WeightScale | 'auto'
  /** Shift biases by the mean error of the rounded weights. Default false. */
  readonly biasCorrection?: boolean
  readonly overrides?: Readonly<Record<string, TensorOverride>>
}

/** A quantized model and what was done to it. */
export interface QuantizedModel {
  readonly model: ModelProto
  /** Nodes that work on 8-bit values, by name, in graph order. */
  readonly quantized: readonly string[]
  readonly skipped: readonly SkippedNode[]
}

/** A statically quantized model. */
export interface StaticallyQuantizedModel extends QuantizedModel, InsertionResult {}

/** What {@link StaticQuantization.quantize} does other than by default. */
export interface QuantizeOptions {
  /** Names of further nodes to leave in float, each with the reason to report. */
  readonly leave?: ReadonlyMap<string, string>
  /** One of those asked for while calibrating. */
  readonly calibrator?: Calibrator
  /** False: leave the biases even though the options ask for correction. */
  readonly biasCorrection?: boolean
}

const HISTOGRAMS: ReadonlySet<Calibrator> = new Set(['percentile', 'entropy', 'mse'])

/**
 * Quantizes a model to int8 with Q/DQ pairs in two halves, so that a caller can look at the result, exclude further nodes,
 * try another calibrator, and write it again without calibrating again: {@link StaticQuantization.calibrated} runs the
 * samples, {@link StaticQuantization.quantize} writes the model.
 */
export class StaticQuantization {
  private readonly facts: TensorFactsByName
  private readonly plan: QuantizationPlan
  private readonly statistics: CalibrationStatistics
  private readonly options: StaticOptions
  /** The float model that is quantized. Every quantization starts from a copy of its own. */
  readonly prepared: ModelProto

  private constructor(prepared: QuantizableModel, plan: QuantizationPlan, statistics: CalibrationStatistics, options: StaticOptions) {
    this.facts = prepared.facts
    this.plan = plan
    this.statistics = statistics
    this.options = options
    this.prepared = prepared.graph.model
  }

  /**
   * Prepares the model, chooses what to quantize and collects the ranges of its activations.
   *
   * @param source is not changed
   * @throws CoreError `RECIPE_NOT_APPLICABLE` when there is nothing to quantize, with the reasons, or an override names no
   *   quantized activation
   */
  static async calibrated(
    source: ModelProto,
    samples: CalibrationSamples,
    runtime: InferenceRuntime,
    options: StaticOptions,
    progress: (done: number) => void = () => {},
  ): Promise<StaticQuantization> {
    const prepared = await prepareForQuantization(source, runtime)
    const plan = plannedFor(prepared, options, [])
    requireKnownOverrides(plan, options)
    const owners = new Set([...plan.tensors.values()].filter((tensor) => !plan.fixedRanges.has(tensor)))
    const collection = {
      histograms: calibratorsOf(options).some((calibrator) => HISTOGRAMS.has(calibrator)),
      means: options.biasCorrection ? biasedInputs(plan.units) : [],
      ...(options.feeds ? { feeds: options.feeds } : {}),
    }
    const statistics = await CalibrationStatistics.collect(prepared.graph.model, owners, samples, runtime, collection, progress)
    const quantization = new StaticQuantization(prepared, plan, statistics, options)
    for (const tensor of owners) requireFinite(tensor, quantization.rangeOf(tensor, 'minmax'))
    return quantization
  }

  /** Names of the nodes that are quantized when none is left out, in graph order. */
  get units(): readonly PlannedUnit[] {
    return this.plan.units
  }

  /** Whether biases can be corrected. */
  get correctsBiases(): boolean {
    return this.options.biasCorrection === true
  }

  /** Calibrators that {@link quantize} can use. */
  get calibrators(): readonly Calibrator[] {
    return calibratorsOf(this.options)
  }

  /**
   * Writes the quantized model.
   * @throws CoreError `RECIPE_NOT_APPLICABLE` when nothing is left to quantize
   */
  quantize({
    leave = new Map(),
    calibrator = this.calibrators[0]!,
    biasCorrection = true,
  }: QuantizeOptions = {}): StaticallyQuantizedModel {
    const { options } = this
    const graph = new Graph(cloneModel(this.prepared))
    const plan = plannedFor({ graph, facts: this.facts }, options, [...leave.keys()])
    const owners = [...new Set(plan.tensors.values())]
    const ranges = new Map(owners.map((owner) => [owner, this.rangeOf(owner, calibrator)!]))
    const written = insertQdq(graph, plan, ranges, {
      rules: rulesFor(options),
      perChannel: options.perChannel,
      fixedParameters: this.fixedParameters(plan),
      ...(options.biasCorrection && biasCorrection ? { means: (tensor: string) => this.statistics.channelMeans(tensor) } : {}),
    })
    return {
      model: graph.model,
      quantized: plan.units.map(({ node }) => node.name),
      skipped: plan.skipped.map((entry) => ({ ...entry, reason: leave.get(entry.node) ?? entry.reason })),
      ...written,
    }
  }

  /** The range of a scale owner. With fewer units a tensor may own its scale that shared one before; its values lie in the range it shared. */
  private rangeOf(owner: string, calibrator: Calibrator): ValueRange | undefined {
    const fixed = this.plan.fixedRanges.get(owner)
    if (fixed) return fixed
    const override = this.options.overrides?.[owner]
    if (override && 'min' in override) return override
    const { activationType: type, activationSymmetric: symmetric } = rulesFor(this.options)
    const how = { type, symmetric, percentile: this.options.percentile ?? DEFAULT_PERCENTILE }
    const found = this.statistics.range(owner, calibrator, how)
    if (found) return found
    const shared = this.plan.tensors.get(owner)
    return shared === undefined || shared === owner ? undefined : this.rangeOf(shared, calibrator)
  }

  private fixedParameters(plan: QuantizationPlan): Map<string, AffineParameters> {
    const fixed = new Map<string, AffineParameters>()
    for (const [tensor, override] of Object.entries(this.options.overrides ?? {})) {
      const owner = plan.tensors.get(tensor)
      if (owner !== undefined && 'scale' in override)
        fixed.set(owner, { scale: Math.fround(override.scale), zeroPoint: override.zeroPoint })
    }
    return fixed
  }
}

/** 99.999 % left the most accurate networks in the measurements this program is built on. */
const DEFAULT_PERCENTILE = 99.999

function calibratorsOf({ calibrators = ['minmax'] }: StaticOptions): readonly Calibrator[] {
  return calibrators
}

function rulesFor({ target, symmetricActivations, weightScale = 'auto' }: StaticOptions): TargetRules {
  const rules = targetRules(target)
  return {
    ...rules,
    activationSymmetric: rules.activationSymmetric || symmetricActivations === true,
    weightScale: weightScale === 'auto' ? rules.weightScale : weightScale,
  }
}

/** Activations whose readers' biases can be corrected, with the axis of their channels. */
function biasedInputs(units: readonly PlannedUnit[]): { readonly tensor: string; readonly axis: number }[] {
  const axes = new Map<string, number>()
  for (const { node, weight, activations } of units) {
    if (!weight || node.opType === 'MatMul') continue
    const tensor = node.input[activations[0]!]!
    if (!axes.has(tensor)) axes.set(tensor, 1)
  }
  return [...axes].map(([tensor, axis]) => ({ tensor, axis }))
}

function requireKnownOverrides(plan: QuantizationPlan, { overrides = {}, ...options }: StaticOptions): void {
  const { activationType } = rulesFor(options)
  const limits = integerLimits(activationType, false)
  for (const [tensor, override] of Object.entries(overrides)) {
    if (!plan.tensors.has(tensor)) {
      const some = [...plan.tensors.keys()].slice(0, 10).join(', ')
      throw new CoreError('RECIPE_NOT_APPLICABLE', `The override for "${tensor}" fits no quantized activation. There are: ${some} …`, {
        hint: 'Names are those of the tensors in the prepared model; a build lists them in its summary.',
        details: { tensor },
      })
    }
    const wrong = 'scale' in override ? override.zeroPoint < limits.min || override.zeroPoint > limits.max : !(override.min <= override.max)
    if (wrong) {
      throw new CoreError('RECIPE_NOT_APPLICABLE', `The override for "${tensor}" is not a range or zero point of ${activationType}.`, {
        hint: `Give min ≤ max, or a zero point from ${limits.min} to ${limits.max}.`,
        details: { tensor },
      })
    }
  }
}

function plannedFor({ graph, facts }: QuantizableModel, options: StaticOptions, alsoExcluded: readonly string[]): QuantizationPlan {
  const { exclude, include } = options
  const left = new Set(alsoExcluded)
  const byRecipe = exclusion(exclude, include)
  const plan = planQuantization({ graph, facts, rules: rulesFor(options), excluded: (node) => left.has(node.name) || byRecipe(node) })
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
