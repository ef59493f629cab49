import { type NodeProto, TensorProto_DataType as T, type TensorProto } from 'onnx-buf'
import { makeNode } from '../onnx/builders.ts'
import { type Graph, intAttribute } from '../onnx/graph.ts'
import { normalizeDomain } from '../onnx/supported-versions.ts'
import { floatValues, integerValues, makeInt64 } from '../onnx/tensor-values.ts'
import { type BatchAxes, INITIAL_STATES } from './batch-axes.ts'

/** What a rewrite looks at. */
interface BatchContext {
  readonly graph: Graph
  readonly axes: BatchAxes
  /** The fixed size. */
  readonly batch: number
  /** Name of a list of one number: the size of the batch while the model runs. */
  readonly size: () => string
}

/** Frees a node from the fixed batch; returns nodes to be put before it, `undefined` when there is nothing to do. */
type BatchRewrite = (node: NodeProto, context: BatchContext) => readonly NodeProto[] | undefined

const REWRITES: Readonly<Record<string, BatchRewrite>> = {
  Reshape: freeReshape,
  Expand: freeExpand,
  Concat: freeConcat,
  Resize: freeResize,
  LSTM: freeInitialStates,
  GRU: freeInitialStates,
  RNN: freeInitialStates,
}

/** Rewrites a node in which the batch is a constant, if its shapes show how. */
export function freeNode(node: NodeProto, context: BatchContext): readonly NodeProto[] | undefined {
  return normalizeDomain(node.domain) === '' ? REWRITES[node.opType]?.(node, context) : undefined
}

/**
 * A constant shape gets −1 where the batch is. Reshaping keeps the order of values, so with the product of the dimensions
 * before the batch the same on both sides, each sample keeps its values.
 */
function freeReshape(node: NodeProto, { graph, axes, batch }: BatchContext): readonly NodeProto[] | undefined {
  const [x = '', target = ''] = node.input
  const axis = axes.axis(x)
  const constant = graph.constant(target)
  if (typeof axis !== 'number' || !constant) return undefined
  const from = axes.shape(x)!
  const wanted = integerValues(constant)
  const to = resolved(wanted, from, intAttribute(node, 'allowzero', 0) === 1)
  if (!to) return undefined
  const before = product(from.slice(0, axis))
  const place = to.findIndex((dim, index) => product(to.slice(0, index)) === before && dim % batch === 0)
  if (place < 0 || wanted[place] === -1) return undefined
  // 0 copies the dimension of the input.
  if (wanted[place] === 0 && place === axis) return undefined
  // With an empty dimension −1 would say nothing.
  if (to.includes(0)) return undefined
  node.attribute = node.attribute.filter(({ name }) => name !== 'allowzero')
  node.input = [x, addList(graph, `${node.output[0]}_shape`, to.with(place, -1))]
  return []
}

/** The dimensions a Reshape target stands for, `undefined` when it does not fit. */
function resolved(target: readonly number[], from: readonly number[], allowZero: boolean): number[] | undefined {
  const dims = target.map((dim, index) => (dim === 0 && !allowZero ? (from[index] ?? Number.NaN) : dim))
  const known = product(dims.filter((dim) => dim !== -1))
  const open = dims.indexOf(-1)
  const all = open < 0 ? dims : dims.with(open, product(from) / known)
  return all.every((dim) => Number.isSafeInteger(dim) && dim >= 0) && product(all) === product(from) ? all : undefined
}

/** Expand keeps a dimension where the target says 1. */
function freeExpand(node: NodeProto, { graph, axes, batch }: BatchContext): readonly NodeProto[] | undefined {
  const [x = '', target = ''] = node.input
  const axis = axes.axis(x)
  const constant = graph.constant(target)
  if (typeof axis !== 'number' || !constant) return undefined
  const wanted = integerValues(constant)
  const place = axis + wanted.length - axes.shape(x)!.length
  if (place < 0 || batch === 1 || wanted[place] !== axes.shape(x)![axis]) return undefined
  node.input = [x, addList(graph, `${node.output[0]}_shape`, wanted.with(place, 1))]
  return []
}

/** A constant beside samples (a class token) is repeated for each of them. */
function freeConcat(node: NodeProto, context: BatchContext): readonly NodeProto[] | undefined {
  const { axes, batch } = context
  if (batch !== 1) return undefined
  const found = node.input.map((name) => axes.axis(name))
  const axis = found.find((entry) => typeof entry === 'number')
  const rank = axes.shape(node.input[found.indexOf(axis)] ?? '')?.length
  if (typeof axis !== 'number' || rank === undefined) return undefined
  const along = intAttribute(node, 'axis', 0)
  if ((along < 0 ? along + rank : along) === axis) return undefined
  const added: NodeProto[] = []
  node.input = node.input.map((name, index) => {
    const shape = axes.shape(name)
    if (found[index] !== 'none' || shape?.length !== rank || shape[axis] !== 1) return name
    return repeated(name, rank, axis, context, added)
  })
  return added.length > 0 ? added : undefined
}

/** Sizes that hold the batch get it from the input. */
function freeResize(node: NodeProto, context: BatchContext): readonly NodeProto[] | undefined {
  const { graph, axes, batch } = context
  const axis = axes.axis(node.input[0] ?? '')
  const constant = graph.constant(node.input[3] ?? '')
  if (typeof axis !== 'number' || !constant || axes.shape(node.input[0]!)![axis] !== batch) return undefined
  const sizes = integerValues(constant)
  // With the attribute `axes` sizes are those of some axes only; the batch is none of them.
  if (node.attribute.some(({ name }) => name === 'axes') || sizes[axis] !== batch) return undefined
  const parts = [sizes.slice(0, axis), [batch], sizes.slice(axis + 1)]
  const names = parts.flatMap((part, index) => {
    if (index === 1) return [context.size()]
    return part.length > 0 ? [addList(graph, `${node.output[0]}_sizes`, part)] : []
  })
  const joined = graph.freshName(`${node.output[0]}_sizes`)
  node.input = [...node.input.slice(0, 3), joined]
  return [makeNode('Concat', names, [joined], { axis: 0 }, { name: graph.freshName(`${node.name}_sizes`) })]
}

/** Initial states of zeros are the default and left out; others are repeated for each sample. */
function freeInitialStates(node: NodeProto, context: BatchContext): readonly NodeProto[] | undefined {
  const { graph, axes, batch } = context
  const batchFirst = intAttribute(node, 'layout', 0) === 1
  const axis = batchFirst ? 0 : 1
  if (axes.axis(node.input[0] ?? '') !== axis) return undefined
  const added: NodeProto[] = []
  let changed = false
  for (const index of INITIAL_STATES[node.opType] ?? []) {
    const name = node.input[index] ?? ''
    if (name === '' || axes.axis(name) !== 'none') continue
    const constant = graph.constant(name)
    const zeros = constant !== undefined && isZero(constant)
    if (!zeros && (batch !== 1 || axes.shape(name)?.[axis] !== 1)) continue
    const replacement = zeros ? '' : repeated(name, 3, axis, context, added)
    node.input = node.input.with(index, replacement)
    changed = true
  }
  while (node.input.at(-1) === '') node.input.pop()
  return changed ? added : undefined
}

function repeated(name: string, rank: number, axis: number, { graph, size }: BatchContext, added: NodeProto[]): string {
  const ones = (count: number): string[] => (count > 0 ? [addList(graph, 'ones', new Array<number>(count).fill(1))] : [])
  const shape = graph.freshName(`${name}_shape_for_all`)
  const output = graph.freshName(`${name}_for_all`)
  added.push(
    makeNode('Concat', [...ones(axis), size(), ...ones(rank - axis - 1)], [shape], { axis: 0 }, { name: graph.freshName(shape) }),
    makeNode('Expand', [name, shape], [output], {}, { name: graph.freshName(output) }),
  )
  return output
}

function addList(graph: Graph, base: string, values: readonly number[]): string {
  const name = graph.freshName(base)
  graph.addInitializer(makeInt64(name, [values.length], values))
  return name
}

function isZero(tensor: TensorProto): boolean {
  const isFloat = tensor.dataType === T.FLOAT || tensor.dataType === T.FLOAT16 || tensor.dataType === T.DOUBLE
  return isFloat && floatValues(tensor).every((value) => value === 0)
}

function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1)
}
