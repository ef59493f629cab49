import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'
import { broadcastShapes, type Dim, isStatic, normalizeAxes, normalizeAxis, productOf, type Shape, unknownDims } from '../shapes.ts'

function reshape(call: OpCall): OutputFacts {
  const type = call.type(0)
  const target = call.values(1)
  if (!target) {
    const rank = call.shape(1)?.[0]
    return [{ type, shape: typeof rank === 'number' && rank <= 64 ? unknownDims(rank) : undefined }]
  }
  return [{ type, shape: reshapedShape(call.shape(0), target, call.int('allowzero', 0) !== 0) }]
}

/**
 * Shape after Reshape: 0 copies the input's dimension (unless `allowZero`), one -1 takes what is left over. Symbols that occur on both
 * sides cancel out. `undefined` when the target does not fit.
 */
export function reshapedShape(input: Shape | undefined, target: readonly Dim[], allowZero: boolean): Shape | undefined {
  const rest: (Dim | 'used')[] = [...(input ?? [])]
  const out: Dim[] = []
  let free: number | undefined
  for (const [axis, dim] of target.entries()) {
    if (dim === -1) {
      if (free !== undefined) return undefined
      free = axis
      out.push(undefined)
    } else if (dim === 0 && !allowZero) {
      if (input && axis >= input.length) return undefined
      out.push(input?.[axis])
      rest[axis] = 'used'
    } else {
      if (typeof dim === 'number' && dim < 0) return undefined
      out.push(dim)
    }
  }
  if (!input) return out
  const given = target.filter((dim) => dim !== -1 && (dim !== 0 || allowZero))
  const [left, asked] = cancelSymbols(rest.filter((dim) => dim !== 'used') as Dim[], given)
  const [available, wanted] = [productOf(left), productOf(asked)]
  if (free === undefined) {
    const impossible = typeof available === 'number' && typeof wanted === 'number' && available !== wanted
    return impossible ? undefined : out
  }
  if (typeof wanted !== 'number' || wanted === 0) return out
  if (typeof available === 'number') {
    if (available % wanted !== 0) return undefined
    out[free] = available / wanted
  } else out[free] = symbolicQuotient(left, wanted)
  return out
}

/** Removes symbols that stand on both sides. */
function cancelSymbols(left: readonly Dim[], right: readonly Dim[]): [Dim[], Dim[]] {
  const rest = [...right]
  const kept = left.filter((dim) => {
    const index = typeof dim === 'string' ? rest.indexOf(dim) : -1
    if (index >= 0) rest.splice(index, 1)
    return index < 0
  })
  return [kept, rest]
}

/** One symbol times numbers whose product is the divisor leaves that symbol. */
function symbolicQuotient(dims: readonly Dim[], divisor: number): Dim {
  const symbols = dims.filter((dim) => typeof dim === 'string')
  const numbers = dims.filter((dim) => typeof dim === 'number')
  if (symbols.length !== 1 || symbols.length + numbers.length !== dims.length) return undefined
  return productOf(numbers) === divisor ? symbols[0] : undefined
}

function flatten(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const axis = call.int('axis', 1)
  const at = shape && (axis === shape.length ? axis : normalizeAxis(axis, shape.length))
  if (!shape || at === undefined) return [{ type: call.type(0) }]
  return [{ type: call.type(0), shape: [productOf(shape.slice(0, at)), productOf(shape.slice(at))] }]
}

function transpose(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const type = call.type(0)
  const order = shape && transposeOrder(call, shape.length)
  return [{ type, shape: order?.map((axis) => shape?.[axis]) }]
}

/** The permutation of a Transpose node, `undefined` when it does not fit the rank. */
export function transposeOrder(call: OpCall, rank: number): readonly number[] | undefined {
  const order = call.ints('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  return order.length === rank ? normalizeAxes(order, rank) : undefined
}

function squeeze(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const type = call.type(0)
  const axes = call.list('axes', 1)
  if (!shape || axes === 'unknown') return [{ type }]
  if (axes === 'absent') {
    // Whether a symbol is 1 decides the rank.
    return [{ type, shape: isStatic(shape) ? shape.filter((dim) => dim !== 1) : undefined }]
  }
  const gone = normalizeAxes(axes, shape.length)
  if (!gone || gone.some((axis) => typeof shape[axis] === 'number' && shape[axis] !== 1)) return [{ type }]
  return [{ type, shape: shape.filter((_, axis) => !gone.includes(axis)) }]
}

function unsqueeze(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const type = call.type(0)
  const axes = call.list('axes', 1)
  if (!shape || axes === 'unknown' || axes === 'absent') return [{ type }]
  const rank = shape.length + axes.length
  const added = normalizeAxes(axes, rank)
  if (!added) return [{ type }]
  const rest = [...shape]
  return [{ type, shape: Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : rest.shift())) }]
}

function concat(call: OpCall): OutputFacts {
  return [
    {
      type: call.type(0),
      shape: concatShape(
        call,
        Array.from({ length: call.inputCount }, (_, index) => index),
      ),
    },
  ]
}

/** com.microsoft.QLinearConcat: Y scale, Y zero point, then (tensor, scale, zero point) for each input. */
function quantizedConcat(call: OpCall): OutputFacts {
  const tensors = Array.from({ length: call.inputCount }, (_, index) => index).filter((index) => index >= 2 && (index - 2) % 3 === 0)
  return [{ type: call.type(2), shape: concatShape(call, tensors) }]
}

function concatShape(call: OpCall, inputs: readonly number[]): Shape | undefined {
  const shapes = inputs.map((index) => call.shape(index))
  const rank = shapes.find((shape) => shape)?.length
  const axis = rank === undefined ? undefined : normalizeAxis(call.int('axis', 1), rank)
  if (rank === undefined || axis === undefined || shapes.some((shape) => shape && shape.length !== rank)) return undefined
  return unknownDims(rank).map((_, at) => {
    const dims = shapes.map((shape) => shape?.[at])
    if (at !== axis) return dims.find((dim) => typeof dim === 'number') ?? dims.find((dim) => dim !== undefined)
    const longer = dims.filter((dim) => dim !== 0)
    if (longer.length === 1) return longer[0]
    return longer.every((dim) => typeof dim === 'number') ? longer.reduce((sum, dim) => sum + dim, 0) : undefined
  })
}

function expand(call: OpCall): OutputFacts {
  const type = call.type(0)
  const shape = call.shape(0)
  const target = call.values(1)
  if (target) return [{ type, shape: broadcastShapes([shape, target]) }]
  const length = call.shape(1)?.[0]
  const known = shape && typeof length === 'number' && length <= 64
  return [{ type, shape: known ? unknownDims(Math.max(shape.length, length)) : undefined }]
}

function tile(call: OpCall): OutputFacts {
  const type = call.type(0)
  const shape = call.shape(0)
  const repeats = call.values(1)
  if (!shape || (repeats && repeats.length !== shape.length)) return [{ type }]
  return [{ type, shape: shape.map((dim, axis) => multiply(dim, repeats?.[axis])) }]
}

function multiply(a: Dim, b: Dim): Dim {
  return productOf([a, b])
}

function pad(call: OpCall): OutputFacts {
  const type = call.type(0)
  const shape = call.shape(0)
  const pads = call.list('pads', 1)
  if (!shape || pads === 'absent') return [{ type }]
  const axes = call.has(3) ? call.values(3) : shape.map((_, axis) => axis)
  const at = axes && normalizeAxes(axes, shape.length)
  if (pads === 'unknown' || !at) return [{ type, shape: unknownDims(shape.length) }]
  if (pads.length !== 2 * at.length) return [{ type }]
  const padded = [...shape]
  for (const [index, axis] of at.entries()) {
    const [before, after] = [pads[index], pads[index + at.length]]
    const amount = typeof before === 'number' && typeof after === 'number' ? before + after : undefined
    const dim = padded[axis]
    if (amount !== 0) padded[axis] = typeof dim === 'number' && amount !== undefined ? dim + amount : undefined
  }
  return [{ type, shape: padded }]
}

function depthToSpace(call: OpCall): OutputFacts {
  return [
    {
      type: call.type(0),
      shape: blocks(
        call,
        (dim, size) => (dim % (size * size) === 0 ? dim / (size * size) : undefined),
        (dim, size) => dim * size,
      ),
    },
  ]
}

function spaceToDepth(call: OpCall): OutputFacts {
  return [
    {
      type: call.type(0),
      shape: blocks(
        call,
        (dim, size) => dim * size * size,
        (dim, size) => (dim % size === 0 ? dim / size : undefined),
      ),
    },
  ]
}

type Scale = (dim: number, size: number) => Dim

function blocks(call: OpCall, channels: Scale, spatial: Scale): Shape | undefined {
  const shape = call.shape(0)
  const size = call.int('blocksize', 0)
  if (shape?.length !== 4 || size < 1) return undefined
  const [n, c, h, w] = shape
  const scaled = (dim: Dim, scale: Scale) => (typeof dim === 'number' ? scale(dim, size) : size === 1 ? dim : undefined)
  return [n, scaled(c, channels), scaled(h, spatial), scaled(w, spatial)]
}

/** Operators that rearrange, repeat or join values. */
export const layoutRules: Readonly<Record<string, ShapeRule>> = {
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  'com.microsoft.QLinearConcat': quantizedConcat,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
}
