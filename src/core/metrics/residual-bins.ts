/** Residuals against predicted values, counted in a grid. The shape of the contract's `residuals`. */
export interface ResidualBins {
  /** One more than there are columns. */
  readonly predictedEdges: number[]
  /** One more than there are rows, the lowest first. */
  readonly residualEdges: number[]
  /** Row-major [rows, columns]. */
  readonly counts: number[]
}

/** Fine enough to show a curve or a funnel, coarse enough that a hundred samples do not look like noise. */
const BINS = 40

/**
 * Counts every value once, by what was predicted and by how far that is above (+) or below (−) the actual value. A picture of a
 * million samples in 1,600 numbers.
 * @param actual and `predicted` in the same order, all finite, at least one
 */
export function residualBins(actual: Float32Array, predicted: Float32Array): ResidualBins {
  const residual = (index: number) => predicted[index]! - actual[index]!
  const columns = evenBins(predicted.length, (index) => predicted[index]!)
  const rows = evenBins(predicted.length, residual)
  const counts = new Array<number>(BINS * BINS).fill(0)
  for (let i = 0; i < predicted.length; i++) {
    const cell = rows.binOf(residual(i)) * BINS + columns.binOf(predicted[i]!)
    counts[cell] = counts[cell]! + 1
  }
  return { predictedEdges: columns.edges, residualEdges: rows.edges, counts }
}

function evenBins(count: number, at: (index: number) => number): { edges: number[]; binOf: (value: number) => number } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < count; i++) {
    const value = at(i)
    if (value < low) low = value
    if (value > high) high = value
  }
  if (low === high) {
    // Equal values still get bins of some width, with the value in the middle.
    const margin = Math.max(Math.abs(low) * 1e-6, 1e-9)
    low -= margin
    high += margin
  }
  const width = (high - low) / BINS
  return {
    edges: Array.from({ length: BINS + 1 }, (_, edge) => (edge === BINS ? high : low + edge * width)),
    binOf: (value) => Math.min(BINS - 1, Math.max(0, Math.floor((value - low) / width))),
  }
}
