import { type ModelProto, type NodeProto, type TensorProto, TensorProto_DataType, type ValueInfoProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { makeAttribute, makeNode } from '../onnx/builders.ts'
import { attribute, Graph } from '../onnx/graph.ts'
import { decodeModel, encodeModel } from '../onnx/model-file.ts'
import { makeTensor } from '../onnx/tensor-values.ts'
import { requireFloatModel } from './already-quantized.ts'
import { capturedTensors, renameCaptured } from './captured-tensors.ts'
import { constantsToInitializers } from './constants-to-initializers.ts'
import { exclusion } from './exclusion.ts'
import type { SkippedNode } from './fusable-units.ts'
import { type HalfMode, halfMode, keepsFloatInput, outputTypeAttribute } from './half-modes.ts'
import { findConstantOverflow } from './half-overflow.ts'
import { type ClampCounts, halfTensor } from './half-tensors.ts'
import { nameNodes } from './prepare-model.ts'
import type { TensorFactsByName } from './tensor-facts.ts'

const { FLOAT, FLOAT16 } = TensorProto_DataType

/** Settings of the conversion to float16. */
export interface HalfOptions {
  /** Inputs and outputs stay float32. */
  readonly keepIoTypes: boolean
  /** Node names or operator types to leave in float32. */
  readonly exclude: readonly string[]
  /** Further nodes (by name) to leave in float32, with the reason. */
  readonly blocked?: ReadonlyMap<string, string>
}

/** A model in float16 and what was done to it. */
export interface HalfModel {
  readonly model: ModelProto
  /** Nodes that work in float16, by name, in graph order. */
  readonly converted: readonly string[]
  readonly skipped: readonly SkippedNode[]
  readonly clamped: Readonly<ClampCounts>
}

/**
 * Converts weights and activations to float16. A tensor that is needed in both types is cast once; nodes without a float16
 * form, nodes with sub-graphs and operators of other domains stay in float32. Values beyond float16 are clamped and counted.
 *
 * @param source is not changed; its nodes need names (see {@link nameNodes}) for `exclude` to find them
 * @param facts types of its tensors, see `inferTensorFacts`
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when nothing is float32 or the model is quantized
 */
export function convertToHalf(source: ModelProto, facts: TensorFactsByName, options: HalfOptions): HalfModel {
  const graph = new Graph(decodeModel(encodeModel(source), 'the model'))
  requireFloatModel(graph)
  nameNodes(graph)
  constantsToInitializers(graph)
  const blocked = new Map([...findConstantOverflow(graph), ...(options.blocked ?? [])])
  const conversion = new HalfConversion(graph, facts, { ...options, blocked })
  if (conversion.converted.length === 0) {
    throw new CoreError(
      'RECIPE_NOT_APPLICABLE',
      'No node of the model can work in float16: it computes on other types, or everything is excluded.',
      {
        hint: 'Inspect the model: fp16 converts float32 weights and activations.',
        details: { skipped: conversion.skipped.length },
      },
    )
  }
  conversion.write()
  return { model: graph.model, converted: conversion.converted, skipped: conversion.skipped, clamped: conversion.clamped }
}

type FloatType = 'half' | 'float'

class HalfConversion {
  readonly converted: string[] = []
  readonly skipped: SkippedNode[] = []
  readonly clamped: ClampCounts = { tooLarge: 0, tooSmall: 0 }
  private readonly graph: Graph
  private readonly facts: TensorFactsByName
  private readonly keepIoTypes: boolean
  private readonly modes = new Map<NodeProto, HalfMode['mode']>()
  private readonly captured: ReadonlySet<string>
  /** Initializers that no caller can override: they are written in every type that is read. */
  private readonly stored: ReadonlySet<string>
  private readonly ports: ReadonlySet<string>
  private readonly readInHalf: ReadonlySet<string>
  /** Names of the versions of each float tensor that somebody asked for. */
  private readonly versions = new Map<string, Partial<Record<FloatType, string>>>()

  constructor(graph: Graph, facts: TensorFactsByName, { keepIoTypes, exclude, blocked }: HalfOptions) {
    this.graph = graph
    this.facts = facts
    this.keepIoTypes = keepIoTypes
    this.stored = new Set(graph.proto.initializer.flatMap(({ name }) => (graph.constant(name) ? [name] : [])))
    this.captured = new Set(graph.nodes.flatMap(capturedTensors))
    this.ports = new Set([...graph.proto.input, ...graph.outputs].map(({ name }) => name))
    const excluded = exclusion(exclude)
    for (const node of graph.nodes) {
      const found = halfMode(node, facts)
      const reason =
        (found.mode === 'float' ? undefined : blocked?.get(node.name)) ??
        (excluded(node) && found.mode === 'half' ? 'excluded by the recipe' : undefined)
      const decided: HalfMode = reason === undefined ? found : { mode: 'float', reason }
      this.modes.set(node, decided.mode)
      if (decided.mode === 'half') this.converted.push(node.name)
      if (decided.mode === 'float') this.skipped.push({ node: node.name, op: node.opType, reason: decided.reason })
    }
    this.readInHalf = new Set(graph.nodes.flatMap((node) => node.input.filter((_, slot) => this.takesHalf(node, slot))))
  }

  /** Rewrites the graph. Only once: names are asked for while nodes change. */
  write(): void {
    const { graph } = this
    const nodes = [...graph.nodes]
    // What nodes read decides which versions exist, so inputs go first.
    for (const node of nodes) this.rewriteInputs(node)
    for (const { name } of graph.outputs) if (this.isFloat(name)) this.version(name, this.portType)
    for (const node of nodes) this.rewriteOutputs(node)
    this.rewritePorts()
    this.rewriteInitializers()
    const casts = this.casts()
    graph.reindex()
    graph.insertNodes(casts)
    graph.sortTopologically()
    graph.removeUnusedInitializers()
  }

  private get portType(): FloatType {
    return this.keepIoTypes ? 'float' : 'half'
  }

  private isFloat(tensor: string): boolean {
    return this.facts.get(tensor)?.type === 'float32'
  }

  /** The type in which a tensor comes into being. Initializers exist in every type that is read; float16 has the name when it is among them. */
  private nativeType(tensor: string): FloatType {
    const producer = this.graph.producer(tensor)
    if (producer) return this.modes.get(producer) === 'half' ? 'half' : 'float'
    if (!this.stored.has(tensor)) return this.portType
    return this.readInHalf.has(tensor) ? 'half' : 'float'
  }

  private takesHalf(node: NodeProto, slot: number): boolean {
    return this.modes.get(node) === 'half' && !keepsFloatInput(node.opType, slot, this.graph.opset)
  }

  /** The version that keeps the tensor's name: what callers and sub-graphs know it by, else the one that is made. */
  private namedType(tensor: string): FloatType {
    if (this.ports.has(tensor)) return this.portType
    return this.captured.has(tensor) ? 'float' : this.nativeType(tensor)
  }

  /** Name of a tensor in the type asked for. */
  private version(tensor: string, type: FloatType): string {
    const versions = this.versions.get(tensor) ?? {}
    this.versions.set(tensor, versions)
    versions[type] ??= this.namedType(tensor) === type ? tensor : this.graph.freshName(`${tensor}_${type}`)
    return versions[type]
  }

  private rewriteInputs(node: NodeProto): void {
    const mode = this.modes.get(node)
    node.input = node.input.map((tensor, slot) => {
      if (tensor === '' || !this.isFloat(tensor)) return tensor
      if (this.takesHalf(node, slot)) return this.version(tensor, 'half')
      return this.version(tensor, mode === 'either' ? this.nativeType(tensor) : 'float')
    })
    for (const tensor of new Set(capturedTensors(node))) {
      if (!this.isFloat(tensor)) continue
      const name = this.version(tensor, 'float')
      if (name !== tensor) renameCaptured(node, tensor, name)
    }
  }

  private rewriteOutputs(node: NodeProto): void {
    const half = this.modes.get(node) === 'half'
    node.output = node.output.map((tensor) =>
      tensor !== '' && this.isFloat(tensor) ? this.version(tensor, half ? 'half' : 'float') : tensor,
    )
    if (half) this.setOutputType(node)
  }

  private setOutputType(node: NodeProto): void {
    const name = outputTypeAttribute(node.opType)
    if (!name) return
    if (name === 'value') {
      const value = halfTensor(attribute(node, 'value')?.t ?? zeroValue(), '', this.clamped)
      node.attribute = [makeAttribute('value', value)]
      return
    }
    node.attribute = [...node.attribute.filter((entry) => entry.name !== name), makeAttribute(name, FLOAT16)]
  }

  private rewritePorts(): void {
    const half = new Set([...this.facts.keys()].filter((tensor) => this.isFloat(tensor) && this.namedType(tensor) === 'half'))
    const { input, output, valueInfo } = this.graph.proto
    for (const port of [...input, ...output, ...valueInfo]) if (half.has(port.name)) setElementType(port)
  }

  private rewriteInitializers(): void {
    const { proto } = this.graph
    proto.initializer = proto.initializer.flatMap((tensor) => {
      if (tensor.dataType !== FLOAT) return [tensor]
      const { half, float } = this.versions.get(tensor.name) ?? {}
      // A default value has the type of its input; what nobody reads stays.
      if (!this.stored.has(tensor.name)) return [this.portType === 'half' ? halfTensor(tensor, tensor.name, this.clamped) : tensor]
      if (half === undefined && float === undefined) return [tensor]
      const inHalf = half === undefined ? [] : [halfTensor(tensor, half, this.clamped)]
      if (float === undefined) return inHalf
      tensor.name = float
      return [tensor, ...inHalf]
    })
  }

  /** One Cast for each tensor that is made in one type and read in the other. */
  private casts(): NodeProto[] {
    return [...this.versions].flatMap(([tensor, versions]) => {
      const made = this.nativeType(tensor)
      const cast = versions[made === 'half' ? 'float' : 'half']
      if (cast === undefined || this.stored.has(tensor)) return []
      const to = made === 'half' ? FLOAT : FLOAT16
      return [makeNode('Cast', [this.version(tensor, made)], [cast], { to }, { name: this.graph.freshName(`${cast}_Cast`) })]
    })
  }
}

/** ConstantOfShape without a value fills with float32 zeros. */
function zeroValue(): TensorProto {
  return makeTensor('', 'float32', [1], new Float32Array(1))
}

function setElementType({ type }: ValueInfoProto): void {
  if (type?.value.case === 'tensorType') type.value.value.elemType = FLOAT16
}
