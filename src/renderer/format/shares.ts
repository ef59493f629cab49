import { isShowable, minus, NOTHING } from './numbers.ts'

/** A share as a percentage with two decimals: 0.9123 → 91.23%. */
export function formatPercent(share: number | null | undefined): string {
  return isShowable(share) ? minus(`${(share * 100).toFixed(2)}%`) : NOTHING
}

/** A share as a rough percentage: 0.5 → 50%, 0.034 → 3.4%, and never 0% or 100% for something that is not. */
export function formatRoughPercent(share: number | null | undefined): string {
  if (!isShowable(share)) return NOTHING
  const percent = share * 100
  if (percent > 0 && percent < 0.1) return '<0.1%'
  if (percent > 99.9 && percent < 100) return '>99.9%'
  const nearAnEnd = percent < 9.95 || (percent >= 99.5 && percent < 100)
  return `${percent.toFixed(percent !== 0 && nearAnEnd ? 1 : 0)}%`
}

/** A difference of shares in percentage points, always signed: −0.0035 → −0.35 pt. */
export function formatPoints(difference: number | null | undefined): string {
  if (!isShowable(difference)) return NOTHING
  const text = (difference * 100).toFixed(2)
  // A difference that rounds to nothing carries no sign.
  if (Number(text) === 0) return '0.00 pt'
  return minus(`${difference > 0 ? '+' : ''}${text} pt`)
}

/** A ratio, with two decimals where they decide between faster and slower: 1.04×, 2.15×, 12.3×. The report writes it the same way. */
export function formatRatio(ratio: number | null | undefined): string {
  if (!isShowable(ratio)) return NOTHING
  const decimals = ratio < 9.995 ? 2 : ratio < 99.95 ? 1 : 0
  return `${ratio.toFixed(decimals)}×`
}

/** A p-value: p < 0.001, p = 0.034, p = 0.62. */
export function formatPValue(p: number | null | undefined): string {
  if (!isShowable(p)) return NOTHING
  if (p < 0.001) return 'p < 0.001'
  return `p = ${p < 0.1 ? p.toFixed(3) : p.toFixed(2)}`
}

/** Signal to quantization noise; null means identical outputs. */
export function formatDecibels(decibels: number | null): string {
  return decibels === null ? 'identical' : isShowable(decibels) ? minus(`${decibels.toFixed(1)} dB`.replace(/^-0\.0 /, '0.0 ')) : NOTHING
}

/** What became of a size: "3.9× smaller", "1.20× larger", "same size". */
export function formatShrink(before: number, after: number): string {
  if (!(before > 0 && after > 0)) return NOTHING
  const ratio = before / after
  if (ratio > 0.995 && ratio < 1.005) return 'same size'
  return ratio > 1 ? `${formatRatio(ratio)} smaller` : `${formatRatio(1 / ratio)} larger`
}
