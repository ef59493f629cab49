import { dirname, resolve } from 'node:path'
import { writeFileWhole } from '../../platform/write-file.ts'
import { assertWritableFolder } from '../use-cases/models.ts'

/**
 * Writes a report whole or not at all.
 *
 * @param content text (UTF-8) or bytes
 * @throws EdgesmithError `FILE_NOT_FOUND` when the folder does not exist, `FILE_NOT_WRITABLE`, `NO_SPACE`
 */
export async function writeReport(path: string, content: string | Uint8Array): Promise<{ path: string; sizeBytes: number }> {
  const target = resolve(path)
  await assertWritableFolder(dirname(target))
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
  await writeFileWhole(target, bytes)
  return { path: target, sizeBytes: bytes.length }
}
