import { EdgesmithError } from '../../contract/errors.ts'

/** What the headers of a BMP say. */
export interface BmpHeader {
  readonly width: number
  readonly height: number
  readonly bits: 1 | 4 | 8 | 24 | 32
  /** Rows from the top down; usually they come from the bottom up. */
  readonly topDown: boolean
  /** Where the pixels begin. */
  readonly offset: number
  /** Where the colours begin, how many there are and how many bytes each has; for 1, 4 and 8 bits. */
  readonly palette: { readonly offset: number; readonly count: number; readonly bytes: 3 | 4 }
  /** Byte of a 32-bit pixel that holds red, green, blue. */
  readonly order: readonly [number, number, number]
}

const FILE_HEADER = 14
/** Header sizes: OS/2 1.x, Windows 3, with masks, with masks and alpha, version 4, version 5. */
const HEADER_SIZES = [12, 40, 52, 56, 108, 124]
const BITS = [1, 4, 8, 24, 32]
const BITFIELDS = 3
const ALPHA_BITFIELDS = 6

/**
 * Reads the headers of a BMP. Source: Microsoft, "Bitmap Storage" and BITMAPINFOHEADER (learn.microsoft.com/windows/win32/gdi).
 * @param bytes the file, at least its first 138 bytes
 * @param file how messages call it
 * @throws EdgesmithError `IMAGE_UNREADABLE` for other kinds (compressed, 16 bits) and for broken headers
 */
export function parseBmpHeader(bytes: Uint8Array, file: string): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < FILE_HEADER + 12 || bytes[0] !== 0x42 || bytes[1] !== 0x4d) throw unreadable(file, 'it does not begin like a BMP')
  const size = view.getUint32(FILE_HEADER, true)
  if (!HEADER_SIZES.includes(size)) throw unreadable(file, `its header has ${size} bytes, expected one of ${HEADER_SIZES.join(', ')}`)
  if (bytes.length < FILE_HEADER + size) throw unreadable(file, `it ends in its header after ${bytes.length} bytes`)
  const old = size === 12
  const at = FILE_HEADER + 4
  const width = old ? view.getUint16(at, true) : view.getInt32(at, true)
  const signedHeight = old ? view.getUint16(at + 2, true) : view.getInt32(at + 4, true)
  const bits = view.getUint16(at + (old ? 6 : 10), true)
  const compression = old ? 0 : view.getUint32(at + 12, true)
  if (compression === 1 || compression === 2) throw unreadable(file, 'it is compressed (RLE), which is not read')
  if (!isBits(bits)) throw unreadable(file, `it has ${bits} bits a pixel, expected one of ${BITS.join(', ')}`)
  const masked = compression === BITFIELDS || compression === ALPHA_BITFIELDS
  if (compression !== 0 && !(masked && bits === 32)) throw unreadable(file, `its compression ${compression} is not read`)
  if (width < 1 || signedHeight === 0) throw unreadable(file, `its size is ${width} × ${Math.abs(signedHeight)}`)
  const masksAt = FILE_HEADER + 40
  if (masked && bytes.length < masksAt + 12) throw unreadable(file, `it ends in its header after ${bytes.length} bytes`)
  const masks = [0, 1, 2].map((index) => (masked ? view.getUint32(masksAt + 4 * index, true) : [0xff0000, 0xff00, 0xff][index]) ?? 0)
  const order = masks.map((mask) => [0xff, 0xff00, 0xff0000, 0xff000000].indexOf(mask))
  if (order.includes(-1)) throw unreadable(file, 'its colours do not lie in bytes of their own')
  const stated = old ? 0 : view.getUint32(at + 28, true)
  const colours = bits <= 8 ? stated || 2 ** bits : 0
  if (colours > 256) throw unreadable(file, `its palette has ${colours} colours`)
  return {
    width,
    height: Math.abs(signedHeight),
    bits,
    topDown: signedHeight < 0,
    offset: view.getUint32(10, true),
    palette: { offset: FILE_HEADER + size, count: colours, bytes: old ? 3 : 4 },
    order: order as [number, number, number],
  }
}

/**
 * The pixels of a BMP, 3 bytes each, red first, rows from the top; alpha is left out.
 * @throws EdgesmithError `IMAGE_UNREADABLE` also when it ends early or names a colour its palette does not have
 */
export function decodeBmp(bytes: Uint8Array, file: string): { width: number; height: number; rgb: Uint8Array } {
  const header = parseBmpHeader(bytes, file)
  const { width, height, bits, topDown, offset } = header
  // Rows are padded to 4 bytes.
  const stride = Math.ceil((width * bits) / 32) * 4
  if (offset < FILE_HEADER || offset + stride * height > bytes.length) {
    throw unreadable(
      file,
      `its ${width} × ${height} pixels need ${stride * height} bytes from byte ${offset} on, and it has ${bytes.length} bytes`,
    )
  }
  const rgb = new Uint8Array(width * height * 3)
  const putRow = bits <= 8 ? paletteRows(bytes, header, file) : plainRows(bytes, header)
  for (let row = 0; row < height; row++) {
    const y = topDown ? row : height - 1 - row
    putRow(offset + row * stride, rgb.subarray(y * width * 3, (y + 1) * width * 3))
  }
  return { width, height, rgb }
}

type PutRow = (from: number, target: Uint8Array) => void

function plainRows(bytes: Uint8Array, { bits, order }: BmpHeader): PutRow {
  const step = bits / 8
  const [red, green, blue] = bits === 24 ? [2, 1, 0] : order
  return (from, target) => {
    for (let to = 0, at = from; to < target.length; to += 3, at += step) {
      target[to] = bytes[at + red] as number
      target[to + 1] = bytes[at + green] as number
      target[to + 2] = bytes[at + blue] as number
    }
  }
}

function paletteRows(bytes: Uint8Array, { bits, palette }: BmpHeader, file: string): PutRow {
  const { offset, count, bytes: entry } = palette
  if (offset + count * entry > bytes.length) throw unreadable(file, `it ends in its palette after ${bytes.length} bytes`)
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  return (from, target) => {
    for (let x = 0; x * 3 < target.length; x++) {
      const shift = 8 - bits * ((x % perByte) + 1)
      const colour = ((bytes[from + Math.floor(x / perByte)] as number) >> shift) & mask
      if (colour >= count) throw unreadable(file, `a pixel has colour ${colour}, and its palette has ${count}`)
      const at = offset + colour * entry
      target[x * 3] = bytes[at + 2] as number
      target[x * 3 + 1] = bytes[at + 1] as number
      target[x * 3 + 2] = bytes[at] as number
    }
  }
}

function isBits(bits: number): bits is BmpHeader['bits'] {
  return BITS.includes(bits)
}

function unreadable(file: string, problem: string): EdgesmithError {
  return new EdgesmithError('IMAGE_UNREADABLE', `${file} cannot be read as BMP: ${problem}.`, {
    hint: 'Save it as PNG, or leave it out.',
  })
}
