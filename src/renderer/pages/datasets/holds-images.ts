import type { Dataset } from '../../../contract/dataset.ts'
import type { ImageDraft } from './preprocessing-draft.ts'

/** Whether samples are images: made from image files, or arrays of 2 or 3 dimensions a sample. */
export function holdsImages({ format, report, columns }: Dataset): boolean {
  if (format === 'images') return true
  return !columns && report.arrays.some(({ shape }) => shape.length === 3 || shape.length === 4)
}

/** Whether samples have colours, whose order may be the other way round: three or four channels. */
export function isReversible({ report }: Dataset, image: ImageDraft | null): boolean {
  if (image) return image.colour === 'rgb'
  const colours = (size: number | undefined) => size === 3 || size === 4
  return report.arrays.some(({ shape }) => shape.length === 4 && (colours(shape[1]) || colours(shape[3])))
}

/** Whether samples are images of bytes, as image files and most published datasets have them. */
export function holdsBytes(dataset: Dataset): boolean {
  return holdsImages(dataset) && dataset.report.arrays.some(({ type, shape }) => type === 'uint8' && shape.length > 2)
}
