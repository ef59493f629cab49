import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { EdgesmithError } from '../../../contract/errors.ts'
import type { ByteSource } from '../../../core/datasets/zip.ts'
import { readError } from '../../../platform/read-file.ts'

/** Small pieces are cut from a window of this size: the directory of an archive is read two and four bytes at a time. */
const WINDOW_BYTES = 1 << 16

/** A file whose bytes are read where they are needed. */
export interface FileBytes extends ByteSource {
  close(): void
}

/**
 * Opens a file for reading at random.
 * @param name how messages call it
 * @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`
 */
export function openFileBytes(path: string, name: string): FileBytes {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw readError(error, name)
  }
  const { size } = fstatSync(file)
  const window = new Uint8Array(WINDOW_BYTES)
  let [from, to] = [0, 0]
  const fill = (target: Uint8Array, at: number) => {
    for (let done = 0; done < target.length; ) {
      const read = readSync(file, target, done, target.length - done, at + done)
      if (read === 0) throw new EdgesmithError('FILE_UNREADABLE', `${name} was cut while it was read.`, { hint: 'Copy it again.' })
      done += read
    }
    return target
  }
  return {
    length: size,
    read: (at, length) => {
      if (length > WINDOW_BYTES) return fill(new Uint8Array(length), at)
      if (at < from || at + length > to) {
        from = at
        to = Math.min(size, at + WINDOW_BYTES)
        fill(window.subarray(0, to - from), from)
      }
      return window.slice(at - from, at - from + length)
    },
    close: () => closeSync(file),
  }
}
