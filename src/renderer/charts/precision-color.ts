/** Colour of an element type, the same in charts, tables and graphs. */
export function precisionColor(precision: string | null): string {
  if (precision === null) return 'var(--es-faint)'
  if (/int4/.test(precision)) return 'var(--es-series-2)'
  if (/int8/.test(precision)) return 'var(--es-series-1)'
  if (/float16/.test(precision)) return 'var(--es-series-3)'
  if (/float/.test(precision)) return 'var(--es-series-0)'
  return 'var(--es-series-5)'
}
