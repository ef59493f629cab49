import { type AxisRange, axisRange, linearTicks, tickLabel } from './axis-ticks.ts'

/** An axis as a chart draws it. */
export interface PlotAxis extends AxisRange {
  readonly label: string
  readonly format: (value: number) => string
  /** Runs from right to left (or from top to bottom). */
  readonly reversed?: boolean
}

interface AxisOptions {
  readonly label: string
  readonly format?: (value: number) => string
  readonly count?: number
  readonly logarithmic?: boolean
  readonly reversed?: boolean
}

/** An axis around values (see {@link axisRange}). */
export function valueAxis(values: readonly number[], options: AxisOptions): PlotAxis {
  return named(axisRange(finite(values), options.count ?? 6, options.logarithmic), options)
}

/** A linear axis from zero to the largest value. */
export function zeroAxis(values: readonly number[], options: AxisOptions): PlotAxis {
  const most = largest(finite(values))
  const high = most > 0 ? most * 1.08 : 1
  return named({ domain: [0, high], ticks: linearTicks(0, high, options.count ?? 5), scale: 'linear' }, options)
}

/** A linear axis that ends exactly at the given values. */
export function exactAxis(low: number, high: number, options: AxisOptions): PlotAxis {
  const end = high > low ? high : low + 1
  return named({ domain: [low, end], ticks: linearTicks(low, end, options.count ?? 6), scale: 'linear' }, options)
}

/** A logarithmic axis over positive values, from one power of ten to another; all powers are ticks. */
export function decadeAxis(values: readonly number[], options: AxisOptions): PlotAxis {
  const positive = finite(values).filter((value) => value > 0)
  const low = positive.length === 0 ? 0 : Math.floor(Math.log10(smallest(positive)))
  const high = positive.length === 0 ? 1 : Math.max(low + 1, Math.ceil(Math.log10(largest(positive))))
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => Number(`1e${low + index}`))
  return named({ domain: [10 ** low, 10 ** high], ticks, scale: 'log' }, options)
}

/** A logarithmic axis with ticks at exactly the given values: batch sizes, thread counts. */
export function listAxis(values: readonly number[], options: AxisOptions): PlotAxis {
  const ticks = [...new Set(values)].sort((a, b) => a - b)
  const [low = 1, high = 1] = [ticks[0], ticks.at(-1)]
  return named({ domain: [low / 1.15, high * 1.15], ticks, scale: 'log' }, options)
}

function named(range: AxisRange, { label, format, reversed }: AxisOptions): PlotAxis {
  const plain = (value: number) => (range.scale === 'log' ? String(value) : tickLabel(value, range.ticks))
  return { ...range, label, format: format ?? plain, ...(reversed ? { reversed } : {}) }
}

/** Where a value lies on an axis: 0 at its left (lower) end, 1 at the other. Values outside give less than 0 or more than 1. */
export function positionOn({ domain: [low, high], scale, reversed }: PlotAxis, value: number): number {
  const share = scale === 'log' ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low)
  return reversed ? 1 - share : share
}

/** The value at a place on an axis; the inverse of {@link positionOn}. */
export function valueAt({ domain: [low, high], scale, reversed }: PlotAxis, position: number): number {
  const share = reversed ? 1 - position : position
  return scale === 'log' ? low * (high / low) ** share : low + (high - low) * share
}

function finite(values: readonly number[]): number[] {
  return values.filter(Number.isFinite)
}

// Not Math.min(...values): thousands of arguments are slow, and a hundred thousand are too many.
function largest(values: readonly number[]): number {
  return values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY)
}

function smallest(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY)
}
