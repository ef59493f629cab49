import { type Elements, type NumericType, toNumber } from './numeric-array.ts'

/** Statistics along an axis of an array: one entry for each channel or feature, or a single one. */
export interface AxisStatistics {
  readonly mean: number[]
  /** Of the whole, not of a sample: divided by n. */
  readonly std: number[]
  readonly min: number[]
  readonly max: number[]
}

/** Features of a table that get statistics of their own: as many as a mean or std may have. */
const MAX_FEATURES = 4096
/** Channels of a picture: grey, with alpha, colour, colour with alpha. */
const MAX_CHANNELS = 4

/**
 * The axis whose entries get statistics of their own (the samples are axis 0): the features of a table `[N,F]`, the channels of pictures
 * `[N,H,W,C]` or `[N,C,H,W]`; null where all values are of one kind.
 * @param channels where the channels stand, when it is known
 */
export function statisticsAxis(shape: readonly number[], channels?: 'channels-first' | 'channels-last'): number | null {
  if (shape.length === 2) return (shape[1] as number) <= MAX_FEATURES ? 1 : null
  if (shape.length !== 4) return null
  const [first, last] = [shape[1] as number, shape[3] as number]
  if (last <= MAX_CHANNELS && channels !== 'channels-first') return 3
  return first <= MAX_CHANNELS && channels !== 'channels-last' ? 1 : null
}

/**
 * Mean, standard deviation and range along an axis, gathered block by block. Each block is summed in two passes and blocks are merged by
 * the formula of Chan, Golub and LeVeque (1979), so values far from zero lose no digits. Bytes are counted instead, which is exact and faster.
 */
export class StatisticsSum {
  private readonly type: NumericType
  private readonly entries: number
  private readonly inner: number
  private readonly merged: readonly Moments[]
  /** Of bytes: how often each value occurs in each entry. */
  private readonly byteCounts: Float64Array | undefined

  /** @param axis as of {@link statisticsAxis} */
  constructor(type: NumericType, shape: readonly number[], axis: number | null) {
    this.type = type
    this.entries = axis === null ? 1 : (shape[axis] as number)
    this.inner = axis === null ? 1 : shape.slice(axis + 1).reduce((product, dim) => product * dim, 1)
    this.merged = Array.from({ length: this.entries }, newMoments)
    this.byteCounts = type === 'uint8' ? new Float64Array(256 * this.entries) : undefined
  }

  /** @param elements of whole samples */
  add(elements: Elements): void {
    const { byteCounts, entries, inner } = this
    if (byteCounts) {
      for (let at = 0, entry = 0; at < elements.length; entry = entry + 1 === entries ? 0 : entry + 1) {
        for (const end = at + inner; at < end; at++) {
          const slot = entry * 256 + (elements[at] as number)
          byteCounts[slot] = (byteCounts[slot] as number) + 1
        }
      }
      return
    }
    const values = this.numbers(elements)
    for (let entry = 0; entry < entries; entry++)
      merge(this.merged[entry] as Moments, momentsOf(values, entry * inner, inner, entries * inner))
  }

  result(): AxisStatistics {
    const { byteCounts } = this
    const all = byteCounts
      ? this.merged.map((_, entry) => momentsOfCounts(byteCounts.subarray(entry * 256, (entry + 1) * 256)))
      : this.merged
    return {
      mean: all.map(({ mean }) => finite(mean)),
      std: all.map(({ squares, count }) => finite(Math.sqrt(squares / Math.max(1, count)))),
      min: all.map(({ min }) => min),
      max: all.map(({ max }) => max),
    }
  }

  private numbers(elements: Elements): Exclude<Elements, BigInt64Array | BigUint64Array> {
    if (this.type !== 'float16' && !(elements instanceof BigInt64Array) && !(elements instanceof BigUint64Array)) return elements
    return Float64Array.from(elements as ArrayLike<number | bigint>, (element) => toNumber(this.type, element))
  }
}

/** Of the values of one entry. */
interface Moments {
  count: number
  mean: number
  /** Sum of squared deviations from the mean. */
  squares: number
  min: number
  max: number
}

function newMoments(): Moments {
  return { count: 0, mean: 0, squares: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }
}

/** Of runs of `length` values that begin every `stride` values from `from` on. */
function momentsOf(values: ArrayLike<number>, from: number, length: number, stride: number): Moments {
  const moments = newMoments()
  let sum = 0
  for (let start = from; start < values.length; start += stride) {
    for (let at = start; at < start + length; at++) {
      const value = values[at] as number
      sum += value
      if (value < moments.min) moments.min = value
      if (value > moments.max) moments.max = value
    }
    moments.count += length
  }
  if (moments.count === 0) return moments
  moments.mean = sum / moments.count
  for (let start = from; start < values.length; start += stride) {
    for (let at = start; at < start + length; at++) {
      const off = (values[at] as number) - moments.mean
      moments.squares += off * off
    }
  }
  return moments
}

function merge(into: Moments, block: Moments): void {
  if (block.count === 0) return
  const count = into.count + block.count
  const off = block.mean - into.mean
  into.squares += block.squares + (off * off * into.count * block.count) / count
  into.mean += (off * block.count) / count
  into.count = count
  into.min = Math.min(into.min, block.min)
  into.max = Math.max(into.max, block.max)
}

/** Sums and squares of float64 values beyond 1e154 may overflow; what is stored and sent as JSON must be finite. */
function finite(value: number): number {
  return Number.isNaN(value) ? 0 : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value))
}

function momentsOfCounts(counts: Float64Array): Moments {
  const moments = newMoments()
  counts.forEach((count, value) => {
    if (count > 0) merge(moments, { count, mean: value, squares: 0, min: value, max: value })
  })
  return moments
}
