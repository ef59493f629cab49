import { chiSquareQuantile, chiSquareSurvival } from './chi-square.ts'

/** Two sets of counts over the same bins, compared. */
export interface PopulationStability {
  /** Population stability index: Σ (q − p) ln(q ÷ p) over shares p of the reference and q of the current rows. */
  readonly psi: number
  /** What chance alone exceeds once in twenty times: χ²₀.₉₅(B − 1) · (1/n + 1/m). */
  readonly chance: number
  /** The greatest |q − p| of a bin, 0 to 1. Unlike the sum of them it does not grow with the number of bins where nothing changed. */
  readonly distance: number
  /** Of the χ² test that both have the same shares. */
  readonly pValue: number
}

/** A bin that one side never met counts as half a row there: ln 0 has no value, and the next whole number has been seen to be wrong. */
const UNSEEN_ROWS = 0.5

/**
 * Compares counts over the same bins. Bins that are empty on both sides do not count. Worked example: [50, 50] against [60, 40] gives
 * 0.1 ln 1.2 − 0.1 ln 0.8 = 0.0405.
 *
 * Without drift PSI ÷ (1/n + 1/m) is nearly χ² with B − 1 degrees of freedom, which is where `chance` comes from.
 * Source: Yurdakul & Naranjo, "Statistical properties of the population stability index", J. Risk Model Validation 14(4), 2020.
 *
 * @throws RangeError when the numbers of bins differ or one side holds no rows
 */
export function populationStability(reference: ArrayLike<number>, current: ArrayLike<number>): PopulationStability {
  if (reference.length !== current.length) throw new RangeError(`${current.length} bins, the reference has ${reference.length}`)
  const n = total(reference)
  const m = total(current)
  if (n === 0 || m === 0) throw new RangeError(`${n} rows of reference and ${m} current ones, expected at least one of each`)
  let bins = 0
  let psi = 0
  let distance = 0
  let chiSquare = 0
  for (let bin = 0; bin < reference.length; bin++) {
    const before = reference[bin] as number
    const now = current[bin] as number
    if (before === 0 && now === 0) continue
    bins++
    const p = (before || UNSEEN_ROWS) / n
    const q = (now || UNSEEN_ROWS) / m
    psi += (q - p) * Math.log(q / p)
    distance = Math.max(distance, Math.abs(now / m - before / n))
    chiSquare += (before * m - now * n) ** 2 / ((before + now) * n * m)
  }
  const degrees = bins - 1
  return { psi, distance, chance: chanceOf(degrees, n, m), pValue: chiSquareSurvival(chiSquare, degrees) }
}

function chanceOf(degrees: number, n: number, m: number): number {
  return chiSquareQuantile(0.95, degrees) * (1 / n + 1 / m)
}

function total(counts: ArrayLike<number>): number {
  let sum = 0
  for (let bin = 0; bin < counts.length; bin++) sum += counts[bin] as number
  return sum
}
