/** Numbers between commas, semicolons or spaces; what is no number becomes NaN, which every schema refuses. */
export function parseNumbers(text: string): number[] {
  return text
    .trim()
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number)
}

/** Numbers as they are typed, with all their digits: `0.485, 0.456, 0.406`. */
export function numbersText(values: readonly number[]): string {
  return values.map(String).join(', ')
}
