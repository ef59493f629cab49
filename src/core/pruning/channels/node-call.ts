import type { NodeProto, TensorProto } from 'onnx-buf'
import { intAttribute, intsAttribute } from '../../onnx/graph.ts'
import { type Dim, normalizeAxis, type Shape } from '../../onnx/shapes.ts'
import type { ChannelClasses, Labels } from './channel-classes.ts'
import type { ChannelCoupling } from './channel-coupling.ts'

/** Why a node is a barrier when its input's rank is not known. */
export const UNKNOWN_SHAPE = 'has an input of unknown shape'

/** Labels of each axis of a tensor; `undefined` for an axis whose length stays as it is. */
export type Axes = readonly (Labels | undefined)[]

/** A count written into the model: a number, or as many as are kept of some channels. */
export type SizeEntry = number | Labels

/** How an operator couples channels: reads the labels of its inputs and says those of its outputs. */
export type CouplingRule = (call: NodeCall) => undefined

/** One node while coupling is found: what rules look at and write to. */
export class NodeCall {
  readonly node: NodeProto
  private readonly coupling: ChannelCoupling
  private readonly registered = new Set<number>()

  constructor(coupling: ChannelCoupling, node: NodeProto) {
    this.coupling = coupling
    this.node = node
  }

  get classes(): ChannelClasses {
    return this.coupling.classes
  }

  /** How messages call the node. */
  get title(): string {
    return `${this.node.opType} "${this.node.name}"`
  }

  input(index: number): string {
    return this.node.input[index] ?? ''
  }

  shape(index: number): Shape | undefined {
    return this.coupling.shape(this.input(index))
  }

  outputShape(index = 0): Shape | undefined {
    return this.coupling.shape(this.node.output[index] ?? '')
  }

  /** Elements of a small tensor as far as they are known. */
  values(index: number): readonly Dim[] | undefined {
    return this.coupling.values(this.input(index))
  }

  /** Whole numbers of a known tensor, `undefined` when one is not known. */
  integers(index: number): number[] | undefined {
    const values = this.values(index)
    return values?.every((value) => typeof value === 'number') ? (values as number[]) : undefined
  }

  /** A constant input that is stored in the main graph, so that it can be rewritten. */
  constant(index: number): TensorProto | undefined {
    return this.coupling.constant(this.input(index))
  }

  /** Axes of an input, one entry each; all `undefined` for constants and what has no channels of ours; `undefined` when its rank is unknown. */
  axes(index: number): Axes | undefined {
    const known = this.coupling.axes(this.input(index))
    return known ?? this.shape(index)?.map(() => undefined)
  }

  labelled(index: number): boolean {
    return this.coupling.axes(this.input(index))?.some((labels) => labels) ?? false
  }

  int(name: string, fallback: number): number {
    return intAttribute(this.node, name, fallback)
  }

  ints(name: string): number[] | undefined {
    return intsAttribute(this.node, name)
  }

  /** An axis attribute counted from the front. */
  axis(fallback: number, rank: number): number | undefined {
    return normalizeAxis(this.int('axis', fallback), rank)
  }

  /** Whole numbers given as an attribute in old opsets, as an input in new ones. */
  list(name: string, index: number): number[] | 'absent' | 'unknown' {
    const given = this.ints(name)
    if (given) return given
    if (this.input(index) === '') return 'absent'
    return this.integers(index) ?? 'unknown'
  }

  /** Counts in an integer tensor that was read off a shape: which element is the length of which labelled axis. */
  elements(index: number): readonly (Labels | undefined)[] | undefined {
    return this.coupling.elements(this.input(index))
  }

  setElements(elements: readonly (Labels | undefined)[]): void {
    this.coupling.setElements(this.node.output[0]!, elements)
  }

  setAxes(axes: Axes, index = 0): undefined {
    const name = this.node.output[index] ?? ''
    if (name !== '' && axes.some((labels) => labels)) this.coupling.setAxes(name, axes)
  }

  /** Says which axes of a constant input shrink with which labels; axes left out may not shrink. */
  register(index: number, axes: Axes): void {
    this.registered.add(index)
    this.coupling.register(this.input(index), axes, `its constant "${this.input(index)}" is also used in another way`)
  }

  /** Constants that the rule did not mention are read whole. */
  registerOthers(): void {
    for (const [index, name] of this.node.input.entries()) {
      const constant = name === '' ? undefined : this.coupling.constant(name)
      if (constant && !this.registered.has(index))
        this.register(
          index,
          constant.dims.map(() => undefined),
        )
    }
  }

  freeze(labels: Labels | undefined, why: string): void {
    this.classes.freezeAll(labels, `${this.title} ${why}`)
  }

  /** Leaves every channel that reaches this node alone. */
  barrier(why: string): undefined {
    for (const index of this.node.input.keys()) {
      for (const labels of this.coupling.axes(this.input(index)) ?? []) this.freeze(labels, why)
      for (const labels of this.elements(index) ?? []) this.freeze(labels, why)
    }
  }

  /** An integer input is to be written anew once it is known what is kept. */
  rewriteSizes(input: number, entries: readonly SizeEntry[]): void {
    this.coupling.sizes.push({ node: this.node.name, input, entries })
  }

  addLayer(layer: Omit<ChannelCoupling['layers'][number], 'node'>): void {
    this.coupling.layers.push({ ...layer, node: this.node.name })
  }

  /** Attribute `group` is as many as are kept of these channels. */
  rewriteGroup(labels: Labels): void {
    this.coupling.groups.push({ node: this.node.name, labels })
  }
}
