import { zeroSpike } from './histogram-bins.ts'
import type { HistogramBins } from './tensor-histogram.ts'

/**
 * What q is taken for, in counts, where only values from beyond the range are: log(p / 0) would forbid every range that ends where the
 * histogram is empty. (MXNet and ONNX Runtime, `smooth_distribution`, eps.)
 */
const NEARLY_ZERO = 1e-4

/**
 * Kullback-Leibler divergence of a histogram clipped to any range from its version in levels (`entropyRange` says what that is), in as many
 * steps as there are levels. With running sums of counts C, of non-empty bins Z and of c·log c, and because q is the same in all bins of a level:
 * N·KL = Σ_bins p·log p − Σ_levels P·log(C / Z) + N·log(inside / N).
 */
export class ClippingDivergence {
  private readonly counts: Float64Array
  private readonly levels: number
  private readonly held: Float64Array
  private readonly filled: Float64Array
  private readonly entropy: Float64Array

  /**
   * @param bins that reach to zero (`aroundZero`)
   * @param levels that a range is divided into
   */
  constructor(bins: HistogramBins, levels: number) {
    this.levels = levels
    this.counts = bins.counts.slice()
    const spike = zeroSpike(bins)
    if (spike > 0) this.counts[-bins.first] = (this.counts[-bins.first] as number) - spike
    const size = this.counts.length
    this.held = new Float64Array(size + 1)
    this.filled = new Float64Array(size + 1)
    this.entropy = new Float64Array(size + 1)
    for (let index = 0; index < size; index++) {
      const held = this.counts[index] as number
      this.held[index + 1] = (this.held[index] as number) + held
      this.filled[index + 1] = (this.filled[index] as number) + (held > 0 ? 1 : 0)
      this.entropy[index + 1] = (this.entropy[index] as number) + timesLog(held)
    }
  }

  /** For the range from bin `from` up to, not including, bin `end`; infinite when all values lie beyond it. */
  of(from: number, end: number): number {
    const { counts, held, filled, entropy, levels } = this
    const all = held.at(-1) as number
    const inside = (held[end] as number) - (held[from] as number)
    if (all === 0 || inside === 0) return all === 0 ? 0 : Number.POSITIVE_INFINITY
    const below = held[from] as number
    const above = all - (held[end] as number)
    const lowest = counts[from] as number
    const highest = counts[end - 1] as number
    let sum = (entropy[end] as number) - (entropy[from] as number)
    sum += timesLog(lowest + below) - timesLog(lowest) + timesLog(highest + above) - timesLog(highest)
    let start = from
    for (let level = 1; level <= levels; level++) {
      const next = from + Math.round((level * (end - from)) / levels)
      const quantized = (held[next] as number) - (held[start] as number)
      let real = quantized
      let spread = (filled[next] as number) - (filled[start] as number)
      if (level === 1 && below > 0) {
        real += below
        if (lowest === 0) spread++
      }
      if (level === levels && above > 0) {
        real += above
        if (highest === 0) spread++
      }
      if (real > 0) sum -= real * Math.log(quantized > 0 ? quantized / spread : NEARLY_ZERO)
      start = next
    }
    return sum / all + Math.log(inside / all)
  }
}

function timesLog(count: number): number {
  return count > 0 ? count * Math.log(count) : 0
}
