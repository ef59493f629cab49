import type { NodeProto } from 'onnx-buf'
import { cloneModel } from '../onnx/clone-model.ts'
import { storedBytes } from '../onnx/data-types.ts'
import { inferShapes } from '../onnx/shape-inference.ts'
import { elementCount } from '../onnx/tensor-values.ts'
import { kernelPrecision } from './kernel-precision.ts'
import { kernelLabel, type ModelProfile, mainNode, nodeLabel, type ProfiledKernel } from './model-profile.ts'

/** One kernel with what it moved and computed; the contract's `profiledKernelSchema` describes the same. */
export interface KernelCost {
  readonly kernel: string
  readonly name: string
  readonly nodes: string[]
  readonly layer: string
  readonly precision: string
  readonly ms: number
  readonly macs: number | null
  readonly weightBytes: number
  readonly inputBytes: number
  readonly outputBytes: number
  readonly outputShape: number[] | null
}

/** Shapes of what a model was fed, by input. */
export type InputDims = Readonly<Record<string, readonly number[]>>

/**
 * What each kernel of a profile computed and moved, in the order they ran.
 *
 * Multiply-accumulates are those of the nodes of the model that a kernel computes (shapes inferred from what was fed), so that fused,
 * blocked and 8-bit kernels count what the model asks for. A node that runs as several kernels counts with the one that took longest.
 * Weights are the constants a kernel reads, as they are stored in the rewritten graph (before it packs them); inputs and outputs are
 * what the profiler says. A kernel in a loop moves its bytes once in this count.
 */
export function kernelCosts(profile: ModelProfile, fed: InputDims): KernelCost[] {
  const macs = macsByNode(profile, fed)
  const counting = new Map<NodeProto, ProfiledKernel>()
  for (const kernel of profile.kernels) {
    for (const node of kernel.nodes) {
      const known = counting.get(node)
      if (!known || known.ms < kernel.ms) counting.set(node, kernel)
    }
  }
  return profile.kernels.map((kernel) => ({
    kernel: kernelLabel(kernel),
    name: kernel.name,
    nodes: kernel.nodes.map(nodeLabel),
    layer: layerOf(kernel),
    precision: kernelPrecision(kernel),
    ms: kernel.ms,
    macs: sumOrNull(kernel.nodes.filter((node) => counting.get(node) === kernel).map((node) => macs.get(node) ?? 0)),
    weightBytes: weightBytes(profile, kernel),
    inputBytes: kernel.activationBytes,
    outputBytes: kernel.outputBytes,
    outputShape: kernel.outputs[0] ? [...kernel.outputs[0].shape] : null,
  }))
}

/** The layer a kernel counts under: its main node; all that the runtime added by itself, by operator. */
export function layerOf({ nodes, op }: Pick<ProfiledKernel, 'nodes' | 'op'>): string {
  const main = mainNode(nodes)
  return main ? nodeLabel(main) : `${op} (placed by ONNX Runtime)`
}

/** A sum; null as soon as one part is not known. */
export function sumOrNull(parts: readonly (number | null)[]): number | null {
  return parts.reduce((sum: number | null, part) => (sum === null || part === null ? null : sum + part), 0)
}

function macsByNode({ graph }: ModelProfile, fed: InputDims): ReadonlyMap<NodeProto, number | null> {
  const copy = cloneModel(graph.model)
  for (const input of copy.graph!.input) {
    const dims = Object.hasOwn(fed, input.name) ? fed[input.name] : undefined
    const type = input.type?.value
    if (dims === undefined || type?.case !== 'tensorType' || !type.value.shape) continue
    for (const [axis, dim] of type.value.shape.dim.entries()) {
      const size = dims[axis]
      if (size !== undefined) dim.value = { case: 'dimValue', value: BigInt(size) }
    }
  }
  // Shapes in the file may have been written for another batch.
  copy.graph!.valueInfo = []
  const { macs } = inferShapes(copy)
  // The copy's nodes stand where the model's do; a kernel in the body of a loop has no count of its own.
  return new Map(graph.nodes.map((node, place) => [node, macs.get(copy.graph!.node[place]!) ?? null]))
}

function weightBytes({ rewritten }: ModelProfile, { rewritten: node }: ProfiledKernel): number {
  const constants = [...new Set(node?.input ?? [])].flatMap((name) => rewritten.constant(name) ?? [])
  return constants.reduce((sum, { dataType, dims }) => sum + (storedBytes(dataType, elementCount(dims)) ?? 0), 0)
}
