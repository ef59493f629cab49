import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { EdgesmithError } from '../../contract/errors.ts'
import { assertWritableFolder } from '../use-cases/models.ts'

/**
 * Writes a report whole or not at all: temporary name beside the target, synced, renamed.
 *
 * @throws EdgesmithError `FILE_NOT_FOUND` when the folder does not exist, `FILE_NOT_WRITABLE`
 */
export async function writeReport(path: string, text: string): Promise<{ path: string; sizeBytes: number }> {
  const target = resolve(path)
  await assertWritableFolder(dirname(target))
  const temporary = `${target}.${randomUUID()}.part`
  const bytes = Buffer.from(text, 'utf8')
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    if (error instanceof Error && 'code' in error && error.code === 'EISDIR') {
      throw new EdgesmithError('FILE_NOT_WRITABLE', `${target} is a folder`, { hint: 'Give the report a file name.' })
    }
    throw error
  }
  return { path: target, sizeBytes: bytes.length }
}
