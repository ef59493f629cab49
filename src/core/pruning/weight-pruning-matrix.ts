import { roundWithCompensation } from '../linear-algebra/compensated-rounding.ts'
import { smallestWeights } from './smallest-weights.ts'

/**
 * Wanda: sets the weights of each row to zero that add least to the layer's outputs, judged by |w| · ‖x‖ with the norm of the
 * weight's own input. Rows are pruned alike; together they have exactly round(sparsity × weights) zeros (more where
 * there were more before).
 * Source: Sun et al. 2023, "A Simple and Effective Pruning Approach for Large Language Models".
 *
 * @param weights [rows, size], row-major, one output channel in a row; changed
 * @param squares Σ x² of each input, [size]
 */
export function pruneByActivation(weights: Float64Array, rows: number, size: number, squares: Float64Array, sparsity: number): void {
  const scores = new Float32Array(size)
  for (let row = 0; row < rows; row++) {
    const at = row * size
    for (let column = 0; column < size; column++) scores[column] = Math.abs(weights[at + column]!) * Math.sqrt(squares[column]!)
    const chosen = new SmallestFirst(scores, shareOf(at, at + size, sparsity))
    for (let column = 0; column < size; column++) if (chosen.has(scores[column]!)) weights[at + column] = 0
  }
}

/**
 * SparseGPT: in blocks of columns, sets those weights to zero that cost least once the others have made up for them
 * (w² / U[i,i]²), and changes the weights behind them accordingly. The layer has exactly round(sparsity × weights) zeros from it.
 * Source: Frantar & Alistarh 2023, "SparseGPT: Massive Language Models Can Be Accurately Pruned in One-Shot".
 *
 * @param weights [rows, size], row-major; changed
 * @param inverseFactor Cholesky factor of the inverse Gram matrix, see `roundWithCompensation`
 */
export function pruneWithCompensation(
  weights: Float64Array,
  rows: number,
  size: number,
  inverseFactor: Float64Array,
  sparsity: number,
): void {
  let scores = new Float32Array()
  let chosen: SmallestFirst
  let [first, width] = [0, 0]
  const beginBlock = (start: number, end: number): void => {
    ;[first, width] = [start, end - start]
    scores = new Float32Array(rows * width)
    for (let row = 0; row < rows; row++)
      for (let column = start; column < end; column++)
        scores[row * width + column - start] = (weights[row * size + column]! / inverseFactor[column * (size + 1)]!) ** 2
    chosen = new SmallestFirst(scores, shareOf(rows * start, rows * end, sparsity))
  }
  const choose = (row: number, column: number): number =>
    chosen.has(scores[row * width + column - first]!) ? 0 : weights[row * size + column]!
  roundWithCompensation(weights, rows, inverseFactor, size, { beginBlock, choose })
}

/** How many of weights from…to are to be zero, so that all parts together have the rounded share of the whole. */
function shareOf(from: number, to: number, sparsity: number): number {
  return Math.round(to * sparsity) - Math.round(from * sparsity)
}

/** Tells, score by score in order, which are among the `count` smallest; of equal ones the first. */
class SmallestFirst {
  private readonly threshold: number
  private ties: number

  constructor(scores: Float32Array, count: number) {
    const { threshold, ties } = count === 0 ? { threshold: -1, ties: 0 } : smallestWeights([scores], count)
    this.threshold = threshold
    this.ties = ties
  }

  has(score: number): boolean {
    if (score !== this.threshold) return score < this.threshold
    return this.ties-- > 0
  }
}
