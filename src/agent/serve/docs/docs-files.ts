import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { docsFiles } from '../../../contract/docs-files.ts'

/** A file of Swagger UI, and what its content is called by. */
interface DocsFile {
  readonly gzip: Buffer
  /** The start of its hash: another content has another address, so that browsers may keep it for ever. */
  readonly hash: string
}

/** What the page at /docs is made of. */
export interface DocsFiles {
  readonly script: DocsFile
  readonly style: DocsFile
}

/**
 * Swagger UI beside the agent, read when it is asked for first: most services never are.
 * @param folder of the agent
 */
export function docsFilesOf(folder: string): () => Promise<DocsFiles> {
  let files: Promise<DocsFiles> | null = null
  const read = async (name: string): Promise<DocsFile> => {
    const gzip = await readFile(join(folder, name))
    return { gzip, hash: createHash('sha256').update(gzip).digest('hex').slice(0, 16) }
  }
  const readAll = async () => {
    const [script, style] = await Promise.all([read(docsFiles.script), read(docsFiles.style)])
    return { script, style }
  }
  return () => {
    files ??= readAll().catch((error: unknown) => {
      // Asked again, it may be there.
      files = null
      throw error
    })
    return files
  }
}
