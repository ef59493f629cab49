import type { MetricSample } from './metric-text.ts'

/** Counts values by size. */
export class Histogram {
  private readonly bounds: Float64Array
  /** One more than bounds: what is larger than all. */
  private readonly counts: Float64Array
  private sum = 0

  /** @param bounds upper ends of the buckets, ascending */
  constructor(bounds: readonly number[]) {
    this.bounds = Float64Array.from(bounds)
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let bucket = 0
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket++
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.sum += value
  }

  /** Cumulative buckets, sum and count as Prometheus wants them. */
  samples(labels: Readonly<Record<string, string>>): MetricSample[] {
    let total = 0
    const buckets = Array.from(this.counts, (count, index): MetricSample => {
      total += count
      const bound = this.bounds[index]
      return { suffix: '_bucket', labels: { ...labels, le: bound === undefined ? '+Inf' : String(bound) }, value: total }
    })
    return [...buckets, { suffix: '_sum', labels, value: this.sum }, { suffix: '_count', labels, value: total }]
  }
}
