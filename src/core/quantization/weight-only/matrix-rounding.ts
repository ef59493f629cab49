import { roundWithCompensation } from '../../linear-algebra/compensated-rounding.ts'
import { type GroupScale, groupScale, type IntegerGrid, nearestInteger } from './integer-grid.ts'

/** Weights as integers with the scales that give their real values back: ŵ = scale × (quantized − zeroPoint). */
export interface QuantizedMatrix {
  /** [channels, size]; int4 and uint4 values one to a byte */
  readonly values: Int8Array
  /** [channels, groups] */
  readonly scales: Float32Array
  /** [channels, groups], for grids that have zero points */
  readonly zeroPoints: Int8Array | undefined
  /** Weights of a channel that share a scale. */
  readonly groupSize: number
}

/** How a matrix is rounded. */
export interface RoundingOptions {
  readonly grid: IntegerGrid
  /** Weights of a channel that share a scale; 0: all of them. */
  readonly blockSize: number
  /** Search the scale with the smallest squared error instead of taking the one that clips nothing. */
  readonly mseScales: boolean
  /** Mean square of each input, [size]: rounding errors of weights with large inputs count more in the search. */
  readonly importance?: Float64Array | undefined
  /** Factor of the inverse Gram matrix: with it errors are made up for in later weights (GPTQ), otherwise each is rounded alone. */
  readonly inverseFactor?: Float64Array | undefined
}

/**
 * Rounds a matrix of weights to integers.
 *
 * @param weights [channels, size], row-major, one output channel in a row; overwritten with the rounded values
 */
export function roundMatrix(
  weights: Float64Array,
  channels: number,
  size: number,
  { grid, blockSize, mseScales, importance, inverseFactor }: RoundingOptions,
): QuantizedMatrix {
  const groupSize = blockSize === 0 ? size : blockSize
  const groups = Math.ceil(size / groupSize)
  const values = new Int8Array(channels * size)
  const scales = new Float32Array(channels * groups)
  const zeroPoints = grid.zeroPoints ? new Int8Array(channels * groups) : undefined
  const searched = (column: number) => (mseScales ? { importance, firstColumn: column } : undefined)
  const known: (GroupScale | undefined)[] = new Array<undefined>(channels)
  const begin = (row: number, column: number): GroupScale => {
    const found = groupScale(weights, row * size + column, Math.min(groupSize, size - column), grid, searched(column))
    const group = row * groups + column / groupSize
    scales[group] = found.scale
    if (zeroPoints) zeroPoints[group] = found.zeroPoint
    known[row] = found
    return found
  }
  const choose = (row: number, column: number): number => {
    const scale = column % groupSize === 0 ? begin(row, column) : known[row]!
    const at = row * size + column
    const integer = nearestInteger(weights[at]!, scale, grid)
    values[at] = integer
    return scale.scale * (integer - scale.zeroPoint)
  }
  if (inverseFactor) roundWithCompensation(weights, channels, inverseFactor, size, { choose })
  else
    for (let row = 0; row < channels; row++)
      for (let column = 0; column < size; column++) weights[row * size + column] = choose(row, column)
  return { values, scales, zeroPoints, groupSize }
}
