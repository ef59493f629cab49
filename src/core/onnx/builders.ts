import { create } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import { type ElementType, elementTypeNumber } from './data-types.ts'

/** Attribute values by ONNX kind: integers as number or number[], floats marked with {@link float}, strings, tensors. */
export type AttributeValue = number | readonly number[] | string | TensorProto | FloatAttribute

/** A float attribute: JavaScript cannot tell `1` from `1.0`, ONNX must. */
export interface FloatAttribute {
  readonly float: number | readonly number[]
}

/** Marks a number (or a list) as a FLOAT(S) attribute. */
export function float(value: number | readonly number[]): FloatAttribute {
  return { float: value }
}

/** One AttributeProto; integers must be whole numbers. */
export function makeAttribute(name: string, value: AttributeValue): AttributeProto {
  const Type = AttributeProto_AttributeType
  if (typeof value === 'string') return create(AttributeProtoSchema, { name, type: Type.STRING, s: new TextEncoder().encode(value) })
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: Type.INT, i: BigInt(value) })
  if (Array.isArray(value)) return create(AttributeProtoSchema, { name, type: Type.INTS, ints: value.map(BigInt) })
  if ('float' in value) {
    return typeof value.float === 'number'
      ? create(AttributeProtoSchema, { name, type: Type.FLOAT, f: value.float })
      : create(AttributeProtoSchema, { name, type: Type.FLOATS, floats: [...value.float] })
  }
  return create(AttributeProtoSchema, { name, type: Type.TENSOR, t: value as TensorProto })
}

/** One NodeProto. An empty string in `inputs` or `outputs` stands for an optional one left out. */
export function makeNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  options: { readonly name?: string; readonly domain?: string } = {},
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    input: [...inputs],
    output: [...outputs],
    name: options.name ?? '',
    domain: options.domain ?? '',
    attribute: Object.entries(attributes).map(([name, value]) => makeAttribute(name, value)),
  })
}

/** Describes a graph input, output or intermediate value; a string dimension is symbolic ("N"). */
export function makeValueInfo(name: string, type: ElementType, shape: readonly (number | string)[]): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: elementTypeNumber(type),
          shape: {
            dim: shape.map((dim) =>
              typeof dim === 'number'
                ? { value: { case: 'dimValue' as const, value: BigInt(dim) } }
                : { value: { case: 'dimParam' as const, value: dim } },
            ),
          },
        },
      },
    },
  })
}

/** What {@link makeModel} puts together. */
export interface ModelParts {
  readonly nodes: readonly NodeProto[]
  readonly inputs: readonly ValueInfoProto[]
  readonly outputs: readonly ValueInfoProto[]
  readonly initializers?: readonly TensorProto[]
  readonly name?: string
  /** Opset of the default domain; 17 is the oldest that has LayerNormalization and still loads everywhere. */
  readonly opset?: number
  /** Further domains, for example `{'com.microsoft': 1}`. */
  readonly domains?: Readonly<Record<string, number>>
  readonly metadata?: Readonly<Record<string, string>>
}

/** A ModelProto from its parts; nodes must already be in topological order. IR version 8 goes with opsets up to 18, 10 with later ones. */
export function makeModel(parts: ModelParts): ModelProto {
  const opset = parts.opset ?? 17
  return create(ModelProtoSchema, {
    irVersion: opset > 18 ? 10n : 8n,
    producerName: 'edgesmith',
    opsetImport: [
      { domain: '', version: BigInt(opset) },
      ...Object.entries(parts.domains ?? {}).map(([domain, version]) => ({ domain, version: BigInt(version) })),
    ],
    graph: {
      name: parts.name ?? 'graph',
      node: [...parts.nodes],
      input: [...parts.inputs],
      output: [...parts.outputs],
      initializer: [...(parts.initializers ?? [])],
    },
    metadataProps: Object.entries(parts.metadata ?? {}).map(([key, value]) => ({ key, value })),
  })
}
