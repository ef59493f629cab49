import sharp, { type Metadata, type Sharp } from 'sharp'
import type { ImageSteps, Picture } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { decodeBmp, parseBmpHeader } from './bmp.ts'

/** Kinds of image files that are read, by the endings of their names. */
export const IMAGE_ENDINGS = /\.(?:jpe?g|png|webp|bmp)$/i

/** Largest image: 100 megapixels, 300 MB decoded. Cameras of phones make 50 to 108. */
const MAX_PIXELS = 110_000_000
/** Images that are worth decoding beside each other: as many as Node.js has threads for it. */
export const IMAGES_AT_ONCE = 4
/** Largest image file. */
export const MAX_IMAGE_BYTES = 256 * 2 ** 20

// Only what is asked for is decoded: an SVG that calls itself a PNG would otherwise be rendered.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({ operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp'] })
// Images are worked on beside each other; threads within one gain nothing then. Nothing is read twice.
sharp.concurrency(1)
sharp.cache(false)

/** What is known of an image without decoding it. */
export interface ImageFacts {
  /** Upright, as cameras note it. */
  readonly width: number
  readonly height: number
  readonly grey: boolean
}

/**
 * Size and colour of an image file.
 * @param file how messages call it
 * @throws EdgesmithError `IMAGE_UNREADABLE`, `TOO_LARGE`
 */
export async function imageFacts(bytes: Uint8Array, file: string, mostPixels = MAX_PIXELS): Promise<ImageFacts> {
  if (kindOf(bytes, file) === 'bmp') {
    const { width, height } = parseBmpHeader(bytes, file)
    requireSize(width, height, mostPixels, file)
    return { width, height, grey: false }
  }
  const found = await guarded(file, () => loader(bytes).metadata())
  requireSize(found.width, found.height, mostPixels, file)
  return { ...upright(found), grey: found.space === 'b-w' || found.channels < 3 }
}

/**
 * An image file as pixels of one size: turned upright, resized and cut, alpha left out.
 * Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded as Pillow's convert("L") does it.
 *
 * @param mostPixels larger images are refused before they are decoded
 * @param known of {@link imageFacts} where it was asked before, so that the header is not read twice
 * @returns width × height × 3 bytes (grey: × 1), rows from the top
 * @throws EdgesmithError `IMAGE_UNREADABLE`, `TOO_LARGE`; `USAGE` for steps that contradict themselves
 */
export async function imagePixels(
  bytes: Uint8Array,
  steps: ImageSteps,
  file: string,
  mostPixels = MAX_PIXELS,
  known?: ImageFacts,
): Promise<Uint8Array> {
  const facts = known ?? (await imageFacts(bytes, file, mostPixels))
  const resized = await open(bytes, file, async (image) => raw(resize(image, facts, steps)))
  const rgb = threeChannels(resized.pixels, resized.channels)
  if (rgb.length !== steps.width * steps.height * 3) throw new Error(`${file}: ${rgb.length} bytes`)
  return steps.colour === 'grey' ? greyOf(rgb) : rgb
}

/** A small picture of a whole image, no side longer than `maxSide`; small images stay as they are. @throws EdgesmithError `IMAGE_UNREADABLE` */
export async function imageThumbnail(bytes: Uint8Array, maxSide: number, file: string): Promise<Picture> {
  // Too large an image is refused before it is decoded.
  await imageFacts(bytes, file)
  const { pixels, channels, width, height } = await open(bytes, file, async (image) =>
    raw(image.resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })),
  )
  const rgb = threeChannels(pixels, channels)
  const rgba = new Uint8Array(width * height * 4).fill(255)
  for (let index = 0; index < width * height; index++) rgba.set(rgb.subarray(index * 3, index * 3 + 3), index * 4)
  return { width, height, rgba }
}

/** Checks that the steps can be done. @throws EdgesmithError `USAGE` */
export function checkImageSteps({ resize: mode, shortSide, width, height }: ImageSteps): void {
  if (mode !== 'short-side' || shortSide === undefined || shortSide >= Math.max(width, height)) return
  throw new EdgesmithError(
    'USAGE',
    `The preprocessing resizes the shorter side to ${shortSide} and then cuts ${width} × ${height}, which is more.`,
    {
      hint: 'Give a shortSide of at least width and height.',
    },
  )
}

function resize(image: Sharp, { width: from, height: high }: ImageFacts, steps: ImageSteps): Sharp {
  const { width, height, filter: kernel } = steps
  const [r, g, b] = steps.pad
  // Shrinking while a JPEG is decoded would be faster, and gives other pixels than every other tool.
  const common = { kernel, fastShrinkOnLoad: false } as const
  switch (steps.resize) {
    case 'stretch':
      return image.resize({ ...common, width, height, fit: 'fill' })
    case 'cover':
      return image.resize({ ...common, width, height, fit: 'cover', position: 'centre' })
    case 'contain':
      return image.resize({ ...common, width, height, fit: 'contain', background: { r, g, b, alpha: 1 } })
    case 'short-side': {
      checkImageSteps(steps)
      const side = steps.shortSide ?? defaultShortSide(steps)
      // As torchvision: the longer side is cut to whole pixels, the middle is rounded.
      const long = Math.floor((side * Math.max(from, high)) / Math.min(from, high))
      const [wide, tall] = from <= high ? [side, long] : [long, side]
      const middle = (size: number, cut: number) => Math.round((size - cut) / 2)
      return image
        .resize({ ...common, width: wide, height: tall, fit: 'fill' })
        .extract({ left: middle(wide, width), top: middle(tall, height), width, height })
    }
  }
}

/** 256 for 224, as ImageNet networks are evaluated. */
function defaultShortSide({ width, height }: ImageSteps): number {
  return Math.round((Math.max(width, height) * 256) / 224)
}

interface RawPixels {
  readonly pixels: Uint8Array
  readonly channels: number
  readonly width: number
  readonly height: number
}

async function raw(image: Sharp): Promise<RawPixels> {
  const { data, info } = await image.toColourspace('srgb').removeAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  // No Buffer: its slice() is a view, and whoever copies pixels before he gives them away counts on a copy.
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length)
  return { pixels, channels: info.channels, width: info.width, height: info.height }
}

async function open<T>(bytes: Uint8Array, file: string, work: (image: Sharp) => Promise<T>): Promise<T> {
  if (kindOf(bytes, file) === 'bmp') {
    const { width, height, rgb } = decodeBmp(bytes, file)
    return work(sharp(rgb, { raw: { width, height, channels: 3 }, limitInputPixels: MAX_PIXELS }))
  }
  return guarded(file, () => work(loader(bytes).autoOrient()))
}

function loader(bytes: Uint8Array): Sharp {
  // Warnings are about what cameras write; what is truncated or damaged is an error.
  return sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error', sequentialRead: true, pages: 1 })
}

function upright({ width, height, orientation }: Metadata): { width: number; height: number } {
  // EXIF orientations 5 to 8 lie on their side.
  return (orientation ?? 1) >= 5 ? { width: height, height: width } : { width, height }
}

function kindOf(bytes: Uint8Array, file: string): 'jpeg' | 'png' | 'webp' | 'bmp' {
  const starts = (at: number, text: string) => text === String.fromCharCode(...bytes.subarray(at, at + text.length))
  if (bytes.length === 0) throw unreadable(file, 'it is empty (0 bytes)')
  if (starts(0, '\xff\xd8\xff')) return 'jpeg'
  if (starts(0, '\x89PNG\r\n\x1a\n')) return 'png'
  if (starts(0, 'RIFF') && starts(8, 'WEBP')) return 'webp'
  if (starts(0, 'BM')) return 'bmp'
  throw unreadable(file, 'expected a JPEG, PNG, WebP or BMP, found something else')
}

function requireSize(width: number, height: number, mostPixels: number, file: string): void {
  if (width * height <= mostPixels) return
  throw new EdgesmithError('TOO_LARGE', `${file} has ${width} × ${height} pixels, at most ${mostPixels} are read.`, {
    hint: 'Make it smaller, or leave it out.',
    details: { width, height, limitPixels: mostPixels },
  })
}

async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof EdgesmithError || !(error instanceof Error)) throw error
    if (/pixel limit/i.test(error.message)) {
      throw new EdgesmithError('TOO_LARGE', `${file} has more than ${MAX_PIXELS} pixels.`, { hint: 'Make it smaller, or leave it out.' })
    }
    // The library puts its own words on several lines.
    throw unreadable(file, (error.message.split('\n')[0] ?? '').slice(0, 200).replace(/[\s.:;]+$/, ''))
  }
}

function unreadable(file: string, problem: string): EdgesmithError {
  return new EdgesmithError('IMAGE_UNREADABLE', `${file} cannot be read: ${problem}.`, {
    hint: 'JPEG, PNG, WebP and BMP are read. Repair the file, or leave it out.',
  })
}

function threeChannels(pixels: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return pixels
  const rgb = new Uint8Array((pixels.length / channels) * 3)
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += 3) {
    for (let channel = 0; channel < 3; channel++) rgb[to + channel] = pixels[from + (channels >= 3 ? channel : 0)] as number
  }
  return rgb
}

function greyOf(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3)
  for (let index = 0; index < grey.length; index++) {
    const [r, g, b] = [rgb[index * 3] as number, rgb[index * 3 + 1] as number, rgb[index * 3 + 2] as number]
    grey[index] = (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16
  }
  return grey
}
