import { crc32 } from 'node:zlib'
import { EdgesmithError } from '../../../contract/errors.ts'
import { openFileBytes } from './file-bytes.ts'
import { NewFile } from './new-file.ts'

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const END_64 = 0x06064b50
const LOCATOR_64 = 0x07064b50
const LOCAL_SIZE = 30
const CENTRAL_SIZE = 46
/** Zip64 field for the place of an entry: id, length, 64 bits. */
const EXTRA_SIZE = 12
const END_SIZES = 56 + 20 + 22
const UTF_8 = 0x800
/** 1980-01-01: the same images give the same file. */
const DATE = 0x21
const NOT_HERE = 0xffffffff

/** Writes image files one after another into a zip archive, not compressed. Source: PKWARE APPNOTE.TXT 6.3.10; always zip64. */
export class OriginalsWriter {
  private readonly file: NewFile
  private readonly directory: Uint8Array[] = []
  private offset = 0

  constructor(path: string) {
    this.file = new NewFile(path)
  }

  add(name: string, bytes: Uint8Array): void {
    const encoded = new TextEncoder().encode(name)
    const header = new Uint8Array(LOCAL_SIZE)
    const view = new DataView(header.buffer)
    view.setUint32(0, LOCAL, true)
    shared(view, 4, encoded.length, bytes)
    const central = new Uint8Array(CENTRAL_SIZE + encoded.length + EXTRA_SIZE)
    const entry = new DataView(central.buffer)
    entry.setUint32(0, CENTRAL, true)
    entry.setUint16(4, 45, true)
    shared(entry, 6, encoded.length, bytes)
    entry.setUint16(30, EXTRA_SIZE, true)
    entry.setUint32(42, NOT_HERE, true)
    central.set(encoded, CENTRAL_SIZE)
    const extra = CENTRAL_SIZE + encoded.length
    entry.setUint16(extra, 1, true)
    entry.setUint16(extra + 2, 8, true)
    entry.setBigUint64(extra + 4, BigInt(this.offset), true)
    this.directory.push(central)
    for (const part of [header, encoded, bytes]) this.put(part)
  }

  /** Ends the archive. @throws EdgesmithError `NO_SPACE`, `FILE_NOT_WRITABLE` */
  finish(): string {
    const start = this.offset
    for (const entry of this.directory) this.put(entry)
    const tail = new Uint8Array(END_SIZES)
    const view = new DataView(tail.buffer)
    const [count, size, end] = [BigInt(this.directory.length), BigInt(this.offset - start), this.offset]
    view.setUint32(0, END_64, true)
    view.setBigUint64(4, 44n, true)
    view.setUint16(12, 45, true)
    view.setUint16(14, 45, true)
    view.setBigUint64(24, count, true)
    view.setBigUint64(32, count, true)
    view.setBigUint64(40, size, true)
    view.setBigUint64(48, BigInt(start), true)
    view.setUint32(56, LOCATOR_64, true)
    view.setBigUint64(64, BigInt(end), true)
    view.setUint32(72, 1, true)
    view.setUint32(76, END, true)
    view.setUint16(84, 0xffff, true)
    view.setUint16(86, 0xffff, true)
    view.setUint32(88, NOT_HERE, true)
    view.setUint32(92, NOT_HERE, true)
    this.put(tail)
    this.file.close()
    return this.file.path
  }

  /** Gives up: the half-written file is removed. Does nothing after {@link finish}. */
  discard(): void {
    this.file.discard()
  }

  private put(bytes: Uint8Array): void {
    this.file.write(bytes)
    this.offset += bytes.length
  }
}

/** Fields that local header and directory share: version, flags, method, time, date, checksum, sizes, length of the name. */
function shared(view: DataView, at: number, nameLength: number, bytes: Uint8Array): void {
  view.setUint16(at, 45, true)
  view.setUint16(at + 2, UTF_8, true)
  view.setUint16(at + 8, DATE, true)
  view.setUint32(at + 10, crc32(bytes), true)
  view.setUint32(at + 14, bytes.length, true)
  view.setUint32(at + 18, bytes.length, true)
  view.setUint16(at + 22, nameLength, true)
}

/** The image files of a dataset, in the order of its samples. */
export interface Originals {
  readonly count: number
  /** Name in the folder it came from, and the file. @throws EdgesmithError `DATASET_INVALID` */
  read(index: number): { readonly name: string; readonly bytes: Uint8Array }
  close(): void
}

/**
 * Opens an archive that {@link OriginalsWriter} wrote. Only the directory is read (some 80 bytes an image).
 * @param dataset how messages call the dataset
 * @throws EdgesmithError `DATASET_INVALID` for any other file
 */
export function openOriginals(path: string, dataset: string): Originals {
  const bytes = openFileBytes(path, `The image archive of ${dataset}`)
  const damaged = () =>
    new EdgesmithError('DATASET_INVALID', `The image archive of ${dataset} is damaged.`, { hint: 'Import the folder of images again.' })
  const part = (at: number, length: number) => {
    if (!(Number.isSafeInteger(at) && at >= 0 && length >= 0 && at + length <= bytes.length)) throw damaged()
    return bytes.read(at, length)
  }
  try {
    const tail = view(part(bytes.length - END_SIZES, END_SIZES))
    if (tail.getUint32(0, true) !== END_64) throw damaged()
    const directory = part(Number(tail.getBigUint64(48, true)), Number(tail.getBigUint64(40, true)))
    const entries = entriesOf(directory, damaged)
    if (entries.length !== Number(tail.getBigUint64(32, true))) throw damaged()
    return {
      count: entries.length,
      read: (index) => {
        const at = entries[index]
        if (at === undefined) throw new RangeError(`no image ${index}`)
        const entry = view(directory.subarray(at))
        const [size, nameLength] = [entry.getUint32(20, true), entry.getUint16(28, true)]
        const offset = Number(entry.getBigUint64(CENTRAL_SIZE + nameLength + 4, true))
        const name = new TextDecoder().decode(directory.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameLength))
        return { name, bytes: part(offset + LOCAL_SIZE + nameLength, size) }
      },
      close: () => bytes.close(),
    }
  } catch (error) {
    bytes.close()
    throw error
  }
}

/** Where each entry of the directory begins. */
function entriesOf(directory: Uint8Array, damaged: () => EdgesmithError): number[] {
  const all = view(directory)
  const places: number[] = []
  for (let at = 0; at < directory.length; ) {
    if (at + CENTRAL_SIZE > directory.length || all.getUint32(at, true) !== CENTRAL) throw damaged()
    places.push(at)
    at += CENTRAL_SIZE + all.getUint16(at + 28, true) + EXTRA_SIZE
    if (at > directory.length) throw damaged()
  }
  return places
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
