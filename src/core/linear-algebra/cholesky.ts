import { subtractProduct } from './subtract-product.ts'

/** Rows factored together; what they change in the rest is one matrix product. */
const BLOCK = 64

/**
 * The Cholesky factor of a symmetric positive definite matrix, row-major: U upper triangular with Uᵀ·U = A, zeros below.
 * Right-looking in blocks (Golub & Van Loan, Matrix Computations, 4.2.9). Damping is the caller's business.
 *
 * @param matrix [size, size]; only its upper triangle is read
 * @returns `undefined` when the matrix is not positive definite in float64, or holds NaN or infinity
 */
export function choleskyFactor(matrix: Float64Array, size: number): Float64Array | undefined {
  requireSquare(matrix, size)
  const upper = matrix.slice()
  // The block's rows as columns, so that the product below walks along rows only.
  const turned = new Float64Array(size * BLOCK)
  for (let start = 0; start < size; start += BLOCK) {
    const end = Math.min(start + BLOCK, size)
    if (!factorBlock(upper, size, start, end)) return undefined
    const depth = end - start
    for (let k = 0; k < depth; k++)
      for (let column = end; column < size; column++) turned[column * BLOCK + k] = upper[(start + k) * size + column]!
    for (let row = end; row < size; row += BLOCK) {
      const rows = Math.min(BLOCK, size - row)
      subtractProduct(
        { values: upper, offset: row * size + row, stride: size },
        { values: turned, offset: row * BLOCK, stride: BLOCK },
        { values: upper, offset: start * size + row, stride: size },
        rows,
        depth,
        size - row,
      )
    }
  }
  for (let row = 1; row < size; row++) upper.fill(0, row * size, row * size + row)
  return upper
}

/** Factors rows start…end, whose influence of earlier rows is gone already, up to the last column. */
function factorBlock(upper: Float64Array, size: number, start: number, end: number): boolean {
  for (let row = start; row < end; row++) {
    const at = row * size
    const pivot = upper[at + row]!
    // Also false for NaN.
    if (!(pivot > 0 && pivot < Number.POSITIVE_INFINITY)) return false
    const inverse = 1 / Math.sqrt(pivot)
    for (let column = row; column < size; column++) upper[at + column] = upper[at + column]! * inverse
    for (let below = row + 1; below < end; below++) subtractScaled(upper, below * size, at, upper[at + below]!, below, size)
  }
  return true
}

/**
 * Solves A·X = B in place, with the factor U of A.
 *
 * @param upper from {@link choleskyFactor}
 * @param right [size, columns], row-major; X afterwards
 */
export function choleskySolve(upper: Float64Array, size: number, right: Float64Array, columns: number): void {
  requireSquare(upper, size)
  for (let row = 0; row < size; row++) {
    scaleRow(right, row * columns, columns, 1 / upper[row * size + row]!)
    for (let below = row + 1; below < size; below++)
      subtractScaled(right, below * columns, row * columns, upper[row * size + below]!, 0, columns)
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let below = row + 1; below < size; below++)
      subtractScaled(right, row * columns, below * columns, upper[row * size + below]!, 0, columns)
    scaleRow(right, row * columns, columns, 1 / upper[row * size + row]!)
  }
}

/**
 * The Cholesky factor of the inverse: V upper triangular with Vᵀ·V = A⁻¹, what GPTQ and SparseGPT walk along (row i holds what
 * an error in weight i costs the later ones). The inverse itself is never made: with rows and columns of A in reverse order
 * and UᵀU its factor, V is U⁻ᵀ with rows and columns put back in order, which takes a third of the multiplications.
 *
 * @param matrix symmetric, [size, size], row-major
 * @returns `undefined` as {@link choleskyFactor}
 */
export function inverseCholeskyFactor(matrix: Float64Array, size: number): Float64Array | undefined {
  requireSquare(matrix, size)
  const upper = choleskyFactor(matrix.slice().reverse(), size)
  if (!upper) return undefined
  const inverse = invertUpper(upper, size)
  const last = size - 1
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++)
      // `upper` is no longer needed: its memory takes the result.
      upper[row * size + column] = column < row ? 0 : inverse[(last - column) * size + last - row]!
  return upper
}

/** The inverse of an upper triangular matrix, from its last rows up. */
function invertUpper(upper: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size)
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK)
    for (let k = end; k < size; k += BLOCK) {
      const depth = Math.min(BLOCK, size - k)
      subtractProduct(
        { values: inverse, offset: start * size + k, stride: size },
        { values: upper, offset: start * size + k, stride: size },
        // Rows from k on are zero before column k.
        { values: inverse, offset: k * size + k, stride: size },
        end - start,
        depth,
        size - k,
      )
    }
    for (let row = end - 1; row >= start; row--) {
      inverse[row * size + row] = 1
      for (let below = row + 1; below < end; below++)
        subtractScaled(inverse, row * size, below * size, upper[row * size + below]!, below, size)
      scaleRow(inverse, row * size + row, size - row, 1 / upper[row * size + row]!)
    }
    end = start
  }
  return inverse
}

/** row[from…to) −= factor · source[from…to) */
function subtractScaled(values: Float64Array, row: number, source: number, factor: number, from: number, to: number): void {
  for (let column = from; column < to; column++) values[row + column] = values[row + column]! - factor * values[source + column]!
}

function scaleRow(values: Float64Array, offset: number, count: number, factor: number): void {
  for (let index = offset; index < offset + count; index++) values[index] = values[index]! * factor
}

function requireSquare(matrix: Float64Array, size: number): void {
  if (!Number.isInteger(size) || size < 0 || matrix.length !== size * size)
    throw new RangeError(`a matrix of ${matrix.length} values is not ${size} × ${size}`)
}
