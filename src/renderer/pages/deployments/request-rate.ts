import type { ServiceStatus } from '../../../contract/deployment.ts'

/** A reading of a service's request counter. */
export interface RequestReading {
  /** When it was read, in milliseconds. */
  readonly at: number
  readonly requests: number
}

/** Readings kept: two minutes at one every two seconds. */
const MAX_READINGS = 61

/** Adds a reading; a counter that went back means that the service was started again, so older readings are dropped. */
export function withReading(readings: readonly RequestReading[], at: number, status: ServiceStatus): readonly RequestReading[] {
  if (status.requests === null) return []
  const last = readings.at(-1)
  if (last?.at === at) return readings
  const kept = last && status.requests < last.requests ? [] : readings
  return [...kept, { at, requests: status.requests }].slice(-MAX_READINGS)
}

/** Requests each second between readings; empty until there are two. */
export function requestRates(readings: readonly RequestReading[]): number[] {
  return readings.slice(1).map(({ at, requests }, index) => {
    const before = readings[index] as RequestReading
    return at > before.at ? ((requests - before.requests) * 1000) / (at - before.at) : 0
  })
}
