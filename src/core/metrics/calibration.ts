/** Equally wide bins of confidence. Guo et al. 2017 use 15, and so do most papers since. */
const BINS = 15

/** One bin: samples answered with a confidence above `from` and up to `to`. */
interface ReliabilityBin {
  readonly from: number
  readonly to: number
  readonly count: number
  /** Mean confidence of its samples; 0 when it is empty. */
  readonly confidence: number
  /** Share of its samples that were answered right; 0 when it is empty. */
  readonly accuracy: number
}

/**
 * Whether confidences mean what they say: of the answers given with 80 % confidence 80 % should be right.
 * Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equations 2 to 5.
 */
export class Reliability {
  private readonly counts: Float64Array
  private readonly confidences: Float64Array
  private readonly right: Float64Array

  constructor(bins = BINS) {
    this.counts = new Float64Array(bins)
    this.confidences = new Float64Array(bins)
    this.right = new Float64Array(bins)
  }

  /** @param confidence 0 to 1 */
  add(confidence: number, isRight: boolean): void {
    const bins = this.counts.length
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))
    this.counts[bin] = this.counts[bin]! + 1
    this.confidences[bin] = this.confidences[bin]! + confidence
    if (isRight) this.right[bin] = this.right[bin]! + 1
  }

  /** Expected calibration error: |accuracy − confidence| of the bins, weighted by their samples. `null` without samples. */
  expectedError(): number | null {
    let gaps = 0
    let samples = 0
    for (let bin = 0; bin < this.counts.length; bin++) {
      gaps += Math.abs(this.right[bin]! - this.confidences[bin]!)
      samples += this.counts[bin]!
    }
    return samples === 0 ? null : gaps / samples
  }

  bins(): ReliabilityBin[] {
    return Array.from(this.counts, (count, bin) => ({
      from: bin / this.counts.length,
      to: (bin + 1) / this.counts.length,
      count,
      confidence: count === 0 ? 0 : this.confidences[bin]! / count,
      accuracy: count === 0 ? 0 : this.right[bin]! / count,
    }))
  }
}
