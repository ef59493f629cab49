import type { SampleView } from '../../../contract/dataset.ts'
import { formatValue } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'

/** What a sample is labelled with: a name, a class, a number to predict; null for nothing. */
export function sampleLabel({ label, labelName, target }: SampleView): string | null {
  if (labelName !== null) return plainText(labelName, 60)
  if (label !== null) return `class ${label}`
  if (target === null || target.length === 0) return null
  const shown = target.slice(0, 4).map(formatValue).join(', ')
  return target.length > 4 ? `${shown}, …` : shown
}

/** One line for a sample: `#12 shirt`. */
export function sampleCaption(sample: SampleView): string {
  const label = sampleLabel(sample)
  return label === null ? `#${sample.index}` : `#${sample.index} ${label}`
}
