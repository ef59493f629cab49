import type { ModelProto, TensorProto } from 'onnx-buf'
import { makeAttribute } from '../../onnx/builders.ts'
import { Graph } from '../../onnx/graph.ts'
import { decodeModel, encodeModel } from '../../onnx/model-file.ts'
import { makeInt64 } from '../../onnx/tensor-values.ts'
import { FIXED, type Labels } from './channel-classes.ts'
import type { ChannelCoupling } from './channel-coupling.ts'
import { takeIndices, zeroIndices } from './tensor-slices.ts'

/** Classes that are removed, each by its name (`ChannelClasses.find`). */
export type RemovedClasses = ReadonlySet<number>

/** Indices of an axis that stay. */
export function keptIndices(coupling: ChannelCoupling, labels: Labels, removed: RemovedClasses): number[] {
  const kept: number[] = []
  for (const [index, label] of labels.entries()) if (label === FIXED || !removed.has(coupling.classes.find(label))) kept.push(index)
  return kept
}

/**
 * The model without those channels: constants, sizes and group counts are written anew.
 *
 * @param model the one coupling was found in; not changed
 * @param removed names of classes none of which is frozen
 */
export function removeChannels(model: ModelProto, coupling: ChannelCoupling, removed: RemovedClasses): ModelProto {
  const graph = new Graph(copyOf(model))
  const kept = (labels: Labels): number[] => keptIndices(coupling, labels, removed)
  for (const [name, axes] of coupling.constants) {
    const indices = axes.map((labels) => labels && kept(labels))
    if (indices.every((entry, axis) => !entry || entry.length === axes[axis]!.length)) continue
    graph.replaceInitializer(takeIndices(stored(graph, name), indices))
  }
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]))
  for (const { node: name, input, entries } of coupling.sizes) {
    const changes = entries.some((entry) => typeof entry !== 'number' && kept(entry).length !== entry.length)
    if (!changes) continue
    const node = nodes.get(name)!
    const sizes = entries.map((entry) => (typeof entry === 'number' ? entry : kept(entry).length))
    const tensor = makeInt64(graph.freshName(`${node.output[0]}_sizes`), [sizes.length], sizes)
    graph.addInitializer(tensor)
    while (node.input.length <= input) node.input.push('')
    node.input[input] = tensor.name
    // Number of parts and their sizes exclude each other.
    if (node.opType === 'Split') node.attribute = node.attribute.filter((entry) => entry.name !== 'num_outputs')
  }
  for (const { node: name, labels } of coupling.groups) {
    const node = nodes.get(name)!
    node.attribute = [...node.attribute.filter((entry) => entry.name !== 'group'), makeAttribute('group', kept(labels).length)]
  }
  // Declared shapes of what has shrunk would contradict the model.
  const shrunk = new Set([...coupling.labelledTensors()].map(([name]) => name))
  graph.proto.valueInfo = graph.proto.valueInfo.filter(({ name }) => !shrunk.has(name))
  graph.reindex()
  graph.removeUnusedInitializers()
  return graph.model
}

/**
 * The model with the same channels muted: whatever they hold, no layer reads it, because the weights for them are zero. It computes
 * what {@link removeChannels} computes, in the source's shape.
 */
export function muteChannels(model: ModelProto, coupling: ChannelCoupling, removed: RemovedClasses): ModelProto {
  const graph = new Graph(copyOf(model))
  for (const { weight, inputAxis, input, kind, groups } of coupling.layers) {
    if (!input || kind === 'depthwise') continue
    const tensor = stored(graph, weight)
    // The axis of a grouped convolution's weight is as long as one group.
    const labels = kind === 'grouped' && inputAxis === 1 ? input.subarray(0, input.length / groups) : input
    const kept = new Set(keptIndices(coupling, labels, removed))
    const gone = [...labels.keys()].filter((index) => !kept.has(index))
    if (gone.length > 0) graph.replaceInitializer(zeroIndices(tensor, inputAxis, gone))
  }
  return graph.model
}

function stored(graph: Graph, name: string): TensorProto {
  const tensor = graph.initializer(name)
  if (!tensor) throw new Error(`constant ${name} is no initializer of the main graph`)
  return tensor
}

function copyOf(model: ModelProto): ModelProto {
  return decodeModel(encodeModel(model), 'the prepared model')
}
