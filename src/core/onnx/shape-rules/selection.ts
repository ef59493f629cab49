import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'
import { type Dim, normalizeAxis, type Shape, unknownDims } from '../shapes.ts'

/** A slice of one axis: from `start` in steps of `step`, `count` elements. */
export interface AxisSlice {
  readonly axis: number
  readonly start: Dim
  readonly step: number
  readonly count: Dim
}

/** The slices of a Slice node (attributes before opset 10, inputs since), `undefined` when axes or steps are not known. */
export function sliceAxes(call: OpCall, shape: Shape): AxisSlice[] | undefined {
  const starts = call.list('starts', 1)
  const ends = call.list('ends', 2)
  const axes = call.list('axes', 3)
  const steps = call.opset < 10 ? 'absent' : call.list('', 4)
  if (typeof starts === 'string' || typeof ends === 'string' || axes === 'unknown' || steps === 'unknown') return undefined
  const at = axes === 'absent' ? starts.map((_, index) => index) : axes
  if (ends.length !== starts.length || at.length !== starts.length) return undefined
  const slices: AxisSlice[] = []
  for (const [index, axisValue] of at.entries()) {
    const axis = typeof axisValue === 'number' ? normalizeAxis(axisValue, shape.length) : undefined
    const step = steps === 'absent' ? 1 : steps[index]
    if (axis === undefined || typeof step !== 'number' || step === 0) return undefined
    slices.push({ axis, step, ...sliceAxis(shape[axis], starts[index], ends[index], step) })
  }
  return slices
}

function sliceAxis(dim: Dim, start: Dim, end: Dim, step: number): { start: Dim; count: Dim } {
  if (typeof dim !== 'number') {
    // "All of it" is known without knowing how much that is. 2^31 − 1 and up is how exporters write "until the end".
    const whole = step === 1 && start === 0 && (end === dim || (typeof end === 'number' && end >= 2 ** 31 - 1))
    const reversed = step === -1 && start === -1 && typeof end === 'number' && end <= -(2 ** 31 - 1)
    return { start: whole ? 0 : undefined, count: whole || reversed ? dim : undefined }
  }
  if (typeof start !== 'number' || typeof end !== 'number') return { start: undefined, count: undefined }
  const [low, high] = step > 0 ? [0, dim] : [-1, dim - 1]
  const clamp = (value: number) => Math.min(Math.max(value < 0 ? value + dim : value, low), high)
  // A start before the first element is clamped to it also when stepping backwards.
  const from = step > 0 ? clamp(start) : Math.max(clamp(start), 0)
  const to = end < -dim && step < 0 ? -1 : clamp(end)
  return { start: from, count: Math.max(0, Math.ceil((to - from) / step)) }
}

function slice(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const type = call.type(0)
  if (!shape) return [{ type }]
  const slices = sliceAxes(call, shape)
  if (!slices) return [{ type, shape: unknownDims(shape.length) }]
  const out = [...shape]
  for (const { axis, count } of slices) out[axis] = count
  return [{ type, shape: out }]
}

function gather(call: OpCall): OutputFacts {
  const [shape, indices] = [call.shape(0), call.shape(1)]
  const axis = shape && normalizeAxis(call.int('axis', 0), shape.length)
  if (!shape || !indices || axis === undefined) return [{ type: call.type(0) }]
  return [{ type: call.type(0), shape: [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)] }]
}

function gatherElements(call: OpCall): OutputFacts {
  return [{ type: call.type(0), shape: call.shape(1) }]
}

function gatherNd(call: OpCall): OutputFacts {
  const [shape, indices] = [call.shape(0), call.shape(1)]
  const batch = call.int('batch_dims', 0)
  const depth = indices?.at(-1)
  const type = call.type(0)
  if (!shape || !indices || typeof depth !== 'number' || batch + depth > shape.length) return [{ type }]
  return [{ type, shape: [...indices.slice(0, -1), ...shape.slice(batch + depth)] }]
}

function split(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const type = call.type(0)
  const axis = shape && normalizeAxis(call.int('axis', 0), shape.length)
  if (!shape || axis === undefined) return Array.from({ length: call.outputCount }, () => ({ type }))
  const sizes = splitSizes(call, shape[axis])
  return Array.from({ length: call.outputCount }, (_, index) => ({ type, shape: shape.with(axis, sizes[index]) }))
}

function splitSizes(call: OpCall, dim: Dim): readonly Dim[] {
  const given = call.list('split', 1)
  if (given !== 'absent') return given === 'unknown' ? [] : given
  if (typeof dim !== 'number') return []
  const parts = call.outputCount
  if (call.attribute('num_outputs') === undefined) return dim % parts === 0 ? Array.from({ length: parts }, () => dim / parts) : []
  const size = Math.ceil(dim / parts)
  const last = dim - size * (parts - 1)
  return last >= 0 ? Array.from({ length: parts }, (_, index) => (index < parts - 1 ? size : last)) : []
}

function topK(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const axis = shape && normalizeAxis(call.int('axis', -1), shape.length)
  const k = call.attribute('k') ? call.int('k', 0) : call.scalar(1)
  const out = axis === undefined ? undefined : shape?.with(axis, k)
  return [
    { type: call.type(0), shape: out },
    { type: 'int64', shape: out },
  ]
}

function oneHot(call: OpCall): OutputFacts {
  const indices = call.shape(0)
  const type = call.type(2)
  const axis = indices && normalizeAxis(call.int('axis', -1), indices.length + 1)
  return [{ type, shape: axis === undefined ? undefined : indices?.toSpliced(axis, 0, call.scalar(1)) }]
}

/** Output shapes that depend on the values: only the rank is known. */
function nonZero(call: OpCall): OutputFacts {
  const rank = call.shape(0)?.length
  return [{ type: 'int64', shape: rank ? [rank, undefined] : undefined }]
}

function compress(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const type = call.type(0)
  const axis = call.attribute('axis')
  if (!axis) return [{ type, shape: [undefined] }]
  const at = shape && normalizeAxis(Number(axis.i), shape.length)
  return [{ type, shape: at === undefined ? undefined : shape?.with(at, undefined) }]
}

function nonMaxSuppression(): OutputFacts {
  return [{ type: 'int64', shape: [undefined, 3] }]
}

/** Operators that pick values. */
export const selectionRules: Readonly<Record<string, ShapeRule>> = {
  Slice: slice,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  Split: split,
  TopK: topK,
  OneHot: oneHot,
  NonZero: nonZero,
  Compress: compress,
  NonMaxSuppression: nonMaxSuppression,
}
