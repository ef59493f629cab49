import { createHash } from 'node:crypto'

/** SHA-256 of bytes, lower-case hex. */
export function sha256Of(bytes: Uint8Array): string {
  // One update call takes at most 2 GiB.
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += 1 << 30) hash.update(bytes.subarray(at, at + (1 << 30)))
  return hash.digest('hex')
}
