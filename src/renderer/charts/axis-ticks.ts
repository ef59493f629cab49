/** An axis: where it begins and ends, and its ticks. */
export interface AxisRange {
  readonly domain: readonly [number, number]
  readonly ticks: readonly number[]
  readonly scale: 'linear' | 'log'
}

/** Beyond this ratio of largest to smallest value a linear axis squeezes the small ones together. */
const LOG_FROM_RATIO = 12
/** Ticks are rounded to 12 digits: a narrower axis could not tell them apart. */
const SMALLEST_RELATIVE_SPAN = 1e-9

/**
 * An axis for values with room around them. Logarithmic (ticks 1, 2, 5) when all are positive and they span more than a factor of
 * twelve and `logarithmic` allows it, otherwise linear with about `count` round ticks.
 */
export function axisRange(values: readonly number[], count: number, logarithmic = false): AxisRange {
  const low = Math.min(...values)
  const high = Math.max(...values)
  if (values.length === 0 || !Number.isFinite(low) || !Number.isFinite(high)) return { domain: [0, 1], ticks: [0, 1], scale: 'linear' }
  if (logarithmic && low > 0 && high / low > LOG_FROM_RATIO) {
    const domain = [low / 1.25, high * 1.25] as const
    return { domain, ticks: logTicks(domain[0], domain[1]), scale: 'log' }
  }
  // Values that are equal, or differ in the last digits only, still get an axis around them.
  const magnitude = Math.max(Math.abs(low), Math.abs(high))
  const span = high - low > magnitude * SMALLEST_RELATIVE_SPAN ? high - low : magnitude * 0.1 || 1
  const domain = [low - span * 0.12, high + span * 0.12] as const
  return { domain, ticks: linearTicks(domain[0], domain[1], count), scale: 'linear' }
}

/** Round ticks (1, 2, 2.5, 5 times a power of ten) within [low, high], about `count` of them. */
export function linearTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count)
  if (!(rough > 0)) return [low]
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  const ticks: number[] = []
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index++)
    ticks.push(Number((index * step).toPrecision(12)))
  return ticks
}

function logTicks(low: number, high: number): number[] {
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of [1, 2, 5]) {
      const tick = Number((factor * 10 ** power).toPrecision(12))
      if (tick >= low && tick <= high) ticks.push(tick)
    }
  }
  return ticks
}

/** Labels of linear ticks with as many decimals as their step needs, so that all have the same: 0.75, 1.00, 1.25. */
export function tickLabel(value: number, ticks: readonly number[]): string {
  const decimals = Math.max(0, ...ticks.map((tick) => (String(tick).split('.')[1] ?? '').length))
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}
