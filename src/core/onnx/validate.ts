import type { FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { orderNodes, subgraphs } from './graph.ts'
import { MODEL_LIMITS } from './limits.ts'
import { checkPayload } from './payload.ts'
import { quoteName } from './quote-name.ts'
import { checkVersions, importedOpsets, normalizeDomain } from './supported-versions.ts'

/**
 * Structural check of a decoded model: versions that can be run, unique names, every tensor made before it can be read (in any file order),
 * initializers and constants that hold exactly what their shape says, counts and lengths within {@link MODEL_LIMITS}.
 * Operators themselves are left to the runtime.
 *
 * @throws CoreError `MODEL_UNSUPPORTED_OPSET`, `MODEL_INVALID`, `TENSOR_INVALID`, `TOO_LARGE`; messages name node and tensor
 */
export function validateModel(model: ModelProto): void {
  const graph = model.graph
  if (!graph) throw invalid('The model has no graph.')
  const opsets = importedOpsets(model)
  checkVersions(model, opsets)
  checkMetadata(model)
  if (graph.node.length === 0) throw invalid('The graph has no nodes, so there is nothing to run.')
  if (graph.output.length === 0) throw invalid('The graph has no outputs.')
  for (const [what, ports] of [['inputs', graph.input] as const, ['outputs', graph.output] as const]) {
    if (ports.length > MODEL_LIMITS.ports) throw tooLarge(`The model has ${ports.length} ${what}`, MODEL_LIMITS.ports)
  }
  checkGraph(graph, () => false, 'the graph', { opsets, requireDomains: model.irVersion >= 3n })
  for (const body of model.functions) checkFunction(body)
}

interface Context {
  readonly opsets: ReadonlyMap<string, number>
  readonly requireDomains: boolean
}

function checkGraph(graph: GraphProto, outer: (name: string) => boolean, where: string, context: Context): void {
  const declared = uniqueNames(graph.input, `an input of ${where}`)
  const made = new Set(declared)
  const initialized = new Set<string>()
  for (const tensor of graph.initializer) {
    checkName(tensor.name, `an initializer of ${where}`)
    if (initialized.has(tensor.name)) throw invalid(`Two initializers of ${where} have the name ${quoteName(tensor.name)}.`)
    initialized.add(tensor.name)
    checkPayload(tensor, 'Initializer')
  }
  for (const { values, indices } of graph.sparseInitializer) {
    if (!values || !indices) throw invalid(`A sparse initializer of ${where} lacks its values or its indices.`)
    checkName(values.name, `a sparse initializer of ${where}`)
    if (initialized.has(values.name)) throw invalid(`Two initializers of ${where} have the name ${quoteName(values.name)}.`)
    initialized.add(values.name)
    checkPayload(values, 'Sparse initializer')
    checkPayload(indices, 'Indices of a sparse initializer')
  }
  for (const name of initialized) made.add(name)
  for (const { name, type } of graph.valueInfo) checkRank(type, name)
  const makers = new Map<string, NodeProto>()
  const nodeNames = new Set<string>()
  for (const node of graph.node) {
    checkNode(node, context)
    if (node.name !== '' && nodeNames.has(node.name)) throw invalid(`Two nodes of ${where} have the name ${quoteName(node.name)}.`)
    nodeNames.add(node.name)
    for (const output of node.output) {
      if (output === '') continue
      checkName(output, `an output of ${describe(node)}`)
      const other = makers.get(output)
      if (other) throw invalid(`Tensor ${quoteName(output)} is written twice: by ${describe(other)} and by ${describe(node)}.`)
      if (made.has(output)) {
        const as = initialized.has(output) ? 'an initializer' : 'a graph input'
        throw invalid(`Tensor ${quoteName(output)} is written by ${describe(node)}, but it already is ${as}.`)
      }
      makers.set(output, node)
    }
  }
  const known = (name: string) => made.has(name) || makers.has(name) || outer(name)
  for (const node of graph.node) {
    for (const input of node.input) {
      if (input !== '' && !known(input)) throw invalid(`${capitalized(describe(node))} reads ${quoteName(input)}, which nothing makes.`)
    }
  }
  for (const node of graph.node) {
    for (const body of subgraphs(node)) checkGraph(body, known, `the sub-graph of ${describe(node)}`, context)
  }
  // After the sub-graphs: their captured names count as inputs of the node that holds them.
  if (!orderNodes(graph.node)) throw invalid(`There is a cycle in ${where}: some nodes read what they themselves make.`)
  for (const name of uniqueNames(graph.output, `an output of ${where}`)) {
    if (!known(name)) throw invalid(`Output ${quoteName(name)} of ${where} is made by nothing.`)
  }
}

function checkNode(node: NodeProto, { opsets, requireDomains }: Context): void {
  if (node.opType === '') throw invalid(`Node ${quoteName(node.name)} has no operator type.`)
  for (const name of [node.name, node.opType, node.domain]) checkLength(name, 'the name of a node or operator')
  if (requireDomains && !opsets.has(normalizeDomain(node.domain))) {
    const domain = node.domain === '' ? 'the standard operators' : `domain ${quoteName(node.domain)}`
    throw invalid(`${capitalized(describe(node))} is of ${domain}, for which the model names no operator set version.`, {
      hint: opsets.size === 0 ? 'The file may have been cut off after its graph; compare its size with the original.' : undefined,
    })
  }
  const names = new Set<string>()
  for (const { name, t, tensors, sparseTensor } of node.attribute) {
    if (names.has(name)) throw invalid(`${capitalized(describe(node))} has attribute ${quoteName(name)} twice.`)
    names.add(name)
    const where = `Attribute ${quoteName(name)} of ${describe(node)}, tensor`
    for (const tensor of attributeTensors(t, tensors)) checkPayload(tensor, where)
    for (const part of [sparseTensor?.values, sparseTensor?.indices]) if (part) checkPayload(part, where)
  }
}

function attributeTensors(single: TensorProto | undefined, list: readonly TensorProto[]): readonly TensorProto[] {
  return single ? [single, ...list] : list
}

function checkFunction(body: FunctionProto): void {
  const own = new Map(importedOpsets(body))
  for (const node of body.node) checkNode(node, { opsets: own, requireDomains: own.size > 0 })
}

function uniqueNames(values: readonly ValueInfoProto[], what: string): Set<string> {
  const names = new Set<string>()
  for (const { name, type } of values) {
    checkName(name, what)
    checkRank(type, name)
    if (names.has(name)) throw invalid(`The name ${quoteName(name)} is used twice: each ${what.replace(/^an? /, '')} needs its own.`)
    names.add(name)
  }
  return names
}

function checkRank(type: TypeProto | undefined, name: string): void {
  const rank = type?.value.case === 'tensorType' ? (type.value.value.shape?.dim.length ?? 0) : 0
  if (rank > MODEL_LIMITS.rank) throw tooLarge(`Tensor ${quoteName(name)} has ${rank} dimensions`, MODEL_LIMITS.rank)
}

function checkMetadata(model: ModelProto): void {
  if (model.metadataProps.length > MODEL_LIMITS.metadataEntries) {
    throw tooLarge(`The model has ${model.metadataProps.length} metadata entries`, MODEL_LIMITS.metadataEntries)
  }
  const length = model.metadataProps.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
  if (length > MODEL_LIMITS.metadataLength) throw tooLarge(`The model has ${length} characters of metadata`, MODEL_LIMITS.metadataLength)
}

function checkName(name: string, what: string): void {
  if (name === '') throw invalid(`${capitalized(what)} has no name.`)
  checkLength(name, what)
}

function checkLength(name: string, what: string): void {
  if (name.length > MODEL_LIMITS.nameLength) {
    throw tooLarge(`${capitalized(what)} (${quoteName(name)}) is ${name.length} characters long`, MODEL_LIMITS.nameLength)
  }
}

function describe(node: NodeProto): string {
  return node.name === ''
    ? `a ${quoteName(node.opType).slice(1, -1)} node`
    : `node ${quoteName(node.name)} (${quoteName(node.opType).slice(1, -1)})`
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function invalid(message: string, options: { hint?: string | undefined } = {}): CoreError {
  return new CoreError('MODEL_INVALID', message, { hint: options.hint ?? 'The file breaks a rule of ONNX; export the model again.' })
}

function tooLarge(message: string, limit: number): CoreError {
  return new CoreError('TOO_LARGE', `${message}, at most ${limit} are allowed.`)
}
