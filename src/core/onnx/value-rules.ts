import { FOLLOWED_ELEMENTS, tensorFact } from './constant-facts.ts'
import type { OpCall } from './op-call.ts'
import { transposeOrder } from './shape-rules/layout.ts'
import { sliceAxes } from './shape-rules/selection.ts'
import { broadcastShapes, type Dim, elementsOf, isStatic, normalizeAxis, productOf, type Shape, type TensorFact } from './shapes.ts'
import { pick, rowMajor, spread } from './strided-values.ts'

/**
 * Elements of a node's first output where they follow from the shapes and small constants it reads: the arithmetic on shapes that
 * exporters write (Shape → Gather → Mul → Concat → Reshape). Symbols pass through operators that do not change them.
 *
 * @param output what the shape rule found for the output
 */
export function inferValues(call: OpCall, output: TensorFact): readonly Dim[] | undefined {
  const count = elementsOf(output.shape)
  if (count === undefined || count > FOLLOWED_ELEMENTS || !isStatic(output.shape)) return undefined
  const values = valueRules.get(call.node.opType)?.(call, output.shape, output)
  return values?.length === count ? values : undefined
}

type ValueRule = (call: OpCall, shape: readonly number[], output: TensorFact) => readonly Dim[] | undefined

const isInteger = (fact: TensorFact) => fact.type !== undefined && !fact.type.includes('float')

/** A number in the range and precision of a type; what is not exact is unknown. */
function stored(value: number, type: TensorFact['type']): Dim {
  if (type === 'float32') return Math.fround(value)
  if (type === 'float64') return value
  if (type === 'int64' || type === 'int32')
    return Number.isSafeInteger(value) && (type === 'int64' || value === (value | 0)) ? value : undefined
  return type === 'bool' ? Number(value !== 0) : undefined
}

function arithmetic(compute: (a: number, b: number, integers: boolean) => number, symbolic: (a: Dim, b: Dim) => Dim): ValueRule {
  return (call, shape, output) => {
    const integers = isInteger(output)
    return zip(call, shape, (a, b) => {
      if (typeof a !== 'number' || typeof b !== 'number') return a === undefined || b === undefined ? undefined : symbolic(a, b)
      return stored(compute(a, b, integers), output.type)
    })
  }
}

/** The operand beside the neutral element. */
const beside = (neutral: number) => (a: Dim, b: Dim) => (b === neutral ? a : a === neutral ? b : undefined)
const leftOf = (neutral: number) => (a: Dim, b: Dim) => (b === neutral ? a : undefined)
const equalOnly = (a: Dim, b: Dim) => (a === b ? a : undefined)

function comparison(compute: (a: number, b: number) => boolean, symbolic: (a: Dim, b: Dim) => Dim): ValueRule {
  return (call, shape) =>
    zip(call, shape, (a, b) => {
      if (typeof a === 'number' && typeof b === 'number') return Number(compute(a, b))
      return a === undefined || b === undefined ? undefined : symbolic(a, b)
    })
}

/** A symbol is a size: never negative, and equal to itself. */
function symbolEqual(a: Dim, b: Dim): Dim {
  if (a === b) return 1
  return (typeof a === 'number' && a < 0) || (typeof b === 'number' && b < 0) ? 0 : undefined
}

function zip(call: OpCall, shape: readonly number[], combine: (a: Dim, b: Dim) => Dim): Dim[] | undefined {
  const [a, b] = [spread(call.fact(0), shape), spread(call.fact(1), shape)]
  return a && b && a.map((value, index) => combine(value, b[index]))
}

function unary(compute: (value: number) => number, keepsSymbols: boolean): ValueRule {
  return (call, _shape, output) =>
    call.values(0)?.map((value) => {
      if (typeof value === 'number') return stored(compute(value), output.type)
      return keepsSymbols ? value : undefined
    })
}

function cast(call: OpCall, _shape: Shape, output: TensorFact): readonly Dim[] | undefined {
  const truncates = isInteger(output)
  return call.values(0)?.map((value) => {
    if (typeof value !== 'number') return output.type === 'bool' ? undefined : value
    return stored(truncates && output.type !== 'bool' ? Math.trunc(value) : value, output.type)
  })
}

function same(call: OpCall): readonly Dim[] | undefined {
  return call.values(0)
}

function shapeOf(call: OpCall, out: readonly number[]): readonly Dim[] | undefined {
  const shape = call.shape(0)
  if (!shape) return undefined
  const start = call.int('start', 0)
  const from = Math.min(Math.max(start < 0 ? start + shape.length : start, 0), shape.length)
  return shape.slice(from, from + (out[0] ?? 0))
}

function sizeOf(call: OpCall): readonly Dim[] | undefined {
  const shape = call.shape(0)
  return shape && [productOf(shape)]
}

function gather(call: OpCall, shape: readonly number[]): readonly Dim[] | undefined {
  const { values, shape: own } = call.fact(0)
  const { values: indices, shape: at } = call.fact(1)
  if (!values || !indices || !isStatic(own) || !at) return undefined
  const axis = normalizeAxis(call.int('axis', 0), own.length)
  if (axis === undefined) return undefined
  const dim = own[axis] as number
  const inner = own.slice(axis + 1).reduce((product, size) => product * size, 1)
  const outer = own.slice(0, axis).reduce((product, size) => product * size, 1)
  const picked: Dim[] = []
  for (let before = 0; before < outer; before++) {
    for (const index of indices) {
      const place = typeof index === 'number' ? normalizeAxis(index, dim) : undefined
      for (let after = 0; after < inner; after++)
        picked.push(place === undefined ? undefined : values[(before * dim + place) * inner + after])
    }
  }
  return picked.length === shape.reduce((product, size) => product * size, 1) ? picked : undefined
}

function slice(call: OpCall, shape: readonly number[]): readonly Dim[] | undefined {
  const { values, shape: own } = call.fact(0)
  if (!values || !isStatic(own)) return undefined
  const strides = rowMajor(own)
  let offset = 0
  for (const { axis, start, step } of sliceAxes(call, own) ?? [{ axis: 0, start: undefined, step: 1 }]) {
    if (typeof start !== 'number') return undefined
    offset += start * (rowMajor(own)[axis] as number)
    strides[axis] = (strides[axis] as number) * step
  }
  return pick(values, shape, strides, offset)
}

function transpose(call: OpCall, shape: readonly number[]): readonly Dim[] | undefined {
  const { values, shape: own } = call.fact(0)
  if (!values || !isStatic(own)) return undefined
  const strides = rowMajor(own)
  const order = transposeOrder(call, own.length)
  return (
    order &&
    pick(
      values,
      shape,
      order.map((axis) => strides[axis] as number),
      0,
    )
  )
}

/** Joining along the first axis is joining the lists; other axes only where that is the same. */
function concat(call: OpCall, shape: readonly number[]): readonly Dim[] | undefined {
  const axis = normalizeAxis(call.int('axis', 1), shape.length)
  if (axis === undefined || shape.slice(0, axis).some((dim) => dim !== 1)) return undefined
  const joined: Dim[] = []
  for (let index = 0; index < call.inputCount; index++) {
    const values = call.values(index) ?? partial(call.shape(index))
    if (!values) return undefined
    joined.push(...values)
  }
  return joined
}

/** A list of known length and unknown values. */
function partial(shape: Shape | undefined): readonly Dim[] | undefined {
  const count = elementsOf(shape)
  return count !== undefined && count <= FOLLOWED_ELEMENTS ? Array.from({ length: count }, () => undefined) : undefined
}

function where(call: OpCall, shape: readonly number[]): readonly Dim[] | undefined {
  const [condition, a, b] = [spread(call.fact(0), shape), spread(call.fact(1), shape), spread(call.fact(2), shape)]
  return (
    condition &&
    a &&
    b &&
    condition.map((chosen, index) => (chosen === undefined ? equalOnly(a[index], b[index]) : chosen ? a[index] : b[index]))
  )
}

function range(call: OpCall, shape: readonly number[], output: TensorFact): readonly Dim[] | undefined {
  const [start, delta] = [call.scalar(0), call.scalar(2)]
  if (typeof start !== 'number' || typeof delta !== 'number') return undefined
  return Array.from({ length: shape[0] ?? 0 }, (_, index) => stored(start + index * delta, output.type))
}

function constantOfShape(call: OpCall, shape: readonly number[], output: TensorFact): readonly Dim[] | undefined {
  const value = call.attribute('value')?.t
  const fill = value ? constantScalar(value) : 0
  return fill === undefined
    ? undefined
    : Array.from({ length: shape.reduce((product, dim) => product * dim, 1) }, () => stored(fill, output.type))
}

function constantScalar(tensor: Parameters<typeof tensorFact>[0]): number | undefined {
  const value = tensorFact(tensor).values?.[0]
  return typeof value === 'number' ? value : undefined
}

function expand(call: OpCall, shape: readonly number[]): readonly Dim[] | undefined {
  return broadcastShapes([call.shape(0), shape]) ? spread(call.fact(0), shape) : undefined
}

/** Product or sum over everything. */
function reduceAll(combine: (a: number, b: number) => number): ValueRule {
  return (call, shape, output) => {
    const values = call.values(0)
    if (!values || shape.some((dim) => dim !== 1) || !values.every((value) => typeof value === 'number')) return undefined
    // More than one axis left to reduce, or none: with a single result it is everything, unless nothing was reduced at all.
    return values.length === 0
      ? undefined
      : [
          stored(
            values.reduce((a, b) => combine(a, b)),
            output.type,
          ),
        ]
  }
}

const valueRules: ReadonlyMap<string, ValueRule> = new Map(
  Object.entries<ValueRule>({
    Identity: same,
    Reshape: same,
    Flatten: same,
    Squeeze: same,
    Unsqueeze: same,
    Cast: cast,
    Shape: shapeOf,
    Size: sizeOf,
    Gather: gather,
    Slice: slice,
    Transpose: transpose,
    Concat: concat,
    Where: where,
    Range: range,
    ConstantOfShape: constantOfShape,
    Expand: expand,
    ReduceProd: reduceAll((a, b) => a * b),
    ReduceSum: reduceAll((a, b) => a + b),
    ReduceMax: reduceAll((a, b) => Math.max(a, b)),
    ReduceMin: reduceAll((a, b) => Math.min(a, b)),
    Add: arithmetic((a, b) => a + b, beside(0)),
    Sub: arithmetic(
      (a, b) => a - b,
      (a, b) => (a === b ? 0 : leftOf(0)(a, b)),
    ),
    Mul: arithmetic((a, b) => a * b, beside(1)),
    // Integer division truncates towards zero, as in C.
    Div: arithmetic((a, b, integers) => (integers ? (b === 0 ? Number.NaN : Math.trunc(a / b)) : a / b), leftOf(1)),
    Max: arithmetic((a, b) => Math.max(a, b), equalOnly),
    Min: arithmetic((a, b) => Math.min(a, b), equalOnly),
    Neg: unary((value) => -value, false),
    Abs: unary(Math.abs, true),
    Floor: unary(Math.floor, true),
    Ceil: unary(Math.ceil, true),
    Not: unary((value) => (value === 0 ? 1 : 0), false),
    Equal: comparison((a, b) => a === b, symbolEqual),
    Greater: comparison(
      (a, b) => a > b,
      () => undefined,
    ),
    GreaterOrEqual: comparison(
      (a, b) => a >= b,
      () => undefined,
    ),
    Less: comparison(
      (a, b) => a < b,
      () => undefined,
    ),
    LessOrEqual: comparison(
      (a, b) => a <= b,
      () => undefined,
    ),
  }),
)
