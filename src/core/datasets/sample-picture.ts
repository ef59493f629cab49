import type { NumericType } from './numeric-array.ts'

/** A picture of 4 bytes a pixel, row by row. */
export interface RgbaPicture {
  readonly width: number
  readonly height: number
  readonly rgba: Uint8Array
}

/** How samples of an array are seen as pictures. */
export interface PictureLayout {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly channelsFirst: boolean
}

/** Smallest side of what is taken for a picture where nothing else says so. */
const SMALLEST_SIDE = 8
/** Largest side of what is taken for one. */
const LARGEST_SIDE = 8192

/**
 * How samples of that array are pictures: `[N,H,W]`, `[N,H,W,C]` or `[N,C,H,W]` of 1 or 3 channels, bytes or floating point; undefined where
 * they are none.
 * @param stored where the channels stand, when it is known; else the last axis wins where both fit
 */
export function pictureLayout(
  type: NumericType | string,
  shape: readonly number[],
  stored?: 'channels-first' | 'channels-last',
): PictureLayout | undefined {
  if (type !== 'uint8' && !type.startsWith('float')) return undefined
  const [, first = 0, second = 0, third = 0] = shape
  const sized = (width: number, height: number, channels: number, channelsFirst: boolean): PictureLayout | undefined => {
    if (channels !== 1 && channels !== 3) return undefined
    const [small, large] = [Math.min(width, height), Math.max(width, height)]
    return small >= SMALLEST_SIDE && large <= LARGEST_SIDE ? { width, height, channels, channelsFirst } : undefined
  }
  if (shape.length === 3) return sized(second, first, 1, false)
  if (shape.length !== 4) return undefined
  const last = stored === 'channels-first' ? undefined : sized(second, first, third, false)
  return last ?? (stored === 'channels-last' ? undefined : sized(third, second, first, true))
}

/** What value is black, and what value is white. */
export interface ValueRange {
  readonly black: number
  readonly white: number
}

/**
 * The range that values are shown in: 0 to 1 or 0 to 255 where all lie within, else from the smallest to the largest.
 * @param bytes the values are uint8
 */
export function shownRange(values: ArrayLike<number>, bytes: boolean): ValueRange {
  if (bytes) return { black: 0, white: 255 }
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    if (value < least) least = value
    if (value > most) most = value
  }
  if (least >= 0 && most <= 1) return { black: 0, white: 1 }
  if (least >= 0 && most <= 255) return { black: 0, white: 255 }
  return { black: least, white: most }
}

/** Values of one sample as a picture, shrunk by means of areas until no side is longer than `maxSide`. */
export function toPicture(values: ArrayLike<number>, layout: PictureLayout, range: ValueRange, maxSide: number): RgbaPicture {
  const { width, height, channels, channelsFirst } = layout
  const factor = Math.min(1, maxSide / Math.max(width, height))
  const out = { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) }
  const rgba = new Uint8Array(out.width * out.height * 4).fill(255)
  const [pixel, plane] = channelsFirst ? [1, width * height] : [channels, 1]
  const spread = 255 / (range.white - range.black || 1)
  for (let y = 0; y < out.height; y++) {
    const [top, bottom] = span(y, out.height, height)
    for (let x = 0; x < out.width; x++) {
      const [left, right] = span(x, out.width, width)
      const to = (y * out.width + x) * 4
      for (let channel = 0; channel < 3; channel++) {
        const base = channels === 1 ? 0 : channel * plane
        let sum = 0
        for (let row = top; row < bottom; row++)
          for (let column = left; column < right; column++) sum += values[base + (row * width + column) * pixel] as number
        const mean = sum / ((bottom - top) * (right - left))
        // Rounded and held within 0…255 by hand: a plain Uint8Array would wrap.
        rgba[to + channel] = Math.max(0, Math.min(255, Math.round((mean - range.black) * spread)))
      }
    }
  }
  return { ...out, rgba }
}

function span(cell: number, cells: number, size: number): [number, number] {
  const from = Math.floor((cell * size) / cells)
  return [from, Math.max(from + 1, Math.floor(((cell + 1) * size) / cells))]
}

/** Brightness of each pixel: ITU-R BT.601 luma of red, green and blue, or the only channel. */
export function brightnessOf(values: ArrayLike<number>, { width, height, channels, channelsFirst }: PictureLayout): ArrayLike<number> {
  if (channels === 1) return values
  const [pixel, plane] = channelsFirst ? [1, width * height] : [3, 1]
  const brightness = new Float32Array(width * height)
  for (let index = 0, at = 0; index < brightness.length; index++, at += pixel) {
    brightness[index] = 0.299 * (values[at] as number) + 0.587 * (values[at + plane] as number) + 0.114 * (values[at + 2 * plane] as number)
  }
  return brightness
}
