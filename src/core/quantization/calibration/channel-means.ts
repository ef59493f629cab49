/** Mean of all elements at each index along an axis, over feeds of whatever shape; NaN and infinite values left out. */
export class ChannelMeans {
  readonly axis: number
  private sums: Float64Array | undefined
  private counts = new Float64Array(0)
  private uneven = false

  /** @param axis counted from the end when negative */
  constructor(axis: number) {
    this.axis = axis
  }

  /** Adds means that were computed already, each over `count` elements. */
  addMeans(means: Float32Array, count: number): void {
    const sums = this.sumsOf(means.length)
    if (!sums) return
    for (let channel = 0; channel < means.length; channel++) {
      sums[channel] = (sums[channel] as number) + (means[channel] as number) * count
      this.counts[channel] = (this.counts[channel] as number) + count
    }
  }

  /** Adds the values of one feed, row-major. */
  addValues(values: Float32Array, dims: readonly number[]): void {
    const axis = this.axis < 0 ? this.axis + dims.length : this.axis
    const channels = dims[axis]
    if (channels === undefined || values.length === 0) return
    const sums = this.sumsOf(channels)
    if (!sums) return
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
    for (let start = 0, channel = 0; start < values.length; start += inner) {
      let sum = 0
      let count = 0
      for (let index = start; index < start + inner; index++) {
        const value = values[index] as number
        if (!Number.isFinite(value)) continue
        sum += value
        count++
      }
      sums[channel] = (sums[channel] as number) + sum
      this.counts[channel] = (this.counts[channel] as number) + count
      channel = channel + 1 === channels ? 0 : channel + 1
    }
  }

  /** One mean for each channel; `undefined` when nothing was seen, a channel held no number, or their number changed from feed to feed. */
  means(): Float64Array | undefined {
    if (!this.sums || this.uneven || this.counts.some((count) => count === 0)) return undefined
    return this.sums.map((sum, channel) => sum / (this.counts[channel] as number))
  }

  private sumsOf(channels: number): Float64Array | undefined {
    if (!this.sums) {
      this.sums = new Float64Array(channels)
      this.counts = new Float64Array(channels)
    }
    if (this.sums.length !== channels) this.uneven = true
    return this.uneven ? undefined : this.sums
  }
}
