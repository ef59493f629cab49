import { randomUUID } from 'node:crypto'
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EdgesmithError } from '../../contract/errors.ts'
import { systemCode } from './read-file.ts'

/**
 * Writes a file so that it is there whole or not at all, also after a crash or power cut: a temporary name in the same folder, synced,
 * renamed, and the folder synced. A file that was there before is replaced; a device (/dev/null) or folder is not.
 *
 * @throws EdgesmithError `FILE_NOT_WRITABLE`, `NO_SPACE`; nothing stays behind
 */
export async function writeFileWhole(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path).slice(0, 100)}.${randomUUID()}.part`)
  try {
    await refuseOtherThanFiles(path)
    await syncedWrite(temporary, bytes)
    await rename(temporary, path)
    await syncFolder(folder)
  } catch (error) {
    if (error instanceof EdgesmithError) throw error
    await rm(temporary, { force: true }).catch(() => undefined)
    throw writeError(error, path)
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

async function syncedWrite(path: string, bytes: Uint8Array): Promise<void> {
  const file: FileHandle = await open(path, 'wx')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes the rename itself durable. Windows cannot open folders; there the file system does it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  if (!handle) return
  try {
    await handle.sync()
  } catch {
    // Some network file systems cannot sync a folder.
  } finally {
    await handle.close()
  }
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
