import { statfs } from 'node:fs/promises'
import { EdgesmithError } from '../../../contract/errors.ts'

/** Left free for everything else on the disk. */
const SPARE_BYTES = 256 * 2 ** 20

/**
 * Refuses what will not fit on the disk before it fills it: a small archive may hold a very large array.
 * @throws EdgesmithError `NO_SPACE`
 */
export async function requireRoom(folder: string, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (bytes + SPARE_BYTES <= free) return
  throw new EdgesmithError('NO_SPACE', `${what} unpacks to ${bytes} bytes, and ${free} are free on the disk of the workspace.`, {
    hint: 'Free some disk space, or import fewer samples.',
    details: { neededBytes: bytes, freeBytes: free },
  })
}
