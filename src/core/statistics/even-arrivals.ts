import type { Arrivals } from './poisson-arrivals.ts'

/** Arrivals in equal distances, the first after one of them. @param rate requests a second */
export function evenArrivals(rate: number): Arrivals {
  let count = 0
  return { next: () => (++count * 1000) / rate }
}
