/** Largest image that is sent, in bytes; the contract takes a little more. */
export const MOST_IMAGE_BYTES = 20_000_000

/** An image file as the backend takes it. */
export interface ImageFile {
  readonly name: string
  readonly contentType: string
  readonly base64: string
}

/** Reads a file the user chose. Rejects where it cannot be read or is too large. */
export async function readImageFile(file: File): Promise<ImageFile> {
  if (file.size > MOST_IMAGE_BYTES) throw new Error(`The image has ${file.size} bytes; at most ${MOST_IMAGE_BYTES} are sent.`)
  const bytes = new Uint8Array(await file.arrayBuffer())
  let binary = ''
  // In parts, because a function takes only so many arguments.
  for (let start = 0; start < bytes.length; start += 0x8000) binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000))
  return { name: file.name, contentType: file.type || typeOfName(file.name), base64: btoa(binary) }
}

const endings: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  tif: 'image/tiff',
  tiff: 'image/tiff',
}

/** What a file is by its ending; browsers do not know all of them. */
function typeOfName(name: string): string {
  return endings[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'image/png'
}
