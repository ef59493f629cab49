import { globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toErrorReport } from '../../../src/contract/errors.ts'
import { modelReportSchema } from '../../../src/contract/model.ts'
import type { InferenceRuntime } from '../../../src/core/inference-runtime.ts'
import { float, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { importModel } from '../../../src/engine/models/import-model.ts'
import { inspectFile } from '../../../src/engine/models/inspect-file.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { sha256Of } from '../../../src/platform/file-hash.ts'
import { branching, classifier, fieldBoundaries, weightValues, withUnknownFields } from '../../core/onnx/sample-models.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-import-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Imports bytes that lie in a folder of their own. */
async function importBytes(bytes: Uint8Array, name = 'model.onnx', runtime: InferenceRuntime = onnxRuntime) {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return importModel({ path, outPath: join(folder, 'out.bin') }, runtime)
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    return toErrorReport(error).code
  }
  return 'accepted'
}

describe('a good model', () => {
  test.each([
    ['a classifier', () => encodeModel(classifier())],
    ['sub-graphs', () => encodeModel(branching())],
    ['fields of a later ONNX version', () => withUnknownFields(classifier())],
    [
      'fields in another order, as no encoder of ours writes them',
      () => {
        const bytes = encodeModel(classifier())
        const cut = fieldBoundaries(bytes)[1]!
        return Uint8Array.from([...bytes.subarray(0, cut), ...bytes.subarray(cut), ...bytes.subarray(0, cut)])
      },
    ],
  ])('%s is kept byte by byte', async (_, make) => {
    const bytes = make()
    const report = await importBytes(bytes)
    expect(Buffer.from(await readFile(join(folder, 'out.bin'))).equals(bytes)).toBe(true)
    expect(report).toMatchObject({ sizeBytes: bytes.length, sha256: sha256Of(bytes) })
    expect(modelReportSchema.parse(report)).toEqual(report)
    expect(await inspectFile(join(folder, 'out.bin'), 'out.bin')).toEqual(report)
  })

  test('nothing but the file is left', async () => {
    await importBytes(encodeModel(classifier()))
    expect((await readdir(folder)).sort()).toEqual(['model.onnx', 'out.bin'])
  })

  test('an older file at that place is replaced', async () => {
    await writeFile(join(folder, 'out.bin'), 'old')
    await importBytes(encodeModel(classifier()))
    expect(Buffer.from(await readFile(join(folder, 'out.bin'))).equals(encodeModel(classifier()))).toBe(true)
  })

  test('it is loaded once and closed again', async () => {
    const calls: string[] = []
    const runtime: InferenceRuntime = {
      ...onnxRuntime,
      load: async (bytes) => {
        calls.push(`load ${bytes.length}`)
        return { inputs: [], outputs: [], run: async () => ({}), close: async () => void calls.push('close') }
      },
    }
    const bytes = encodeModel(classifier())
    await importBytes(bytes, 'model.onnx', runtime)
    expect(calls).toEqual([`load ${bytes.length}`, 'close'])
  })
})

describe('what is refused leaves nothing behind', () => {
  const custom = () =>
    makeModel({
      nodes: [makeNode('Magic', ['x'], ['y'], {}, { domain: 'org.x' })],
      inputs: [makeValueInfo('x', 'float32', [1])],
      outputs: [makeValueInfo('y', 'float32', [1])],
      domains: { 'org.x': 1 },
    })
  const huge = () =>
    makeModel({
      nodes: [makeNode('ConstantOfShape', ['s'], ['big']), makeNode('ReduceSum', ['big'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', [1])],
      outputs: [makeValueInfo('y', 'float32', [1])],
      initializers: [makeInt64('s', [3], [1_000_000, 1_000_000, 1000])],
    })

  test.each<[string, () => Uint8Array, string, RegExp]>([
    ['an empty file', () => new Uint8Array(0), 'MODEL_NOT_ONNX', /model\.onnx is empty/],
    ['a web page', () => new TextEncoder().encode('<!DOCTYPE html><html>Not found'), 'MODEL_NOT_ONNX', /looks like a web page/],
    [
      'a PyTorch checkpoint',
      () => Uint8Array.from([...Buffer.from('PK\x03\x04........archive/data.pkl'), ...deflateRawSync('x')]),
      'MODEL_NOT_ONNX',
      /PyTorch checkpoint/,
    ],
    ['a cut file', () => encodeModel(classifier()).subarray(0, 700), 'MODEL_TRUNCATED', /found 700 bytes, expected at least/],
    [
      'a newer opset',
      () => encodeModel({ ...classifier(), opsetImport: [{ ...classifier().opsetImport[0]!, version: 99n }] }),
      'MODEL_UNSUPPORTED_OPSET',
      /opset 99, supported are 7 to 26/,
    ],
    ['an operator nobody has', () => encodeModel(custom()), 'MODEL_UNSUPPORTED_OP', /org\.x:Magic/],
    [
      'wrong attributes',
      () =>
        encodeModel(
          makeModel({
            nodes: [makeNode('Softmax', ['x'], ['y'], { axis: float(1) })],
            inputs: [makeValueInfo('x', 'float32', [1, 2])],
            outputs: [makeValueInfo('y', 'float32', [1, 2])],
          }),
        ),
      'MODEL_LOAD_FAILED',
      /axis/,
    ],
    ['a graph that asks for petabytes', () => encodeModel(huge()), 'TOO_LARGE', /"big" would have 1000000000000000 elements/],
    [
      'a broken graph',
      () =>
        encodeModel(makeModel({ nodes: [makeNode('Relu', ['lost'], ['y'])], inputs: [], outputs: [makeValueInfo('y', 'float32', [1])] })),
      'MODEL_INVALID',
      /"lost"/,
    ],
  ])('%s', async (_, make, code, message) => {
    const work = importBytes(make())
    await expect(work).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(await readdir(folder)).toEqual(['model.onnx'])
  })

  test('a file that is not there', async () => {
    await expect(importModel({ path: join(folder, 'none.onnx'), outPath: join(folder, 'out') }, onnxRuntime)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: 'none.onnx does not exist.',
    })
  })

  test('a file over 2 GB, before any of it is read', async () => {
    const path = join(folder, 'huge.onnx')
    await writeFile(path, '')
    await truncate(path, 2 ** 31)
    await expect(importModel({ path, outPath: join(folder, 'out') }, onnxRuntime)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      details: { foundBytes: 2 ** 31, limitBytes: 2 ** 31 - 1 },
    })
  })

  test('a folder', async () => {
    await expect(importModel({ path: folder, outPath: join(folder, 'out') }, onnxRuntime)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/is a folder/),
    })
  })

  test('a device that never ends', async () => {
    await expect(importModel({ path: '/dev/zero', outPath: join(folder, 'out') }, onnxRuntime)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/not a regular file/),
    })
  })

  test('a place that cannot be written', async () => {
    const path = join(folder, 'model.onnx')
    await writeFile(path, encodeModel(classifier()))
    await expect(importModel({ path, outPath: join(folder, 'no/such/folder/out') }, onnxRuntime)).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
      message: expect.stringMatching(/does not exist/),
    })
    await mkdir(join(folder, 'taken/inside'), { recursive: true })
    await expect(importModel({ path, outPath: join(folder, 'taken') }, onnxRuntime)).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
      message: expect.stringMatching(/is a folder/),
    })
    expect((await readdir(folder)).sort()).toEqual(['model.onnx', 'taken'])
  })
})

describe('truncation', () => {
  const models = [
    ['classifier', encodeModel(classifier())],
    ...globSync('models/*.onnx', { cwd: join(import.meta.dirname, '../../..') }).map(
      (file) => [file, readFileSync(join(import.meta.dirname, '../../..', file))] as const,
    ),
  ] as const
  const refusing: InferenceRuntime = {
    ...onnxRuntime,
    load: async () => ({ inputs: [], outputs: [], run: async () => ({}), close: async () => {} }),
  }

  test.each(models)('%s cut anywhere is refused before the runtime sees it', async (_, bytes) => {
    // What follows the operator sets is optional (metadata): a cut exactly before or between those fields leaves a whole model.
    const whole = new Set(fieldBoundaries(bytes).filter((at) => at > 0 && isWhole(bytes, at)))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        const code = await codeOf(importBytes(bytes.subarray(0, length), 'cut.onnx', refusing))
        if (whole.has(length)) expect(code).toBe('accepted')
        else expect(['MODEL_TRUNCATED', 'MODEL_NOT_ONNX', 'MODEL_INVALID']).toContain(code)
      }),
      {
        numRuns: 100,
        examples: fieldBoundaries(bytes)
          .slice(0, -1)
          .map((at) => [at]),
      },
    )
  })
})

/** True when graph (field 7) and operator sets (field 8) lie before `at`: everything a model needs. */
function isWhole(bytes: Uint8Array, at: number): boolean {
  const boundaries = fieldBoundaries(bytes)
  const fields = boundaries.filter((start) => start < at).map((start) => (bytes[start] as number) >> 3)
  return fields.includes(7) && fields.includes(8)
}

test('damaged models give a coded error or load, never anything else', async () => {
  const original = encodeModel(classifier())
  const change = fc.record({ at: fc.nat(original.length - 1), to: fc.nat(255) })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const bytes = original.slice()
      for (const { at, to } of changes) bytes[at] = to
      expect(await codeOf(importBytes(bytes))).not.toBe('INTERNAL')
    }),
    { numRuns: 150 },
  )
})

describe('external data', () => {
  const values = weightValues(64 * 3)
  const externalModel = (entries: Record<string, string>) => {
    const model = classifier()
    const tensor = model.graph!.initializer.find(({ name }) => name === 'fw')!
    tensor.rawData = new Uint8Array()
    tensor.dataLocation = 1
    tensor.externalData = Object.entries(entries).map(([key, value]) => ({ $typeName: 'onnx.StringStringEntryProto', key, value }))
    return encodeModel(model)
  }
  const weights = Buffer.concat([Buffer.alloc(100, 7), Buffer.from(values.buffer), Buffer.alloc(5, 9)])

  test('is embedded: the file stands for itself and gives the same answers', async () => {
    await writeFile(join(folder, 'weights.bin'), weights)
    const report = await importBytes(externalModel({ location: 'weights.bin', offset: '100', length: '768' }))
    const whole = encodeModel(classifier())
    expect(Buffer.from(await readFile(join(folder, 'out.bin'))).equals(whole)).toBe(true)
    expect(report).toMatchObject({ sizeBytes: whole.length, sha256: sha256Of(whole), parameters: 235 })
  })

  test('without a length it is as long as the shape says, also in a folder below', async () => {
    await mkdir(join(folder, 'parts'))
    await writeFile(join(folder, 'parts/w'), weights)
    await importBytes(externalModel({ location: 'parts/w', offset: '100' }))
    expect(Buffer.from(await readFile(join(folder, 'out.bin'))).equals(encodeModel(classifier()))).toBe(true)
  })

  test.each<[string, Record<string, string>, RegExp]>([
    ['an absolute path', { location: '/etc/passwd' }, /"\/etc\/passwd", which is refused: the path is absolute/],
    ['a Windows path', { location: 'C:\\Windows\\win.ini' }, /absolute/],
    ['a network path', { location: '\\\\server\\share' }, /absolute/],
    ['a way out', { location: '../secret.bin' }, /leads out of the folder/],
    ['a way out and in', { location: 'parts/../../secret.bin' }, /leads out/],
    ['a way out with backslashes', { location: 'parts\\..\\..\\secret.bin' }, /leads out/],
    ['no file', { location: '' }, /names no file/],
    ['a zero byte', { location: 'weights.bin\0.txt' }, /zero byte/],
    ['too long a path', { location: 'w'.repeat(5000) }, /too long/],
    ['a missing file', { location: 'missing.bin' }, /"fw" has its values in the external file "missing\.bin": the file does not exist/],
    ['a memory address', { location: '*/_ORT_MEM_ADDR_/*', offset: '4096' }, /does not exist/],
    ['a folder', { location: 'parts' }, /not a regular file|is a folder/],
    ['a length that is not the tensor’s', { location: 'weights.bin', length: '760' }, /needs 768 bytes, the model says 760/],
    [
      'an offset beyond the file',
      { location: 'weights.bin', offset: '900' },
      /expected 768 bytes from byte 900 on, found 0 \(the file has 873 bytes\)/,
    ],
    ['too short a file', { location: 'weights.bin', offset: '200' }, /expected 768 bytes from byte 200 on, found 673/],
    ['a negative offset', { location: 'weights.bin', offset: '-4' }, /offset "-4" is not a whole number/],
    ['an offset that is no number', { location: 'weights.bin', offset: '1e3' }, /offset "1e3"/],
    ['a huge offset', { location: 'weights.bin', offset: '99999999999999999999' }, /not a whole number/],
    ['a link to elsewhere', { location: 'link.bin', offset: '100' }, /"link\.bin" is a symbolic link/],
    ['a linked folder', { location: 'linked/weights.bin', offset: '100' }, /"linked" is a symbolic link/],
  ])('%s is refused', async (_, entries, message) => {
    await mkdir(join(folder, 'parts'))
    await writeFile(join(folder, 'weights.bin'), weights)
    await symlink(join(folder, 'weights.bin'), join(folder, 'link.bin'))
    await symlink(folder, join(folder, 'linked'))
    const work = importBytes(externalModel(entries))
    await expect(work).rejects.toMatchObject({ message: expect.stringMatching(message) })
    expect(await codeOf(importBytes(externalModel(entries)))).toMatch(/MODEL_EXTERNAL_DATA|FILE_UNREADABLE/)
    expect(await readdir(folder)).not.toContain('out.bin')
  })

  test('expected and found bytes are in the details', async () => {
    await writeFile(join(folder, 'weights.bin'), weights)
    await expect(importBytes(externalModel({ location: 'weights.bin', offset: '200' }))).rejects.toMatchObject({
      code: 'MODEL_EXTERNAL_DATA',
      details: { tensor: 'fw', location: 'weights.bin', expected: 768, found: 673, offset: 200 },
    })
  })

  test('shapes that claim terabytes allocate nothing', async () => {
    await writeFile(join(folder, 'weights.bin'), weights)
    const model = makeModel({
      nodes: [makeNode('Add', ['x', 'w'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', [1])],
      outputs: [makeValueInfo('y', 'float32', [1])],
      initializers: [makeTensor('w', 'float32', [1], new Float32Array(1))],
    })
    const tensor = model.graph!.initializer[0]!
    Object.assign(tensor, {
      dims: [2n ** 28n],
      rawData: new Uint8Array(),
      dataLocation: 1,
      externalData: [{ $typeName: 'onnx.StringStringEntryProto', key: 'location', value: 'weights.bin' }],
    })
    expect(await codeOf(importBytes(encodeModel(model)))).toBe('MODEL_EXTERNAL_DATA')
    tensor.dims = [2n ** 30n]
    expect(await codeOf(importBytes(encodeModel(model)))).toBe('TOO_LARGE')
  })
})

describe('inspecting a file', () => {
  test('does not need the external data', async () => {
    const model = classifier()
    const tensor = model.graph!.initializer[0]!
    Object.assign(tensor, {
      rawData: new Uint8Array(),
      dataLocation: 1,
      externalData: [{ $typeName: 'onnx.StringStringEntryProto', key: 'location', value: 'gone.bin' }],
    })
    await writeFile(join(folder, 'm.onnx'), encodeModel(model))
    expect(await inspectFile(join(folder, 'm.onnx'), 'm.onnx')).toMatchObject({ parameters: 235 })
  })

  test('names the file as it is told to', async () => {
    await writeFile(join(folder, 'abc123'), 'text')
    await expect(inspectFile(join(folder, 'abc123'), 'resnet.onnx')).rejects.toMatchObject({
      message: expect.stringMatching(/^resnet\.onnx is not an ONNX model/),
    })
  })
})
