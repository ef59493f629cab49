import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * What changes files of a service. Nothing of it is safe from a loss of power before `syncFile` (content) and `syncFolder` (names)
 * were called; a test records the calls and rebuilds every disk that such a loss may leave.
 */
export interface DurableFiles {
  /** Makes or truncates a file. */
  write(path: string, text: string, mode: number): Promise<void>
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
  write: (path, text, mode) => put(path, text, 'w', mode),
  append: (path, text, mode) => put(path, text, 'a', mode),
  syncFile: (path) => sync(path, 'r+'),
  // Windows opens no folders.
  syncFolder: async (path) => {
    if (process.platform !== 'win32') await sync(path, 'r')
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  makeFolder: async (path) => {
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  },
}

async function put(path: string, text: string, flag: 'w' | 'a', mode: number): Promise<void> {
  const file = await open(path, flag, mode)
  try {
    await file.writeFile(text)
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

let parts = 0

/** Replaces a file so that every reader, also one after a loss of power, finds the old or the new content, whole. */
export async function replaceFile(files: DurableFiles, path: string, text: string, mode = 0o600): Promise<void> {
  const part = `${path}.${process.pid}-${parts++}.part`
  try {
    await files.write(part, text, mode)
    await files.syncFile(part)
    await files.rename(part, path)
  } catch (error) {
    await files.remove(part)
    throw error
  }
  await files.syncFolder(dirname(path))
}

/** Makes a folder that is still there after a loss of power. */
export async function makeDurableFolder(files: DurableFiles, path: string): Promise<void> {
  await files.makeFolder(path)
  await files.syncFolder(dirname(path))
}
