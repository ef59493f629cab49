import { open } from 'node:fs/promises'
import { EdgesmithError } from '../../contract/errors.ts'

/** A text file; null where it is not there. @throws EdgesmithError `FILE_UNREADABLE`, `TOO_LARGE` */
export async function readIfThere(path: string, mostBytes: number): Promise<string | null> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      if (size > mostBytes) throw new EdgesmithError('TOO_LARGE', `${path} has ${size} bytes; at most ${mostBytes} are read.`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof EdgesmithError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw new EdgesmithError('FILE_UNREADABLE', `${path} cannot be read (${code}).`)
  }
}

/** First line of a file; null where it is empty or not there. @throws EdgesmithError `FILE_UNREADABLE`, `TOO_LARGE` */
export async function readLine(path: string): Promise<string | null> {
  return (await readIfThere(path, 65_536))?.split('\n', 1)[0]?.trim() || null
}
