/** A part as it was typed. */
export interface PartDraft {
  readonly name: string
  readonly percent: number | string
}

/** What is often wanted. */
export const splitPresets: readonly { readonly label: string; readonly parts: readonly PartDraft[] }[] = [
  {
    label: '80 / 20',
    parts: [
      { name: 'train', percent: 80 },
      { name: 'test', percent: 20 },
    ],
  },
  {
    label: '70 / 15 / 15',
    parts: [
      { name: 'train', percent: 70 },
      { name: 'validation', percent: 15 },
      { name: 'test', percent: 15 },
    ],
  },
  {
    label: 'Calibration 5, test 95',
    parts: [
      { name: 'calibration', percent: 5 },
      { name: 'test', percent: 95 },
    ],
  },
]

/** The parts as the contract takes them; a percentage that is no number becomes NaN, which the schema refuses. */
export function sharesOf(parts: readonly PartDraft[]): { name: string; share: number }[] {
  return parts.map(({ name, percent }) => ({ name: name.trim(), share: percent === '' ? Number.NaN : Number(percent) / 100 }))
}

/** What is wrong with the parts as a whole; null when nothing is. */
export function partsProblem(parts: readonly PartDraft[]): string | null {
  const names = parts.map(({ name }) => name.trim())
  if (new Set(names).size < names.length) return 'Two parts have the same name.'
  const percent = totalPercent(parts)
  return percent > 100 + 1e-6 ? `The parts add up to ${Number(percent.toFixed(2))} %, at most 100 % is possible.` : null
}

/** Percent of all samples that the parts take; fields that hold no number count as nothing. */
export function totalPercent(parts: readonly PartDraft[]): number {
  return parts.reduce((sum, { percent }) => sum + (Number(percent) || 0), 0)
}
