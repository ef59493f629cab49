/** A unit that the search may leave in float. */
export interface SearchUnit {
  readonly node: string
  /** It has weights: without any such unit in 8 bits there is no build. */
  readonly weighted: boolean
  /** Noise that quantizing it adds, relative to the signal. */
  readonly noise: number
  /** Milliseconds of one inference that quantizing it saves; negative when it costs time, `null` when not known. */
  readonly gainMs: number | null
}

/** What {@link searchMixedPrecision} works with. */
export interface MixedPrecisionSearch {
  readonly units: readonly SearchUnit[]
  /** Accuracy that must be reached. */
  readonly required: number
  /** Accuracy of the build with these nodes left in float. */
  accuracyWith(left: ReadonlySet<string>): Promise<number>
  /** Builds that may be tried; at least 2. */
  readonly maxTrials: number
}

/** What the search found. */
export interface MixedPrecisionResult {
  /** Nodes to leave in float, in the order they were chosen: the most harmful for the time they save first. */
  readonly left: readonly string[]
  readonly accuracy: number
  readonly met: boolean
  readonly trials: number
}

/** Gains below this cannot be told apart by a profile. */
const LEAST_GAIN_MS = 0.001

/**
 * Searches the fastest build that reaches an accuracy: as few and as cheap units as possible are left in float.
 *
 * Units are ordered by noise for each millisecond they save. The shortest front part of that order that reaches the
 * accuracy is found by doubling and halving; then each of its units, the least harmful first, is quantized again where the
 * accuracy allows it. Accuracy on a dataset is not strictly monotone, so the result is checked, never assumed: what is
 * returned was measured.
 *
 * @returns the best that was found; with `met: false` when no build reached the accuracy within the trials
 */
export async function searchMixedPrecision({
  units,
  required,
  accuracyWith,
  maxTrials,
}: MixedPrecisionSearch): Promise<MixedPrecisionResult> {
  const sorted = [...units].sort((a, b) => harm(b) - harm(a))
  const order = sorted.map(({ node }) => node)
  let trials = 0
  let best: { left: readonly string[]; accuracy: number } = { left: [], accuracy: Number.NEGATIVE_INFINITY }
  const reaches = async (left: readonly string[]): Promise<boolean> => {
    trials++
    const accuracy = await accuracyWith(new Set(left))
    const met = accuracy >= required
    const better = best.accuracy >= required ? met && left.length < best.left.length : accuracy > best.accuracy
    if (better || trials === 1) best = { left, accuracy }
    return met
  }

  // One unit with weights always stays quantized.
  const most = Math.max(
    0,
    sorted.findLastIndex(({ weighted }) => weighted),
  )
  let [tooFew, enough] = [-1, 0]
  while (trials < maxTrials && !(await reaches(order.slice(0, enough)))) {
    if (enough === most) return { ...best, met: false, trials }
    tooFew = enough
    enough = Math.min(most, Math.max(1, enough * 2))
  }
  if (best.accuracy < required) return { ...best, met: false, trials }
  while (enough - tooFew > 1 && trials < maxTrials) {
    const middle = Math.floor((tooFew + enough) / 2)
    if (await reaches(order.slice(0, middle))) enough = middle
    else tooFew = middle
  }
  for (const node of [...best.left].reverse()) {
    if (trials >= maxTrials || best.left.length === 0) break
    await reaches(best.left.filter((other) => other !== node))
  }
  return { ...best, met: true, trials }
}

/** Noise for each millisecond saved; what saves nothing is the first to go. */
function harm({ noise, gainMs }: SearchUnit): number {
  return noise / Math.max(LEAST_GAIN_MS, gainMs ?? LEAST_GAIN_MS)
}
