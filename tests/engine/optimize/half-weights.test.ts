import { create } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, AttributeProtoSchema, type GraphProto, type ModelProto, TensorProto_DataType } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { validateModel } from '../../../src/core/onnx/validate.ts'
import { quantizeDynamic } from '../../../src/core/quantization/dynamic-quantization.ts'
import { type HalfWeightOptions, storeWeightsInHalf } from '../../../src/core/quantization/half-weights.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { countInt8Kernels } from '../../../src/engine/runtimes/int8-kernels.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model, opCounts, weights } from './small-models.ts'

const { FLOAT, FLOAT16 } = TensorProto_DataType

async function store(source: ModelProto, settings: Partial<HalfWeightOptions> = {}) {
  const result = storeWeightsInHalf(source, { exclude: [], ...settings })
  const bytes = encodeModel(result.model)
  validateModel(decodeModel(bytes, 'the build'))
  const { sqnrDb } = await verifyBuild(encodeModel(source), bytes, feedsOf(source), 'x64', onnxRuntime)
  const rewritten = decodeModel(await onnxRuntime.optimized(bytes, 'all'), 'the rewritten build')
  return { ...result, bytes, sqnrDb: sqnrDb ?? Number.POSITIVE_INFINITY, running: rewritten }
}

const typesOf = (built: ModelProto) => Object.fromEntries(built.graph!.initializer.map(({ name, dataType }) => [name, dataType]))

describe('storeWeightsInHalf', () => {
  it('halves the file, and ONNX Runtime runs what it ran before', async () => {
    const nodes = [
      makeNode('Conv', ['x', 'c', 'b'], ['h'], { pads: [1, 1, 1, 1] }, { name: 'conv' }),
      makeNode('Relu', ['h'], ['r']),
      makeNode('Flatten', ['r'], ['f']),
      makeNode('Gemm', ['f', 'w'], ['y'], { transB: 1 }, { name: 'g' }),
    ]
    const source = model([1, 8, 8, 8], nodes, [weights('c', [16, 8, 3, 3]), weights('b', [16]), weights('w', [10, 1024])], { y: [1, 10] })
    const stored = await store(source)
    expect(typesOf(stored.model)).toEqual({ c_half: FLOAT16, b: FLOAT, w_half: FLOAT16 })
    expect(stored.changed).toEqual(['conv', 'g'])
    expect(stored.bytes.length / encodeModel(source).length).toBeLessThan(0.53)
    expect(stored.sqnrDb).toBeGreaterThan(60)
    for (const { sqnrDb } of stored.weights) expect(sqnrDb).toBeGreaterThan(65)
    const before = decodeModel(await onnxRuntime.optimized(encodeModel(source), 'all'), 'the source')
    expect(opCounts(stored.running)).toEqual(opCounts(before))
  })

  it('stores weights of sub-graphs where they are, and shared ones once', async () => {
    const branch = makeNode('If', ['flag'], ['y'], {}, { name: 'branch' })
    for (const [name, own] of [
      ['then_branch', 'inner'],
      ['else_branch', 'shared'],
    ] as const) {
      const nodes = [makeNode('MatMul', ['x', own], [`${name}_y`], {}, { name: `${name}_m` })]
      const g: GraphProto = {
        ...model(['N', 32], nodes, own === 'inner' ? [weights('inner', [32, 32])] : [], { [`${name}_y`]: ['N', 32] }).graph!,
        input: [],
      }
      branch.attribute.push(create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g }))
    }
    const nodes = [
      makeNode('ReduceSum', ['x'], ['total'], { keepdims: 0 }),
      makeNode('Greater', ['total', 'zero'], ['flag']),
      makeNode('MatMul', ['x', 'shared'], ['z'], {}, { name: 'outer' }),
      branch,
    ]
    const source = model(['N', 32], nodes, [weights('shared', [32, 32]), constant('zero', [], [0])], { y: ['N', 32], z: ['N', 32] })
    const stored = await store(source)
    expect(stored.weights.map(({ tensor, node }) => [tensor, node])).toEqual([
      ['inner', 'then_branch_m'],
      ['shared', 'outer'],
    ])
    expect(new Set(stored.changed)).toEqual(new Set(['then_branch_m', 'outer', 'else_branch_m']))
    const bodies = stored.running
      .graph!.node.find(({ opType }) => opType === 'If')!
      .attribute.map(({ g }) => g!.node.map(({ opType }) => opType))
    expect(bodies).toEqual([['MatMul'], ['MatMul']])
    expect(stored.running.graph!.node.some(({ opType }) => opType === 'Cast')).toBe(false)
    expect((await store(source, { exclude: ['else_branch_m'] })).skipped).toEqual([
      { node: 'outer', op: 'MatMul', reason: 'excluded by the recipe' },
    ])
    expect((await store(source, { include: ['then*'] })).weights.map(({ tensor }) => tensor)).toEqual(['inner'])
  })

  it('leaves what a caller can override or gets, what is small, and what float16 cannot hold', async () => {
    const nodes = [
      makeNode('Add', ['x', 'default'], ['a'], {}, { name: 'a' }),
      makeNode('Add', ['a', 'given'], ['b'], {}, { name: 'b' }),
      makeNode('Mul', ['b', 'large'], ['c'], {}, { name: 'c' }),
      makeNode('Min', ['c', 'limit'], ['y'], {}, { name: 'd' }),
    ]
    const filled = (name: string, value: number) => constant(name, [256], new Array<number>(256).fill(value))
    const initializers = [weights('default', [256]), weights('given', [256]), filled('large', 1e5), filled('limit', 1e30)]
    const source = model(
      [1, 256],
      nodes,
      initializers,
      { y: [1, 256], given: [256] },
      { extraInputs: [makeValueInfo('default', 'float32', [256])] },
    )
    const stored = await store(source)
    expect(typesOf(stored.model)).toEqual({ default: FLOAT, given: FLOAT, large: FLOAT, limit_half: FLOAT16 })
    expect(stored.skipped).toEqual([{ node: 'c', op: 'Mul', reason: 'its constant "large" reaches 1.00e+5, beyond float16' }])
    expect(stored.clamped).toEqual({ tooLarge: 256, tooSmall: 0 })
    const small = model([1, 8], [makeNode('MatMul', ['x', 'w'], ['y'])], [weights('w', [8, 8])], { y: [1, 8] })
    await expect(store(small)).rejects.toThrow(expect.objectContaining({ code: 'RECIPE_NOT_APPLICABLE' }))
  })

  it('stores what a quantized model still has in float32, and leaves its kernels and scales as they are', async () => {
    const nodes = [
      makeNode('Conv', ['x', 'c'], ['h'], { pads: [1, 1, 1, 1] }, { name: 'conv' }),
      makeNode('Flatten', ['h'], ['f'], {}, { name: 'flatten' }),
      makeNode('Gemm', ['f', 'w'], ['y'], {}, { name: 'g' }),
    ]
    const source = model([1, 8, 4, 4], nodes, [weights('c', [16, 8, 3, 3]), weights('w', [256, 300])], { y: [1, 300] })
    const { model: quantized } = await quantizeDynamic(source, onnxRuntime, { target: 'x64', perChannel: true, exclude: [] })
    const before = await countInt8Kernels(encodeModel(quantized))
    const stored = await store(quantized)
    expect(stored.weights.map(({ tensor }) => tensor)).toEqual(['c'])
    expect((await countInt8Kernels(stored.bytes)).kernels).toEqual(before.kernels)
    expect(before.kernels).toEqual([{ node: 'g', op: 'DynamicQuantizeMatMul' }])
    expect(stored.sqnrDb).toBeGreaterThan(35)
  })

  it('takes weights from Constant nodes, and makes the same bytes twice', async () => {
    const nodes = [
      makeNode('Constant', [], ['w'], { value: weights('', [32, 32]) }, { name: 'constant' }),
      makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'm' }),
    ]
    const source = model(['N', 32], nodes, [], { y: ['N', 32] })
    const stored = await store(source)
    expect(typesOf(stored.model)).toEqual({ w_half: FLOAT16 })
    expect((await store(source)).bytes).toEqual(stored.bytes)
  })
})
