/** Scores of a batch, row-major [count, classes]. */
export type Scores = Float32Array | Float64Array

/** Top-5 says something only where there are more than 5 classes. */
export const TOP_K = 5

/**
 * Class with the highest score in one row; the lowest index among equals (NumPy's argmax). −1 when a score is not a number: such an
 * answer names no class and is never right.
 */
export function topClass(scores: Scores, row: number, classes: number): number {
  const start = row * classes
  let best = 0
  let highest = scores[start] as number
  for (let i = 0; i < classes; i++) {
    const score = scores[start + i] as number
    if (Number.isNaN(score)) return -1
    if (score > highest) {
      highest = score
      best = i
    }
  }
  return best
}

/**
 * Whether `label` is among the `k` highest scores of a row. Equal scores rank by index, so that k = 1 agrees with {@link topClass}.
 * False when a score is not a number.
 */
export function isInTop(scores: Scores, row: number, classes: number, label: number, k: number): boolean {
  const start = row * classes
  const own = scores[start + label] as number
  let ahead = 0
  for (let i = 0; i < classes; i++) {
    const score = scores[start + i] as number
    if (Number.isNaN(score)) return false
    if (score > own || (score === own && i < label)) ahead++
  }
  return ahead < k
}
