import { type NodeProto, type TensorProto, TensorProto_DataType, type ValueInfoProto } from 'onnx-buf'
import { makeAttribute, makeNode } from '../onnx/builders.ts'
import { attribute } from '../onnx/graph.ts'
import { makeTensor } from '../onnx/tensor-values.ts'
import { cancelCasts } from './half-casts.ts'
import type { FloatTensor, FlowScope } from './half-flow.ts'
import { keepsFloatInput, outputTypeAttribute } from './half-modes.ts'
import type { HalfPlan } from './half-plan.ts'
import { type ClampCounts, halfTensor } from './half-tensors.ts'

const { FLOAT, FLOAT16 } = TensorProto_DataType

type FloatType = 'half' | 'float'

/** Writes what {@link planHalf} decided into the graphs. */
export class HalfConversion {
  readonly clamped: ClampCounts = { tooLarge: 0, tooSmall: 0 }
  private readonly flow: readonly FlowScope[]
  private readonly modes: HalfPlan['modes']
  private readonly portType: FloatType
  private readonly opset: number
  private readonly ports: ReadonlySet<string>
  /** Names of the versions of each float tensor that somebody asked for. */
  private readonly versions = new Map<FloatTensor, Partial<Record<FloatType, string>>>()
  /** Names of the float16 versions in each graph. */
  private readonly halves = new Map<FlowScope, Set<string>>()

  constructor(flow: readonly FlowScope[], { modes }: HalfPlan, keepIoTypes: boolean) {
    this.flow = flow
    this.modes = modes
    this.portType = keepIoTypes ? 'float' : 'half'
    const { graph } = flow[0]!
    this.opset = graph.opset
    this.ports = new Set([...graph.proto.input, ...graph.outputs].map(({ name }) => name))
  }

  /** Rewrites the graphs. Only once: names are asked for while nodes change. */
  write(): void {
    const { flow } = this
    // What is read decides which versions exist, so inputs and what graphs give out go first.
    for (const scope of flow) for (const node of [...scope.graph.nodes]) this.rewriteInputs(node, scope)
    for (const scope of flow) this.rewriteGiven(scope)
    for (const scope of flow) for (const node of [...scope.graph.nodes]) this.rewriteOutputs(node, scope)
    for (const scope of flow) this.rewritePorts(scope)
    for (const scope of flow) this.rewriteInitializers(scope)
    for (const scope of flow) scope.graph.proto.node.push(...this.casts(scope))
    // Outer graphs look into inner ones, so they come last.
    for (const scope of [...flow].reverse()) {
      scope.graph.reindex()
      scope.graph.sortTopologically()
      cancelCasts(scope.graph, (name) => this.isHalf(scope, name))
      scope.graph.removeUnusedInitializers()
    }
  }

  /** The type in which a tensor comes into being. Initializers exist in every type that is read; float16 has the name when it is among them. */
  private nativeType(tensor: FloatTensor): FloatType {
    const { origin, producer } = tensor
    if (producer) return this.modes.get(producer) === 'half' ? 'half' : 'float'
    if (origin === 'port') return this.portType
    return tensor.readers.some(({ node, slot }) => node && this.takesHalf(node, slot)) ? 'half' : 'float'
  }

  /** @param slot an input, or `undefined` for what a body gives to the node that holds it */
  private takesHalf(node: NodeProto, slot: number | undefined): boolean {
    return this.modes.get(node) === 'half' && !(slot !== undefined && keepsFloatInput(node.opType, slot, this.opset))
  }

  /** The version that keeps the tensor's name: what callers know it by, else the one that is made. */
  private namedType(tensor: FloatTensor): FloatType {
    return !tensor.scope.holder && this.ports.has(tensor.name) ? this.portType : this.nativeType(tensor)
  }

  /** Name of a tensor in the type asked for. */
  private version(tensor: FloatTensor, type: FloatType): string {
    const versions = this.versions.get(tensor) ?? {}
    this.versions.set(tensor, versions)
    versions[type] ??= this.newName(tensor, type)
    return versions[type]
  }

  private newName(tensor: FloatTensor, type: FloatType): string {
    const { name, scope } = tensor
    const chosen = this.namedType(tensor) === type ? name : scope.graph.freshName(`${name}_${type}`)
    if (type === 'half') this.halves.set(scope, (this.halves.get(scope) ?? new Set()).add(chosen))
    return chosen
  }

  private rewriteInputs(node: NodeProto, scope: FlowScope): void {
    const either = this.modes.get(node) === 'either'
    node.input = node.input.map((name, slot) => {
      const tensor = scope.tensor(name)
      if (!tensor) return name
      if (this.takesHalf(node, slot)) return this.version(tensor, 'half')
      return this.version(tensor, either ? this.nativeType(tensor) : 'float')
    })
  }

  /** Outputs of a model keep their names; those of a body are known by their place. */
  private rewriteGiven(scope: FlowScope): void {
    const { graph, holder } = scope
    for (const output of graph.outputs) {
      const tensor = scope.tensor(output.name)
      if (!tensor) continue
      const type = holder ? this.holderType(holder) : this.portType
      const name = this.version(tensor, type)
      if (holder) output.name = name
      if (type === 'half') setElementType(output)
    }
  }

  private holderType(holder: NodeProto): FloatType {
    return this.modes.get(holder) === 'half' ? 'half' : 'float'
  }

  private rewriteOutputs(node: NodeProto, scope: FlowScope): void {
    const half = this.modes.get(node) === 'half'
    node.output = node.output.map((name) => {
      const tensor = scope.tensor(name)
      return tensor ? this.version(tensor, half ? 'half' : 'float') : name
    })
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

  private rewritePorts({ graph, tensors }: FlowScope): void {
    const half = new Set([...tensors].flatMap((tensor) => (this.namedType(tensor) === 'half' ? [tensor.name] : [])))
    const { input, valueInfo } = graph.proto
    for (const port of [...input, ...valueInfo]) if (half.has(port.name)) setElementType(port)
  }

  private rewriteInitializers(scope: FlowScope): void {
    const { proto } = scope.graph
    proto.initializer = proto.initializer.flatMap((tensor) => {
      if (tensor.dataType !== FLOAT) return [tensor]
      const known = scope.tensor(tensor.name)
      // A default value has the type of its input; what nobody reads stays.
      if (known?.origin !== 'stored')
        return [known && this.namedType(known) === 'half' ? halfTensor(tensor, tensor.name, this.clamped) : tensor]
      const { half, float } = this.versions.get(known) ?? {}
      if (half === undefined && float === undefined) return [tensor]
      const inHalf = half === undefined ? [] : [halfTensor(tensor, half, this.clamped)]
      if (float === undefined) return inHalf
      tensor.name = float
      return [tensor, ...inHalf]
    })
  }

  /** One Cast for each tensor that is made in one type and read in the other. */
  private casts({ graph, tensors }: FlowScope): NodeProto[] {
    return [...tensors].flatMap((tensor) => {
      if (tensor.origin === 'stored') return []
      const made = this.nativeType(tensor)
      const cast = this.versions.get(tensor)?.[made === 'half' ? 'float' : 'half']
      if (cast === undefined) return []
      const to = made === 'half' ? FLOAT : FLOAT16
      return [makeNode('Cast', [this.version(tensor, made)], [cast], { to }, { name: graph.freshName(`${cast}_Cast`) })]
    })
  }

  /** Tells float16 tensors of a graph: versions made here, and what was float16 in the source. */
  private isHalf(scope: FlowScope | undefined, name: string): boolean {
    if (!scope) return false
    if (this.halves.get(scope)?.has(name)) return true
    return scope.owns(name) ? scope.facts.get(name)?.type === 'float16' : this.isHalf(scope.outer, name)
  }
}

/** ConstantOfShape without a value fills with float32 zeros. */
function zeroValue(): TensorProto {
  return makeTensor('', 'float32', [1], new Float32Array(1))
}

function setElementType({ type }: ValueInfoProto): void {
  if (type?.value.case === 'tensorType') type.value.value.elemType = FLOAT16
}
