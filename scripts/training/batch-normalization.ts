import { dividedBy, meanOver, minus, plus, reshape, scaled, sqrt, sumOver, times } from './elementary.ts'
import type { Tape, Value } from './tape.ts'

/** Added to the variance before the root; the default of ONNX and of PyTorch. */
export const BATCH_NORM_EPSILON = 1e-5

/** The normalized batch and the statistics it was normalized with. */
export interface BatchNormalized {
  /** [N,C,H,W] */
  readonly output: Value
  /** Mean over batch and positions, [C]. */
  readonly mean: Value
  /** Variance over batch and positions (divided by the count, as ONNX does, not by count − 1), [C]. */
  readonly variance: Value
}

/**
 * Batch normalization in training mode, written out with elementary operations: `y = scale · (x − mean) / √(variance + ε) + bias`
 * with the batch's own statistics, through which the gradient flows as well (Ioffe and Szegedy 2015, section 3):
 *
 *     dScale = Σ dy·x̂      dBias = Σ dy      dx = scale / √(variance + ε) · (dy − dBias/m − x̂ · dScale/m)
 *
 * where x̂ is the normalized input and m = N·H·W. `mean` and `variance` are meant for running averages: no gradient flows back from them.
 *
 * @param x [N,C,H,W]
 * @param scale [C]
 * @param bias [C]
 */
export function batchNormalization(tape: Tape, x: Value, scale: Value, bias: Value): BatchNormalized {
  const [batch, channels, height, width] = x.shape as [number, number, number, number]
  const axes = [0, 2, 3]
  const count = batch * height * width
  const perChannel = (value: Value) => reshape(tape, value, [1, channels, 1, 1])

  const mean = meanOver(tape, x, axes)
  const centred = minus(tape, x, mean)
  const variance = meanOver(tape, times(tape, centred, centred), axes)
  const inverseDeviation = dividedBy(tape, tape.constant(1), sqrt(tape, plus(tape, variance, tape.constant(BATCH_NORM_EPSILON))))
  const normalized = times(tape, centred, inverseDeviation)
  const output = plus(tape, times(tape, normalized, perChannel(scale)), perChannel(bias))

  tape.record(output, [x, scale, bias], (dy) => {
    const dScale = sumOver(tape, times(tape, dy, normalized), axes, true)
    const dBias = sumOver(tape, dy, axes, true)
    const inner = minus(tape, minus(tape, dy, scaled(tape, dBias, 1 / count)), times(tape, normalized, scaled(tape, dScale, 1 / count)))
    const dx = times(tape, inner, times(tape, perChannel(scale), inverseDeviation))
    return [dx, reshape(tape, dScale, [channels]), reshape(tape, dBias, [channels])]
  })
  return { output, mean: reshape(tape, mean, [channels]), variance: reshape(tape, variance, [channels]) }
}
