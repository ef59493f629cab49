import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { ModelProtoSchema } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { CoreError } from '../../../src/core/core-error.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { floatValues, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { branching, classifier, eccentric, fieldBoundaries, withUnknownFields } from './sample-models.ts'

function errorOf(run: () => unknown): CoreError {
  try {
    run()
  } catch (error) {
    if (error instanceof CoreError) return error
    throw error
  }
  return expect.fail('nothing was thrown')
}

const root = join(import.meta.dirname, '../../..')

describe('round trip', () => {
  test.each([
    ['a classifier', () => encodeModel(classifier())],
    ['sub-graphs', () => encodeModel(branching())],
    ['everything a file may carry', () => encodeModel(eccentric())],
    ['fields of a later ONNX version', () => withUnknownFields(eccentric())],
  ])('%s comes back byte by byte', (_, make) => {
    const bytes = make()
    expect(Buffer.from(encodeModel(decodeModel(bytes, 'model.onnx'))).equals(bytes)).toBe(true)
  })

  test.each(globSync('models/*.onnx', { cwd: root }).map((file) => [file]))('the bundled %s comes back byte by byte', (file) => {
    const bytes = readFileSync(join(root, file))
    expect(Buffer.from(encodeModel(decodeModel(bytes, file))).equals(bytes)).toBe(true)
  })

  test('large tensors among small ones come out as the general encoder writes them', () => {
    const large = (name: string) => makeTensor(name, 'float32', [100, 200], new Float32Array(20_000).fill(0.5))
    const model = eccentric()
    model.graph!.initializer = [large('a'), ...model.graph!.initializer, large('b')]
    const described = Object.assign(large('c'), { docString: 'about it' })
    model.graph!.initializer.push(described)
    expect(Buffer.from(encodeModel(model)).equals(toBinary(ModelProtoSchema, model))).toBe(true)
  })

  test('raw tensor data is a view into the file, and not a Buffer whose slice() would be one too', () => {
    const bytes = Buffer.from(encodeModel(classifier()))
    const tensor = decodeModel(bytes, 'model.onnx').graph!.initializer[0]!
    expect(tensor.rawData.buffer).toBe(bytes.buffer)
    expect(tensor.rawData).not.toBeInstanceOf(Buffer)
    const values = floatValues(tensor)
    values[0] = 42
    expect(floatValues(tensor)[0]).not.toBe(42)
  })
})

describe('what is not a whole model', () => {
  test('an empty file', () => {
    expect(errorOf(() => decodeModel(new Uint8Array(), 'a.onnx'))).toMatchObject({
      code: 'MODEL_NOT_ONNX',
      message: expect.stringMatching(/a\.onnx is empty/),
    })
  })

  test.each([
    ['classifier', () => encodeModel(classifier())],
    ['eccentric', () => withUnknownFields(eccentric())],
  ])('%s cut inside a field is truncated, wherever the cut is', (_, make) => {
    const bytes = make()
    const boundaries = new Set(fieldBoundaries(bytes))
    for (let length = 1; length < bytes.length; length++) {
      if (boundaries.has(length)) continue
      const error = errorOf(() => decodeModel(bytes.subarray(0, length), 'cut.onnx'))
      // The first field alone is its tag: that could be the start of anything.
      expect([length, error.code]).toEqual([length, length === 1 ? 'MODEL_NOT_ONNX' : 'MODEL_TRUNCATED'])
    }
  })

  test('says how long the file should be at least', () => {
    const bytes = encodeModel(classifier())
    const error = errorOf(() => decodeModel(bytes.subarray(0, 500), 'cut.onnx'))
    expect(error.message).toMatch(/cut\.onnx is truncated: it ends in the middle of a field \(found 500 bytes, expected at least \d+\)/)
    expect(error.details!.expectedBytes).toBeLessThanOrEqual(bytes.length)
    expect(error.details!.expectedBytes).toBeGreaterThan(1000)
  })

  test('a file that ends before its graph is truncated', () => {
    const bytes = encodeModel(classifier())
    const boundary = fieldBoundaries(bytes)[2]!
    expect(errorOf(() => decodeModel(bytes.subarray(0, boundary), 'a.onnx'))).toMatchObject({
      code: 'MODEL_TRUNCATED',
      message: expect.stringMatching(/ends before its graph/),
    })
  })
})

describe('hostile files', () => {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))])
  const field = (number: number, body: ArrayLike<number>) => {
    const head = [...varint(number * 8 + 2), ...varint(body.length)]
    const bytes = new Uint8Array(head.length + body.length)
    bytes.set(head)
    bytes.set(body, head.length)
    return bytes
  }
  const file = (graph: ArrayLike<number>) => {
    const body = field(7, graph)
    const bytes = new Uint8Array(2 + body.length)
    bytes.set([8, 8])
    bytes.set(body, 2)
    return bytes
  }

  test('millions of empty nodes are refused before they become objects', () => {
    const graph = new Uint8Array(2_000_000)
    for (let index = 0; index < graph.length; index += 2) graph[index] = 0x0a
    expect(errorOf(() => decodeModel(file(graph), 'bomb.onnx'))).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/200000 nodes/),
    })
  })

  test('millions of empty attributes are refused', () => {
    const node = new Uint8Array(5_000_000)
    for (let index = 0; index < node.length; index += 2) node[index] = 0x2a
    expect(errorOf(() => decodeModel(file(field(1, node)), 'bomb.onnx')).code).toBe('TOO_LARGE')
  })

  test('a list of millions of one-byte 64-bit integers is refused', () => {
    const tensor = field(7, new Uint8Array(9_000_000))
    expect(errorOf(() => decodeModel(file(field(5, tensor)), 'bomb.onnx'))).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/64-bit integers/),
    })
  })

  test.each([
    ['sub-graphs', 34, /sub-graphs are nested deeper than 32/],
    ['a few thousand levels', 3000, /nested deeper/],
  ])('%s within sub-graphs are refused', (_, levels, message) => {
    let graph = new Uint8Array()
    for (let level = 0; level < levels; level++) graph = field(1, field(5, field(6, graph)))
    expect(errorOf(() => decodeModel(file(graph), 'deep.onnx'))).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(message),
    })
  })

  test('30 levels of sub-graphs are read', () => {
    let graph = new Uint8Array()
    for (let level = 0; level < 30; level++) graph = field(1, field(5, field(6, graph)))
    expect(decodeModel(file(graph), 'deep.onnx').graph?.node).toHaveLength(1)
  })

  test('types nested without end are refused', () => {
    let type = new Uint8Array()
    for (let level = 0; level < 200; level++) type = field(4, field(1, type))
    expect(errorOf(() => decodeModel(file(field(11, field(2, type))), 'deep.onnx')).code).toBe('TOO_LARGE')
  })

  test('a part longer than the part it belongs to is damage, not truncation', () => {
    const bytes = encodeModel(classifier())
    const at = Buffer.from(bytes).indexOf(Buffer.from('conv1')) - 1
    expect(bytes[at]).toBe(5)
    const broken = bytes.slice()
    broken[at] = 127
    expect(errorOf(() => decodeModel(broken, 'a.onnx'))).toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/a\.onnx is damaged at byte \d+/),
    })
  })

  test('a field of the wrong kind is not read as another one', () => {
    // Field 1 of a node (its input name) as a number.
    expect(errorOf(() => decodeModel(file(field(1, [0x08, 0x05])), 'a.onnx'))).toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/wire type 0, expected 2/),
    })
  })

  test('huge shapes allocate nothing', () => {
    const model = makeModel({
      nodes: [makeNode('Relu', ['x'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', [1])],
      outputs: [makeValueInfo('y', 'float32', [1])],
      initializers: [makeTensor('w', 'float32', [1], new Float32Array(1))],
    })
    model.graph!.initializer[0]!.dims = [2n ** 40n, 2n ** 20n]
    const decoded = decodeModel(encodeModel(model), 'a.onnx')
    expect(() => floatValues(decoded.graph!.initializer[0]!)).toThrow(/impossible shape/)
  })
})

describe('fuzz', () => {
  test('random bytes give a coded error or a model', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (body, prefixed) => {
        const bytes = prefixed ? Uint8Array.from([8, 8, 58, ...body]) : body
        try {
          decodeModel(bytes, 'fuzz.onnx')
        } catch (error) {
          expect(error).toBeInstanceOf(CoreError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('a mutated model gives a coded error or a model', () => {
    const original = withUnknownFields(eccentric())
    const mutation = fc.record({ at: fc.nat(original.length - 1), to: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const bytes = original.slice()
        for (const { at, to } of mutations) bytes[at] = to
        try {
          encodeModel(decodeModel(bytes, 'fuzz.onnx'))
        } catch (error) {
          expect(error).toBeInstanceOf(CoreError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
