import { formatCount, formatSignificant, isShowable, NOTHING } from './numbers.ts'

const units = ['kB', 'MB', 'GB', 'TB'] as const

/** A size in SI units (1 kB = 1,000 B) with three digits: 512 B, 448 kB, 1.75 MB. */
export function formatBytes(bytes: number | null | undefined): string {
  if (!isShowable(bytes)) return NOTHING
  if (Math.abs(bytes) < 999.5) return `${formatCount(bytes)} B`
  let value = bytes / 1000
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${formatSignificant(value)} ${units[unit]}`
}
