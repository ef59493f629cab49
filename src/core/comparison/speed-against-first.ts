/** Latency of one build on one device. */
export interface TimedCell {
  readonly modelId: string
  readonly deviceId: string
  /** Median in milliseconds with its 95 % interval; null where it was not measured. */
  readonly p50Ms: number | null
  readonly p50Ci: readonly [number, number] | null
}

/** How many times as fast one build is as another on the same device. */
export interface SpeedRatio {
  readonly ratio: number
  /** Ends that hold whenever both intervals do; null where one of them is missing. */
  readonly interval: readonly [number, number] | null
}

/**
 * The speed of a build against the first build on the same device: p50 of the first ÷ own p50. The interval goes from (low end of the first ÷ high end of
 * its own) to (high ÷ low): wider than that of a comparison, which measures in turns.
 *
 * @param cells all cells of the matrix
 * @param firstModelId the build that all are compared with
 * @returns null for the first build itself and where one of both was not measured
 */
export function speedAgainstFirst(cell: TimedCell, cells: readonly TimedCell[], firstModelId: string): SpeedRatio | null {
  if (cell.modelId === firstModelId || cell.p50Ms === null || cell.p50Ms <= 0) return null
  const first = cells.find(({ modelId, deviceId }) => modelId === firstModelId && deviceId === cell.deviceId)
  if (!first || first.p50Ms === null) return null
  const [own, other] = [cell.p50Ci, first.p50Ci]
  const interval = own && other && own[0] > 0 ? ([other[0] / own[1], other[1] / own[0]] as const) : null
  return { ratio: first.p50Ms / cell.p50Ms, interval }
}
