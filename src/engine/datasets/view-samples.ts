import type { DatasetSource, Picture, SampleView } from '../../contract/dataset.ts'
import type { EngineRequest, EngineResult } from '../../contract/engine-protocol.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { answersArray } from '../../core/datasets/match-inputs.ts'
import { countOf, readElements, type SampleArray } from '../../core/datasets/numeric-array.ts'
import { pictureLayout, shownRange, toPicture } from '../../core/datasets/sample-picture.ts'
import { readDatasetArrays } from './dataset-arrays.ts'
import { answersOf, numbersOf, sampleArrays } from './describe-dataset.ts'
import { type Originals, openOriginals } from './import/originals.ts'
import { rowsOf } from './rows-of.ts'
import { sampleCountOf } from './sample-count.ts'

type ViewRequest = Extract<EngineRequest, { command: 'view-samples' }>

/** Side of a small picture in pixels. */
const THUMBNAIL = 96
/** Values of an array that are shown. */
const FIRST_VALUES = 16

/**
 * Samples for people to look at: a window of the dataset, of one class of it, or chosen ones.
 * @throws EdgesmithError or CoreError `USAGE` for a sample that is not there, and those of reading the dataset
 */
export async function viewSamples({ source, classNames, choice }: ViewRequest): Promise<EngineResult<'view-samples'>> {
  const content = await readDatasetArrays(source)
  let originals: Originals | undefined
  try {
    const answers = answersArray(content.arrays, [])
    const samples = sampleCountOf(content, answers, source.name)
    const { labels, targets } = answersOf(content, answers, samples, source)
    const { total, chosen } = choose(choice, samples, labels, source.name)
    const arrays = sampleArrays(content.arrays, answers, samples).map(({ name }) => content.read(name))
    const archive = source.files.find(({ role }) => role === 'originals')?.path
    originals = archive === undefined ? undefined : openOriginals(archive, source.name)
    const rows = originals && rowsOf(source)
    const made: SampleView[] = []
    for (const index of chosen) {
      const label = labels?.[index] ?? null
      made.push({
        index,
        label,
        labelName: label === null ? null : (classNames?.[label] ?? null),
        target: targets ? Array.from(targets.values.subarray(index * targets.width, (index + 1) * targets.width)) : null,
        picture: originals ? await originalPicture(originals, rows?.[index] ?? index) : storedPicture(arrays, index, source),
        values: arrays.map((array) => firstValues(array, index)),
      })
    }
    return { total, samples: made }
  } finally {
    content.close()
    originals?.close()
  }
}

function choose(
  choice: ViewRequest['choice'],
  samples: number,
  labels: Int32Array | undefined,
  dataset: string,
): { total: number; chosen: number[] } {
  if (choice.indices) {
    const outside = choice.indices.find((index) => index >= samples)
    if (outside !== undefined)
      throw new EdgesmithError('USAGE', `${dataset} has no sample ${outside}: it has ${samples} (0 to ${samples - 1}).`)
    return { total: samples, chosen: choice.indices }
  }
  const { from, count } = choice
  if (choice.class === undefined) {
    return { total: samples, chosen: Array.from({ length: Math.max(0, Math.min(count, samples - from)) }, (_, index) => from + index) }
  }
  if (!labels) throw new EdgesmithError('USAGE', `${dataset} has no class labels to choose by.`)
  const chosen: number[] = []
  let total = 0
  for (let index = 0; index < labels.length; index++) {
    if (labels[index] !== choice.class) continue
    if (total >= from && chosen.length < count) chosen.push(index)
    total++
  }
  return { total, chosen }
}

async function originalPicture(originals: Originals, row: number): Promise<Picture> {
  // Loaded on demand: most datasets do without the image library.
  const { imageThumbnail } = await import('../images/image-file.ts')
  const { name, bytes } = originals.read(row)
  return imageThumbnail(bytes, THUMBNAIL, name)
}

function storedPicture(arrays: readonly SampleArray[], index: number, { preprocessing }: DatasetSource): Picture | null {
  for (const array of arrays) {
    const layout = pictureLayout(array.type, array.shape, preprocessing.image ? 'channels-last' : preprocessing.stored)
    if (!layout) continue
    const size = countOf(array.shape.slice(1))
    const values = numbersOf(array.type, readElements(array, index * size, size))
    return toPicture(values, layout, shownRange(values, array.type === 'uint8'), THUMBNAIL)
  }
  return null
}

function firstValues(array: SampleArray, index: number): SampleView['values'][number] {
  const shape = array.shape.slice(1)
  const size = countOf(shape)
  return {
    array: array.name,
    shape,
    first: Array.from(numbersOf(array.type, readElements(array, index * size, Math.min(FIRST_VALUES, size)))),
  }
}
