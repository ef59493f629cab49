import type { AttributeProto, NodeProto } from 'onnx-buf'
import type { ElementType } from './data-types.ts'
import type { Dim, Shape, TensorFact } from './shapes.ts'

/** What a rule returns: one entry for each output; a missing or `undefined` one is unknown. */
export type OutputFacts = readonly (TensorFact | undefined)[]

/** Says what is known of a node's outputs. Unknown is always an allowed answer, a wrong one never. */
export type ShapeRule = (call: OpCall) => OutputFacts

/** A node with what is known of its inputs: what shape rules and MAC counting look at. */
export class OpCall {
  readonly node: NodeProto
  /** Version of the operator set the node's domain is imported in. */
  readonly opset: number
  private readonly inputs: readonly (TensorFact | undefined)[]
  private readonly attributes: ReadonlyMap<string, AttributeProto>

  constructor(node: NodeProto, opset: number, inputs: readonly (TensorFact | undefined)[]) {
    this.node = node
    this.opset = opset
    this.inputs = inputs
    this.attributes = new Map(node.attribute.map((entry) => [entry.name, entry]))
  }

  get inputCount(): number {
    return this.inputs.length
  }

  get outputCount(): number {
    return this.node.output.length
  }

  /** True when the node names this input (an empty name leaves it out). */
  has(index: number): boolean {
    return (this.node.input[index] ?? '') !== ''
  }

  fact(index: number): TensorFact {
    return this.inputs[index] ?? {}
  }

  shape(index: number): Shape | undefined {
    return this.inputs[index]?.shape
  }

  type(index: number): ElementType | undefined {
    return this.inputs[index]?.type
  }

  values(index: number): readonly Dim[] | undefined {
    return this.inputs[index]?.values
  }

  /** The only element of an input, `undefined` when it is unknown or not the only one. */
  scalar(index: number): Dim {
    const values = this.values(index)
    return values?.length === 1 ? values[0] : undefined
  }

  attribute(name: string): AttributeProto | undefined {
    return this.attributes.get(name)
  }

  int(name: string, fallback: number): number {
    const found = this.attributes.get(name)
    return found ? Number(found.i) : fallback
  }

  ints(name: string): readonly number[] | undefined {
    return this.attributes.get(name)?.ints.map(Number)
  }

  text(name: string, fallback: string): string {
    const found = this.attributes.get(name)
    return found ? new TextDecoder().decode(found.s) : fallback
  }

  /** Axes (or sizes, pads …) given as an attribute in old opsets and as an input in new ones: `absent`, `unknown`, or the list. */
  list(attribute: string, input: number): readonly Dim[] | 'absent' | 'unknown' {
    const found = this.ints(attribute)
    if (found) return found
    if (!this.has(input)) return 'absent'
    return this.values(input) ?? 'unknown'
  }
}
