import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { writeError } from '../../../platform/write-file.ts'

/** Node.js writes less than 2 GiB at once. */
const WRITE_BYTES = 1 << 30

/** A file that is written from its beginning on and must not exist before. What fails removes the half-written file. */
export class NewFile {
  readonly path: string
  private file: number | undefined

  /** @throws EdgesmithError `NO_SPACE`, `FILE_NOT_WRITABLE`, as {@link write} does */
  constructor(path: string) {
    this.path = path
    this.guarded(() => {
      this.file = openSync(path, 'wx', 0o600)
    })
  }

  /** @param position where the bytes go; null: behind what was written so */
  write(bytes: Uint8Array, position: number | null = null): void {
    this.guarded(() => {
      for (let done = 0; done < bytes.length; ) {
        const at = position === null ? null : position + done
        done += writeSync(this.file as number, bytes, done, Math.min(bytes.length - done, WRITE_BYTES), at)
      }
    })
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file)
    this.file = undefined
  }

  /** Gives up: the file is removed. Does nothing after {@link close}. */
  discard(): void {
    if (this.file === undefined) return
    this.close()
    rmSync(this.path, { force: true })
  }

  private guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.discard()
      throw writeError(error, this.path)
    }
  }
}
