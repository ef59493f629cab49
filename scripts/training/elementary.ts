import type { Tape, Value } from './tape.ts'

// Forward-only building blocks of the gradient rules: thin wrappers that know the shape of what they make.

/** Element-wise operation with ONNX (NumPy) broadcasting. */
function binary(opType: string): (tape: Tape, a: Value, b: Value) => Value {
  return (tape, a, b) => tape.emit(opType, [a, b], broadcastShape(a.shape, b.shape))
}

export const plus = binary('Add')
export const minus = binary('Sub')
export const times = binary('Mul')
export const dividedBy = binary('Div')

/** `x · factor` with a number. */
export function scaled(tape: Tape, x: Value, factor: number): Value {
  return times(tape, x, tape.constant(factor))
}

export function sqrt(tape: Tape, x: Value): Value {
  return tape.emit('Sqrt', [x], x.shape)
}

export function reshape(tape: Tape, x: Value, shape: readonly number[]): Value {
  return tape.emit('Reshape', [x, tape.integers(shape)], shape)
}

export function transpose(tape: Tape, x: Value, permutation: readonly number[]): Value {
  const shape = permutation.map((axis) => x.shape[axis] as number)
  return tape.emit('Transpose', [x], shape, { perm: permutation })
}

/** Sum over `axes`, which stay as dimensions of length 1 when `keepDims` is set. */
export function sumOver(tape: Tape, x: Value, axes: readonly number[], keepDims = false): Value {
  return tape.emit('ReduceSum', [x, tape.integers(axes)], reducedShape(x.shape, axes, keepDims), { keepdims: keepDims ? 1 : 0 })
}

/** Mean over `axes`, which stay as dimensions of length 1. */
export function meanOver(tape: Tape, x: Value, axes: readonly number[]): Value {
  // Until opset 18 ReduceMean takes its axes as an attribute, unlike ReduceSum.
  return tape.emit('ReduceMean', [x], reducedShape(x.shape, axes, true), { axes, keepdims: 1 })
}

/** `x[start:end:step]` on each of `axes`. */
export function slice(
  tape: Tape,
  x: Value,
  cut: {
    readonly axes: readonly number[]
    readonly starts: readonly number[]
    readonly ends: readonly number[]
    readonly steps: readonly number[]
  },
): Value {
  const shape = [...x.shape]
  for (const [index, axis] of cut.axes.entries()) {
    shape[axis] = Math.ceil(((cut.ends[index] as number) - (cut.starts[index] as number)) / (cut.steps[index] as number))
  }
  return tape.emit('Slice', [x, ...[cut.starts, cut.ends, cut.axes, cut.steps].map((list) => tape.integers(list))], shape)
}

function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  return keepDims ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)) : shape.filter((_, axis) => !axes.includes(axis))
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1
    const right = b[axis - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1) throw new Error(`[${a}] and [${b}] do not broadcast`)
    return Math.max(left, right)
  })
}
