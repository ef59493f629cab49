import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imageStepsSchema, type Preprocessing } from '../../../src/contract/dataset.ts'
import { crc32 } from '../../../src/core/datasets/crc32.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { imagePixels } from '../../../src/engine/images/image-file.ts'
import { type TestService, testService } from '../service-fixture.ts'

const image = imageStepsSchema.parse({ width: 8, height: 6, resize: 'short-side', shortSide: 8 })
/** As networks of ImageNet are fed. */
const preprocessing: Preprocessing = {
  image,
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  layout: 'channels-first',
}

/** A model that answers its input, and a sum as its embedding. */
const model = encodeModel(
  makeModel({
    nodes: [makeNode('Identity', ['x'], ['y']), makeNode('ReduceSum', ['x'], ['sum'], { keepdims: 0 })],
    inputs: [makeValueInfo('x', 'float32', ['n', 3, 6, 8])],
    outputs: [makeValueInfo('y', 'float32', ['n', 3, 6, 8]), makeValueInfo('sum', 'float32', [])],
  }),
)

const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../../engine/images/fixtures', name))
const images = [
  ['plain.jpg', 'image/jpeg'],
  ['turned.jpg', 'image/jpg'],
  ['colour.png', 'image/png'],
  ['palette.png', 'image/png; some=parameter'],
  ['grey.png', 'IMAGE/PNG'],
  ['colour.webp', 'image/webp'],
  ['colour-24.bmp', 'image/bmp'],
] as const

let service: TestService
let values: TestService

beforeAll(async () => {
  service = await testService(model, { preprocessing })
  values = await testService(model, { preprocessing: { scale: 1 / 255 } })
})
afterAll(async () => {
  await service.service.close()
  await values.service.close()
})

const post = (body: Uint8Array, type: string, to = service) => to.send('/predict', { body, headers: { 'content-type': type } })

describe('an image file as the body', () => {
  it.each(images)('%s (%s) is answered like the pixels that an import of the same file gives', async (name, type) => {
    const answer = await post(fixture(name), type)
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    // What a dataset would hold, sent as values through the same preprocessing.
    const pixels = [...(await imagePixels(fixture(name), image, name))]
    const expected = await service.send('/predict', { body: { input: pixels } })
    expect(expected.status).toBe(200)
    expect(answer.body.outputs).toEqual(expected.body.outputs)
    expect(answer.body.version).toBe('release-1')
    expect(answer.body.latency_ms).toBeGreaterThan(0)
    const inJson = await service.send('/predict', { body: { image: fixture(name).toString('base64') } })
    expect(inJson.body.outputs).toEqual(expected.body.outputs)
  })

  it('many at once are all answered', async () => {
    const bytes = fixture('plain.jpg')
    const [first, ...others] = await Promise.all(Array.from({ length: 24 }, () => post(bytes, 'image/jpeg')))
    expect(first?.status).toBe(200)
    for (const other of others) expect(other.body.outputs).toEqual(first?.body.outputs)
  })

  it('what cannot be read is told why', async () => {
    const broken = fixture('plain.jpg').subarray(0, 300)
    expect((await post(broken, 'image/jpeg')).body.error).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^The image cannot be read: /),
    })
    expect((await post(Buffer.from('<svg/>'), 'image/png')).body.error).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'The image cannot be read: expected a JPEG, PNG, WebP or BMP, found something else.',
    })
    expect((await post(Buffer.alloc(0), 'image/png')).body.error).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('empty'),
    })
    expect((await post(fixture('colour.png'), 'image/gif')).status).toBe(415)
    expect((await post(fixture('colour.png'), 'image/svg+xml')).body.error).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' })
    for (const body of [
      { image: 'no base64!' },
      { image: 7 },
      { image: '' },
      { image: 'data:image/png;base64,' },
      { image: 'aaaaa' },
      { image: 'aaa==' },
      { image: 'aaaa=' },
      { image: 'aa-_' },
      { image: 'aaaa', input: [1] },
      { image: 'aaaa', embedding: true },
    ]) {
      expect((await service.send('/predict', { body })).body.error.code, JSON.stringify(body)).toBe('INVALID_REQUEST')
    }
  })

  it('in JSON may be as large as a body may be, with or without padding', async () => {
    const large = Buffer.concat([fixture('colour.png'), Buffer.alloc(11_000_000)])
    expect((await service.send('/predict', { body: { image: large.toString('base64') } })).status).toBe(200)
    const unpadded = fixture('colour.png').toString('base64').replace(/=+$/, '')
    expect((await service.send('/predict', { body: { image: unpadded } })).status).toBe(200)
  })

  it('a small file that would become many pixels is refused before they are made', async () => {
    const before = process.memoryUsage.rss()
    const answer = await post(hugePng(8000, 8000), 'image/png')
    expect([answer.status, answer.body.error.message]).toEqual([422, 'The image has 8000 × 8000 pixels, at most 36000000 are read.'])
    expect((await post(hugePng(60_000, 60_000), 'image/png')).body.error.code).toBe('INVALID_INPUT')
    const bmp = Buffer.from(fixture('colour-24.bmp'))
    bmp.writeInt32LE(3000, 18)
    bmp.writeInt32LE(2000, 22)
    expect((await post(bmp, 'image/bmp')).body.error.message).toContain('at most 4000000')
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6)
  })

  it('is not for models whose preprocessing says nothing of images', async () => {
    const answer = await post(fixture('plain.jpg'), 'image/jpeg', values)
    expect([answer.status, answer.body.error.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
    expect(answer.body.error.message).toContain('takes no image files')
    const inJson = await values.send('/predict', { body: { image: 'aaaa' } })
    expect(inJson.body.error).toMatchObject({ code: 'INVALID_REQUEST', message: 'The body has the unknown field "image".' })
  })

  it('stands in the description of the service, where it is taken', async () => {
    const content = async (of: TestService) => (await of.send('/openapi.json')).body.paths['/predict'].post.requestBody.content
    expect(Object.keys(await content(service))).toEqual(['image/jpeg', 'image/png', 'image/webp', 'image/bmp', 'application/json'])
    expect(Object.keys(await content(values))).toEqual(['application/json'])
  })
})

describe('with an embedding', () => {
  it('the embedding comes where it is asked for', async () => {
    const embedding = await testService(model, { preprocessing, embedding: 'sum' })
    const body = { image: `data:image/png;base64,${fixture('colour.png').toString('base64')}`, embedding: true }
    const answer = await embedding.send('/predict', { body })
    expect(answer.body.embedding).toEqual(expect.any(Number))
    expect(Object.keys(answer.body.outputs)).toEqual(['y'])
    await embedding.service.close()
  })
})

/** A PNG that says it has so many pixels; its data would be zeros without end. */
function hugePng(width: number, height: number): Buffer {
  const chunk = (type: string, content: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
    const frame = Buffer.alloc(8)
    frame.writeUInt32BE(content.length, 0)
    frame.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1_000_000))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
