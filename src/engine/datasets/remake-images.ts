import type { EngineRequest, EngineResult } from '../../contract/engine-protocol.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import { checkImageSteps, IMAGES_AT_ONCE, imagePixels } from '../images/image-file.ts'
import { describeDataset } from './describe-dataset.ts'
import { ArrayWriter } from './import/array-writer.ts'
import { requireRoom } from './import/disk-room.ts'
import { openOriginals } from './import/originals.ts'
import { writeHashes } from './import/row-files.ts'
import { freshPath, progressEvery } from './import/unpacked.ts'

type RemakeRequest = Extract<EngineRequest, { command: 'remake-images' }>

/**
 * Makes the pixels of a dataset of image files again, with another geometry. The source is the whole dataset, without rows.
 * @throws EdgesmithError `IMAGE_UNREADABLE`, `NO_SPACE`, `USAGE` for a dataset that is not of image files
 */
export async function remakeImages(
  { source, image, outFolder }: RemakeRequest,
  reporter: JobReporter,
): Promise<EngineResult<'remake-images'>> {
  const archive = source.files.find(({ role }) => role === 'originals')?.path
  if (archive === undefined) {
    throw new EdgesmithError('USAGE', `${source.name} was not made of image files, so their size cannot be changed.`, {
      hint: 'Import the folder of images, or leave "image" out of the preprocessing.',
    })
  }
  checkImageSteps(image)
  const channels = image.colour === 'grey' ? 1 : 3
  const originals = openOriginals(archive, source.name)
  const writer = new ArrayWriter(freshPath(outFolder), 'images', 'uint8', [image.height, image.width, channels])
  try {
    const { count } = originals
    await requireRoom(outFolder, count * image.height * image.width * channels, source.name)
    const report = progressEvery(reporter, 'decoding', count, 'images', IMAGES_AT_ONCE)
    for (let from = 0; from < count; from += IMAGES_AT_ONCE) {
      const group = Array.from({ length: Math.min(IMAGES_AT_ONCE, count - from) }, (_, index) => originals.read(from + index))
      for (const pixels of await Promise.all(group.map(({ name, bytes }) => imagePixels(bytes, image, name)))) writer.write(pixels)
      report(from + group.length)
    }
    const { path } = writer.finish()
    const files = source.files.map((file) => (file.role === 'array' && file.name === 'images' ? { ...file, path } : file))
    const { report: found, hashes } = await describeDataset(
      { ...source, files, preprocessing: { ...source.preprocessing, image } },
      reporter,
    )
    return { imagesPath: path, hashesPath: writeHashes(hashes, outFolder), report: found }
  } finally {
    originals.close()
    writer.discard()
  }
}
