import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { EdgesmithError } from '../../contract/errors.ts'
import { swapBytes } from '../../core/datasets/byte-order.ts'
import { DATASET_LIMITS } from '../../core/datasets/limits.ts'
import { describeDescr, NPY_PREFIX, type NpyHeader, npyHeaderEnd, parseNpy, parseNpyHeader } from '../../core/datasets/npy.ts'
import {
  type ArrayReader,
  countOf,
  type Elements,
  elementWidth,
  type NumericArray,
  readBytes,
  readElements,
} from '../../core/datasets/numeric-array.ts'
import { readError } from '../../platform/read-file.ts'

/** An .npy file that is read piece by piece. All reading is synchronous, so that a batch can be made where it is needed. */
export interface ArrayFile extends ArrayReader {
  /** Bytes of the whole file. */
  readonly sizeBytes: number
  /** Elements `fromElement` … `fromElement + count − 1`, an aligned copy. */
  read(fromElement: number, count: number): Elements
  /** Elements of the rows `from` … `from + count − 1` along the first axis. */
  readRows(from: number, count: number): Elements
  /** Frees the file; closing twice does nothing. */
  close(): void
}

/**
 * Read ahead that much where small pieces are asked for one after another: a system call for each row of a table would cost more than
 * the row. Larger windows are no faster, and a slow card reads this in some milliseconds.
 */
const WINDOW_BYTES = 256 * 1024
/** Pieces of this size and more gain nothing from the window. */
const DIRECT_BYTES = WINDOW_BYTES / 8

/**
 * Opens an .npy file and checks its length against its header. Memory: one window of 256 KiB and what is asked for; a column-major
 * (Fortran) array of two and more dimensions is held in memory whole, because its rows lie scattered over the file.
 *
 * @param name how messages call the array
 * @throws EdgesmithError, CoreError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `DATASET_INVALID` (malformed, or of another length than its
 *   header says), `DATASET_TYPE` for elements that are not numbers, `TOO_LARGE`
 */
export function openArrayFile(path: string, name: string): ArrayFile {
  const file = openRegularFile(path, name)
  try {
    const { size } = fstatSync(file)
    const header = readHeader(file, size, name)
    if (!header.type) {
      throw new EdgesmithError('DATASET_TYPE', `${name} holds ${describeDescr(header.descr)}, expected numbers.`, {
        hint: 'Save the array as numbers, for example with array.astype("float32").',
      })
    }
    const found = size - header.offset
    if (found !== header.byteLength) {
      throw new EdgesmithError(
        'DATASET_INVALID',
        `${name} cannot be read: its shape [${header.shape.join(',')}] and type ${header.type} need ${header.byteLength} bytes from byte ${header.offset} on, found ${found}.`,
        {
          hint: 'The file was cut or changed: write or copy it again, then import the dataset again.',
          details: { expected: header.byteLength, found },
        },
      )
    }
    if (header.fortranOrder && header.shape.length > 1) {
      // Read whole by the same code as a file that was given directly; its limit on memory is checked before anything is allocated.
      parseNpyHeader(readExactly(file, 0, header.offset, name), name)
      return inMemory(parseNpy(readExactly(file, 0, size, name), name), name, size, file)
    }
    return new StreamedArray(file, { ...header, type: header.type }, name, size)
  } catch (error) {
    closeSync(file)
    throw error
  }
}

function openRegularFile(path: string, name: string): number {
  let file: number
  try {
    // Not to block on a pipe.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    throw readError(error, name)
  }
  if (fstatSync(file).isFile()) return file
  closeSync(file)
  throw new EdgesmithError('FILE_UNREADABLE', `${name} is not a regular file.`, { hint: 'Choose the file itself.' })
}

function readHeader(file: number, size: number, name: string): NpyHeader {
  const prefix = readExactly(file, 0, Math.min(size, NPY_PREFIX), name)
  const end = npyHeaderEnd(prefix, name)
  return parseNpyHeader(readExactly(file, 0, Math.min(size, end), name), name, DATASET_LIMITS.arrayFileBytes)
}

function readExactly(file: number, position: number, length: number, name: string): Uint8Array {
  const bytes = new Uint8Array(length)
  fill(file, bytes, position, name)
  return bytes
}

function fill(file: number, target: Uint8Array, position: number, name: string): void {
  let done = 0
  while (done < target.length) {
    let read: number
    try {
      read = readSync(file, target, done, Math.min(target.length - done, 1 << 30), position + done)
    } catch (error) {
      throw readError(error, name)
    }
    if (read === 0) {
      throw new EdgesmithError(
        'DATASET_INVALID',
        `${name} ends at byte ${position + done}, expected ${position + target.length} bytes at least.`,
        {
          hint: 'The file was cut while it was read. Import the dataset again.',
        },
      )
    }
    done += read
  }
}

class StreamedArray implements ArrayFile {
  readonly name: string
  readonly type: NumericArray['type']
  readonly shape: readonly number[]
  readonly sizeBytes: number
  private readonly file: number
  private readonly header: NpyHeader
  private readonly width: number
  private readonly perRow: number
  private closed = false
  private window: Uint8Array | undefined
  /** Bytes of the elements that the window holds: from, to. */
  private held: readonly [number, number] = [0, 0]
  /** Where the last read ended: reading on from there is worth reading ahead. */
  private lastEnd = 0

  constructor(file: number, header: NpyHeader & Pick<NumericArray, 'type'>, name: string, sizeBytes: number) {
    this.file = file
    this.header = header
    this.name = name
    this.type = header.type
    this.shape = header.shape
    this.sizeBytes = sizeBytes
    this.width = elementWidth(header.type)
    this.perRow = countOf(header.shape.slice(1))
  }

  read(fromElement: number, count: number): Elements {
    return readElements(this, fromElement, count)
  }

  readRows(from: number, count: number): Elements {
    return this.read(from * this.perRow, count * this.perRow)
  }

  readInto(target: Uint8Array, from: number): void {
    if (this.closed) throw new Error(`${this.name} is closed`)
    const start = from * this.width
    const end = start + target.length
    if (!(Number.isInteger(from) && start >= 0 && end <= this.header.byteLength)) throw new RangeError(`no elements from ${from} on`)
    if (target.length === 0) return
    if (target.length >= DIRECT_BYTES || !this.fromWindow(target, start, end)) {
      fill(this.file, target, this.header.offset + start, this.name)
    }
    this.lastEnd = end
    if (this.header.bigEndian) target.set(swapBytes(target, this.width))
  }

  close(): void {
    if (!this.closed) closeSync(this.file)
    this.closed = true
    this.window = undefined
  }

  /** False where the bytes are neither held nor close behind the last ones. */
  private fromWindow(target: Uint8Array, start: number, end: number): boolean {
    let [from, to] = this.held
    if (start < from || end > to) {
      const ahead = start - this.lastEnd
      if (ahead < 0 || ahead > WINDOW_BYTES) return false
      this.window ??= new Uint8Array(WINDOW_BYTES)
      this.held = [0, 0]
      from = start
      to = Math.min(start + WINDOW_BYTES, this.header.byteLength)
      fill(this.file, this.window.subarray(0, to - from), this.header.offset + from, this.name)
      this.held = [from, to]
    }
    target.set((this.window as Uint8Array).subarray(start - from, end - from))
    return true
  }
}

/** An array that had to be read whole. */
function inMemory(array: NumericArray, name: string, sizeBytes: number, file: number): ArrayFile {
  closeSync(file)
  const { type, shape } = array
  const perRow = countOf(shape.slice(1))
  const read = (from: number, count: number) => readElements(array, from, count)
  return {
    name,
    type,
    shape,
    sizeBytes,
    readInto: (target, from) => readBytes(array, target, from),
    read,
    readRows: (from, count) => read(from * perRow, count * perRow),
    close: () => {},
  }
}
