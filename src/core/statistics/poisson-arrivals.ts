import { seededRandom } from './seeded-random.ts'

/** Says when the next request is due. */
export interface Arrivals {
  /** Milliseconds since the start; every call is the next request, later than the one before. */
  next(): number
}

/**
 * Arrivals of a Poisson process: independent users, who do not know of each other. The time between two requests is exponential,
 * −ln(1 − u) / rate with u uniform in [0, 1) (inversion: Devroye 1986, "Non-Uniform Random Variate Generation", II.2). The first request
 * comes after such a time as well.
 *
 * @param rate requests a second, on average
 * @param seed the same seed gives the same arrivals, so that two builds are asked at the same moments
 */
export function poissonArrivals(rate: number, seed: number): Arrivals {
  const random = seededRandom(seed)
  let atMs = 0
  return {
    next: () => {
      atMs += (-Math.log1p(-random.uniform()) * 1000) / rate
      return atMs
    },
  }
}
