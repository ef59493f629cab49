import type { Scale } from './chart-scale.ts'

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/**
 * A logarithmic scale over powers of ten around `low..high`.
 *
 * @param low positive
 * @param high not below `low`
 */
export function logScale(low: number, high: number, from: number, to: number): Scale {
  const first = Math.floor(Math.log10(low))
  const last = Math.max(first + 1, Math.ceil(Math.log10(high)))
  const step = Math.ceil((last - first) / 8)
  return {
    ticks: Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => 10 ** (first + index * step)),
    at: (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from),
    label: (tick) => powerOfTen(Math.round(Math.log10(tick))),
  }
}

function powerOfTen(exponent: number): string {
  if (exponent >= 0 && exponent <= 4) return (10 ** exponent).toLocaleString('en-US')
  if (exponent < 0 && exponent >= -3) return (10 ** exponent).toFixed(-exponent)
  const digits = [...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)]).join('')
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}
