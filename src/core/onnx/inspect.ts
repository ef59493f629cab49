import type { GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf'
import { elementTypeName, storedBytes } from './data-types.ts'
import { subgraphs } from './graph.ts'
import { findLabels } from './labels.ts'
import { inferShapes } from './shape-inference.ts'
import { declaredFact, type Shape, type TensorFact, typeText } from './shapes.ts'
import { importedOpsets, normalizeDomain } from './supported-versions.ts'
import { elementCount } from './tensor-values.ts'
import { findWeights } from './weights.ts'
import { countZeros } from './zero-count.ts'

/** Nodes listed one by one; a graph beyond that is not looked at node by node in a table. */
const LISTED_NODES = 20_000
/** Characters of a metadata value that the report repeats: whole tokenizers have been found in metadata. */
const SHOWN_METADATA = 65_536
/** The same for what Edgesmith wrote itself and reads again: preprocessing of thousands of features, a long lineage. */
const SHOWN_OWN_METADATA = 2 ** 20

/** Characters of a node's name in the listing. */
const SHOWN_NAME = 1_000

/** A dimension in a report: `null` is unknown. */
export type ReportedDim = number | string | null

export interface InspectedPort {
  name: string
  type: string
  shape: ReportedDim[] | null
}

export interface InspectedNode {
  name: string
  op: string
  domain: string
  /** Shape of the first output. */
  outputShape: ReportedDim[] | null
  parameters: number
  macs: number | null
}

/** Everything {@link inspectModel} says; the contract's `ModelReport` checks it where it leaves the engine. */
export interface InspectedModel {
  sizeBytes: number
  sha256: string
  irVersion: number
  producer: string
  opset: number
  domains: Record<string, number>
  inputs: InspectedPort[]
  outputs: InspectedPort[]
  nodeCount: number
  opCounts: Record<string, number>
  initializerCount: number
  parameters: number
  parameterBytes: number
  zeroFraction: number
  weightTypes: Record<string, number>
  macs: number | null
  uncountedNodes: number
  metadata: Record<string, string>
  labels: string[] | null
  nodes: InspectedNode[]
  nodesTruncated: boolean
}

/**
 * Describes a model: ports, operators, parameters, shapes and work. Counts take sub-graphs in; `nodes` lists the main graph.
 *
 * - `parameters`: elements of floating point tensors, quantized weights and biases among the initializers (and Constant nodes),
 *   without scales and zero points; a quantized build has as many as its source.
 * - `zeroFraction`: share of exact zeros (or zero points) in float and 8-bit weights of two dimensions and more.
 * - `macs`: multiply-accumulates of a run with one sample (with the whole batch where the model has a fixed one); `null` when any node that does matrix work could not be counted,
 *   `uncountedNodes` says how many.
 * - `opCounts`: operators of other domains carry theirs (`com.microsoft.FusedConv`).
 *
 * @param model a model that passed `validateModel`
 * @param sizeBytes size of its file
 * @param sha256 hash of its file, lower-case hex
 */
export function inspectModel(model: ModelProto, sizeBytes: number, sha256: string): InspectedModel {
  const graph = model.graph
  if (!graph) throw new Error('inspectModel needs a validated model')
  const { facts } = inferShapes(model)
  const { macs } = inferShapes(model, { singleSample: true })
  const weights = findWeights(model)
  const opsets = importedOpsets(model)
  const census = takeCensus(graph)
  const initialized = new Set(graph.initializer.map(({ name }) => name))
  const sizes = weightSizes(graph, weights)
  const uncountedNodes = [...macs.values()].filter((count) => count === null).length
  const metadata = new Map(model.metadataProps.map(({ key, value }) => [key, value]))
  return {
    sizeBytes,
    sha256,
    irVersion: Number(model.irVersion),
    producer: [model.producerName, model.producerVersion]
      .filter((part) => part !== '')
      .join(' ')
      .slice(0, 1000),
    opset: opsets.get('') ?? 1,
    domains: Object.fromEntries([...opsets].map(([domain, version]) => [domain === '' ? 'ai.onnx' : domain, version])),
    inputs: graph.input.filter(({ name }) => !initialized.has(name)).map((input) => port(input, undefined)),
    outputs: graph.output.map((output) => port(output, facts.get(output.name))),
    nodeCount: census.nodes,
    opCounts: Object.fromEntries([...census.ops].sort(([, a], [, b]) => b - a)),
    initializerCount: census.initializers.length,
    ...parameterCounts(weights),
    weightTypes: bytesByType(new Set([...census.initializers, ...weights.keys()])),
    macs: uncountedNodes > 0 ? null : [...macs.values()].reduce<number>((sum, count) => sum + (count ?? 0), 0),
    uncountedNodes,
    metadata: Object.fromEntries(
      [...metadata].map(([key, value]) => [key, value.slice(0, key.startsWith('edgesmith.') ? SHOWN_OWN_METADATA : SHOWN_METADATA)]),
    ),
    labels: findLabels(metadata),
    nodes: graph.node.slice(0, LISTED_NODES).map((node) => describeNode(node, facts, macs, sizes)),
    nodesTruncated: graph.node.length > LISTED_NODES,
  }
}

function port(value: ValueInfoProto, inferred: TensorFact | undefined): InspectedPort {
  const declared = declaredFact(value)
  const shape = declared.shape?.map((dim, axis) => {
    const found = inferred?.shape?.length === declared.shape?.length ? inferred?.shape?.[axis] : undefined
    return typeof found === 'number' ? found : (dim ?? found)
  })
  const type = typeText(value.type)
  return { name: value.name, type: type === 'unknown' ? (inferred?.type ?? type) : type, shape: reported(shape ?? inferred?.shape) }
}

function reported(shape: Shape | undefined): ReportedDim[] | null {
  return shape?.map((dim) => dim ?? null) ?? null
}

/** Elements of each weight by the name under which nodes of the main graph read it. */
function weightSizes(graph: GraphProto, weights: ReturnType<typeof findWeights>): Map<string, number> {
  const sizes = new Map<string, number>()
  const add = (name: string | undefined, tensor: TensorProto | undefined) => {
    const weight = tensor && weights.get(tensor)
    if (name && weight) sizes.set(name, weight.elements)
  }
  for (const tensor of graph.initializer) add(tensor.name, tensor)
  for (const { values } of graph.sparseInitializer) add(values?.name, values)
  for (const { opType, output, attribute } of graph.node) if (opType === 'Constant') add(output[0], attribute[0]?.t)
  return sizes
}

function describeNode(
  node: NodeProto,
  facts: ReadonlyMap<string, TensorFact>,
  macs: ReadonlyMap<NodeProto, number | null>,
  sizes: ReadonlyMap<string, number>,
): InspectedNode {
  const read = new Set(node.input)
  let parameters = 0
  for (const name of read) parameters += sizes.get(name) ?? 0
  return {
    name: node.name.slice(0, SHOWN_NAME),
    op: node.opType.slice(0, SHOWN_NAME),
    domain: normalizeDomain(node.domain),
    outputShape: reported(facts.get(node.output[0] ?? '')?.shape),
    parameters,
    macs: macs.get(node) ?? null,
  }
}

interface Census {
  nodes: number
  readonly ops: Map<string, number>
  readonly initializers: TensorProto[]
}

function takeCensus(graph: GraphProto, census: Census = { nodes: 0, ops: new Map(), initializers: [] }): Census {
  for (const tensor of graph.initializer) census.initializers.push(tensor)
  for (const { values } of graph.sparseInitializer) if (values) census.initializers.push(values)
  for (const node of graph.node) {
    census.nodes++
    const domain = normalizeDomain(node.domain)
    const op = domain === '' ? node.opType : `${domain}.${node.opType}`
    census.ops.set(op, (census.ops.get(op) ?? 0) + 1)
    for (const body of subgraphs(node)) takeCensus(body, census)
  }
  return census
}

function parameterCounts(weights: ReturnType<typeof findWeights>): Pick<InspectedModel, 'parameters' | 'parameterBytes' | 'zeroFraction'> {
  let [parameters, parameterBytes, zeros, counted] = [0, 0, 0, 0]
  for (const weight of weights.values()) {
    parameters += weight.elements
    parameterBytes += weight.bytes
    const found = countZeros(weight)
    zeros += found?.zeros ?? 0
    counted += found?.of ?? 0
  }
  return { parameters, parameterBytes, zeroFraction: counted === 0 ? 0 : zeros / counted }
}

function bytesByType(tensors: Iterable<TensorProto>): Record<string, number> {
  const bytes = new Map<string, number>()
  for (const tensor of tensors) {
    const type = elementTypeName(tensor.dataType) ?? `type ${tensor.dataType}`
    const size = storedBytes(tensor.dataType, elementCount(tensor.dims)) ?? tensor.stringData.reduce((sum, text) => sum + text.length, 0)
    bytes.set(type, (bytes.get(type) ?? 0) + size)
  }
  return Object.fromEntries([...bytes].sort(([, a], [, b]) => b - a))
}
