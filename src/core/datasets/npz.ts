import { CoreError } from '../core-error.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { NPY_PREFIX, type NpyHeader, npyHeaderEnd, parseNpy, parseNpyHeader } from './npy.ts'
import type { NumericArray } from './numeric-array.ts'
import { readEntry, readEntryStart, readZip, type ZipEntry } from './zip.ts'

/** An array in an .npz; its values are read when asked for. */
export interface NpzArray {
  readonly name: string
  readonly header: NpyHeader
  /** Reads and checks the values. @throws CoreError `DATASET_INVALID`, `DATASET_TYPE` */
  read(): NumericArray
}

/**
 * Lists the arrays of an .npz (entries that end in `.npy`, in file order), stored or deflated.
 * @param file how messages call the archive
 * @throws CoreError `DATASET_INVALID`, `TOO_LARGE`
 */
export function parseNpz(bytes: Uint8Array, file: string): NpzArray[] {
  return readZip(bytes, file)
    .filter(({ name }) => name.endsWith('.npy'))
    .map((entry) => {
      const name = entry.name.slice(0, -'.npy'.length)
      const what = `Array ${quoteName(name)} of ${file}`
      return { name, header: readHeader(entry, what), read: () => ({ ...parseNpy(readEntry(entry, what), what), name }) }
    })
}

function readHeader(entry: ZipEntry, what: string): NpyHeader {
  const end = npyHeaderEnd(readEntryStart(entry, what, NPY_PREFIX), what)
  const header = parseNpyHeader(readEntryStart(entry, what, end), what)
  // A small file must not announce a large array: compare before anything is unpacked.
  if (header.type && header.offset + header.byteLength !== entry.size) {
    throw new CoreError(
      'DATASET_INVALID',
      `${what} cannot be read: its shape [${header.shape.join(',')}] and type ${header.type} need ${header.byteLength} bytes, found ${entry.size - header.offset}.`,
      { hint: 'Write the file again with numpy.savez.', details: { expected: header.byteLength, found: entry.size - header.offset } },
    )
  }
  return header
}
