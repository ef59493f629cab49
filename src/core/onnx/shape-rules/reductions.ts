import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'
import { normalizeAxes, normalizeAxis, type Shape, unknownDims } from '../shapes.ts'

function reduce(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const type = call.type(0)
  if (!shape) return [{ type }]
  const keep = call.int('keepdims', 1) !== 0
  const axes = call.list('axes', 1)
  if (axes === 'unknown') return [{ type, shape: keep ? unknownDims(shape.length) : undefined }]
  if (axes === 'absent' || axes.length === 0) {
    if (call.int('noop_with_empty_axes', 0) !== 0) return [{ type, shape }]
    return [{ type, shape: keep ? shape.map(() => 1) : [] }]
  }
  const gone = normalizeAxes(axes, shape.length)
  return [{ type, shape: gone && without(shape, gone, keep) }]
}

function argument(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const axis = shape && normalizeAxis(call.int('axis', 0), shape.length)
  const keep = call.int('keepdims', 1) !== 0
  return [{ type: 'int64', shape: axis === undefined ? undefined : shape && without(shape, [axis], keep) }]
}

function without(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  return keep ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)) : shape.filter((_, axis) => !axes.includes(axis))
}

const names = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare']

/** Reductions over axes. */
export const reductionRules: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(names.map((name) => [`Reduce${name}`, reduce])),
  ArgMax: argument,
  ArgMin: argument,
}
