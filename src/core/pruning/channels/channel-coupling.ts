import type { NodeProto, TensorProto } from 'onnx-buf'
import { attribute, type Graph } from '../../onnx/graph.ts'
import { inferShapes } from '../../onnx/shape-inference.ts'
import type { Dim, Shape, TensorFact } from '../../onnx/shapes.ts'
import { mergeShapes } from '../../onnx/shapes.ts'
import { capturedTensors } from '../../quantization/captured-tensors.ts'
import type { TensorFactsByName } from '../../quantization/tensor-facts.ts'
import { ChannelClasses, type Labels } from './channel-classes.ts'
import { couplingRules } from './coupling-rules.ts'
import { type Axes, NodeCall, type SizeEntry } from './node-call.ts'

/** A node with weights whose output channels can go, or whose weights shrink when its input channels do. */
export interface ChannelLayer {
  readonly node: string
  /** Name of the weight. */
  readonly weight: string
  /** Name of the constant bias along the output channels, `undefined` when there is none. */
  readonly bias: string | undefined
  readonly kind: 'dense' | 'grouped' | 'depthwise'
  readonly groups: number
  /** Axis of the weight that input channels lie on. Of a depthwise layer it is also that of the output channels. */
  readonly inputAxis: number
  readonly outputAxis: number
  /** Classes of input and output channels (all groups together), `undefined` where they are not ours to remove. */
  readonly input: Labels | undefined
  readonly output: Labels | undefined
}

/** An integer input that holds channel counts. */
export interface SizeRewrite {
  readonly node: string
  readonly input: number
  readonly entries: readonly SizeEntry[]
}

/**
 * Which channels of a model depend on each other. Every output channel of a layer is a class; each tensor's axes carry labels that say
 * which index belongs to which class, so that Concat, Split, Flatten and the like are bookkeeping on label lists, and "remove a
 * class" means: drop its indices from every labelled axis.
 */
export class ChannelCoupling {
  readonly classes = new ChannelClasses()
  /** In graph order. */
  readonly layers: ChannelLayer[] = []
  readonly sizes: SizeRewrite[] = []
  readonly groups: { readonly node: string; readonly labels: Labels }[] = []
  /** Axes of constants that shrink. */
  readonly constants = new Map<string, Axes>()
  private readonly tensors = new Map<string, Axes>()
  private readonly sizeElements = new Map<string, readonly (Labels | undefined)[]>()
  private readonly graph: Graph
  private readonly inferred: ReadonlyMap<string, TensorFact>
  private readonly facts: TensorFactsByName

  private constructor(graph: Graph, facts: TensorFactsByName) {
    this.graph = graph
    this.inferred = inferShapes(graph.model).facts
    this.facts = facts
  }

  /**
   * @param graph a model whose nodes have unique names, in topological order
   * @param facts what the runtime knows of its tensors
   * @param excluded nodes whose weights stay as they are
   */
  static of(graph: Graph, facts: TensorFactsByName, excluded: (node: NodeProto) => boolean): ChannelCoupling {
    const coupling = new ChannelCoupling(graph, facts)
    for (const node of graph.nodes) coupling.visit(node, excluded(node))
    for (const { name } of graph.outputs) coupling.keepWhole(name, 'it is an output of the model')
    return coupling
  }

  shape(name: string): Shape | undefined {
    return name === '' ? undefined : mergeShapes(this.inferred.get(name)?.shape, this.facts.get(name)?.shape)
  }

  values(name: string): readonly Dim[] | undefined {
    return this.inferred.get(name)?.values
  }

  constant(name: string): TensorProto | undefined {
    return name === '' ? undefined : this.graph.constant(name)
  }

  axes(name: string): Axes | undefined {
    return this.tensors.get(name)
  }

  setAxes(name: string, axes: Axes): void {
    this.tensors.set(name, axes)
  }

  /** Every labelled axis of tensors that nodes write, by tensor name. */
  labelledTensors(): IterableIterator<[string, Axes]> {
    return this.tensors.entries()
  }

  elements(name: string): readonly (Labels | undefined)[] | undefined {
    return this.sizeElements.get(name)
  }

  setElements(name: string, elements: readonly (Labels | undefined)[]): void {
    if (elements.some((labels) => labels)) this.sizeElements.set(name, elements)
  }

  /** Notes how a constant is used; a second use ties its axes to the first one's. */
  register(name: string, axes: Axes, reason: string): void {
    const known = this.constants.get(name)
    if (!known) {
      this.constants.set(name, axes)
      return
    }
    this.constants.set(
      name,
      known.map((labels, axis) => {
        const other = axes[axis]
        if (labels && other && labels.length === other.length) {
          this.classes.tieAll(labels, other, reason)
          return labels
        }
        this.classes.freezeAll(labels, reason)
        this.classes.freezeAll(other, reason)
        return undefined
      }),
    )
  }

  private visit(node: NodeProto, excluded: boolean): void {
    const call = new NodeCall(this, node)
    const rule = node.domain === '' || node.domain === 'ai.onnx' ? couplingRules.get(node.opType) : undefined
    for (const name of capturedTensors(node)) this.keepWhole(name, `a sub-graph of ${call.title} reads it`)
    if (rule && !attribute(node, 'body')) rule(call)
    else call.barrier('cannot be followed')
    call.registerOthers()
    if (excluded) {
      call.barrier('is excluded by the recipe')
      for (const output of node.output)
        for (const labels of this.tensors.get(output) ?? []) call.freeze(labels, 'is excluded by the recipe')
    }
  }

  private keepWhole(name: string, reason: string): void {
    for (const labels of this.tensors.get(name) ?? []) this.classes.freezeAll(labels, reason)
    const constant = this.graph.constant(name)
    if (constant)
      this.register(
        name,
        constant.dims.map(() => undefined),
        reason,
      )
  }
}
