/** Counts on equally wide bins: bin i holds edges[i] ≤ value < edges[i + 1], the last one its upper edge as well. */
export interface EvenHistogram {
  /** One more than there are bins, ascending. */
  readonly edges: number[]
  readonly counts: number[]
}

/**
 * Histogram of values on equally wide bins from the lowest to the highest. Equal values make one bin of width 1 around them.
 *
 * @param range of the values, all of which are finite
 * @param bins at least 1
 */
export function evenHistogram(
  values: ArrayLike<number>,
  { min, max }: { readonly min: number; readonly max: number },
  bins: number,
): EvenHistogram {
  if (values.length === 0) return { edges: [0, 1], counts: [0] }
  if (!(max > min)) return { edges: [min - 0.5, min + 0.5], counts: [values.length] }
  const width = (max - min) / bins
  const edges = Array.from({ length: bins + 1 }, (_, index) => (index === bins ? max : min + index * width))
  const counts = new Array<number>(bins).fill(0)
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    let bin = Math.min(bins - 1, Math.max(0, Math.floor((value - min) / width)))
    // The division may round across an edge; the edges decide.
    if (value < (edges[bin] as number)) bin--
    else if (bin < bins - 1 && value >= (edges[bin + 1] as number)) bin++
    counts[bin] = (counts[bin] as number) + 1
  }
  return { edges, counts }
}
