/** Maps values to a stretch of a drawing. */
export interface Scale {
  readonly ticks: readonly number[]
  /** Position of a value; values outside the domain land outside the stretch. */
  at(value: number): number
  /** A tick's label, with the decimals its step needs. */
  label(tick: number): string
}

/** Smallest spread of an axis beside the size of its values: below it, ticks could no longer be told apart in a double. */
const FINEST = 1e-9
/** Values beyond are drawn at the end of the axis: differences of larger ones overflow. */
const LARGEST = 1e300

/**
 * A linear scale over `low..high`, opened up to round ticks: steps are 1, 2 or 5 times a power of ten.
 *
 * @param from position of the lower end; greater than `to` for an axis that runs the other way
 * @param wanted about how many steps
 */
export function linearScale(lowest: number, highest: number, from: number, to: number, wanted = 5): Scale {
  // A report from elsewhere may have its edges in any order.
  const low = withinRange(Math.min(lowest, highest))
  const high = withinRange(Math.max(lowest, highest))
  const spread = high - low
  // A single value still gets an axis around it.
  const margin = spread > Math.max(Math.abs(low), Math.abs(high)) * FINEST ? 0 : Math.max(Math.abs(low) * 0.05, 1e-6)
  const step = roundStep((spread + 2 * margin) / wanted)
  const first = Math.floor((low - margin) / step + 1e-9)
  const last = Math.ceil((high + margin) / step - 1e-9)
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
  const start = first * step
  const end = last * step
  const decimals = Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))
  return {
    ticks,
    at: (value) => from + ((withinRange(value) - start) / (end - start)) * (to - from),
    label: (tick) =>
      tick
        .toFixed(decimals)
        .replace(/^-(?=[\d.]*[1-9])|^-/, (sign) => (Number(tick.toFixed(decimals)) === 0 ? '' : sign.replace('-', '−'))),
  }
}

/** A position for an SVG attribute: hundredths of a pixel are enough. */
export function px(value: number): number {
  return Math.round(value * 100) / 100
}

function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step))
  const rounded = [1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10
  return rounded * power
}

function withinRange(value: number): number {
  return Math.min(LARGEST, Math.max(-LARGEST, value))
}
