import type { Preprocessing } from '../../contract/dataset.ts'

/** How the form says what to do with values. */
export type ScaleChoice = 'none' | 'bytes' | 'custom'

/** The fields of the form as they were typed. */
export interface PreprocessingFields {
  readonly scaleChoice: ScaleChoice
  readonly scale: number | string
  readonly mean: string
  readonly std: string
}

/** The preprocessing those fields mean; an empty object when they mean none. Anything that is not a number becomes NaN, which the schema refuses. */
export function makePreprocessing({ scaleChoice, scale, mean, std }: PreprocessingFields): { preprocessing?: Preprocessing } {
  const preprocessing: Preprocessing = {}
  if (scaleChoice === 'bytes') preprocessing.scale = 1 / 255
  if (scaleChoice === 'custom') preprocessing.scale = scale === '' ? Number.NaN : Number(scale)
  if (mean.trim()) preprocessing.mean = parseNumbers(mean)
  if (std.trim()) preprocessing.std = parseNumbers(std)
  return Object.keys(preprocessing).length > 0 ? { preprocessing } : {}
}

/** Numbers between commas, semicolons or spaces. */
function parseNumbers(text: string): number[] {
  return text
    .trim()
    .split(/[\s,;]+/)
    .map(Number)
}
