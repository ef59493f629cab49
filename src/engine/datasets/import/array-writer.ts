import { elementWidth, type NumericType } from '../../../core/datasets/numeric-array.ts'
import { npyHeader } from '../../../core/datasets/write-npz.ts'
import { NewFile } from './new-file.ts'

/** An array in a file of its own. */
export interface StoredArray {
  readonly name: string
  readonly type: NumericType
  /** The samples along the first axis. */
  readonly shape: readonly number[]
  readonly path: string
}

/** Rows are gathered up to this size before they are written. */
const BUFFER_BYTES = 1 << 18

/** Room for the largest number of rows, so that the header can be written again when the number is known. */
const LARGEST_COUNT = Number.MAX_SAFE_INTEGER

/** Writes an .npy file row by row: how many there will be need not be known before. Memory: one buffer. */
export class ArrayWriter {
  private readonly name: string
  private readonly type: NumericType
  private readonly sample: readonly number[]
  private readonly rowBytes: number
  private readonly headerLength: number
  private readonly buffer = new Uint8Array(BUFFER_BYTES)
  private filled = 0
  private written = 0
  private readonly file: NewFile

  /**
   * @param sample dimensions of one row
   * @throws EdgesmithError `NO_SPACE`, `FILE_NOT_WRITABLE`
   */
  constructor(path: string, name: string, type: NumericType, sample: readonly number[]) {
    this.name = name
    this.type = type
    this.sample = sample
    this.rowBytes = sample.reduce((product, dim) => product * dim, elementWidth(type))
    const header = npyHeader(type, [LARGEST_COUNT, ...sample])
    this.headerLength = header.length
    this.file = new NewFile(path)
    this.file.write(header)
  }

  /** Adds elements: whole rows when all is done, any pieces of them before. */
  write(elements: ArrayBufferView): void {
    const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)
    this.written += bytes.length
    if (this.filled + bytes.length > BUFFER_BYTES) this.flush()
    if (bytes.length > BUFFER_BYTES) {
      this.file.write(bytes)
      return
    }
    this.buffer.set(bytes, this.filled)
    this.filled += bytes.length
  }

  /** Ends the file. @throws EdgesmithError `NO_SPACE`, `FILE_NOT_WRITABLE` */
  finish(): StoredArray {
    const rows = this.rowBytes === 0 ? 0 : this.written / this.rowBytes
    if (!Number.isInteger(rows)) throw new Error(`array ${this.name}: ${this.written} bytes are no whole rows of ${this.rowBytes}`)
    const shape = [rows, ...this.sample]
    this.flush()
    this.file.write(npyHeader(this.type, shape, this.headerLength), 0)
    this.file.close()
    return { name: this.name, type: this.type, shape, path: this.file.path }
  }

  /** Gives up: the half-written file is removed. Does nothing after {@link finish}. */
  discard(): void {
    this.file.discard()
  }

  private flush(): void {
    this.file.write(this.buffer.subarray(0, this.filled))
    this.filled = 0
  }
}
