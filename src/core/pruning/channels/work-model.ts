import type { ModelProto } from 'onnx-buf'
import { makeValueInfo } from '../../onnx/builders.ts'
import { decodeModel, encodeModel } from '../../onnx/model-file.ts'
import { inferShapes } from '../../onnx/shape-inference.ts'
import { declaredFact, type TensorFact } from '../../onnx/shapes.ts'
import { FIXED, type Labels } from './channel-classes.ts'
import type { ChannelCoupling } from './channel-coupling.ts'

/** Sizes tried for open dimensions other than the batch when there are no samples to take them from: what networks for images and sound commonly take. */
const OPEN_SIZES = [224, 64, 256, 32, 320, 16, 8, 1]

/** What every tensor is like when the inputs have these sizes, and each node's work. */
export interface SizedModel {
  readonly facts: ReadonlyMap<string, TensorFact>
  /** Multiply-accumulates by node name; nodes that could not be counted are missing. */
  readonly macs: ReadonlyMap<string, number>
}

/**
 * Shapes and work of a run with inputs of given sizes.
 * @param dims by input name; without it open dimensions get a size that can be counted with, the batch 1
 */
export function sizedModel(model: ModelProto, dims: ReadonlyMap<string, readonly number[]> | undefined): SizedModel {
  const attempts = dims ? [dims] : OPEN_SIZES.map((size) => openDims(model, size))
  let best: SizedModel | undefined
  for (const attempt of attempts) {
    const found = sized(model, attempt)
    if (!best || found.macs.size > best.macs.size) best = found
    if (best.macs.size === model.graph!.node.length) break
  }
  return best!
}

function openDims(model: ModelProto, size: number): Map<string, readonly number[]> {
  return new Map(
    model.graph!.input.flatMap((input) => {
      const shape = declaredFact(input).shape
      return shape ? [[input.name, shape.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : size))] as const] : []
    }),
  )
}

function sized(source: ModelProto, dims: ReadonlyMap<string, readonly number[]>): SizedModel {
  const model = decodeModel(encodeModel({ ...source, graph: { ...source.graph!, valueInfo: [] } }), 'the sized model')
  model.graph!.input = model.graph!.input.map((input) => {
    const shape = dims.get(input.name)
    const { type } = declaredFact(input)
    return shape && type ? makeValueInfo(input.name, type, shape) : input
  })
  const { facts, macs } = inferShapes(model)
  return { facts, macs: new Map([...macs].flatMap(([node, count]) => (count === null ? [] : [[node.name, count] as const]))) }
}

/** Work of a model in dependence of the channels that are kept. */
export class WorkModel {
  private readonly kept: number[] = []
  private readonly lengths: number[] = []
  private readonly places = new Map<number, { readonly axis: number; readonly count: number }[]>()
  private readonly layers: { readonly macs: number; readonly input: number; readonly output: number }[] = []
  private readonly constant: number

  /** @param macs by node name; a layer without is not counted */
  constructor(coupling: ChannelCoupling, macs: ReadonlyMap<string, number>) {
    const axes = new Map<Labels, number>()
    const axis = (labels: Labels | undefined): number => {
      if (!labels) return -1
      const known = axes.get(labels)
      if (known !== undefined) return known
      const index = this.lengths.push(labels.length) - 1
      this.kept.push(labels.length)
      axes.set(labels, index)
      const counts = new Map<number, number>()
      for (const label of labels)
        if (label !== FIXED) counts.set(coupling.classes.find(label), (counts.get(coupling.classes.find(label)) ?? 0) + 1)
      for (const [name, count] of counts) this.places.set(name, [...(this.places.get(name) ?? []), { axis: index, count }])
      return index
    }
    let rest = [...macs.values()].reduce((sum, count) => sum + count, 0)
    for (const { node, kind, input, output } of coupling.layers) {
      const known = macs.get(node)
      rest -= known ?? 0
      this.layers.push({ macs: known ?? 0, input: kind === 'depthwise' ? -1 : axis(input), output: axis(output) })
    }
    this.constant = rest
  }

  /** Multiply-accumulates now. */
  get total(): number {
    const share = (axis: number): number => (axis < 0 ? 1 : this.kept[axis]! / this.lengths[axis]!)
    return this.layers.reduce((sum, { macs, input, output }) => sum + macs * share(input) * share(output), this.constant)
  }

  remove(names: readonly number[]): void {
    for (const name of names) for (const { axis, count } of this.places.get(name) ?? []) this.kept[axis] = this.kept[axis]! - count
  }

  restore(names: readonly number[]): void {
    for (const name of names) for (const { axis, count } of this.places.get(name) ?? []) this.kept[axis] = this.kept[axis]! + count
  }
}
