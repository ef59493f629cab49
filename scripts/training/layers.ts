import { convOutputLength } from './convolution.ts'
import { minus, reshape, scaled, sumOver, times } from './elementary.ts'
import type { Tape, Value } from './tape.ts'

/** `max(x, 0)`. The gradient passes where the output is positive; its sign is exactly that mask. */
export function relu(tape: Tape, x: Value): Value {
  const y = tape.emit('Relu', [x], x.shape)
  return tape.record(y, [x], (dy) => [times(tape, dy, tape.emit('Sign', [y], y.shape))])
}

/**
 * Maximum over `size`×`size` windows that do not overlap (stride = size, no padding; what is left over at the edges is dropped).
 * MaxPool also gives the place of each maximum, and MaxUnpool puts the gradient there: exact because no place is in two windows.
 */
export function maxPool(tape: Tape, x: Value, size: number): Value {
  const [batch, channels, height, width] = x.shape as [number, number, number, number]
  const shape = [batch, channels, convOutputLength(height, size, size, 0), convOutputLength(width, size, size, 0)]
  const window = { kernel_shape: [size, size], strides: [size, size] }
  const [y, indices] = tape.emitSeveral('MaxPool', [x], [shape, shape], window) as [Value, Value]
  return tape.record(y, [x], (dy) => [tape.emit('MaxUnpool', [dy, indices, tape.integers(x.shape)], x.shape, window)])
}

/** Mean over all positions: [N,C,H,W] to [N,C,1,1]. */
export function globalAveragePool(tape: Tape, x: Value): Value {
  const [batch, channels, height, width] = x.shape as [number, number, number, number]
  const y = tape.emit('GlobalAveragePool', [x], [batch, channels, 1, 1])
  return tape.record(y, [x], (dy) => [tape.emit('Expand', [scaled(tape, dy, 1 / (height * width)), tape.integers(x.shape)], x.shape)])
}

/** Sum of two tensors of the same shape (a residual connection). */
export function add(tape: Tape, a: Value, b: Value): Value {
  if (a.shape.join() !== b.shape.join()) throw new Error(`cannot add [${a.shape}] and [${b.shape}]`)
  return tape.record(tape.emit('Add', [a, b], a.shape), [a, b], (dy) => [dy, dy])
}

/** [N, …] to [N, product of the rest]. */
export function flatten(tape: Tape, x: Value): Value {
  const [batch, ...rest] = x.shape as [number, ...number[]]
  const y = tape.emit('Flatten', [x], [batch, rest.reduce((product, dim) => product * dim, 1)], { axis: 1 })
  return tape.record(y, [x], (dy) => [reshape(tape, dy, x.shape)])
}

/** Fully connected layer `x · weightᵀ + bias`: x [N,I], weight [O,I], bias [O]. */
export function gemm(tape: Tape, x: Value, weight: Value, bias: Value): Value {
  const y = tape.emit('Gemm', [x, weight, bias], [x.shape[0] as number, weight.shape[0] as number], { transB: 1 })
  return tape.record(y, [x, weight, bias], (dy) => [
    tape.emit('Gemm', [dy, weight], x.shape),
    tape.emit('Gemm', [dy, x], weight.shape, { transA: 1 }),
    sumOver(tape, dy, [0]),
  ])
}

/**
 * Mean over the batch of the cross-entropy between the target distribution and `softmax(logits)`: a scalar.
 *
 * @param logits [N,K]
 * @param targets [N,K], each row sums to 1 (one-hot, or softened); they get no gradient
 */
export function softmaxCrossEntropy(tape: Tape, logits: Value, targets: Value): Value {
  const [batch] = logits.shape as [number, number]
  const logProbabilities = tape.emit('LogSoftmax', [logits], logits.shape, { axis: 1 })
  const loss = scaled(tape, sumOver(tape, times(tape, logProbabilities, targets), [0, 1]), -1 / batch)
  return tape.record(loss, [logits], (dLoss) => {
    const probabilities = tape.emit('Softmax', [logits], logits.shape, { axis: 1 })
    return [times(tape, minus(tape, probabilities, targets), scaled(tape, dLoss, 1 / batch))]
  })
}
