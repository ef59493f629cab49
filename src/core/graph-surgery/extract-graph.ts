import type { ModelProto, NodeProto, ValueInfoProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import type { RuntimeTensor } from '../inference-runtime.ts'
import { makeValueInfo } from '../onnx/builders.ts'
import { cloneModel } from '../onnx/clone-model.ts'
import { Graph } from '../onnx/graph.ts'
import { quoteName, quoteNames } from '../onnx/quote-name.ts'
import { capturedTensors } from '../quantization/captured-tensors.ts'
import type { TensorFacts, TensorFactsByName } from '../quantization/tensor-facts.ts'
import { fixedInitializer, fixedTensor } from './fixed-values.ts'
import { boundaryTensors, chosenTensors, unknownTensor } from './tensor-choice.ts'

/** Which part of a model is wanted: names of tensors, or patterns for them. */
export interface Extraction {
  /** Tensors that become the inputs; empty: the model's inputs that are needed. */
  readonly inputs: readonly string[]
  /** Tensors that become the outputs; empty: the model's outputs. */
  readonly outputs: readonly string[]
  /** Inputs of the model that become constants. */
  readonly fixed: Readonly<Record<string, number>>
}

/** A part of a model as a model of its own. */
export interface ExtractedModel {
  readonly model: ModelProto
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Fixed inputs with their values, as the whole model takes them. */
  readonly fixed: ReadonlyMap<string, RuntimeTensor>
  /** Chosen inputs that nothing needs; they are left out. */
  readonly unneeded: readonly string[]
}

/**
 * Cuts a model at tensors of its main graph. Nodes and constants that the new outputs do not need are left out;
 * names, metadata and operator sets stay.
 *
 * @param source is not changed
 * @param facts types and shapes of the source's tensors
 * @throws CoreError `RECIPE_NOT_APPLICABLE` for unknown names (with names like them), an output that needs inputs which were
 *   not chosen, a value that does not fit its input, or when no input is left
 */
export function extractGraph(source: ModelProto, facts: TensorFactsByName, extraction: Extraction): ExtractedModel {
  const model = cloneModel(source)
  const graph = new Graph(model)
  const ports = graph.inputs.map(({ name }) => name)
  if (extraction.inputs.length + extraction.outputs.length + Object.keys(extraction.fixed).length === 0) throw nothingChosen(graph)
  const fixed = fixedInputs(extraction.fixed, ports, facts)
  const { inputs: chosen, outputs } = boundary(graph, extraction)
  const cut = new Set(chosen.filter((name) => !fixed.has(name)))
  const given = new Set([...cut, ...fixed.keys()])
  const needed = neededBy(graph, outputs, given)
  requireInputs(
    ports.filter((name) => needed.tensors.has(name) && !given.has(name)),
    outputs,
  )
  const inputs = [...cut].filter((name) => needed.tensors.has(name))
  if (inputs.length === 0) throw notApplicable(`No input is left: ${quoteNames(outputs, 4)} would be the same in every run.`)
  const descriptions = describe(graph, [...inputs, ...outputs], facts)
  keepNodes(graph, needed.nodes, given)
  keepPorts(graph, needed.tensors, inputs.map(descriptions), outputs.map(descriptions))
  graph.reindex()
  for (const [name, tensor] of fixed) if (needed.tensors.has(name)) graph.addInitializer(fixedInitializer(name, tensor))
  dropDescriptions(graph, model)
  const unneeded = extraction.inputs.length > 0 ? [...cut].filter((name) => !needed.tensors.has(name)) : []
  return { model, inputs, outputs, fixed, unneeded }
}

function fixedInputs(
  wanted: Readonly<Record<string, number>>,
  ports: readonly string[],
  facts: TensorFactsByName,
): ReadonlyMap<string, RuntimeTensor> {
  return new Map(
    Object.entries(wanted).map(([name, value]) => {
      const fact = facts.get(name)
      if (!ports.includes(name) || !fact) throw unknownTensor(name, ports, 'fixed')
      return [name, fixedTensor(name, value, fact)]
    }),
  )
}

function boundary(graph: Graph, wanted: Extraction): { readonly inputs: readonly string[]; readonly outputs: readonly string[] } {
  const tensors = boundaryTensors(graph)
  const inputs = wanted.inputs.length > 0 ? chosenTensors(wanted.inputs, tensors, 'an input') : graph.inputs.map(({ name }) => name)
  const outputs = wanted.outputs.length > 0 ? chosenTensors(wanted.outputs, tensors, 'an output') : graph.outputs.map(({ name }) => name)
  const asWell = new Set(inputs)
  const both = wanted.inputs.length + wanted.outputs.length > 0 ? outputs.find((name) => asWell.has(name)) : undefined
  if (both !== undefined) throw notApplicable(`Tensor ${quoteName(both)} would be an input and an output.`)
  return { inputs, outputs }
}

function requireInputs(missing: readonly string[], outputs: readonly string[]): void {
  if (missing.length === 0) return
  throw notApplicable(
    `The outputs ${quoteNames(outputs, 4)} also need the ${missing.length === 1 ? 'input' : 'inputs'} ${quoteNames(missing)}.`,
    'Add what is missing to "inputs", give it a value in "fixed", or choose other outputs.',
  )
}

/** Nodes and tensors that `outputs` are computed from, up to where the graph is cut. */
function neededBy(
  graph: Graph,
  outputs: readonly string[],
  given: ReadonlySet<string>,
): { readonly tensors: ReadonlySet<string>; readonly nodes: ReadonlySet<NodeProto> } {
  const tensors = new Set<string>()
  const nodes = new Set<NodeProto>()
  const open = [...outputs]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === '' || tensors.has(name)) continue
    tensors.add(name)
    const producer = given.has(name) ? undefined : graph.producer(name)
    if (!producer || nodes.has(producer)) continue
    nodes.add(producer)
    open.push(...producer.input, ...capturedTensors(producer))
  }
  return { tensors, nodes }
}

/** A node that also writes a tensor which is given from outside now writes it under another name. */
function keepNodes(graph: Graph, nodes: ReadonlySet<NodeProto>, given: ReadonlySet<string>): void {
  graph.proto.node = graph.proto.node.filter((node) => nodes.has(node))
  for (const node of nodes) node.output = node.output.map((name) => (given.has(name) ? graph.freshName(`${name}_before`) : name))
}

function keepPorts(graph: Graph, needed: ReadonlySet<string>, inputs: readonly ValueInfoProto[], outputs: readonly ValueInfoProto[]): void {
  const { proto, model } = graph
  proto.initializer = proto.initializer.filter(({ name }) => needed.has(name))
  proto.sparseInitializer = proto.sparseInitializer.filter(({ values }) => values && needed.has(values.name))
  const constants = new Set(proto.initializer.map(({ name }) => name))
  // Before IR version 4 constants were listed as inputs too; a constant that a caller may override stays one.
  const overridable = model.irVersion < 4n ? [] : proto.input.filter(({ name }) => constants.has(name))
  if (model.irVersion < 4n) model.irVersion = 4n
  proto.input = [...inputs, ...overridable]
  proto.output = [...outputs]
}

/** What the file says of tensors that are gone, and how they were trained. */
function dropDescriptions(graph: Graph, model: ModelProto): void {
  const { proto } = graph
  const written = new Set(proto.node.flatMap(({ output }) => output))
  proto.valueInfo = proto.valueInfo.filter(({ name }) => written.has(name) && !graph.isGraphOutput(name))
  const exists = (name: string): boolean => written.has(name) || graph.isGraphInput(name) || graph.initializer(name) !== undefined
  proto.quantizationAnnotation = proto.quantizationAnnotation.filter(({ tensorName }) => exists(tensorName))
  model.trainingInfo = []
}

/** Descriptions as inputs or outputs: the file's own where it has one, otherwise what the runtime inferred. */
function describe(graph: Graph, names: readonly string[], facts: TensorFactsByName): (name: string) => ValueInfoProto {
  const declared = new Map([...graph.proto.input, ...graph.proto.output].map((value) => [value.name, value]))
  const values = new Map(
    names.map((name) => {
      const fact = facts.get(name)
      const own = declared.get(name)
      if (!own && !fact) throw notApplicable(`${quoteName(name)} is no tensor (but a sequence, map or optional value).`)
      return [name, own ?? describeTensor(name, fact!)]
    }),
  )
  return (name) => values.get(name)!
}

function describeTensor(name: string, { type, shape }: TensorFacts): ValueInfoProto {
  const described = makeValueInfo(
    name,
    type,
    shape.map((dim) => dim ?? ''),
  )
  if (described.type?.value.case !== 'tensorType') return described
  // An unknown dimension has no value at all.
  for (const [axis, dim] of described.type.value.value.shape!.dim.entries()) if (shape[axis] === undefined) dim.value = { case: undefined }
  return described
}

function nothingChosen(graph: Graph): CoreError {
  const tensors = boundaryTensors(graph)
  return notApplicable(
    `Nothing is chosen to be extracted: give "inputs", "outputs" or "fixed". There are ${tensors.length} tensors: ${quoteNames(tensors)}.`,
    'Names are those of the file, with * and ? as wildcards.',
  )
}

function notApplicable(message: string, hint?: string): CoreError {
  return new CoreError('RECIPE_NOT_APPLICABLE', message, hint === undefined ? {} : { hint })
}
