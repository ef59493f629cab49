/** Shown where a number is missing or was not measured. */
export const NOTHING = '–'

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const threeDigits = new Intl.NumberFormat('en-US', { minimumSignificantDigits: 3, maximumSignificantDigits: 3, useGrouping: false })
const byteUnits = ['kB', 'MB', 'GB', 'TB'] as const

/** A number that may be missing. */
type Quantity = number | null | undefined

function isShown(value: Quantity): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function withMinus(text: string): string {
  return text.replace('-', '−')
}

/** A whole number with separators: 10,000. */
export function formatCount(value: Quantity): string {
  return isShown(value) ? withMinus(grouped.format(value)) : NOTHING
}

/** A count with its noun: 1 thread, 2 threads. */
export function formatCounted(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** Three significant digits below 1,000, whole numbers above: 0.0177, 1.20, 12.3, 1,234. */
export function formatSignificant(value: Quantity): string {
  if (!isShown(value)) return NOTHING
  if (value === 0) return '0'
  return withMinus((Math.abs(value) >= 999.5 ? grouped : threeDigits).format(value))
}

/** A latency: 0.0177 ms, 1.23 ms, 1,234 ms. */
export function formatMs(milliseconds: Quantity): string {
  return isShown(milliseconds) ? `${formatSignificant(milliseconds)} ms` : NOTHING
}

/** A size in SI units (1 kB = 1,000 B): 512 B, 448 kB, 1.75 MB. */
export function formatBytes(bytes: Quantity): string {
  if (!isShown(bytes)) return NOTHING
  if (Math.abs(bytes) < 999.5) return `${formatCount(bytes)} B`
  let value = bytes / 1000
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000
    unit++
  }
  return `${formatSignificant(value)} ${byteUnits[unit]}`
}

/** A time span for people: 350 ms, 4.2 s, 72 s, 12 min. */
export function formatSpan(milliseconds: Quantity): string {
  if (!isShown(milliseconds)) return NOTHING
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`
  const seconds = milliseconds / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}

/** A share as a percentage: 0.9123 → 91.23 %. */
export function formatPercent(share: Quantity): string {
  return isShown(share) ? withMinus(`${(share * 100).toFixed(2)} %`) : NOTHING
}

/** A difference of shares in percentage points, signed: −0.0035 → −0.35 points. */
export function formatPoints(difference: Quantity): string {
  if (!isShown(difference)) return NOTHING
  const text = (difference * 100).toFixed(2)
  return `${Number(text) === 0 ? '0.00' : withMinus(difference > 0 ? `+${text}` : text)} points`
}

/** A ratio, with two decimals where they decide between faster and slower: 1.04×, 2.15×, 12.3×. */
export function formatRatio(ratio: Quantity): string {
  return isShown(ratio) ? `${ratio.toFixed(ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0)}×` : NOTHING
}

/** A p-value: p < 0.001, p = 0.034, p = 0.62. */
export function formatPValue(p: Quantity): string {
  if (!isShown(p)) return NOTHING
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(p < 0.1 ? 3 : 2)}`
}

/** Signal to quantization noise; null means that outputs are identical. */
export function formatDecibels(decibels: number | null): string {
  // What rounds to zero has no sign.
  return decibels === null ? 'identical' : isShown(decibels) ? withMinus(`${decibels.toFixed(1)} dB`.replace(/^-0\.0 /, '0.0 ')) : NOTHING
}

/** `[low, high]` written as `low – high` by a formatter of its ends. */
export function formatInterval(interval: readonly [number, number] | null | undefined, format: (value: number) => string): string {
  return interval ? `${format(interval[0])} – ${format(interval[1])}` : NOTHING
}

/** A tensor shape: 1×3×224×224, batch×10 with a symbolic, ?×10 with an unknown dimension, `scalar` without any. */
export function formatShape(shape: readonly (number | string | null)[] | null): string {
  if (shape === null) return 'unknown shape'
  return shape.length === 0 ? 'scalar' : shape.map((size) => size ?? '?').join('×')
}
