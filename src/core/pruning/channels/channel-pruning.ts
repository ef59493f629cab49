import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../../core-error.ts'
import type { InferenceRuntime } from '../../inference-runtime.ts'
import { Graph } from '../../onnx/graph.ts'
import { decodeModel, encodeModel } from '../../onnx/model-file.ts'
import { elementCount } from '../../onnx/tensor-values.ts'
import { findWeights } from '../../onnx/weights.ts'
import type { CalibrationSamples } from '../../quantization/calibration-samples.ts'
import { exclusion } from '../../quantization/exclusion.ts'
import type { SkippedNode } from '../../quantization/fusable-units.ts'
import { inferTensorFacts, type TensorFactsByName } from '../../quantization/tensor-facts.ts'
import { allocateByRatio, allocateByWork, type RankedGroup } from './allocation.ts'
import { FIXED } from './channel-classes.ts'
import { ChannelCoupling } from './channel-coupling.ts'
import { AxisGuard, type ChannelGroup, channelGroups, type FrozenLayer } from './channel-groups.ts'
import { removalProblems } from './channel-losses.ts'
import { refitLayers } from './refit.ts'
import { requireSameOutputs } from './removal-check.ts'
import { removalOrder } from './removal-order.ts'
import { keptIndices, muteChannels, type RemovedClasses, removeChannels } from './remove-channels.ts'
import { type SizedModel, sizedModel, WorkModel } from './work-model.ts'

/** Settings of channel pruning. */
export interface ChannelPruningOptions {
  /** What `amount` is a share of: multiply-accumulates, channels of each group, or latency. */
  readonly goal: 'macs' | 'ratio' | 'latency'
  readonly amount: number
  readonly multipleOf: number
  readonly keepAtLeast: number
  readonly refit: boolean
  readonly exclude: readonly string[]
}

/** What channel pruning works with. */
export interface ChannelPruningContext {
  readonly runtime: InferenceRuntime
  /** Calibration samples; without them channels are chosen by their weights and nothing is re-fitted. */
  readonly samples: CalibrationSamples | undefined
  /** Inputs to compare pruned and muted model on; a few are enough. */
  readonly checks: CalibrationSamples
  /** Milliseconds of one inference of two models, timed in turn; needed for goal `latency`. */
  readonly measure?: (before: Uint8Array, after: Uint8Array) => Promise<{ readonly before: number; readonly after: number }>
  readonly progress: (phase: string, done: number, total: number | null, unit: string) => void
}

/** A pruned model and what was done to it. */
export interface ChannelPruned {
  readonly model: ModelProto
  readonly layers: readonly { readonly node: string; readonly op: string; readonly before: number; readonly after: number }[]
  readonly skipped: readonly SkippedNode[]
  readonly refitted: boolean
  /** False when channels that must stay made the goal impossible: as much as possible was removed. */
  readonly reached: boolean
  readonly parametersBefore: number
  readonly parametersAfter: number
  /** Multiply-accumulates of a run with one of the samples, `null` when a node cannot be counted. */
  readonly macs: { readonly before: number | null; readonly after: number | null }
  /** Milliseconds, for goal `latency`. */
  readonly latency: { readonly before: number; readonly after: number } | undefined
}

/** Before the work is counted. */
export type PrunedModel = Omit<ChannelPruned, 'macs'>

/** A model on its way to fewer channels. */
export class ChannelPruning {
  model: ModelProto
  readonly refits: boolean
  private readonly reference: ModelProto
  private readonly sized: SizedModel
  private readonly options: ChannelPruningOptions
  private readonly context: ChannelPruningContext
  private facts: TensorFactsByName | undefined
  /** Output channels of each layer that are left, as numbers in the reference. */
  private origins = new Map<string, readonly number[]>()
  private readonly lengths = new Map<string, number>()
  private frozen: readonly FrozenLayer[] = []
  private reached = true
  private refitted = false

  constructor(
    model: ModelProto,
    facts: TensorFactsByName,
    dims: ReadonlyMap<string, readonly number[]> | undefined,
    options: ChannelPruningOptions,
    context: ChannelPruningContext,
  ) {
    this.reference = model
    this.model = model
    this.facts = facts
    this.options = options
    this.context = context
    this.sized = sizedModel(model, dims)
    this.refits = options.refit && context.samples !== undefined
    const coupling = ChannelCoupling.of(new Graph(model), facts, exclusion(options.exclude))
    const { groups, frozen } = channelGroups(coupling)
    this.frozen = frozen
    for (const { node, output, weight, outputAxis, groups: count, kind } of coupling.layers) {
      const stored = Number(new Graph(model).initializer(weight)!.dims[outputAxis])
      const length = output?.length ?? (outputAxis === 0 || kind === 'depthwise' ? stored : stored * count)
      this.lengths.set(node, length)
      this.origins.set(
        node,
        Array.from({ length }, (_, index) => index),
      )
    }
    if (groups.length === 0) throw nothingToPrune(this.skipped())
  }

  /** Multiply-accumulates of the source. */
  private get work(): number {
    return [...this.sized.macs.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Removes channels until that share of the work (or of the channels) has gone, then fits what is left. */
  async round(share: number): Promise<void> {
    const { context, options } = this
    await this.prune(share)
    if (!this.refits || !context.samples) return
    const after = await this.coupling()
    const layers = after.layers
      .map((layer) => ({ layer, channels: this.origins.get(layer.node)! }))
      .filter(({ layer }) => !exclusion(options.exclude)(nodeNamed(this.model, layer.node)))
    const fitted = await refitLayers(this.model, layers, {
      reference: this.reference,
      facts: this.sized.facts,
      samples: context.samples,
      runtime: context.runtime,
      progress: (done, total) => context.progress('re-fitting', done, total, 'samples'),
    })
    this.refitted ||= fitted.length > 0
  }

  result(): PrunedModel {
    const nodes = new Map(this.reference.graph!.node.map((node) => [node.name, node.opType]))
    const layers = [...this.lengths].flatMap(([node, before]) => {
      const after = this.origins.get(node)!.length
      return after < before ? [{ node, op: nodes.get(node)!, before, after }] : []
    })
    return {
      model: this.model,
      layers,
      skipped: this.skipped(),
      refitted: this.refitted,
      reached: this.reached,
      parametersBefore: parameters(this.reference),
      parametersAfter: parameters(this.model),
      latency: undefined,
    }
  }

  /** Models without a share of the work, all from one ranking of the channels and none of them re-fitted. */
  async candidates(): Promise<(share: number) => ModelProto> {
    const coupling = await this.coupling()
    const ranked = await this.rank(coupling)
    return (share) => removeChannels(this.model, coupling, this.choose(coupling, ranked, share))
  }

  /** Removes channels until that share of the source's work (or of its channels) has gone. */
  private async prune(share: number): Promise<void> {
    const coupling = await this.coupling()
    const removed = this.choose(coupling, await this.rank(coupling), share)
    if (removed.size > 0) await this.remove(coupling, removed)
  }

  private async coupling(): Promise<ChannelCoupling> {
    this.facts ??= await inferTensorFacts(this.model, this.context.runtime)
    return ChannelCoupling.of(new Graph(this.model), this.facts, exclusion(this.options.exclude))
  }

  private async rank(coupling: ChannelCoupling): Promise<RankedGroup[]> {
    const { samples, runtime, progress } = this.context
    const problems = await removalProblems(
      this.model,
      coupling,
      samples && {
        samples,
        facts: this.sized.facts,
        runtime,
        progress: (done, total) => progress('scoring channels', done, total, 'samples'),
      },
    )
    return channelGroups(coupling).groups.map((group) => {
      const own = problems.filter(({ rows }) => group.classes.some((name) => rows.has(name)))
      return { group, order: removalOrder(group.classes, own, group.classes.length) }
    })
  }

  private choose(coupling: ChannelCoupling, ranked: readonly RankedGroup[], share: number): RemovedClasses {
    const { goal, keepAtLeast, multipleOf } = this.options
    const guard = new AxisGuard(coupling, ({ node }) => Math.ceil(this.lengths.get(node)! * keepAtLeast))
    if (goal === 'ratio') {
      const { removed, reached } = allocateByRatio(ranked, multipleOf, (group) => this.sizeBefore(coupling, group) * (1 - share), guard)
      this.reached = reached
      return removed
    }
    const work = new WorkModel(coupling, this.currentMacs(coupling))
    const { removed, reached } = allocateByWork(ranked, multipleOf, this.work * (1 - share), work, guard)
    this.reached = reached
    return removed
  }

  /** Classes a group had in the source: it shrinks as its layers do. */
  private sizeBefore(coupling: ChannelCoupling, { classes, size }: ChannelGroup): number {
    const [name] = classes
    const layer = coupling.layers.find(({ output }) => output?.some((label) => label !== FIXED && coupling.classes.find(label) === name))!
    return (size * this.lengths.get(layer.node)!) / this.origins.get(layer.node)!.length
  }

  /** Work of each node of the model on the way: that of the reference, less what has gone. */
  private currentMacs(coupling: ChannelCoupling): Map<string, number> {
    const macs = new Map(this.sized.macs)
    for (const { node, kind } of coupling.layers) {
      const known = macs.get(node)
      if (known === undefined) continue
      const output = this.origins.get(node)!.length / this.lengths.get(node)!
      const input = kind === 'depthwise' ? 1 : this.inputShare(coupling, node)
      macs.set(node, known * output * input)
    }
    return macs
  }

  private inputShare(coupling: ChannelCoupling, node: string): number {
    const layer = coupling.layers.find((entry) => entry.node === node)!
    const length = (model: ModelProto): number =>
      Number(model.graph!.initializer.find(({ name }) => name === layer.weight)!.dims[layer.inputAxis])
    return length(this.model) / length(this.reference)
  }

  private async remove(coupling: ChannelCoupling, removed: RemovedClasses): Promise<void> {
    const { runtime, checks, progress } = this.context
    const pruned = removeChannels(this.model, coupling, removed)
    progress('checking', 0, null, 'samples')
    await requireSameOutputs(muteChannels(this.model, coupling, removed), pruned, checks, runtime)
    for (const { node, output } of coupling.layers) {
      if (!output) continue
      const before = this.origins.get(node)!
      this.origins.set(
        node,
        keptIndices(coupling, output, removed).map((index) => before[index]!),
      )
    }
    this.model = decodeModel(encodeModel(pruned), 'the pruned model')
    this.facts = undefined
  }

  private skipped(): SkippedNode[] {
    const nodes = new Map(this.reference.graph!.node.map((node) => [node.name, node.opType]))
    return this.frozen.map(({ node, reason }) => ({ node, op: nodes.get(node)!, reason }))
  }
}

function nodeNamed(model: ModelProto, name: string) {
  return model.graph!.node.find((node) => node.name === name)!
}

function parameters(model: ModelProto): number {
  let count = 0
  for (const tensor of findWeights(model).keys()) count += elementCount(tensor.dims)
  return count
}

function nothingToPrune(skipped: readonly SkippedNode[]): CoreError {
  const reasons = skipped.slice(0, 5).map(({ node, op, reason }) => `${op} "${node}": ${reason}`)
  return new CoreError(
    'RECIPE_NOT_APPLICABLE',
    `No channels can be removed from this model. ${reasons.join('; ') || 'It has no Conv, Gemm or MatMul with constant weights in its main graph.'}`,
    {
      hint: 'Use a quantization recipe, or exclude fewer nodes.',
      details: { skipped: skipped.length },
    },
  )
}
