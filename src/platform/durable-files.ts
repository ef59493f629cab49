import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from './system-code.ts'

/**
 * What changes files that must survive. Nothing of it is safe from a loss of power before `syncFile` (content) and `syncFolder` (names)
 * were called; a test records the calls and rebuilds every disk that such a loss may leave.
 */
export interface DurableFiles {
  /** Makes or truncates a file. */
  write(path: string, content: string | Uint8Array, mode: number): Promise<void>
  append(path: string, text: string, mode: number): Promise<void>
  syncFile(path: string): Promise<void>
  syncFolder(path: string): Promise<void>
  /** Replaces what is there. */
  rename(from: string, to: string): Promise<void>
  /** A file or a folder with all that is in it; nothing happens where there is none. */
  remove(path: string): Promise<void>
  /** With mode 0700; nothing happens where it is. */
  makeFolder(path: string): Promise<void>
}

/** The file system. */
export const diskFiles: DurableFiles = {
  write: (path, content, mode) => put(path, content, 'w', mode),
  append: (path, text, mode) => put(path, text, 'a', mode),
  syncFile: (path) => sync(path, 'r+'),
  syncFolder,
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  makeFolder: async (path) => {
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error
    })
  },
}

async function put(path: string, content: string | Uint8Array, flag: 'w' | 'a', mode: number): Promise<void> {
  const file = await open(path, flag, mode)
  try {
    await file.writeFile(content)
  } finally {
    await file.close()
  }
}

async function sync(path: string, flag: 'r' | 'r+'): Promise<void> {
  const file = await open(path, flag)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** What opening or syncing a folder answers where that cannot be done: some network file systems, folders one may write to and not list. */
const unsyncable = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES', 'EPERM'])

/** Makes names in a folder durable. Where a folder cannot be synced it is left to the file system, as on Windows, which opens no folders. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await sync(path, 'r').catch(passOverUnsyncable)
}

function passOverUnsyncable(error: unknown): void {
  if (!unsyncable.has(systemCode(error) ?? '')) throw error
}

let parts = 0

/** How a file is replaced. */
export interface ReplaceOptions {
  readonly mode?: number
  /** Name it has while it is written; in the same folder. */
  readonly part?: string
}

/** Replaces a file so that every reader, also one after a loss of power, finds the old or the new content, whole. */
export async function replaceFile(
  files: DurableFiles,
  path: string,
  content: string | Uint8Array,
  { mode = 0o600, part = `${path}.${process.pid}-${parts++}.part` }: ReplaceOptions = {},
): Promise<void> {
  try {
    await files.write(part, content, mode)
    await files.syncFile(part)
    await files.rename(part, path)
  } catch (error) {
    await files.remove(part)
    throw error
  }
  await files.syncFolder(dirname(path))
}

/** The same without a turn of the event loop in between, for small files. */
export function replaceFileSync(path: string, content: string, mode = 0o600): void {
  const part = `${path}.${process.pid}-${parts++}.part`
  try {
    writeFileSync(part, content, { mode, flush: true })
    renameSync(part, path)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
  if (process.platform === 'win32') return
  try {
    const folder = openSync(dirname(path), 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch (error) {
    passOverUnsyncable(error)
  }
}

/** Makes a folder that is still there after a loss of power. */
export async function makeDurableFolder(files: DurableFiles, path: string): Promise<void> {
  await files.makeFolder(path)
  await files.syncFolder(dirname(path))
}
