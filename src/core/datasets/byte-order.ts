/** Elements of `width` bytes with their bytes turned round (big- to little-endian); single bytes are given back as they are. */
export function swapBytes(bytes: Uint8Array, width: number): Uint8Array {
  if (width === 1) return bytes
  const swapped = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at += width) {
    for (let index = 0; index < width; index++) swapped[at + index] = bytes[at + width - 1 - index] as number
  }
  return swapped
}
