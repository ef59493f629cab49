/** Colour of a row: the baseline has its own, the others take eight in turn. */
export function seriesColor(index: number): string {
  return index === 0 ? 'var(--es-baseline)' : `var(--es-series-${(index - 1) % 8})`
}
