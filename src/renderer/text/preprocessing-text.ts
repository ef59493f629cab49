import type { Preprocessing } from '../../contract/dataset.ts'
import { formatSignificant } from '../format/numbers.ts'

/** What preprocessing does, as a formula: `value × 1/255, then (value − mean) ÷ std for 3 channels`. */
export function preprocessingText({ scale, mean, std }: Preprocessing): string {
  const steps: string[] = []
  if (scale !== undefined) steps.push(Math.abs(scale * 255 - 1) < 1e-6 ? 'value × 1/255' : `value × ${formatSignificant(scale)}`)
  if (mean) steps.push(`− mean (${list(mean)})`)
  if (std) steps.push(`÷ std (${list(std)})`)
  return steps.length > 0 ? steps.join(', then ') : 'none: values are used as they are'
}

function list(values: readonly number[]): string {
  const shown = values.slice(0, 4).map(formatSignificant).join(', ')
  return values.length > 4 ? `${shown}, … ${values.length} channels` : shown
}
