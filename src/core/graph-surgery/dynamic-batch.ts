import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { makeNode } from '../onnx/builders.ts'
import { cloneModel } from '../onnx/clone-model.ts'
import { Graph } from '../onnx/graph.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { declaredFact } from '../onnx/shapes.ts'
import { makeInt64 } from '../onnx/tensor-values.ts'
import { type BatchAxes, batchAxes, batchPorts, dimensionsOf, setDimension } from './batch-axes.ts'
import { freeNode } from './batch-rewrites.ts'

/** A model whose batch is free. */
export interface DynamicBatchModel {
  readonly model: ModelProto
  /** The size the batch had. */
  readonly batch: number
  /** Inputs that hold the batch, with the axis; other inputs are the same for all samples. */
  readonly ports: ReadonlyMap<string, number>
  /** Names of the nodes in which the batch was a constant. */
  readonly rewritten: readonly string[]
  /** What in the graph is not free of the fixed batch, in words; `undefined` when nothing was found. */
  readonly obstacle: string | undefined
}

/** Each round frees the nodes whose inputs are already free; a chain of constant shapes takes a round for each. */
const MOST_ROUNDS = 200
/** Nodes looked at in all rounds: large graphs get fewer rounds, so that the time is bounded. */
const MOST_VISITS = 2_000_000

/**
 * Makes the fixed first dimension of a model's inputs symbolic, and rewrites the nodes that hold it as a constant: shapes of
 * Reshape and Expand, sizes of Resize, initial states of recurrent layers, constants joined to samples. Whether a model treats
 * its samples apart is not decided here: the caller runs it with several and compares.
 *
 * @param source is not changed
 * @param name of the free dimension
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when the batch is free already or no input has dimensions
 */
export function freeBatch(source: ModelProto, name: string): DynamicBatchModel {
  const model = cloneModel(source)
  const found = batchPorts(model)
  if (found === 'open') throw notApplicable('The batch of this model is free already: the first dimension of its input is not fixed.')
  if (found === 'none') throw notApplicable('No input of this model has dimensions, so there is no batch.')
  const { batch, ports } = found
  const graph = new Graph(model)
  const outputs = graph.outputs.map((output) => dimensionsOf(output))
  const symbol = freeSymbol(graph, name)
  forgetShapes(graph)
  const { rewritten, axes } = rewriteAll(graph, ports, batch)
  for (const [input, axis] of ports) setDimension(model, input, axis, { case: 'dimParam', value: symbol })
  const obstacle = firstObstacle(graph, axes)
  for (const [index, { name: output }] of graph.outputs.entries()) {
    const axis = axes.axis(output)
    const dim = typeof axis === 'number' && outputs[index] ? outputs[index][axis] : undefined
    if (dim) dim.value = { case: 'dimParam', value: symbol }
  }
  return { model, batch, ports, rewritten, obstacle }
}

function rewriteAll(
  graph: Graph,
  ports: ReadonlyMap<string, number>,
  batch: number,
): { readonly rewritten: readonly string[]; readonly axes: BatchAxes } {
  const rewritten = new Set<string>()
  let sizeName: string | undefined
  const size = (): string => {
    sizeName ??= addBatchSize(graph, ports)
    return sizeName
  }
  for (let round = 1; ; round++) {
    const declared = withoutOutputShapes(graph)
    const axes = batchAxes(graph.model, ports, batch)
    declared.restore()
    if (round > MOST_ROUNDS || round * graph.nodes.length > MOST_VISITS) return { rewritten: [...rewritten], axes }
    let changed = false
    for (const node of [...graph.nodes]) {
      const before = freeNode(node, { graph, axes, batch, size })
      if (!before) continue
      graph.proto.node.splice(graph.nodes.indexOf(node), 0, ...before)
      rewritten.add(node.name)
      changed = true
    }
    if (!changed) return { rewritten: [...rewritten], axes }
    graph.reindex()
  }
}

/** Puts nodes at the start that read the size of the batch from the first input that holds it; returns what they write. */
function addBatchSize(graph: Graph, ports: ReadonlyMap<string, number>): string {
  const [[input, axis] = ['', 0]] = ports
  const [shape, index, size] = [graph.freshName('input_shape'), graph.freshName('batch_axis'), graph.freshName('batch_size')]
  graph.addInitializer(makeInt64(index, [1], [axis]))
  graph.proto.node.unshift(
    makeNode('Shape', [input], [shape], {}, { name: graph.freshName('batch_shape') }),
    makeNode('Gather', [shape, index], [size], { axis: 0 }, { name: graph.freshName('batch_gather') }),
  )
  return size
}

/** Shapes the file declares hold for the fixed batch. */
function forgetShapes(graph: Graph): void {
  for (const { proto, parent } of graph.scopes()) {
    proto.valueInfo = []
    // Outputs of bodies: the runtime infers them.
    if (parent) for (const { type } of proto.output) if (type?.value.case === 'tensorType') delete type.value.value.shape
  }
}

/** Takes declared output shapes away while shapes are inferred: they would fill in what no longer holds. */
function withoutOutputShapes(graph: Graph): { readonly restore: () => void } {
  const kept = graph.outputs.map((output) => ({ output, type: output.type }))
  for (const { output } of kept) delete output.type
  return {
    restore: () => {
      for (const { output, type } of kept) if (type) output.type = type
    },
  }
}

/** The wanted name, or one like it when a dimension of another meaning has it. */
function freeSymbol(graph: Graph, wanted: string): string {
  const used = new Set([...graph.proto.input, ...graph.proto.output].flatMap((value) => declaredFact(value).shape ?? []))
  let symbol = wanted
  for (let index = 1; used.has(symbol); index++) symbol = `${wanted}_${index}`
  return symbol
}

/** Operators that may well answer the same whatever the batch is. */
const ASK_SHAPES: ReadonlySet<string> = new Set(['Shape', 'Size', 'ConstantOfShape'])

/** The first node that reads samples and does not give one result for each, or whose shapes do not fit any more. */
function firstObstacle(graph: Graph, axes: BatchAxes): string | undefined {
  for (const node of graph.nodes) {
    if (ASK_SHAPES.has(node.opType) || !node.input.some((name) => typeof axes.axis(name) === 'number')) continue
    const [output = ''] = node.output
    if (axes.axis(output) === 'none') return `${node.opType} ${quoteName(node.name)} gives the same shape for every batch`
    if (axes.axis(output) === undefined && axes.shape(output)) return `${node.opType} ${quoteName(node.name)} does not fit another batch`
  }
  return undefined
}

function notApplicable(message: string): CoreError {
  return new CoreError('RECIPE_NOT_APPLICABLE', message)
}
