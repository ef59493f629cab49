import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { EdgesmithError } from '../contract/errors.ts'
import { systemCode } from './system-code.ts'

/**
 * Opens a regular file for reading. Directories, pipes and devices are refused (a pipe would block for ever).
 * @param name how messages call it
 * @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`
 */
export async function openFile(path: string, name: string): Promise<{ file: FileHandle; sizeBytes: number }> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw readError(error, name)
  }
  try {
    const stat = await file.stat()
    if (!stat.isFile()) {
      const what = stat.isDirectory() ? 'a folder' : 'not a regular file'
      throw new EdgesmithError('FILE_UNREADABLE', `${name} is ${what}, expected a file.`, { hint: 'Choose the file itself.' })
    }
    return { file, sizeBytes: stat.size }
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * The whole of a file.
 * @param limitBytes files over this are refused before anything is read
 * @param tooLargeHint what to do about one that is over it
 * @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `TOO_LARGE`
 */
export async function readWholeFile(path: string, name: string, limitBytes: number, tooLargeHint?: string): Promise<Uint8Array> {
  const { file, sizeBytes } = await openFile(path, name)
  try {
    if (sizeBytes > limitBytes) {
      throw new EdgesmithError('TOO_LARGE', `${name} has ${sizeBytes} bytes, at most ${limitBytes} can be read.`, {
        hint: tooLargeHint,
        details: { foundBytes: sizeBytes, limitBytes },
      })
    }
    const bytes = new Uint8Array(sizeBytes)
    const read = await readRange(file, 0, bytes)
    // Somebody shortened it meanwhile: what is there is all there is.
    return read === sizeBytes ? bytes : bytes.slice(0, read)
  } catch (error) {
    throw error instanceof EdgesmithError ? error : readError(error, name)
  } finally {
    await file.close()
  }
}

/** A text file; null where it is not there. @throws EdgesmithError `FILE_UNREADABLE`, `TOO_LARGE` */
export async function readIfThere(path: string, mostBytes: number): Promise<string | null> {
  try {
    const bytes = await readWholeFile(path, path, mostBytes)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  } catch (error) {
    if (error instanceof EdgesmithError && error.code === 'FILE_NOT_FOUND') return null
    throw error
  }
}

/** First line of a file; null where it is empty or not there. @throws EdgesmithError `FILE_UNREADABLE`, `TOO_LARGE` */
export async function readLine(path: string): Promise<string | null> {
  return (await readIfThere(path, 65_536))?.split('\n', 1)[0]?.trim() || null
}

/** Fills `bytes` from `position` on; returns how many there were. One read call takes at most 2 GiB. */
export async function readRange(file: FileHandle, position: number, bytes: Uint8Array): Promise<number> {
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, 1 << 30), position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

/** A failed open or read as a coded error. */
export function readError(error: unknown, name: string): unknown {
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new EdgesmithError('FILE_NOT_FOUND', `${name} does not exist.`, { hint: 'Check the path.' })
    case 'EACCES':
    case 'EPERM':
      return new EdgesmithError('FILE_UNREADABLE', `There is no right to read ${name}.`, {
        hint: 'Give yourself read permission (chmod u+r).',
      })
    case 'EISDIR':
      return new EdgesmithError('FILE_UNREADABLE', `${name} is a folder, expected a file.`, { hint: 'Choose the file itself.' })
    case undefined:
      return error
    default:
      return new EdgesmithError('FILE_UNREADABLE', `${name} cannot be read: ${(error as Error).message}.`)
  }
}
