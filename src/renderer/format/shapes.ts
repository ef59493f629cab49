import { plainText } from './plain-text.ts'

/** A tensor shape: `1×3×224×224`, `batch×10` with a symbolic, `?×10` with an unknown dimension, `scalar` without any. */
export function formatShape(shape: readonly (number | string | null)[] | null): string {
  if (shape === null) return 'unknown shape'
  if (shape.length === 0) return 'scalar'
  const shown = shape.slice(0, 12).map((size) => (size === null ? '?' : typeof size === 'number' ? String(size) : plainText(size, 24)))
  return shape.length > 12 ? `${shown.join('×')}×…` : shown.join('×')
}
