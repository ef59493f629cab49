/** Shown where a number is missing or was not measured. */
export const NOTHING = '–'

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const threeDigits = new Intl.NumberFormat('en-US', { minimumSignificantDigits: 3, maximumSignificantDigits: 3, useGrouping: false })

/** A whole number with separators: 10,000. */
export function formatCount(value: number | null | undefined): string {
  return isShowable(value) ? minus(grouped.format(value)) : NOTHING
}

/** A count with its noun: 1 node, 2 nodes. */
export function formatCounted(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** Three significant digits below 1,000, whole numbers above: 0.0177, 1.20, 12.3, 1,234. */
export function formatSignificant(value: number): string {
  if (value === 0) return '0'
  return minus(Math.abs(value) >= 999.5 ? grouped.format(value) : threeDigits.format(value))
}

/** A value of a sample: whole numbers with all their digits, others with three: 0, 1,234, 0.0177. */
export function formatValue(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : formatSignificant(value)
}

const magnitudes: readonly [factor: number, suffix: string][] = [
  [1e12, ' T'],
  [1e9, ' G'],
  [1e6, ' M'],
  [1e3, ' k'],
]

/** A large count with an SI letter: 431, 62.3 k, 1.20 M. */
export function formatLargeCount(value: number | null | undefined): string {
  if (!isShowable(value)) return NOTHING
  // 0.9995 of a unit already rounds to 1.00 of it.
  const magnitude = magnitudes.find(([factor]) => Math.abs(value) >= factor * 0.9995)
  return magnitude ? `${formatSignificant(value / magnitude[0])}${magnitude[1]}` : formatCount(value)
}

/** True for a number that can be shown; false for null, undefined, NaN and infinities. */
export function isShowable(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** A typographic minus sign, as wide as the plus sign it is compared with in tables. */
export function minus(text: string): string {
  return text.replace('-', '−')
}
