import { subtractProduct } from './subtract-product.ts'

/** Columns whose errors reach the later ones as one matrix product; GPTQ's and SparseGPT's own block. */
const BLOCK = 128

/** Decides what weights become. Called block by block, row by row, column by column. */
export interface WeightChooser {
  /**
   * Called before the rows of a block of columns are walked; `weights` holds what earlier blocks made of them.
   */
  readonly beginBlock?: (start: number, end: number) => void
  /** What the weight at `column` of `row` becomes; `weights` from there on, in the same row, is what it would be without errors. */
  readonly choose: (row: number, column: number) => number
}

/**
 * Replaces each weight by what `choose` makes of it, and changes the weights after it in its row so that the layer's outputs
 * stay as close as they can: with error e = (w − ŵ) / U[i,i], the later weights j of the row lose e · U[i,j]. U is the Cholesky
 * factor of the inverse Gram matrix of the layer's inputs.
 * Source: GPTQ (Frantar et al. 2022, algorithm 1) and SparseGPT (Frantar & Alistarh 2023, algorithm 1).
 *
 * @param weights [rows, size], row-major; the chosen values afterwards
 * @param inverseFactor U, [size, size], from `inverseCholeskyFactor`
 */
export function roundWithCompensation(
  weights: Float64Array,
  rows: number,
  inverseFactor: Float64Array,
  size: number,
  { beginBlock, choose }: WeightChooser,
): void {
  const errors = new Float64Array(rows * BLOCK)
  for (let start = 0; start < size; start += BLOCK) {
    const end = Math.min(start + BLOCK, size)
    beginBlock?.(start, end)
    for (let row = 0; row < rows; row++) {
      const at = row * size
      for (let column = start; column < end; column++) {
        const chosen = choose(row, column)
        const factors = column * size
        const error = (weights[at + column]! - chosen) / inverseFactor[factors + column]!
        weights[at + column] = chosen
        errors[row * BLOCK + column - start] = error
        if (error === 0) continue
        for (let later = column + 1; later < end; later++)
          weights[at + later] = weights[at + later]! - error * inverseFactor[factors + later]!
      }
    }
    subtractProduct(
      { values: weights, offset: end, stride: size },
      { values: errors, offset: 0, stride: BLOCK },
      { values: inverseFactor, offset: start * size + end, stride: size },
      rows,
      end - start,
      size - end,
    )
  }
}
