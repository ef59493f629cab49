import type { ModelProto, ValueInfoProto } from 'onnx-buf'
import { Graph } from '../onnx/graph.ts'
import { inferShapes } from '../onnx/shape-inference.ts'
import { declaredFact, isStatic } from '../onnx/shapes.ts'

/** A prime that no real dimension is a multiple of by chance: where a dimension grows with it, the batch is in it. */
const FACTOR = 1009

/** Where the batch is in each tensor of a main graph, found by inferring all shapes for two sizes of it. */
export interface BatchAxes {
  /** Shape with the original batch; `undefined` when it is not known completely. */
  shape(tensor: string): readonly number[] | undefined
  /** The only axis that grows with the batch; `none` when the shape stays, `undefined` when that is not known. */
  axis(tensor: string): number | 'none' | undefined
}

/**
 * @param ports inputs with the axis that holds the batch
 * @param batch its original size
 * @param model inputs get other shapes while this runs and have their own afterwards
 */
export function batchAxes(model: ModelProto, ports: ReadonlyMap<string, number>, batch: number): BatchAxes {
  const small = shapesAt(model, ports, batch)
  const large = shapesAt(model, ports, batch * FACTOR)
  return {
    shape: (tensor) => small(tensor),
    axis: (tensor) => {
      const [before, after] = [small(tensor), large(tensor)]
      if (!before || !after || before.length !== after.length) return undefined
      const grown = before.flatMap((dim, axis) => (after[axis] === dim ? [] : [axis]))
      if (grown.length === 0) return 'none'
      const [axis] = grown
      return grown.length === 1 && axis !== undefined && after[axis] === before[axis]! * FACTOR ? axis : undefined
    },
  }
}

function shapesAt(model: ModelProto, ports: ReadonlyMap<string, number>, batch: number): (tensor: string) => readonly number[] | undefined {
  const kept = [...ports].map(([name, axis]) => setDimension(model, name, axis, { case: 'dimValue', value: BigInt(batch) }))
  try {
    const { facts } = inferShapes(model)
    return (tensor) => {
      const shape = facts.get(tensor)?.shape
      return isStatic(shape) ? shape : undefined
    }
  } finally {
    for (const restore of kept) restore()
  }
}

type DimensionValue = { case: 'dimValue'; value: bigint } | { case: 'dimParam'; value: string }

/** Sets one dimension of an input; returns what undoes it. */
export function setDimension(model: ModelProto, input: string, axis: number, value: DimensionValue): () => void {
  const dim = dimensionsOf(model.graph?.input.find(({ name }) => name === input))?.[axis]
  if (!dim) return () => {}
  const before = dim.value
  dim.value = value
  return () => {
    dim.value = before
  }
}

/** The dimensions a description holds, to be changed in place. */
export function dimensionsOf(described: ValueInfoProto | undefined) {
  const type = described?.type?.value
  return type?.case === 'tensorType' ? type.value.shape?.dim : undefined
}

/** Recurrent layers and where their initial states are among the inputs. */
export const INITIAL_STATES: Readonly<Record<string, readonly number[]>> = { LSTM: [5, 6], GRU: [5], RNN: [5] }

/**
 * Inputs that hold the batch, with its axis, and its size: the first dimension of the first input with two or more
 * dimensions, and of all others of that size; the second of initial states of recurrent layers.
 *
 * @returns `open` when that dimension is not fixed, `none` when no input has dimensions
 */
export function batchPorts(model: ModelProto): { readonly batch: number; readonly ports: ReadonlyMap<string, number> } | 'open' | 'none' {
  const graph = new Graph(model)
  const shapes = graph.inputs.map((input) => ({ name: input.name, shape: declaredFact(input).shape ?? [] }))
  const states = new Set(graph.nodes.flatMap((node) => (INITIAL_STATES[node.opType] ?? []).map((index) => node.input[index] ?? '')))
  const leading = shapes.filter(({ name, shape }) => shape.length > 0 && !states.has(name))
  const first = leading.find(({ shape }) => shape.length > 1) ?? leading[0]
  if (!first) return 'none'
  const [batch] = first.shape
  if (typeof batch !== 'number' || batch < 1) return 'open'
  const single = first.shape.length > 1
  const ports = shapes.flatMap(({ name, shape }): [string, number][] => {
    if (states.has(name)) return shape.length === 3 && shape[1] === batch ? [[name, 1]] : []
    // A list of one value beside images is a threshold or a length, not a batch.
    return shape[0] === batch && (shape.length > 1 || !single) ? [[name, 0]] : []
  })
  return { batch, ports: new Map(ports) }
}
