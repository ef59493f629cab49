import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { JobReporter } from '../../../contract/job.ts'
import { LABEL_NAMES } from '../../../core/datasets/labels.ts'
import { DATASET_LIMITS } from '../../../core/datasets/limits.ts'
import { describeDescr, NPY_PREFIX, type NpyHeader, npyHeaderEnd, parseNpyHeader } from '../../../core/datasets/npy.ts'
import { listZip, readEntryStart, type ZipPlace } from '../../../core/datasets/zip.ts'
import { quoteName } from '../../../core/onnx/quote-name.ts'
import { systemCode } from '../../../platform/system-code.ts'
import { writeError } from '../../../platform/write-file.ts'
import type { StoredArray } from './array-writer.ts'
import { requireRoom } from './disk-room.ts'
import { type FileBytes, openFileBytes } from './file-bytes.ts'
import { joinSplits } from './join-splits.ts'
import { plainArray } from './plain-array.ts'
import { freshPath, IMPORT_LIMITS, type ImportOrder, progressEvery, type UnpackedDataset } from './unpacked.ts'

const PROGRESS_BYTES = 1 << 22
/** Compressed bytes that surely unpack to a header of the usual size. */
const HEADER_BYTES = 1 << 16

interface NpzEntry {
  readonly place: ZipPlace
  readonly name: string
  /** How messages call it. */
  readonly what: string
  readonly header: NpyHeader
}

/**
 * Unpacks the arrays of an .npz into files, one piece after another. Arrays named as Keras does (`x_train`, `y_train`, `x_test`, `y_test`)
 * become one dataset of two splits.
 * @throws EdgesmithError or CoreError `DATASET_INVALID`, `DATASET_LABELS`, `TOO_LARGE`, `NO_SPACE`, those of reading a file
 */
export async function importNpz(order: ImportOrder, reporter: JobReporter): Promise<UnpackedDataset> {
  const file = basename(order.path)
  const bytes = openFileBytes(order.path, file)
  try {
    const { entries, notes } = listArrays(bytes, file)
    const total = entries.reduce((sum, { place }) => sum + place.size, 0)
    await requireRoom(order.outFolder, total, file)
    const report = progressEvery(reporter, 'unpacking', total, 'bytes', PROGRESS_BYTES)
    const arrays: StoredArray[] = []
    let done = 0
    for (const entry of entries) {
      const path = freshPath(order.outFolder)
      const before = done
      await unpack(entry, order.path, path, (written) => report(before + written))
      done += entry.place.size
      arrays.push(await plainArray(path, entry.name, entry.what, order.outFolder))
    }
    const joined = await joinSplits(arrays, order.outFolder)
    return {
      format: 'npz',
      arrays: joined?.arrays ?? arrays,
      originals: undefined,
      preprocessing: order.preprocessing ?? {},
      columns: null,
      classNames: null,
      splits: joined?.splits ?? [],
      notes: [...notes, ...(joined?.notes ?? [])],
    }
  } finally {
    bytes.close()
  }
}

function listArrays(bytes: FileBytes, file: string): { entries: NpzEntry[]; notes: string[] } {
  const places = listZip(bytes, file, { entries: DATASET_LIMITS.arrays, totalBytes: IMPORT_LIMITS.totalBytes })
  const entries: NpzEntry[] = []
  const notes: string[] = []
  for (const place of places) {
    if (!place.name.endsWith('.npy')) continue
    const name = place.name.slice(0, -'.npy'.length)
    const what = `Array ${quoteName(name)} of ${file}`
    const header = readHeader(place, what, bytes)
    if (header.type) entries.push({ place, name, what, header })
    else if (LABEL_NAMES.includes(name)) {
      throw new EdgesmithError(
        'DATASET_LABELS',
        `The labels of ${file} (array ${quoteName(name)}) hold ${describeDescr(header.descr)}, expected class indices.`,
        {
          hint: 'Number the classes from 0 on, in the order the model has them.',
        },
      )
    } else notes.push(`${what} is left out: it holds ${describeDescr(header.descr)}.`)
  }
  if (entries.length === 0 && places.length > 0 && !places.some(({ name }) => name.endsWith('.npy'))) {
    throw new EdgesmithError('DATASET_INVALID', `${file} is a zip archive without arrays (files that end in .npy).`, {
      hint: 'Unpack an archive of images and import the folder.',
    })
  }
  return { entries, notes }
}

function readHeader(place: ZipPlace, what: string, bytes: FileBytes): NpyHeader {
  const head = (length: number) => {
    const packed = Math.min(place.packedSize, place.deflated ? Math.max(HEADER_BYTES, 2 * length) : length)
    return readEntryStart({ ...place, stored: bytes.read(place.start, packed) }, what, length)
  }
  const header = parseNpyHeader(head(npyHeaderEnd(head(NPY_PREFIX), what)), what, DATASET_LIMITS.arrayFileBytes)
  // A small file must not announce a large array: compared before anything is unpacked.
  if (header.type && header.offset + header.byteLength !== place.size) {
    throw new EdgesmithError(
      'DATASET_INVALID',
      `${what} cannot be read: its shape [${header.shape.join(',')}] and type ${header.type} need ${header.byteLength} bytes, found ${place.size - header.offset}.`,
      { hint: 'Write the file again with numpy.savez.', details: { expected: header.byteLength, found: place.size - header.offset } },
    )
  }
  return header
}

async function unpack({ place, what }: NpzEntry, archive: string, path: string, report: (written: number) => void): Promise<void> {
  let written = 0
  let checksum = 0
  const damaged = (problem: string) =>
    new EdgesmithError('DATASET_INVALID', `${what} cannot be read: ${problem}.`, { hint: 'Copy the file again, or write it again.' })
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      written += chunk.length
      checksum = crc32(chunk, checksum)
      report(Math.min(written, place.size))
      if (written > place.size) done(damaged(`it holds more than the ${place.size} bytes that were announced`))
      else done(null, chunk)
    },
  })
  const packed =
    place.packedSize === 0 ? Readable.from([]) : createReadStream(archive, { start: place.start, end: place.start + place.packedSize - 1 })
  const out = createWriteStream(path, { mode: 0o600, flags: 'wx' })
  try {
    await (place.deflated ? pipeline(packed, createInflateRaw(), meter, out) : pipeline(packed, meter, out))
    if (written < place.size) throw damaged(`it holds ${written} bytes, ${place.size} were announced`)
    if (checksum !== place.crc) throw damaged('its checksum (CRC-32) is wrong')
  } catch (error) {
    await rm(path, { force: true })
    if (systemCode(error)?.startsWith('Z_')) throw damaged(`the compressed data is damaged (${(error as Error).message})`)
    throw writeError(error, path)
  }
}
