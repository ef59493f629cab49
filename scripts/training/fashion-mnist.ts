import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CoreError } from '../../src/core/core-error.ts'

/** Where Debian's package puts the files. */
export const FASHION_MNIST_FOLDER = '/usr/share/datasets/fashion-mnist'
const DEBIAN_PACKAGE = 'dataset-fashion-mnist'

/** Class names in the order of the labels 0 to 9. */
export const FASHION_MNIST_LABELS: readonly string[] = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
]

/** Both sides of an image. */
export const IMAGE_SIZE = 28
const PIXELS = IMAGE_SIZE * IMAGE_SIZE
/** The training file holds 60,000; anything far above is not Fashion-MNIST. */
const MAX_IMAGES = 100_000
/** The largest of the four files has 26 MB. */
const MAX_PACKED_BYTES = 64 * 2 ** 20

/** Labelled grey images. */
export interface LabelledImages {
  readonly count: number
  /** [count,28,28], 0 (black) to 255. */
  readonly pixels: Uint8Array
  /** [count], 0 to 9. */
  readonly labels: Uint8Array
  /** The two files that were read, for the record. */
  readonly sources: readonly { readonly file: string; readonly sha256: string }[]
}

/**
 * Reads the 60,000 training or the 10,000 test images.
 *
 * @throws CoreError `FILE_NOT_FOUND` when the files are missing (the hint names the Debian package),
 *   `DATASET_INVALID` when a file is not gzipped IDX of the expected shape, `TOO_LARGE`, `DATASET_LABELS` for a label above 9
 */
export function readFashionMnist(part: 'train' | 'test', folder: string = FASHION_MNIST_FOLDER): LabelledImages {
  const prefix = part === 'train' ? 'train' : 't10k'
  const images = readIdx(join(folder, `${prefix}-images-idx3-ubyte.gz`), ['images', IMAGE_SIZE, IMAGE_SIZE])
  const labels = readIdx(join(folder, `${prefix}-labels-idx1-ubyte.gz`), ['labels'])
  if (images.count !== labels.count) {
    throw new CoreError('DATASET_INVALID', `${images.file} has ${images.count} images, ${labels.file} has ${labels.count} labels`)
  }
  const wrong = labels.values.findIndex((label) => label >= FASHION_MNIST_LABELS.length)
  if (wrong >= 0) {
    throw new CoreError('DATASET_LABELS', `${labels.file}: label ${labels.values[wrong]} at row ${wrong}, expected 0 to 9`)
  }
  const sources = [images, labels].map(({ file, sha256 }) => ({ file, sha256 }))
  return { count: images.count, pixels: images.values, labels: labels.values, sources }
}

/**
 * Places of images chosen so that every class has the same share: the first ones of each class, in file order.
 *
 * @param total how many in all; when 10 does not divide it, the lowest labels get one more each
 */
export function stratifiedIndices(labels: Uint8Array, total: number): number[] {
  const classes = FASHION_MNIST_LABELS.length
  const left = Array.from({ length: classes }, (_, label) => Math.floor(total / classes) + (label < total % classes ? 1 : 0))
  const chosen: number[] = []
  for (const [index, label] of labels.entries()) {
    const wanted = left[label] as number
    if (wanted === 0) continue
    left[label] = wanted - 1
    chosen.push(index)
  }
  if (chosen.length !== total)
    throw new CoreError('DATASET_INVALID', `only ${chosen.length} of ${total} images found for a sample with equal classes`)
  return chosen
}

/** The chosen images and labels, in the order of `indices`. */
export function selectImages(from: LabelledImages, indices: readonly number[]): LabelledImages {
  const pixels = new Uint8Array(indices.length * PIXELS)
  for (const [place, index] of indices.entries()) pixels.set(from.pixels.subarray(index * PIXELS, (index + 1) * PIXELS), place * PIXELS)
  const labels = Uint8Array.from(indices, (index) => from.labels[index] as number)
  return { count: indices.length, pixels, labels, sources: from.sources }
}

interface IdxFile {
  readonly file: string
  readonly sha256: string
  readonly count: number
  readonly values: Uint8Array
}

/**
 * One gzipped IDX file of unsigned bytes: four bytes of magic (0, 0, 8 for bytes, number of dimensions), each dimension as
 * a big-endian 32-bit number, the values. `shape` names the first dimension and fixes the others.
 */
function readIdx(file: string, shape: readonly [string, ...number[]]): IdxFile {
  const packed = readPacked(file)
  const [what, ...fixed] = shape
  const itemSize = fixed.reduce((product, dim) => product * dim, 1)
  const headerSize = 4 + 4 * shape.length
  const bytes = unpack(file, packed, headerSize + MAX_IMAGES * itemSize)
  const invalid = (expected: string, found: string) =>
    new CoreError('DATASET_INVALID', `${file}: expected ${expected}, found ${found}`, { hint: `Reinstall the package ${DEBIAN_PACKAGE}.` })
  if (bytes.length < headerSize) throw invalid(`an IDX header of ${headerSize} bytes`, `${bytes.length} bytes in all`)
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerSize)
  const magic = 0x0800 + shape.length
  if (header.getUint32(0) !== magic) throw invalid(`the IDX magic number ${magic}`, `${header.getUint32(0)}`)
  for (const [index, length] of fixed.entries()) {
    const found = header.getUint32(8 + 4 * index)
    if (found !== length) throw invalid(`${length} as dimension ${index + 2}`, `${found}`)
  }
  const count = header.getUint32(4)
  if (count === 0 || count > MAX_IMAGES) throw invalid(`1 to ${MAX_IMAGES} ${what}`, `${count}`)
  if (bytes.length !== headerSize + count * itemSize) {
    throw invalid(`${count * itemSize} bytes of ${what}`, `${bytes.length - headerSize}`)
  }
  return { file, sha256: createHash('sha256').update(packed).digest('hex'), count, values: bytes.subarray(headerSize) }
}

function readPacked(file: string): Buffer {
  try {
    const { size } = statSync(file)
    if (size > MAX_PACKED_BYTES) throw new CoreError('TOO_LARGE', `${file} has ${size} bytes, expected at most ${MAX_PACKED_BYTES}`)
    return readFileSync(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new CoreError('FILE_NOT_FOUND', `${file} does not exist`, {
        hint: `Fashion-MNIST comes from the Debian package ${DEBIAN_PACKAGE}: run "apt-get install ${DEBIAN_PACKAGE}" as root, or name another folder with --data.`,
      })
    }
    throw error
  }
}

function unpack(file: string, packed: Buffer, maxOutputLength: number): Buffer {
  try {
    return gunzipSync(packed, { maxOutputLength })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CoreError('DATASET_INVALID', `${file} is not a gzip file of at most ${maxOutputLength} bytes: ${reason}`, {
      hint: `Reinstall the package ${DEBIAN_PACKAGE}.`,
    })
  }
}
