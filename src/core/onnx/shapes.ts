import type { TypeProto, ValueInfoProto } from 'onnx-buf'
import { type ElementType, elementTypeName } from './data-types.ts'

/** A dimension: a number, a symbol (the same name is the same size everywhere in a model), or unknown. */
export type Dim = number | string | undefined
/** Dimensions of a tensor, outermost first; `[]` is a scalar. */
export type Shape = readonly Dim[]

/** Characters of a symbol that is kept; exporters write names, or short formulas. */
const SYMBOL_LENGTH = 200

/** What is known of a tensor without running the model. An absent field is unknown. */
export interface TensorFact {
  readonly type?: ElementType | undefined
  readonly shape?: Shape | undefined
  /**
   * Elements of a small tensor in row-major order, as shapes and axes are computed in graphs. An element may be the symbol of a
   * dimension, or unknown. 64-bit integers beyond 2^53 are approximate (they only occur as "until the end").
   */
  readonly values?: readonly Dim[] | undefined
}

/** Type and shape that a ValueInfoProto declares; a symbol is an input's `dim_param`. Sequences and maps have no shape. */
export function declaredFact(value: ValueInfoProto | undefined): TensorFact {
  const tensor = value?.type?.value
  if (tensor?.case !== 'tensorType') return {}
  const { elemType, shape } = tensor.value
  return {
    type: elementTypeName(elemType),
    shape: shape?.dim.map(({ value: dim }) => {
      // Exporters write -1 or an empty name for "unknown".
      if (dim.case === 'dimValue') return dim.value >= 0n && dim.value <= Number.MAX_SAFE_INTEGER ? Number(dim.value) : undefined
      return dim.case === 'dimParam' && dim.value !== '' && dim.value.length <= SYMBOL_LENGTH ? dim.value : undefined
    }),
  }
}

/** A type as text: `float32`, or `sequence(float32)`, `map(int64, float32)`, `optional(float32)`; `unknown` when the file does not say. */
export function typeText(type: TypeProto | undefined, depth = 0): string {
  const value = type?.value
  if (!value?.case || depth > 8) return 'unknown'
  switch (value.case) {
    case 'tensorType':
      return elementTypeName(value.value.elemType) ?? 'unknown'
    case 'sparseTensorType':
      return `sparse(${elementTypeName(value.value.elemType) ?? 'unknown'})`
    case 'sequenceType':
      return `sequence(${typeText(value.value.elemType, depth + 1)})`
    case 'optionalType':
      return `optional(${typeText(value.value.elemType, depth + 1)})`
    case 'mapType':
      return `map(${elementTypeName(value.value.keyType) ?? 'unknown'}, ${typeText(value.value.valueType, depth + 1)})`
    default:
      return 'unknown'
  }
}

/** Shape of the result of numpy-style broadcasting; `undefined` when the shapes are unknown or cannot be broadcast. */
export function broadcastShapes(shapes: readonly (Shape | undefined)[]): Shape | undefined {
  let result: Shape = []
  for (const shape of shapes) {
    if (!shape) return undefined
    const rank = Math.max(result.length, shape.length)
    const merged: Dim[] = []
    for (let axis = 0; axis < rank; axis++) {
      const a = axis < rank - result.length ? 1 : result[axis - (rank - result.length)]
      const b = axis < rank - shape.length ? 1 : shape[axis - (rank - shape.length)]
      const dim = broadcastDims(a, b)
      if (dim === 'conflict') return undefined
      merged.push(dim.dim)
    }
    result = merged
  }
  return result
}

function broadcastDims(a: Dim, b: Dim): { dim: Dim } | 'conflict' {
  if (a === b || b === 1) return { dim: a }
  if (a === 1) return { dim: b }
  if (typeof a === 'number' && typeof b === 'number') return 'conflict'
  // A symbol beside a number over 1 can only be that number or 1.
  if (typeof a === 'number') return { dim: a }
  if (typeof b === 'number') return { dim: b }
  return { dim: undefined }
}

/** Product of dimensions: a number, one symbol when all others are 1, else unknown. */
export function productOf(dims: Shape): Dim {
  let product = 1
  const symbols: string[] = []
  let unknown = false
  for (const dim of dims) {
    if (typeof dim === 'number') product *= dim
    else if (dim === undefined) unknown = true
    else symbols.push(dim)
  }
  if (product === 0) return 0
  if (unknown || symbols.length > 1) return undefined
  const symbol = symbols[0]
  if (symbol === undefined) return Number.isSafeInteger(product) ? product : undefined
  return product === 1 ? symbol : undefined
}

/** Number of elements, `undefined` unless every dimension is a number. */
export function elementsOf(shape: Shape | undefined): number | undefined {
  const product = shape && productOf(shape)
  return typeof product === 'number' ? product : undefined
}

/** True when every dimension is a number. */
export function isStatic(shape: Shape | undefined): shape is readonly number[] {
  return shape?.every((dim) => typeof dim === 'number') ?? false
}

/** `axis` counted from the front, `undefined` when it lies outside `rank`. */
export function normalizeAxis(axis: number, rank: number): number | undefined {
  const normal = axis < 0 ? axis + rank : axis
  return Number.isInteger(axis) && normal >= 0 && normal < rank ? normal : undefined
}

/** `axes` counted from the front, `undefined` when one lies outside `rank` or comes twice. */
export function normalizeAxes(axes: readonly Dim[], rank: number): number[] | undefined {
  const normal = axes.map((axis) => (typeof axis === 'number' ? normalizeAxis(axis, rank) : undefined))
  if (normal.some((axis) => axis === undefined) || new Set(normal).size !== normal.length) return undefined
  return normal as number[]
}

/** A shape of `rank` unknown dimensions. */
export function unknownDims(rank: number): Shape {
  return Array.from({ length: rank }, () => undefined)
}

/** Dimensions known in either of two shapes of the same tensor; where both are known, `first` is believed. */
export function mergeShapes(first: Shape | undefined, second: Shape | undefined): Shape | undefined {
  if (!first) return second
  if (!second || first.length !== second.length) return first
  return first.map((dim, axis) => dim ?? second[axis])
}

/** Dimensions on which two shapes agree; `undefined` when their ranks differ or are unknown. */
export function commonShape(first: Shape | undefined, second: Shape | undefined): Shape | undefined {
  if (!first || !second || first.length !== second.length) return undefined
  return first.map((dim, axis) => (dim === second[axis] ? dim : undefined))
}
