import { studentQuantile } from '../../../src/core/statistics/distributions.ts'

/** Memory at a moment. */
export interface MemorySample {
  readonly atMs: number
  readonly rssBytes: number
}

/** How memory went with time, from means of equal pieces of it. */
export interface MemoryTrend {
  /** Growth over the whole time that was looked at, with its 95 % interval. */
  readonly growthBytes: number
  readonly ci95: readonly [number, number]
  readonly firstBytes: number
  readonly lastBytes: number
  readonly pieces: number
  readonly spanMs: number
}

/** What is left out at the beginning: the heap finds its size. */
const WARM_UP_SHARE = 0.3
/** Neighbouring samples are alike (a heap fills and is swept), means of pieces nearly independent. */
const PIECES = 12

/**
 * Least squares line through the means of twelve pieces of the time behind the warm-up; the interval of its slope is Student's with ten degrees of
 * freedom (Draper & Smith, "Applied Regression Analysis", 1.4).
 * @throws RangeError with fewer than 40 samples
 */
export function memoryTrend(samples: readonly MemorySample[]): MemoryTrend {
  const kept = samples.slice(Math.floor(samples.length * WARM_UP_SHARE))
  if (samples.length < 40) throw new RangeError(`${samples.length} samples of memory show no trend`)
  const pieces = Array.from({ length: PIECES }, (_, index) => {
    const piece = kept.slice(Math.floor((index * kept.length) / PIECES), Math.floor(((index + 1) * kept.length) / PIECES))
    return { at: mean(piece.map(({ atMs }) => atMs)), bytes: mean(piece.map(({ rssBytes }) => rssBytes)) }
  })
  const [centre, level] = [mean(pieces.map(({ at }) => at)), mean(pieces.map(({ bytes }) => bytes))]
  const spread = pieces.reduce((sum, { at }) => sum + (at - centre) ** 2, 0)
  const slope = pieces.reduce((sum, { at, bytes }) => sum + (at - centre) * (bytes - level), 0) / spread
  const residual = pieces.reduce((sum, { at, bytes }) => sum + (bytes - level - slope * (at - centre)) ** 2, 0)
  const error = Math.sqrt(residual / (PIECES - 2) / spread) * studentQuantile(0.95, PIECES - 2)
  const spanMs = (kept.at(-1)?.atMs ?? 0) - (kept[0]?.atMs ?? 0)
  return {
    growthBytes: slope * spanMs,
    ci95: [(slope - error) * spanMs, (slope + error) * spanMs],
    firstBytes: pieces[0]?.bytes ?? 0,
    lastBytes: pieces.at(-1)?.bytes ?? 0,
    pieces: PIECES,
    spanMs,
  }
}

/** Whether memory surely grew, and by more than `allowedBytes`: the whole interval of the growth lies above that. */
export function hasGrown({ ci95 }: MemoryTrend, allowedBytes: number): boolean {
  return ci95[0] > allowedBytes
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
