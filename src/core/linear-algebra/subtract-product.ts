/** Part of a row-major matrix: rows of `stride` values, of which the part begins at `offset`. */
export interface MatrixPart {
  readonly values: Float64Array
  readonly offset: number
  readonly stride: number
}

/** Columns done at once: with 64 inner rows they take 128 KiB, which stays in a second-level cache. */
const COLUMNS_AT_ONCE = 256
const INNER_AT_ONCE = 64

/**
 * C −= A·B for parts of row-major matrices: A [rows, inner], B [inner, columns], C [rows, columns]. C may share its memory with
 * A or B as long as the parts do not overlap. Four inner rows are taken at a time, so that each value of C is loaded and stored a
 * quarter as often.
 */
export function subtractProduct(c: MatrixPart, a: MatrixPart, b: MatrixPart, rows: number, inner: number, columns: number): void {
  for (let column = 0; column < columns; column += COLUMNS_AT_ONCE) {
    const width = Math.min(COLUMNS_AT_ONCE, columns - column)
    for (let k = 0; k < inner; k += INNER_AT_ONCE) {
      const depth = Math.min(INNER_AT_ONCE, inner - k)
      for (let row = 0; row < rows; row++) {
        const target = c.offset + row * c.stride + column
        subtractRow(c.values, target, a.values, a.offset + row * a.stride + k, b, b.offset + k * b.stride + column, depth, width)
      }
    }
  }
}

/** c[0…width) −= Σ a[k] · (row k of b) for k < depth */
function subtractRow(
  c: Float64Array,
  target: number,
  a: Float64Array,
  factors: number,
  { values: b, stride }: MatrixPart,
  source: number,
  depth: number,
  width: number,
): void {
  let k = 0
  for (; k + 4 <= depth; k += 4) {
    const [a0, a1, a2, a3] = [a[factors + k]!, a[factors + k + 1]!, a[factors + k + 2]!, a[factors + k + 3]!]
    const b0 = source + k * stride
    const b1 = b0 + stride
    const b2 = b1 + stride
    const b3 = b2 + stride
    for (let j = 0; j < width; j++)
      c[target + j] = c[target + j]! - (a0 * b[b0 + j]! + a1 * b[b1 + j]! + (a2 * b[b2 + j]! + a3 * b[b3 + j]!))
  }
  for (; k < depth; k++) {
    const factor = a[factors + k]!
    const row = source + k * stride
    for (let j = 0; j < width; j++) c[target + j] = c[target + j]! - factor * b[row + j]!
  }
}
