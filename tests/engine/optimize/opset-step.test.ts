import { create } from '@bufbuild/protobuf'
import { FunctionProtoSchema } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { opsetStepSchema } from '../../../src/contract/recipe.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64 } from '../../../src/core/onnx/tensor-values.ts'
import { graphStep } from '../../../src/engine/optimize/graph-steps.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { model, weights } from './small-models.ts'

const context = {
  runtime: onnxRuntime,
  target: 'x64',
  calibration: undefined,
  budget: undefined,
  progress: () => {},
  log: () => {},
} as const
const raise = (source: Parameters<typeof graphStep>[0], version?: number) =>
  graphStep(source, opsetStepSchema.parse({ recipe: 'opset', ...(version ? { version } : {}) }), context)

const nodes = [makeNode('MatMul', ['x', 'w'], ['m']), makeNode('ReduceMean', ['m'], ['y'], { axes: [1] })]
const source = model(['N', 4], nodes, [weights('w', [4, 3])], { y: ['N', 1] }, { opset: 11 })

describe('opset', () => {
  it('raises to 21 unless told', async () => {
    const { model: raised, newReference } = await raise(source)
    expect([new Graph(raised).opset, raised.irVersion, newReference]).toEqual([21, 10n, undefined])
    expect(await verifyBuild(encodeModel(source), encodeModel(raised), undefined, 'x64', onnxRuntime)).toMatchObject({ maxAbsDiff: 0 })
    expect(new Graph(source).opset).toBe(11)
  })

  it.each([11, 9])('refuses to lower, or to leave as it is (%d)', async (version) => {
    await expect(raise(source, version)).rejects.toMatchObject({
      code: 'RECIPE_NOT_APPLICABLE',
      message: expect.stringMatching(/opset 11 already/),
    })
  })

  it('names the operator that ONNX Runtime has in no newer form', async () => {
    const regions = [weights('r', [1, 4]), makeInt64('i', [1], [0])]
    const roi = makeNode('RoiAlign', ['x', 'r', 'i'], ['y'], {}, { name: 'roi' })
    const detector = model([1, 2, 6, 6], [roi], regions, { y: [1, 2, 1, 1] }, { opset: 16 })
    expect(new Graph((await raise(detector, 21)).model).opset).toBe(21)
    await expect(raise(detector, 23)).rejects.toMatchObject({
      code: 'RECIPE_NOT_APPLICABLE',
      message: expect.stringMatching(/opset 23: .*RoiAlign/),
      details: { node: 'roi' },
    })
  })

  it('inlines functions, whose bodies have operator sets of their own', async () => {
    const calls = model(
      ['N', 4],
      [makeNode('Mean', ['x'], ['y'], {}, { domain: 'custom', name: 'call' })],
      [],
      { y: ['N', 1] },
      { opset: 15 },
    )
    calls.opsetImport.push({ $typeName: 'onnx.OperatorSetIdProto', domain: 'custom', version: 1n })
    const body = [makeNode('ReduceMean', ['a'], ['b'], { axes: [1] })]
    const opsetImport = [{ domain: '', version: 15n }]
    calls.functions.push(
      create(FunctionProtoSchema, { name: 'Mean', domain: 'custom', input: ['a'], output: ['b'], node: body, opsetImport }),
    )
    const { model: raised } = await raise(calls)
    expect(raised.graph!.node.map(({ opType }) => opType)).toEqual(['ReduceMean'])
    expect(await verifyBuild(encodeModel(calls), encodeModel(raised), undefined, 'x64', onnxRuntime)).toMatchObject({ maxAbsDiff: 0 })
  })
})
