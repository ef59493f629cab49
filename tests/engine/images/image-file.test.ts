import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import type { ImageSteps } from '../../../src/contract/dataset.ts'
import { decodeBmp } from '../../../src/engine/images/bmp.ts'
import { imageFacts, imagePixels, imageThumbnail } from '../../../src/engine/images/image-file.ts'

interface Expected {
  readonly width: number
  readonly height: number
  readonly rgb: number[]
  readonly grey: number[]
  readonly half: number[]
}

const folder = join(import.meta.dirname, 'fixtures')
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(folder, name)))
// Every 37th value of the pixels and every 11th of a smaller picture, as Pillow reads and makes them: fixtures/make-images.py.
const golden = JSON.parse(readFileSync(join(folder, 'images.json'), 'utf8')) as Readonly<Record<string, Expected>>
const names = Object.keys(golden)

const steps = (width: number, height: number, more: Partial<ImageSteps> = {}): ImageSteps => ({
  width,
  height,
  resize: 'stretch',
  filter: 'linear',
  colour: 'rgb',
  pad: [0, 0, 0],
  ...more,
})
const every = (values: Uint8Array, step: number) => Array.from(values).filter((_, index) => index % step === 0)
const furthest = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, index) => Math.abs(value - (b[index] as number))))

describe.each(names)('%s', (name) => {
  const { width, height, rgb, grey, half } = golden[name] as Expected
  // Two JPEG decoders may round differently; everything else is exact.
  const off = name.endsWith('.jpg') ? 2 : 0

  test('has the pixels that Pillow reads', async () => {
    expect(await imageFacts(bytesOf(name), name)).toMatchObject({ width, height })
    const pixels = await imagePixels(bytesOf(name), steps(width, height), name)
    expect(pixels).toHaveLength(width * height * 3)
    // A copy of a Buffer's slice() would be no copy.
    expect(Buffer.isBuffer(pixels)).toBe(false)
    expect(furthest(every(pixels, 37), rgb)).toBeLessThanOrEqual(off)
    const alone = await imagePixels(bytesOf(name), steps(width, height, { colour: 'grey' }), name)
    expect(alone).toHaveLength(width * height)
    expect(furthest(every(alone, 37), grey)).toBeLessThanOrEqual(off)
  })

  // Pillow resizes palettes by index, which is no picture to compare with.
  if (/two|palette/.test(name)) return
  test('is made smaller as Pillow does it', async () => {
    const pixels = await imagePixels(bytesOf(name), steps(width > height ? 24 : 15, width > height ? 15 : 24), name)
    expect(furthest(every(pixels, 11), half)).toBeLessThanOrEqual(3)
  })
})

/** A picture whose left third is red, middle green, right blue. */
const stripes = (width: number, height: number) =>
  sharp(
    Uint8Array.from({ length: width * height * 3 }, (_, index) =>
      Math.floor((Math.floor(index / 3) % width) / (width / 3)) === index % 3 ? 255 : 0,
    ),
    { raw: { width, height, channels: 3 } },
  )
    .png()
    .toBuffer()
const pixelAt = (pixels: Uint8Array, width: number, x: number, y: number) => [
  ...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
]

describe('the geometry', () => {
  test('cover fills the frame and cuts what sticks out', async () => {
    const pixels = await imagePixels(await stripes(90, 30), steps(30, 30, { resize: 'cover' }), 'stripes.png')
    for (const x of [0, 15, 29]) expect(pixelAt(pixels, 30, x, 15)).toEqual([0, 255, 0])
  })

  test('contain keeps all of it and pads', async () => {
    const pixels = await imagePixels(await stripes(90, 30), steps(30, 30, { resize: 'contain', pad: [9, 8, 7] }), 'stripes.png')
    expect(pixelAt(pixels, 30, 0, 0)).toEqual([9, 8, 7])
    expect(pixelAt(pixels, 30, 15, 29)).toEqual([9, 8, 7])
    expect([5, 15, 25].map((x) => pixelAt(pixels, 30, x, 15).indexOf(255))).toEqual([0, 1, 2])
  })

  test('short-side resizes the shorter side and takes the middle', async () => {
    // 90 × 30 → 60 × 20, the middle 12 × 12 of it is green.
    const pixels = await imagePixels(await stripes(90, 30), steps(12, 12, { resize: 'short-side', shortSide: 20 }), 'stripes.png')
    for (const x of [0, 6, 11]) expect(pixelAt(pixels, 12, x, 6)).toEqual([0, 255, 0])
    await expect(imagePixels(await stripes(9, 3), steps(12, 12, { resize: 'short-side', shortSide: 8 }), 's.png')).rejects.toMatchObject({
      code: 'USAGE',
    })
  })

  test('alpha is left out', async () => {
    const clear = await sharp({ create: { width: 8, height: 8, channels: 4, background: { r: 200, g: 100, b: 50, alpha: 1 } } })
      .png()
      .toBuffer()
    expect(pixelAt(await imagePixels(clear, steps(8, 8), 'clear.png'), 8, 3, 3)).toEqual([200, 100, 50])
  })

  test('a thumbnail keeps the shape', async () => {
    expect(await imageThumbnail(await stripes(300, 100), 96, 's.png')).toMatchObject({ width: 96, height: 32 })
    const small = await imageThumbnail(await stripes(9, 3), 96, 's.png')
    expect(small).toMatchObject({ width: 9, height: 3 })
    expect([...small.rgba.subarray(0, 4)]).toEqual([255, 0, 0, 255])
  })
})

describe('what cannot be read', () => {
  const png = () => bytesOf('colour.png')
  test.each<[string, () => Uint8Array, RegExp]>([
    ['nothing', () => new Uint8Array(), /a\.img cannot be read: it is empty/],
    ['text', () => Buffer.from('hello'), /expected a JPEG, PNG, WebP or BMP/],
    ['an SVG', () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), /expected a JPEG/],
    ['a GIF', () => Buffer.from('GIF89a\u0001\u0000\u0001\u0000', 'latin1'), /expected a JPEG/],
    ['half a PNG', () => png().subarray(0, 300), /a\.img cannot be read/],
    ['half a JPEG', () => bytesOf('plain.jpg').subarray(0, 700), /a\.img cannot be read/],
    ['half a WebP', () => bytesOf('colour.webp').subarray(0, 200), /a\.img cannot be read/],
    ['a PNG header alone', () => png().subarray(0, 8), /a\.img cannot be read/],
    ['half a BMP', () => bytesOf('colour-24.bmp').subarray(0, 2000), /its 47 × 30 pixels need 4320 bytes from byte 54 on, and it has 2000/],
    ['a BMP header alone', () => bytesOf('colour-24.bmp').subarray(0, 20), /cannot be read as BMP/],
  ])('%s', async (_, bytes, message) => {
    await expect(imagePixels(bytes(), steps(8, 8), 'a.img')).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      message: expect.stringMatching(message),
    })
  })

  test('a PNG that unpacks to more pixels than anybody has', async () => {
    // The size stands behind the first chunk's name; its checksum is not looked at before the size is refused.
    const bomb = png()
    new DataView(bomb.buffer).setUint32(16, 100_000)
    new DataView(bomb.buffer).setUint32(20, 100_000)
    await expect(imagePixels(bomb, steps(8, 8), 'bomb.png')).rejects.toMatchObject({
      code: expect.stringMatching(/TOO_LARGE|IMAGE_UNREADABLE/),
    })
  })

  test('a BMP that claims to be huge', async () => {
    const bomb = bytesOf('colour-24.bmp')
    new DataView(bomb.buffer).setInt32(18, 2_000_000_000, true)
    await expect(imagePixels(bomb, steps(8, 8), 'bomb.bmp')).rejects.toMatchObject({ code: 'TOO_LARGE' })
    new DataView(bomb.buffer).setInt32(18, 10_000, true)
    await expect(imagePixels(bomb, steps(8, 8), 'bomb.bmp')).rejects.toMatchObject({ code: 'IMAGE_UNREADABLE' })
  })
})

test('rows of a BMP may come from the top', () => {
  const bytes = bytesOf('colour-24.bmp')
  const { rgb } = decodeBmp(bytes, 'a.bmp')
  const turned = bytes.slice()
  new DataView(turned.buffer).setInt32(22, -30, true)
  const { rgb: upsideDown } = decodeBmp(turned, 'a.bmp')
  expect([...upsideDown.subarray(0, 47 * 3)]).toEqual([...rgb.subarray(29 * 47 * 3)])
})
