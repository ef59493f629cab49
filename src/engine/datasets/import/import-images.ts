import { basename } from 'node:path'
import type { ImageSteps, Preprocessing } from '../../../contract/dataset.ts'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { JobReporter } from '../../../contract/job.ts'
import { namesByIndex } from '../../../core/datasets/table-plan.ts'
import { quoteName } from '../../../core/onnx/quote-name.ts'
import { openFile, readRange, readWholeFile } from '../../../platform/read-file.ts'
import { checkImageSteps, IMAGES_AT_ONCE, type ImageFacts, imageFacts, imagePixels, MAX_IMAGE_BYTES } from '../../images/image-file.ts'
import { ArrayWriter, type StoredArray } from './array-writer.ts'
import { requireRoom } from './disk-room.ts'
import { type FoundImage, type ImageFolder, listImageFolder } from './image-folder.ts'
import { OriginalsWriter } from './originals.ts'
import { freshPath, IMPORT_LIMITS, type ImportOrder, progressEvery, type UnpackedDataset } from './unpacked.ts'

/** Up to this size images that are all alike are kept as they are. */
const SMALL_SIDE = 512
const HEAD_BYTES = 1 << 18
const LEAVE_OUT = 'Leave the file out, or make it smaller.'
/** What most networks for photographs take. */
const USUAL_SIDE = 224

/**
 * Makes a dataset of a folder of images: `images` uint8 [N,H,W,C] after the geometry of the preprocessing, `labels` int32 [N] from the
 * class folders, and the files themselves, so that other pixels can be made of them later.
 *
 * @throws EdgesmithError `IMAGE_UNREADABLE` naming the file, `DATASET_EMPTY`, `DATASET_LABELS`, `TOO_LARGE`, `NO_SPACE`, `USAGE`
 */
export async function importImages(order: ImportOrder, reporter: JobReporter): Promise<UnpackedDataset> {
  const folder = await listImageFolder(order.path)
  const named = classIndices(folder, order.classes, basename(order.path))
  const given = order.preprocessing?.image
  if (given) checkImageSteps(given)
  const image = given ?? (await usualSteps(folder.images, reporter))
  const channels = image.colour === 'grey' ? 1 : 3
  const bytes = folder.images.length * image.width * image.height * channels
  if (bytes > IMPORT_LIMITS.totalBytes) {
    throw new EdgesmithError(
      'TOO_LARGE',
      `${folder.images.length} images of ${image.width} × ${image.height} pixels take ${bytes} bytes, at most ${IMPORT_LIMITS.totalBytes} are kept.`,
    )
  }
  await requireRoom(order.outFolder, bytes, basename(order.path))
  const preprocessing: Preprocessing = { ...order.preprocessing, image }
  const { arrays, originals } = await writeImages(folder.images, image, named?.indices, order, reporter)
  return {
    format: 'images',
    arrays,
    originals,
    preprocessing,
    columns: null,
    classNames: named?.names ?? null,
    splits: splitsOf(folder.images),
    notes: [...folder.notes, ...(given ? [] : [sizeNote(image)])],
  }
}

/** The label of each class folder; undefined for images without classes. */
function classIndices(
  { classes, images }: ImageFolder,
  given: ImportOrder['classes'],
  folder: string,
): { indices: ReadonlyMap<string, number>; names: string[] } | undefined {
  if (classes.length === 0) return undefined
  const loose = images.find(({ className }) => className === null)
  if (loose) {
    throw new EdgesmithError('DATASET_LABELS', `${quoteName(loose.name)} of ${folder} lies in no class folder, and others do.`, {
      hint: 'Give every part of the dataset one folder for each class.',
    })
  }
  if (!given) return { indices: new Map(classes.map((name, index) => [name, index])), names: [...classes] }
  const unknown = classes.find((name) => !Object.hasOwn(given, name))
  if (unknown !== undefined) {
    throw new EdgesmithError('DATASET_LABELS', `The list of classes has no index for the folder ${quoteName(unknown)} of ${folder}.`, {
      hint: 'Name every class folder: {"cat": 0, "dog": 1}.',
      details: { found: unknown, expected: Object.keys(given).slice(0, 100) },
    })
  }
  return { indices: new Map(Object.entries(given)), names: namesByIndex(given).map((name, index) => name ?? `class ${index}`) }
}

/** As they are where all are of one small size, else what most networks take. Grey where all are. */
async function usualSteps(images: readonly FoundImage[], reporter: JobReporter): Promise<ImageSteps> {
  const report = progressEvery(reporter, 'looking at the images', images.length, 'images', 16)
  const sizes = new Set<string>()
  let allGrey = true
  let size = { width: USUAL_SIDE, height: USUAL_SIDE }
  for (const [done, { path, name }] of images.entries()) {
    report(done)
    const { width, height, grey } = await factsOf(path, name)
    sizes.add(`${width} ${height}`)
    allGrey &&= grey
    size = { width, height }
  }
  const asTheyAre = sizes.size === 1 && Math.max(size.width, size.height) <= SMALL_SIDE
  return {
    ...(asTheyAre ? size : { width: USUAL_SIDE, height: USUAL_SIDE }),
    resize: asTheyAre ? 'stretch' : 'cover',
    filter: 'linear',
    colour: allGrey ? 'grey' : 'rgb',
    pad: [0, 0, 0],
  }
}

/** Headers stand at the beginning, unless a camera put a large preview before them. */
async function factsOf(path: string, name: string): Promise<ImageFacts> {
  const { file, sizeBytes } = await openFile(path, name)
  let head: Uint8Array
  try {
    head = new Uint8Array(Math.min(sizeBytes, HEAD_BYTES))
    await readRange(file, 0, head)
  } finally {
    await file.close()
  }
  try {
    return await imageFacts(head, name)
  } catch (error) {
    if (sizeBytes <= HEAD_BYTES) throw error
    return imageFacts(await readWholeFile(path, name, MAX_IMAGE_BYTES, LEAVE_OUT), name)
  }
}

function sizeNote({ width, height, resize, colour }: ImageSteps): string {
  const kept = resize === 'stretch' ? 'The images are kept as they are' : 'The images are resized and cut'
  return `${kept}: ${width} × ${height}, ${colour === 'grey' ? 'grey' : 'colour'}. The preprocessing can be changed later.`
}

async function writeImages(
  images: readonly FoundImage[],
  steps: ImageSteps,
  indices: ReadonlyMap<string, number> | undefined,
  { outFolder }: ImportOrder,
  reporter: JobReporter,
): Promise<{ arrays: StoredArray[]; originals: string }> {
  const report = progressEvery(reporter, 'decoding', images.length, 'images', IMAGES_AT_ONCE)
  const pixels = new ArrayWriter(freshPath(outFolder), 'images', 'uint8', [steps.height, steps.width, steps.colour === 'grey' ? 1 : 3])
  const labels = indices && new ArrayWriter(freshPath(outFolder), 'labels', 'int32', [])
  const originals = new OriginalsWriter(freshPath(outFolder))
  try {
    for (let from = 0; from < images.length; from += IMAGES_AT_ONCE) {
      const group = images.slice(from, from + IMAGES_AT_ONCE)
      const made = await Promise.all(
        group.map(async ({ path, name }) => {
          const bytes = await readWholeFile(path, name, MAX_IMAGE_BYTES, LEAVE_OUT)
          return { name, bytes, pixels: await imagePixels(bytes, steps, name) }
        }),
      )
      made.forEach((image, index) => {
        pixels.write(image.pixels)
        originals.add(image.name, image.bytes)
        labels?.write(Int32Array.of(indices?.get(group[index]?.className ?? '') ?? -1))
      })
      report(from + group.length)
    }
    return { arrays: [pixels.finish(), ...(labels ? [labels.finish()] : [])], originals: originals.finish() }
  } finally {
    for (const writer of [pixels, labels, originals]) writer?.discard()
  }
}

/** Rows of each part. */
function splitsOf(images: readonly FoundImage[]): UnpackedDataset['splits'] {
  const parts = new Map<string, number[]>()
  images.forEach(({ split }, row) => {
    if (split === null) return
    const rows = parts.get(split)
    if (rows) rows.push(row)
    else parts.set(split, [row])
  })
  return [...parts].map(([name, rows]) => ({ name, rows: Int32Array.from(rows) }))
}
