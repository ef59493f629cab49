import type { CsvOptions, ImageSteps, Preprocessing } from '../../contract/dataset.ts'
import type { ProcedureInput } from '../../contract/procedures.ts'
import { parseNumbers } from '../forms/number-list.ts'
import { parseClassMap } from './class-map.ts'
import type { DatasetPlan } from './import-plan.ts'

/** How the form says what to do with values. */
export type ScaleChoice = 'none' | 'bytes' | 'custom'

/** The fields of the import dialog as they were typed. */
export interface ImportDraft {
  readonly name: string
  readonly labelsPath: string
  readonly scaleChoice: ScaleChoice
  readonly scale: number | string
  readonly mean: string
  readonly std: string
  /** Folders of images. */
  readonly width: number | string
  readonly height: number | string
  readonly resize: ImageSteps['resize']
  readonly colour: ImageSteps['colour']
  readonly classMap: string
  /** Tables; an empty text leaves the choice to the reader. */
  readonly label: string
  readonly task: '' | NonNullable<CsvOptions['task']>
  readonly delimiter: '' | NonNullable<CsvOptions['delimiter']>
  readonly missing: NonNullable<CsvOptions['missing']>
  readonly ignore: readonly string[]
  readonly splitColumn: string
}

/** What the dialog starts with: pictures are bytes, and most networks take 224 × 224. */
export function emptyImportDraft({ format, labelsPath }: DatasetPlan): ImportDraft {
  return {
    name: '',
    labelsPath: labelsPath ?? '',
    scaleChoice: format === 'idx' || format === 'images' ? 'bytes' : 'none',
    scale: '',
    mean: '',
    std: '',
    width: 224,
    height: 224,
    resize: 'short-side',
    colour: 'rgb',
    classMap: '',
    label: '',
    task: '',
    delimiter: '',
    missing: 'refuse',
    ignore: [],
    splitColumn: '',
  }
}

/** The input of `datasets.import` that the fields mean. What is no number becomes NaN, which the schema refuses. */
export function importInput(plan: DatasetPlan, draft: ImportDraft): ProcedureInput<'datasets.import'> {
  const { path, format } = plan
  const preprocessing = preprocessingOf(plan, draft)
  const classes = format === 'images' ? parseClassMap(draft.classMap) : undefined
  return {
    path,
    ...(draft.name.trim() ? { name: draft.name } : {}),
    ...((format === 'idx' || format === 'npy') && draft.labelsPath.trim() ? { labelsPath: draft.labelsPath.trim() } : {}),
    ...(Object.keys(preprocessing).length > 0 ? { preprocessing } : {}),
    ...(format === 'csv' ? { csv: csvOf(draft) } : {}),
    ...(classes ? { classes } : {}),
  }
}

function preprocessingOf({ format }: DatasetPlan, draft: ImportDraft): Preprocessing {
  // Columns are fitted after the import, when their statistics are known.
  if (format === 'csv') return {}
  return {
    ...(format === 'images' ? { image: imageOf(draft) } : {}),
    ...(draft.scaleChoice === 'bytes' ? { scale: 1 / 255 } : {}),
    ...(draft.scaleChoice === 'custom' ? { scale: draft.scale === '' ? Number.NaN : Number(draft.scale) } : {}),
    ...(draft.mean.trim() ? { mean: parseNumbers(draft.mean) } : {}),
    ...(draft.std.trim() ? { std: parseNumbers(draft.std) } : {}),
  }
}

function imageOf({ width, height, resize, colour }: ImportDraft): ImageSteps {
  const size = { width: width === '' ? Number.NaN : Number(width), height: height === '' ? Number.NaN : Number(height) }
  // As ImageNet networks are evaluated: 256 with 224.
  const shortSide = resize === 'short-side' ? { shortSide: Math.round((Math.max(size.width, size.height) * 8) / 7) } : {}
  return { ...size, resize, ...shortSide, filter: 'linear', colour, pad: [0, 0, 0] }
}

function csvOf({ label, task, delimiter, missing, ignore, splitColumn }: ImportDraft): CsvOptions {
  return {
    missing,
    ...(label ? { label } : {}),
    ...(task ? { task } : {}),
    ...(delimiter ? { delimiter } : {}),
    ...(ignore.length > 0 ? { ignore: [...ignore] } : {}),
    ...(splitColumn ? { splitColumn } : {}),
  }
}
