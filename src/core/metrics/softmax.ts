import type { Scores } from './classification.ts'

/**
 * Softmax of a row of scores [count, classes] at its highest one, `top`: the confidence of an answer whose scores are no probabilities.
 * Without subtraction where scores are equal: ∞ − ∞ is not a number, and infinite scores share all.
 */
export function softmaxAt(scores: Scores, row: number, classes: number, top: number): number {
  const highest = scores[row * classes + top] as number
  let total = 0
  for (let i = row * classes; i < (row + 1) * classes; i++) {
    const score = scores[i] as number
    total += score === highest ? 1 : Math.exp(score - highest)
  }
  return 1 / total
}
