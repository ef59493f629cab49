/** A power reading at a moment. */
export interface PowerAt {
  readonly atMs: number
  readonly watts: number
}

/** Energy of one run of a model, whatever its batch. */
export interface RunEnergy {
  /** Millijoules of the whole board, and above what it draws when idle. */
  readonly grossMj: number
  readonly netMj: number
  readonly meanW: number
  readonly idleW: number
}

/** Readings within the measured part below which a mean says little: its begin, its end, and one between. */
export const FEWEST_POWER_READINGS = 3

/** Time-weighted mean (trapezoidal rule) of readings in order; null without any. */
export function meanPower(readings: readonly PowerAt[]): number | null {
  const [first] = readings
  const last = readings.at(-1)
  if (!first || !last) return null
  if (last.atMs <= first.atMs) return readings.reduce((sum, { watts }) => sum + watts, 0) / readings.length
  let joules = 0
  for (let i = 1; i < readings.length; i++) {
    const [from, to] = [readings[i - 1] as PowerAt, readings[i] as PowerAt]
    joules += ((from.watts + to.watts) / 2) * (to.atMs - from.atMs)
  }
  return joules / (last.atMs - first.atMs)
}

/**
 * Mean power × measured time ÷ runs. Net energy may come out below zero where a run draws hardly more than the idle board: it is not cut,
 * because that shows how unsure it is.
 * @param elapsedMs from the first start to the last end @param runs inferences in that time
 */
export function runEnergy(meanW: number, idleW: number, elapsedMs: number, runs: number): RunEnergy {
  // Watts × milliseconds are millijoules.
  return { grossMj: (meanW * elapsedMs) / runs, netMj: ((meanW - idleW) * elapsedMs) / runs, meanW, idleW }
}
