import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { createGunzip } from 'node:zlib'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { JobReporter } from '../../../contract/job.ts'
import { CoreError } from '../../../core/core-error.ts'
import { swapBytes } from '../../../core/datasets/byte-order.ts'
import { isGzip } from '../../../core/datasets/gzip.ts'
import { IDX_HEADER_MAX, IDX_SCALE, type IdxHeader, parseIdxHeader } from '../../../core/datasets/idx.ts'
import { DEFLATE_MAX_RATIO } from '../../../core/datasets/inflate.ts'
import { LABEL_NAMES } from '../../../core/datasets/labels.ts'
import { countOf, elementWidth } from '../../../core/datasets/numeric-array.ts'
import { joinBytes } from '../../../core/join-bytes.ts'
import { openFile, readError, readRange } from '../../../platform/read-file.ts'
import { systemCode } from '../../../platform/system-code.ts'
import { labelsBeside } from '../find-dataset-files.ts'
import { ArrayWriter, type StoredArray } from './array-writer.ts'
import { requireRoom } from './disk-room.ts'
import { freshPath, IMPORT_LIMITS, type ImportOrder, progressEvery, type UnpackedDataset } from './unpacked.ts'

const PROGRESS_BYTES = 1 << 22

/**
 * IDX files as MNIST has them, gzipped or not: arrays `images` and `labels`. Bytes are scaled to 0…1 where nothing else is said.
 * @throws EdgesmithError or CoreError `DATASET_INVALID` naming file and byte, `TOO_LARGE`, `NO_SPACE`, those of reading a file
 */
export async function importIdx(order: ImportOrder, reporter: JobReporter): Promise<UnpackedDataset> {
  const images = await unpackIdx(order.path, 'images', basename(order.path), order, reporter)
  const labelsPath = order.labelsPath ?? (await labelsBeside(order.path))
  const arrays = [images]
  if (labelsPath !== undefined) arrays.push(await unpackIdx(labelsPath, LABEL_NAMES[0] as string, basename(labelsPath), order, reporter))
  const bytes = images.type === 'uint8'
  return {
    format: 'idx',
    arrays,
    originals: undefined,
    preprocessing: order.preprocessing ?? (bytes ? { scale: IDX_SCALE } : {}),
    columns: null,
    classNames: null,
    splits: [],
    notes: [
      ...(images.shape.length === 1
        ? [`${basename(order.path)} has one value a sample, as labels have: import the file of images instead.`]
        : []),
      ...(bytes && order.preprocessing === undefined ? ['The bytes of the IDX file are scaled to 0…1 (× 1/255).'] : []),
    ],
  }
}

async function unpackIdx(
  path: string,
  name: string,
  file: string,
  { outFolder }: ImportOrder,
  reporter: JobReporter,
): Promise<StoredArray> {
  const head = await firstBytes(path, file)
  const packed = isGzip(head)
  const { size } = await stat(path)
  const reader = new IdxReader(file, async (header, expected) => {
    if (expected > IMPORT_LIMITS.totalBytes) {
      throw new EdgesmithError('TOO_LARGE', `${file} has ${expected} bytes, at most ${IMPORT_LIMITS.totalBytes} can be read.`, {
        details: { foundBytes: expected, limitBytes: IMPORT_LIMITS.totalBytes },
      })
    }
    // Before any room is taken: a small file must not announce a large array.
    if (expected > (packed ? size * DEFLATE_MAX_RATIO : size))
      throw wrongLength(file, header, expected, packed ? undefined : size - header.offset)
    await requireRoom(outFolder, expected, file)
    return new ArrayWriter(freshPath(outFolder), name, header.type, header.shape.slice(1))
  })
  const report = progressEvery(reporter, `unpacking ${file}`, size, 'bytes', PROGRESS_BYTES)
  const source = createReadStream(path)
  const unpacked = packed ? source.pipe(createGunzip()) : source
  source.on('error', (error) => unpacked.destroy(error))
  try {
    for await (const chunk of unpacked) {
      await reader.push(chunk as Buffer)
      report(Math.min(size, source.bytesRead))
    }
    return await reader.finish()
  } catch (error) {
    reader.discard()
    source.destroy()
    if (systemCode(error)?.startsWith('Z_')) {
      throw new EdgesmithError(
        'DATASET_INVALID',
        `${file} cannot be read as gzip: it is truncated or damaged (${(error as Error).message}).`,
        {
          hint: 'Copy or download the file again.',
        },
      )
    }
    throw error instanceof EdgesmithError || error instanceof CoreError ? error : readError(error, file)
  }
}

/** Takes the bytes of an IDX file as they come. */
class IdxReader {
  private readonly file: string
  private readonly open: (header: IdxHeader, expectedBytes: number) => Promise<ArrayWriter>
  private head = new Uint8Array(0)
  private header: IdxHeader | undefined
  private writer: ArrayWriter | undefined
  private expected = 0
  private found = 0
  /** Bytes of an element that has begun. */
  private rest = new Uint8Array(0)

  constructor(file: string, open: (header: IdxHeader, expectedBytes: number) => Promise<ArrayWriter>) {
    this.file = file
    this.open = open
  }

  async push(chunk: Uint8Array): Promise<void> {
    if (this.writer) return this.take(chunk)
    this.head = joinBytes([this.head, chunk])
    if (this.head.length >= IDX_HEADER_MAX) await this.begin()
  }

  async finish(): Promise<StoredArray> {
    if (!this.writer) await this.begin()
    if (this.found !== this.expected) throw wrongLength(this.file, this.header as IdxHeader, this.expected, this.found)
    return (this.writer as ArrayWriter).finish()
  }

  discard(): void {
    this.writer?.discard()
  }

  private async begin(): Promise<void> {
    const header = parseIdxHeader(this.head.subarray(0, IDX_HEADER_MAX), this.file)
    this.header = header
    this.expected = countOf(header.shape) * elementWidth(header.type)
    this.writer = await this.open(header, this.expected)
    this.take(this.head.subarray(header.offset))
  }

  private take(chunk: Uint8Array): void {
    const header = this.header as IdxHeader
    this.found += chunk.length
    // The rest of a file that is too long is counted for the message, not written.
    if (this.found > this.expected) return
    const width = elementWidth(header.type)
    const bytes = joinBytes([this.rest, chunk])
    const whole = bytes.length - (bytes.length % width)
    this.writer?.write(swapBytes(bytes.subarray(0, whole), width))
    this.rest = bytes.slice(whole)
  }
}

function wrongLength(file: string, { shape, type, offset }: IdxHeader, expected: number, found: number | undefined): EdgesmithError {
  return new EdgesmithError(
    'DATASET_INVALID',
    `${file} cannot be read: its shape [${shape.join(',')}] and type ${type} need ${expected} bytes, found ${found ?? 'fewer'} (at byte ${offset}).`,
    {
      hint: 'An IDX file begins with 0, 0, the element type and the number of dimensions; download it again if it was cut off.',
      details: { byte: offset, expected, found },
    },
  )
}

async function firstBytes(path: string, name: string): Promise<Uint8Array> {
  const { file, sizeBytes } = await openFile(path, name)
  try {
    const head = new Uint8Array(Math.min(2, sizeBytes))
    await readRange(file, 0, head)
    return head
  } finally {
    await file.close()
  }
}
