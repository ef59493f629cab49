import type { ModelProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model } from './small-models.ts'

const unary = (op: string, shape: readonly (number | string)[] = ['N', 8]) =>
  model(['N', 8], [makeNode(op, ['x'], ['y'], {}, { name: 'n' })], [], { y: shape })
const scaled = (factor: number) => model(['N', 8], [makeNode('Mul', ['x', 'k'], ['y'])], [constant('k', [1], [factor])], { y: ['N', 8] })
const verify = (source: ModelProto, build: ModelProto | Uint8Array, given = feedsOf(source)) =>
  verifyBuild(encodeModel(source), build instanceof Uint8Array ? build : encodeModel(build), given, 'x64', onnxRuntime)

describe('verifyBuild', () => {
  it('says that identical models are identical', async () => {
    expect(await verify(unary('Abs'), unary('Abs'))).toEqual({ sqnrDb: null, cosine: 1, maxAbsDiff: 0, samples: 16, inputs: 'calibration' })
  })

  it('measures the difference', async () => {
    const { sqnrDb, cosine } = await verify(scaled(1), scaled(1.1))
    expect(sqnrDb).toBeCloseTo(20, 3)
    expect(cosine).toBeCloseTo(1, 6)
  })

  it('reports the worst output', async () => {
    const two = (factor: number) =>
      model(
        ['N', 8],
        [makeNode('Mul', ['x', 'k'], ['y']), makeNode('Mul', ['x', 'l'], ['z'])],
        [constant('k', [1], [1]), constant('l', [1], [factor])],
        { y: ['N', 8], z: ['N', 8] },
      )
    expect((await verify(two(1), two(1.01))).sqnrDb).toBeCloseTo(40, 2)
  })

  it('reports progress', async () => {
    const seen: string[] = []
    const source = unary('Abs')
    await verifyBuild(encodeModel(source), encodeModel(source), feedsOf(source, 2), 'x64', onnxRuntime, (done, total) =>
      seen.push(`${done}/${total}`),
    )
    expect(seen).toEqual(['1/2', '2/2'])
  })

  it('generates inputs without data, always the same', async () => {
    const source = scaled(1)
    const run = () => verifyBuild(encodeModel(source), encodeModel(scaled(1.1)), undefined, 'x64', onnxRuntime)
    const first = await run()
    expect(first).toMatchObject({ inputs: 'generated', samples: 4 })
    expect(await run()).toEqual(first)
  })

  it('tries larger sizes for unknown dimensions until the source runs', async () => {
    const pool = model(['N', 1, 'H', 'W'], [makeNode('MaxPool', ['x'], ['y'], { kernel_shape: [9, 9] })], [], { y: ['N', 1, 'h', 'w'] })
    expect((await verifyBuild(encodeModel(pool), encodeModel(pool), undefined, 'x64', onnxRuntime)).sqnrDb).toBeNull()
  })

  it.each([
    {
      what: 'NaN where the source has numbers',
      build: unary('Sqrt'),
      says: /Output "y" of the build holds \d+ NaN or infinite values among 8/,
    },
    { what: 'another shape', build: unary('Shape'), says: /does not load|Output "y" of the build is/ },
    { what: 'a build that does not load', build: unary('Nothing'), says: /The build does not load: .*Nothing/ },
    { what: 'a build that is no model', build: Uint8Array.of(1, 2), says: /The build does not load/ },
    {
      what: 'another input',
      build: model(['N', 7], [makeNode('Abs', ['x'], ['y'])], [], { y: ['N', 7] }),
      says: /The build does not run: Input "x" must have shape \[N,7\]/,
    },
    {
      what: 'a missing output',
      build: model(['N', 8], [makeNode('Abs', ['x'], ['z'])], [], { z: ['N', 8] }),
      says: /Output "y" of the build is nothing/,
    },
  ])('refuses $what', async ({ build, says }) => {
    await expect(verify(unary('Abs'), build)).rejects.toThrow(
      expect.objectContaining({ code: 'BUILD_VERIFICATION_FAILED', message: expect.stringMatching(says) }),
    )
  })

  it('accepts NaN where the source has it too', async () => {
    expect((await verify(unary('Sqrt'), unary('Sqrt'))).sqnrDb).toBeNull()
  })
})
