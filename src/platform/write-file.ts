import { randomUUID } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EdgesmithError } from '../contract/errors.ts'
import { diskFiles, replaceFile } from './durable-files.ts'
import { systemCode } from './system-code.ts'

/**
 * Writes a file so that it is there whole or not at all, also after a crash or power cut. A file that was there before is replaced; a device
 * (/dev/null) or folder is not.
 *
 * @throws EdgesmithError `FILE_NOT_WRITABLE`, `NO_SPACE`; nothing stays behind
 */
export async function writeFileWhole(path: string, bytes: Uint8Array): Promise<void> {
  // Hidden, and short enough whatever the name: the folder is the user's.
  const part = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}.part`)
  try {
    await refuseOtherThanFiles(path)
    await replaceFile(diskFiles, path, bytes, { mode: 0o666, part })
  } catch (error) {
    throw error instanceof EdgesmithError ? error : writeError(error, path)
  }
}

/** Renaming over a device would remove it, which root may do. */
async function refuseOtherThanFiles(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (!found || found.isFile() || found.isSymbolicLink()) return
  const what = found.isDirectory() ? 'a folder' : 'a device or pipe'
  throw new EdgesmithError('FILE_NOT_WRITABLE', `${path} is ${what}, expected a file name.`, { hint: 'Give the name of a file.' })
}

/** A failed write as a coded error. */
export function writeError(error: unknown, path: string): unknown {
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new EdgesmithError('NO_SPACE', `There is no space left to write ${path}.`, { hint: 'Free some disk space and try again.' })
    case 'ENOENT':
    case 'ENOTDIR':
      return new EdgesmithError('FILE_NOT_WRITABLE', `The folder of ${path} does not exist.`, { hint: 'Create the folder first.' })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new EdgesmithError('FILE_NOT_WRITABLE', `There is no right to write ${path}.`, { hint: 'Choose another folder.' })
    case 'EISDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new EdgesmithError('FILE_NOT_WRITABLE', `${path} is a folder, expected a file name.`)
    default:
      return error
  }
}
