import type { ServiceReading } from '../../../backend/service-readings.ts'

/** Readings farther apart than this are not joined: the service was not asked, or did not answer, in between. */
const GAP_MS = 6000

/** Values over time; NaN where the line is broken. */
export interface LiveLine {
  readonly label: string
  readonly values: readonly number[]
}

/** A chart of what a service measures: the moments of its lines, and the lines. */
export interface LiveLines {
  readonly atMs: readonly number[]
  readonly lines: readonly LiveLine[]
}

/** A line of something that is read, not counted. */
type Read = (reading: ServiceReading) => number | null

/** What is read, at every moment it was read. */
export function readLines(readings: readonly ServiceReading[], of: Readonly<Record<string, Read>>): LiveLines {
  const atMs: number[] = []
  const rows: (ServiceReading | null)[] = []
  readings.forEach((reading, index) => {
    const before = readings[index - 1]
    if (before && reading.atMs - before.atMs > GAP_MS) {
      atMs.push(before.atMs)
      rows.push(null)
    }
    atMs.push(reading.atMs)
    rows.push(reading)
  })
  const lines = Object.entries(of).map(([label, read]) => ({
    label,
    values: rows.map((row) => (row === null ? Number.NaN : (read(row) ?? Number.NaN))),
  }))
  return { atMs, lines }
}

/**
 * How fast counters grew between one reading and the next, per second. Broken where the process is another one (its counters begin at
 * zero again) and where nothing was read for a while.
 */
export function rateLines(
  readings: readonly ServiceReading[],
  of: Readonly<Record<string, (reading: ServiceReading) => number>>,
): LiveLines {
  const pairs = readings.slice(1).map((reading, index) => ({ reading, before: readings[index] as ServiceReading }))
  const lines = Object.entries(of).map(([label, count]) => ({
    label,
    values: pairs.map(({ reading, before }) => {
      const seconds = (reading.atMs - before.atMs) / 1000
      const grown = count(reading) - count(before)
      return reading.pid !== before.pid || grown < 0 || seconds * 1000 > GAP_MS ? Number.NaN : grown / seconds
    }),
  }))
  return { atMs: pairs.map(({ reading }) => reading.atMs), lines }
}

/** The newest value of a line; null where there is none right now. */
export function newest({ values }: LiveLine): number | null {
  const last = values.at(-1)
  return last === undefined || Number.isNaN(last) ? null : last
}

/** Requests a second right now; null before the second reading. */
export function requestsPerSecond(readings: readonly ServiceReading[]): number | null {
  const [line] = rateLines(readings.slice(-2), { requests: ({ requests }) => requests }).lines
  return line ? newest(line) : null
}
