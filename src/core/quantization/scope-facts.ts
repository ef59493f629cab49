import { create } from '@bufbuild/protobuf'
import { type GraphProto, type ModelProto, ModelProtoSchema, type NodeProto, TensorProtoSchema, type ValueInfoProto } from 'onnx-buf'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { makeValueInfo } from '../onnx/builders.ts'
import { type ElementType, elementTypeName } from '../onnx/data-types.ts'
import { type Graph, subgraphs } from '../onnx/graph.ts'
import { capturedBy } from './captured-tensors.ts'
import { inferTensorFacts, type TensorFacts } from './tensor-facts.ts'

/** What is known of the tensors that a graph can read: its own, and those of the graphs around it. */
export interface ScopeFacts {
  get(tensor: string): TensorFacts | undefined
  has(tensor: string): boolean
  /** False for a sub-graph whose types could not be found out: nothing is known of its own tensors then. */
  readonly known: boolean
}

/**
 * Sub-graphs that are looked at; each costs loading it once. Real models have some dozens (speech models with nested Ifs),
 * unrolled ones some hundred.
 */
const MAX_SUBGRAPHS = 500

/**
 * Types and shapes of the tensors of a graph and of every sub-graph in it, in the order of {@link Graph.scopes}. The runtime infers
 * them: each body is loaded as a model of its own, what it captures being that model's inputs.
 *
 * @throws the runtime's load errors for the main graph; a body that does not load alone is only not `known`
 */
export async function inferScopeFacts(graph: Graph, runtime: InferenceRuntime): Promise<ScopeFacts[]> {
  const scopes = graph.scopes()
  const main = await inferTensorFacts(graph.model, runtime)
  const found = new Map<GraphProto, ScopeFacts>([
    [graph.proto, { get: (tensor) => main.get(tensor), has: (tensor) => main.has(tensor), known: true }],
  ])
  for (const scope of scopes) {
    for (const node of scope.nodes) {
      for (const body of subgraphs(node)) {
        const around = found.get(scope.proto)!
        const own = scopes.length <= MAX_SUBGRAPHS ? await bodyFacts(body, node, scope, around, runtime) : undefined
        found.set(body, new InnerFacts(body, own, around))
      }
    }
  }
  return scopes.map(({ proto }) => found.get(proto)!)
}

/** A body's own tensors hide those of the same name around it. */
class InnerFacts implements ScopeFacts {
  readonly known: boolean
  private readonly own: ReadonlyMap<string, TensorFacts>
  private readonly names: ReadonlySet<string>
  private readonly around: ScopeFacts

  constructor(body: GraphProto, own: ReadonlyMap<string, TensorFacts> | undefined, around: ScopeFacts) {
    this.known = own !== undefined
    this.own = own ?? new Map()
    this.around = around
    this.names = new Set(ownNames(body))
  }

  get(tensor: string): TensorFacts | undefined {
    return this.names.has(tensor) ? this.own.get(tensor) : this.around.get(tensor)
  }

  has(tensor: string): boolean {
    return this.get(tensor) !== undefined
  }
}

/** Names that a graph gives to tensors of its own. */
export function ownNames(graph: GraphProto): string[] {
  const sparse = graph.sparseInitializer.flatMap(({ values }) => (values ? [values.name] : []))
  return [
    ...[...graph.input, ...graph.initializer].map(({ name }) => name),
    ...sparse,
    ...graph.node.flatMap(({ output }) => output.filter((name) => name !== '')),
  ]
}

async function bodyFacts(
  body: GraphProto,
  node: NodeProto,
  scope: Graph,
  around: ScopeFacts,
  runtime: InferenceRuntime,
): Promise<ReadonlyMap<string, TensorFacts> | undefined> {
  const standing = standingAlone(body, node, scope, around)
  if (!standing) return undefined
  try {
    return await inferTensorFacts(standing, runtime)
  } catch {
    // It captures a sequence, or an operator needs to see more than types: its nodes are left as they are.
    return undefined
  }
}

/** A body as a model; `undefined` when the type of something it reads is not known or no tensor. */
function standingAlone(body: GraphProto, node: NodeProto, scope: Graph, around: ScopeFacts): ModelProto | undefined {
  const inputs = body.input.map((input, index) => declared(input) ?? bodyInput(input.name, node, index, around))
  const captured = [...new Set(capturedBy(body))]
  const constants = captured.flatMap((name) => {
    const constant = scope.constant(name)
    return constant ? [Object.assign(create(TensorProtoSchema), constant, { name })] : []
  })
  const stored = new Set(constants.map(({ name }) => name))
  for (const name of captured) if (!stored.has(name)) inputs.push(port(name, around.get(name)))
  if (inputs.includes(undefined)) return undefined
  const { irVersion, opsetImport, functions } = scope.model
  return create(ModelProtoSchema, {
    irVersion,
    opsetImport,
    functions,
    graph: {
      name: body.name || 'body',
      node: body.node,
      initializer: [...body.initializer, ...constants],
      sparseInitializer: body.sparseInitializer,
      input: inputs as ValueInfoProto[],
      // Outputs by name alone, so that the runtime infers what they are; outputs that no node writes are known anyway.
      output: body.output.filter(({ name }) => body.node.some(({ output }) => output.includes(name))).map(({ name }) => ({ name })),
    },
  })
}

function declared(input: ValueInfoProto): ValueInfoProto | undefined {
  const type = input.type?.value
  return type?.case === 'tensorType' && elementTypeName(type.value.elemType) ? input : undefined
}

/** Loop bodies read the round, the condition, then what the node reads from its third input on; Scan bodies what the node reads. */
function bodyInput(name: string, node: NodeProto, index: number, around: ScopeFacts): ValueInfoProto | undefined {
  if (node.opType === 'Loop' && index < 2) return makeValueInfo(name, index === 0 ? 'int64' : 'bool', [])
  if (node.opType !== 'Loop' && node.opType !== 'Scan') return undefined
  return port(name, around.get(node.input[index] ?? ''), true)
}

/** @param anyShape carried and scanned values have another shape inside, or change it from round to round */
function port(
  name: string,
  facts: { readonly type: ElementType; readonly shape: TensorFacts['shape'] } | undefined,
  anyShape = false,
): ValueInfoProto | undefined {
  if (!facts) return undefined
  const made = makeValueInfo(
    name,
    facts.type,
    facts.shape.map((dim) => dim ?? ''),
  )
  // A rank of 0 may also mean that the runtime does not know it.
  if ((anyShape || facts.shape.length === 0) && made.type?.value.case === 'tensorType') made.type.value.value.shape = undefined
  return made
}
