import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpError } from '../../src/agent/serve/http-error.ts'
import { modelSignature, type SampleInput } from '../../src/agent/serve/model-signature.ts'
import { readSample } from '../../src/agent/serve/sample-reader.ts'
import type { Preprocessing } from '../../src/contract/dataset.ts'
import type { Port } from '../../src/core/inference-runtime.ts'
import { openDataset, readSample as readStored } from '../../src/engine/datasets/open-dataset.ts'
import { array, counting, port } from '../core/datasets/arrays.ts'
import { plainArrays } from '../engine/datasets/plain-arrays.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-reader-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function inputFor(model: Port, preprocessing: Preprocessing): SampleInput {
  return modelSignature([model], preprocessing).inputs[0]!
}

const turned: Preprocessing = { stored: 'channels-last', layout: 'channels-first', scale: 1 / 255 }

describe('a request gives what evaluation gives', () => {
  const channels = fc.constantFrom(1, 3, 4)
  const numbers = fc.double({ min: -3, max: 3, noNaN: true })
  const layout = fc.constantFrom('channels-first', 'channels-last', undefined)
  const cases = fc.record({
    channels,
    height: fc.integer({ min: 1, max: 4 }),
    width: fc.integer({ min: 1, max: 4 }),
    stored: layout,
    layout,
    reverseChannels: fc.boolean(),
    scale: fc.option(numbers, { nil: undefined }),
    mean: fc.option(numbers, { nil: undefined }),
    std: fc.option(fc.double({ min: 0.05, max: 3, noNaN: true }), { nil: undefined }),
    perChannel: fc.boolean(),
    open: fc.boolean(),
    from: fc.constantFrom('uint8', 'int16', 'float16', 'float32', 'float64'),
    to: fc.constantFrom('float32', 'float16', 'float64', 'int8', 'uint8'),
    seed: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 64, maxLength: 64 }),
  })

  it('bit for bit, whatever the preprocessing', async () => {
    let compared = 0
    let refused = 0
    await fc.assert(
      fc.asyncProperty(cases, async (found) => {
        const { channels: c, height, width, stored, layout: to, reverseChannels, scale, mean, std, perChannel, open } = found
        const dims = (first: boolean) => (first ? [c, height, width] : [height, width, c])
        const modelFirst = (to ?? stored ?? 'channels-first') === 'channels-first'
        const storedFirst = (stored ?? (modelFirst ? 'channels-first' : 'channels-last')) === 'channels-first'
        const entries = (value: number) => (perChannel ? Array.from({ length: c }, (_, index) => value + index) : [value])
        const preprocessing: Preprocessing = {
          ...(stored ? { stored } : {}),
          ...(to ? { layout: to } : {}),
          ...(reverseChannels && (stored ?? to) ? { reverseChannels } : {}),
          ...(scale === undefined ? {} : { scale }),
          ...(mean === undefined ? {} : { mean: entries(mean) }),
          ...(std === undefined ? {} : { std: entries(std) }),
          ...(found.to.startsWith('float') ? {} : { dtype: found.to as 'int8' }),
        }
        const size = c * height * width
        const values = counting(2 * size).map((index) => found.seed[index % 64]! / (found.from.startsWith('float') ? 7 : 1))
        const source = plainArrays(folder, [array('x', found.from, values, [2, ...dims(storedFirst)])], { preprocessing })
        const shape = open ? ['N', ...dims(modelFirst).map((dim) => (dim === c ? dim : 'S'))] : ['N', ...dims(modelFirst)]
        const model = port('x', found.to, ...shape)
        let expected: Awaited<ReturnType<typeof openDataset>>
        try {
          expected = await openDataset(source, [model])
        } catch (error) {
          // Refused by evaluation: bytes whose scale is not known, fractions for whole numbers.
          expect(error).toMatchObject({ code: expect.stringMatching(/^DATASET_(TYPE|SHAPE)$/) })
          refused++
          return
        }
        const { inputs } = await readStored(source, [model], 1, { raw: true })
        const sent: unknown = JSON.parse(JSON.stringify(inputs.x))
        const { x } = expected.batch(1, 1)
        expected.close()
        const read = readSample(sent, inputFor(model, preprocessing), false, 'input')
        expect({ ...read, dims: [1, ...read.dims] }).toEqual(x)
        const flat = readSample(
          (sent as number[]).flat(3),
          inputFor(port('x', found.to, 'N', ...dims(modelFirst)), preprocessing),
          false,
          'input',
        )
        expect(flat.values).toEqual(x!.values)
        compared++
      }),
      { numRuns: 300 },
    )
    expect(compared).toBeGreaterThan(100)
    expect(refused).toBeGreaterThan(0)
  })

  it('refuses what evaluation refuses: values beyond the type after preprocessing', async () => {
    const model = port('x', 'float16', 'N', 2)
    const preprocessing = { scale: 1000 }
    const source = plainArrays(folder, [array('x', 'float32', [1, 70], [1, 2])], { preprocessing })
    const dataset = await openDataset(source, [model])
    expect(() => dataset.batch(0, 1)).toThrow(expect.objectContaining({ code: 'DATASET_TYPE' }))
    dataset.close()
    expect(() => readSample([1, 70], inputFor(model, preprocessing), false, 'input')).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message: 'input: value 1 (counted from 0) is too large for float16 after preprocessing.',
      }),
    )
  })
})

describe('the shape of a request', () => {
  const image = port('image', 'float32', 'N', 3, 2, 2)
  const last = [
    [
      [0, 51, 102],
      [255, 51, 0],
    ],
    [
      [0, 0, 0],
      [51, 51, 51],
    ],
  ]

  it('is the stored one, also with a batch of one and flat', () => {
    const input = inputFor(image, turned)
    const expected = { type: 'float32', dims: [3, 2, 2], values: Float32Array.of(0, 1, 0, 0.2, 0.2, 0.2, 0, 0.2, 0.4, 0, 0, 0.2) }
    for (const value of [last, [last], last.flat(2)]) expect(readSample(value, input, false, 'input')).toEqual(expected)
  })

  it('is the model’s for values that are preprocessed', () => {
    const input = inputFor(image, turned)
    const values = [...counting(12)]
    const first = [0, 4, 8].map((from) => [
      [from, from + 1],
      [from + 2, from + 3],
    ])
    expect(readSample(first, input, true, 'input')).toEqual({ type: 'float32', dims: [3, 2, 2], values: Float32Array.from(values) })
    expect(() => readSample(last, input, true, 'input')).toThrow(
      'input must be float32 values of shape [3,2,2], [1,3,2,2] or a flat list of 12, found a list of shape [2,2,3].',
    )
  })

  it('is named where another one comes', () => {
    expect(() => readSample([[[1]]], inputFor(image, turned), false, 'input')).toThrow(
      'input must be float32 values of shape [2,2,3] (channels-last), [1,2,2,3] or a flat list of 12, found a list of shape [1,1,1].',
    )
    const open = port('image', 'float32', 'N', 3, 'H', 'W')
    expect(() => readSample([[1]], inputFor(open, turned), false, 'input')).toThrow(
      'input must be float32 values of shape [?,?,3] (channels-last), [1,?,?,3], found a list of shape [1,1].',
    )
    const sized: Preprocessing = {
      ...turned,
      image: { width: 2, height: 2, resize: 'stretch', filter: 'linear', colour: 'rgb', pad: [0, 0, 0] },
    }
    expect(readSample(last, inputFor(open, sized), false, 'input').dims).toEqual([3, 2, 2])
    expect(() => readSample([[[1, 2, 3]]], inputFor(open, sized), false, 'input')).toThrow(HttpError)
  })

  it('may be open; what the preprocessing cannot do with it is refused', () => {
    const open = port('x', 'float32', 'N', 'C', 'T')
    const input = inputFor(open, { mean: [1, 2] })
    expect(readSample([[1], [4]], input, false, 'input')).toEqual({ type: 'float32', dims: [2, 1], values: Float32Array.of(0, 2) })
    expect(() => readSample([[1], [4], [5]], input, false, 'input')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringMatching(/2 values of mean or std/) }),
    )
  })

  it('that does not fit the preprocessing at all is refused at the start', () => {
    expect(() => inputFor(image, { ...turned, dtype: 'uint8' })).toThrow(expect.objectContaining({ code: 'DATASET_TYPE' }))
    expect(() => inputFor(port('x', 'int64', 'N', 4), { scale: 2 })).toThrow(expect.objectContaining({ code: 'USAGE' }))
    expect(() => inputFor(image, { reverseChannels: true })).toThrow(expect.objectContaining({ code: 'DATASET_SHAPE' }))
    expect(() => modelSignature([port('a', 'int64', 'N'), port('b', 'int64', 'N')], { scale: 2 })).toThrow(
      expect.objectContaining({ code: 'DATASET_SHAPE' }),
    )
  })
})
