import type { NodeProto } from 'onnx-buf'
import { type Graph, subgraphs } from '../onnx/graph.ts'

/** A fused kernel of more nodes is unheard of; a walk that finds more went astray. */
const MOST_NODES = 64
/** Layout changes and casts in a row. */
const MOST_LAYOUT_CHANGES = 8

/** What an operator of the rewritten graph was in the model, where the name does not say it. */
const BASE_OPS: Readonly<Record<string, readonly string[]>> = {
  ConvInteger: ['Conv', 'ConvInteger'],
  DynamicQuantizeLSTM: ['LSTM', 'DynamicQuantizeLSTM'],
  DynamicQuantizeMatMul: ['MatMulInteger', 'MatMul', 'Gemm'],
  FusedConv: ['Conv'],
  FusedGemm: ['Gemm', 'MatMul'],
  FusedMatMul: ['MatMul'],
  Gemm: ['Gemm', 'MatMul'],
  MatMulInteger: ['MatMulInteger', 'MatMul', 'Gemm'],
  MatMulIntegerToFloat: ['MatMul', 'MatMulInteger', 'Gemm'],
  MatMulNBits: ['MatMulNBits', 'MatMul', 'Gemm'],
  NhwcFusedConv: ['Conv'],
  NhwcMaxPool: ['MaxPool'],
  QGemm: ['Gemm', 'QGemm'],
}

/** Operators that the runtime adds by itself; one that stands in the model keeps its name. */
const ADDED: ReadonlySet<string> = new Set(['Cast', 'DequantizeLinear', 'QuantizeLinear', 'ReorderInput', 'ReorderOutput', 'Transpose'])

/**
 * Which nodes of a model each node of the graph rewritten by ONNX Runtime computes. Written for models whose nodes and tensors
 * carry the names of {@link nodeName} and {@link tensorName} (see `renamed-model.ts`), so that what ONNX Runtime makes of a name
 * can be undone:
 *
 * - fusions keep the name of the main node (`fused n3`, `n3/MatMulAddFusion`), or the tensor that the last node wrote;
 * - kernels for 8-bit values in channels-last order are `n3_token_7`;
 * - kernels for values in blocks of channels are named after a tensor: `t5_nchwc`;
 * - float16 graphs that run in float32 write `InsertedPrecisionFreeCast_t5`.
 *
 * From these anchors the walk goes back to what the kernel reads (or to the operator it is named after); nodes that are left over
 * were taken in by the kernel before them.
 *
 * @returns nodes by kernel, in graph order; none for a kernel that the runtime added. Nodes of constants alone belong to no kernel.
 */
export function kernelOrigins(model: Graph, rewritten: Graph): Map<NodeProto, NodeProto[]> {
  return new OriginSearch(model, rewritten).run()
}

class OriginSearch {
  private readonly model: Graph
  private readonly rewritten: Graph
  /** Place of each node of the model, inner graphs behind the outer ones. */
  private readonly places: ReadonlyMap<NodeProto, number>
  private readonly constants: ReadonlySet<NodeProto>
  private readonly byName: ReadonlyMap<string, NodeProto>
  private readonly anchors = new Map<NodeProto, NodeProto[]>()
  /** Nodes that orphaned kernels belong to. */
  private readonly owners = new Map<NodeProto, NodeProto>()
  private readonly kernelOf = new Map<NodeProto, NodeProto>()

  constructor(model: Graph, rewritten: Graph) {
    this.model = model
    this.rewritten = rewritten
    this.constants = constantNodes(model)
    const nodes = model.scopes().flatMap((scope) => [...scope.nodes])
    this.places = new Map(nodes.map((node, place) => [node, place]))
    this.byName = new Map(nodes.map((node) => [node.name, node]))
  }

  run(): Map<NodeProto, NodeProto[]> {
    const kernels = this.rewritten.scopes().flatMap((scope) => [...scope.nodes])
    for (const kernel of kernels) this.findAnchors(kernel)
    for (const [kernel, anchors] of this.anchors)
      for (const anchor of anchors) if (!this.kernelOf.has(anchor)) this.kernelOf.set(anchor, kernel)
    for (const kernel of kernels) for (const node of this.covered(kernel)) if (!this.kernelOf.has(node)) this.kernelOf.set(node, kernel)
    this.giveOrphans(kernels)
    this.giveLeftOvers()
    const origins = new Map<NodeProto, NodeProto[]>(kernels.map((kernel) => [kernel, []]))
    for (const [node, kernel] of this.kernelOf) origins.get(kernel)!.push(node)
    for (const nodes of origins.values()) nodes.sort((a, b) => this.places.get(a)! - this.places.get(b)!)
    this.giveInlined(kernels, origins)
    return origins
  }

  /** The node a kernel is named after and those that wrote its outputs. */
  private findAnchors(kernel: NodeProto): void {
    const named = this.byName.get(/(?:^|fused )(n\d+)(?![\w.])/.exec(kernel.name.replace(/_token_\d+$/, ''))?.[1] ?? '')
    const tensor = /^(?:InsertedPrecisionFreeCast_)?(t\d+)_nchwc/.exec(kernel.name)?.[1]
    const written = kernel.output.map((name) => this.model.producer(plainTensor(name)))
    const added = ADDED.has(kernel.opType) && !named
    const found = [named, tensor === undefined ? undefined : this.model.producer(tensor), ...written].filter((node) => {
      return node !== undefined && (!added || (node.opType === kernel.opType && !kernel.name.startsWith('Inserted')))
    })
    this.anchors.set(kernel, [...new Set(found as NodeProto[])])
  }

  /** From the anchors back to what the kernel reads. */
  private covered(kernel: NodeProto): Iterable<NodeProto> {
    const anchors = this.anchors.get(kernel) ?? []
    const reads = new Set(kernel.input.map(plainTensor))
    const known = kernel.input.every((name) => name === '' || this.rewritten.constant(name) || this.isTensor(plainTensor(name)))
    const base = BASE_OPS[kernel.opType] ?? [kernel.opType.replace(/^QLinear/, ''), kernel.opType]
    const found = new Set<NodeProto>()
    let reachedBase = false
    const open = [...anchors]
    for (let node = open.pop(); node; node = open.pop()) {
      if (found.has(node)) continue
      found.add(node)
      if (found.size > MOST_NODES) return anchors
      const atBase = base.includes(node.opType)
      reachedBase ||= atBase
      if (atBase && !known) continue
      for (const input of node.input) {
        const before = reads.has(input) ? undefined : this.model.producer(input)
        if (before && !this.kernelOf.has(before) && !this.constants.has(before)) open.push(before)
      }
    }
    return known || reachedBase ? found : anchors
  }

  /** Nodes without a kernel went into the one before them, or, at the beginning, into the one behind. */
  private giveLeftOvers(): void {
    const nodes = this.model.nodes.filter((node) => !this.constants.has(node))
    for (const node of nodes) {
      if (this.kernelOf.has(node)) continue
      const before = node.input.flatMap((input) => this.model.producer(input) ?? []).filter((producer) => this.kernelOf.has(producer))
      const latest = before.sort((a, b) => this.places.get(b)! - this.places.get(a)!)[0]
      if (latest) this.kernelOf.set(node, this.kernelOf.get(latest)!)
    }
    for (const node of nodes.reverse()) {
      const behind = node.output.flatMap((output) => this.model.consumers(output)).find((consumer) => this.kernelOf.has(consumer))
      if (behind && !this.kernelOf.has(node)) this.kernelOf.set(node, this.kernelOf.get(behind)!)
    }
  }

  /**
   * An operator that ONNX defines by others (HardSwish; Softmax in float16) runs as several kernels without names: they belong to the
   * node that no kernel speaks for behind the kernel before them.
   */
  private giveOrphans(kernels: readonly NodeProto[]): void {
    for (const kernel of kernels) {
      if (!this.isOrphan(kernel)) continue
      const owner = kernel.input.flatMap((name) => this.ownerBehind(name) ?? [])[0]
      if (!owner) continue
      this.owners.set(kernel, owner)
      if (!this.kernelOf.has(owner)) this.kernelOf.set(owner, kernel)
    }
  }

  /** What a kernel that reads `tensor` of the rewritten graph may belong to. */
  private ownerBehind(tensor: string): NodeProto | undefined {
    let before = this.rewritten.producer(tensor)
    for (let steps = 0; before && steps < MOST_LAYOUT_CHANGES && this.isPlaced(before); steps++)
      before = this.rewritten.producer(before.input[0] ?? '')
    if (!before) return undefined
    const owner = this.owners.get(before)
    if (owner) return owner
    const open = [...(this.anchors.get(before) ?? [])]
    for (let node = open.pop(), seen = 0; node && seen < MOST_NODES; node = open.pop(), seen++) {
      for (const reader of node.output.flatMap((name) => this.model.consumers(name))) {
        if (this.kernelOf.has(reader) || this.constants.has(reader)) continue
        if (!/antizeLinear$/.test(reader.opType)) return reader
        open.push(reader)
      }
    }
    return undefined
  }

  /** The same for orphans whose last kernel writes a tensor of the model, and so has that node already. */
  private giveInlined(kernels: readonly NodeProto[], origins: Map<NodeProto, NodeProto[]>): void {
    for (const kernel of [...kernels].reverse()) {
      if (!this.isOrphan(kernel) || origins.get(kernel)!.length > 0) continue
      const owner = this.owners.get(kernel)
      const behind = kernel.output.flatMap((name) => this.rewritten.consumers(name))[0]
      const taken = behind && !this.isPlaced(behind) ? origins.get(behind) : undefined
      origins.set(kernel, owner ? [owner] : (taken ?? []))
    }
  }

  /** A kernel that the runtime did not place for itself, and that no name leads to. */
  private isOrphan(kernel: NodeProto): boolean {
    return !ADDED.has(kernel.opType) && this.anchors.get(kernel)?.length === 0
  }

  private isPlaced(kernel: NodeProto): boolean {
    return ADDED.has(kernel.opType) && this.anchors.get(kernel)?.length === 0
  }

  private isTensor(name: string): boolean {
    return this.model.producer(name) !== undefined || this.model.isGraphInput(name)
  }
}

/** Nodes that are computed once, when the model is loaded: nothing of them comes from an input. */
function constantNodes(model: Graph): ReadonlySet<NodeProto> {
  const constants = new Set<NodeProto>()
  for (const node of model.nodes) {
    const reads = node.input.filter((input) => input !== '')
    const known = (input: string) => model.constant(input) !== undefined || constants.has(model.producer(input)!)
    if (node.opType === 'Constant' || (reads.length > 0 && subgraphs(node).length === 0 && reads.every(known))) constants.add(node)
  }
  return constants
}

/** A tensor's name without what ONNX Runtime puts before it. */
function plainTensor(name: string): string {
  return name.replace(/^InsertedPrecisionFreeCast_/, '')
}
