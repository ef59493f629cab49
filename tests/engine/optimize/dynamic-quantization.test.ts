import { create } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, AttributeProtoSchema, type ModelProto, OperatorSetIdProtoSchema } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { float, makeNode } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { type DynamicOptions, quantizeDynamic } from '../../../src/core/quantization/dynamic-quantization.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { countInt8Kernels } from '../../../src/engine/runtimes/int8-kernels.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, initializer, model, weights } from './small-models.ts'

async function quantize(source: ModelProto, settings: Partial<DynamicOptions> = {}) {
  const result = await quantizeDynamic(source, onnxRuntime, { target: 'x64', perChannel: true, exclude: [], ...settings })
  const bytes = encodeModel(result.model)
  const { kernels } = await countInt8Kernels(bytes)
  const { sqnrDb } = await verifyBuild(encodeModel(source), bytes, feedsOf(source), 'x64', onnxRuntime)
  return {
    ...result,
    bytes,
    kernels: Object.fromEntries(kernels.map(({ node, op }) => [node, op])),
    sqnrDb: sqnrDb ?? Number.POSITIVE_INFINITY,
  }
}

describe('quantizeDynamic', () => {
  it('becomes DynamicQuantizeMatMul, bias included', async () => {
    const nodes = [makeNode('MatMul', ['x', 'w'], ['m'], {}, { name: 'm' }), makeNode('Add', ['m', 'b'], ['y'], {}, { name: 'bias' })]
    const quantized = await quantize(model(['N', 5, 32], nodes, [weights('w', [32, 16]), weights('b', [16])], { y: ['N', 5, 16] }))
    expect(quantized.kernels).toEqual({ m: 'DynamicQuantizeMatMul' })
    expect(quantized.quantized).toEqual(['m'])
    expect(initializer(quantized.model, 'w_scale')).toHaveLength(16)
    expect(quantized.sqnrDb).toBeGreaterThan(35)
  })

  it('quantizes an activation once for all that multiply it', async () => {
    const nodes = ['q', 'k', 'v'].map((name) => makeNode('MatMul', ['x', `w_${name}`], [name], {}, { name: `m_${name}` }))
    const initializers = ['q', 'k', 'v'].map((name) => weights(`w_${name}`, [32, 8]))
    const out = ['N', 5, 8]
    const quantized = await quantize(model(['N', 5, 32], nodes, initializers, { q: out, k: out, v: out }))
    expect(quantized.model.graph!.node.filter(({ opType }) => opType === 'DynamicQuantizeLinear')).toHaveLength(1)
    expect(quantized.kernels).toEqual({ m_q: 'MatMulIntegerToFloat', m_k: 'MatMulIntegerToFloat', m_v: 'MatMulIntegerToFloat' })
  })

  it('writes Gemm with transposed weights, factors and a bias of one value', async () => {
    const gemm = makeNode('Gemm', ['x', 'w', 'b'], ['y'], { transB: 1, alpha: float(0.25), beta: float(3) }, { name: 'g' })
    const quantized = await quantize(model(['N', 32], [gemm], [weights('w', [6, 32]), constant('b', [1], [0.4])], { y: ['N', 6] }))
    expect(quantized.kernels).toEqual({ g: 'DynamicQuantizeMatMul' })
    expect(quantized.sqnrDb).toBeGreaterThan(35)
  })

  it('takes pair-safe scales on x64 and the full range where nothing saturates', async () => {
    const source = model(['N', 4], [makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'm' })], [constant('w', [4, 1], [1, 1, 1, 1])], {
      y: ['N', 1],
    })
    expect(initializer((await quantize(source)).model, 'w_scale')).toEqual([Math.fround(2 / 127.5)])
    expect(initializer((await quantize(source, { target: 'arm64' })).model, 'w_scale')).toEqual([Math.fround(1 / 127)])
  })

  it('raises an old opset first', async () => {
    const source = model(
      ['N', 16],
      [makeNode('MatMul', ['x', 'w'], ['m']), makeNode('Clip', ['m'], ['y'], { min: float(0) })],
      [weights('w', [16, 4])],
      { y: ['N', 4] },
      { opset: 9 },
    )
    const quantized = await quantize(source)
    expect(quantized.kernels).toEqual({ MatMul_0: 'DynamicQuantizeMatMul' })
    expect(quantized.sqnrDb).toBeGreaterThan(30)
  })

  it('stores shared weights once', async () => {
    const nodes = [makeNode('MatMul', ['x', 'w'], ['h'], {}, { name: 'm1' }), makeNode('MatMul', ['h', 'w'], ['y'], {}, { name: 'm2' })]
    const quantized = await quantize(model(['N', 8], nodes, [weights('w', [8, 8])], { y: ['N', 8] }))
    expect(quantized.model.graph!.initializer.map(({ name }) => name).sort()).toEqual(['w_quantized', 'w_scale', 'w_zero_point'])
  })

  it('takes weights from Constant nodes and leaves none behind', async () => {
    const value = weights('', [16, 4])
    const nodes = [
      makeNode('Constant', [], ['w'], { value }, { name: 'constant' }),
      makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'm' }),
    ]
    const quantized = await quantize(model(['N', 16], nodes, [], { y: ['N', 4] }))
    expect(quantized.kernels).toEqual({ m: 'DynamicQuantizeMatMul' })
    expect(quantized.model.graph!.node.some(({ opType }) => opType === 'Constant')).toBe(false)
    expect(quantized.model.graph!.initializer.map(({ name }) => name)).not.toContain('w')
  })

  it('leaves convolutions unless it is told otherwise, and says so', async () => {
    const nodes = [
      makeNode('Conv', ['x', 'c'], ['h'], {}, { name: 'conv' }),
      makeNode('Flatten', ['h'], ['f']),
      makeNode('Gemm', ['f', 'w'], ['y'], {}, { name: 'g' }),
      makeNode('MatMul', ['f', 'w3'], ['z'], {}, { name: 'skip' }),
    ]
    const initializers = [weights('c', [2, 3, 1, 1]), weights('w', [32, 4]), weights('w3', [32, 4])]
    const quantized = await quantize(model(['N', 3, 4, 4], nodes, initializers, { y: ['N', 4], z: ['N', 4] }), { exclude: ['skip'] })
    expect(quantized.kernels).toEqual({ g: 'DynamicQuantizeMatMul' })
    expect(quantized.skipped).toEqual([
      { node: 'conv', op: 'Conv', reason: expect.stringContaining('slower') },
      { node: 'skip', op: 'MatMul', reason: 'excluded by the recipe' },
    ])
  })

  it('transposes activations, and adds whatever a Gemm adds', async () => {
    const gemm = makeNode('Gemm', ['x', 'w', 'x2'], ['y'], { transA: 1, beta: float(0.5) }, { name: 'g' })
    const nodes = [makeNode('Gemm', ['x', 'w2'], ['x2'], { transA: 1 }, { name: 'first' }), gemm]
    const source = model([32, 6], nodes, [weights('w', [32, 8]), weights('w2', [32, 8])], { y: [6, 8] })
    const quantized = await quantize(source)
    expect(quantized.quantized).toEqual(['first', 'g'])
    expect(Object.values(quantized.kernels).sort()).toEqual(['MatMulIntegerToFloat', 'MatMulIntegerToFloat'])
    expect(quantized.sqnrDb).toBeGreaterThan(35)
  })

  it.each([
    ['a stack of matrices', [4, 3, 16], [4, 16, 8], [4, 3, 8]],
    ['one activation for all matrices', [3, 16], [4, 16, 8], [4, 3, 8]],
    ['a stack for each of a batch', [2, 4, 3, 16], [4, 16, 8], [2, 4, 3, 8]],
    ['two leading dimensions', [2, 1, 3, 16], [2, 2, 16, 8], [2, 2, 3, 8]],
    ['a vector', [16], [16, 8], [8]],
  ])('multiplies %s, in one scale or many', async (_, x, w, y) => {
    const source = model(x, [makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'm' })], [weights('w', w)], { y })
    for (const perChannel of [true, false]) {
      const quantized = await quantize(source, { perChannel })
      expect(quantized.kernels).toEqual({ m: 'DynamicQuantizeMatMul' })
      expect(quantized.sqnrDb).toBeGreaterThan(30)
      for (const { sqnrDb } of quantized.weights) expect(sqnrDb).toBeGreaterThan(35)
    }
  })

  it('lets ONNX Runtime fold weights that other nodes make of constants', async () => {
    const nodes = [
      makeNode('Transpose', ['w'], ['t'], { perm: [1, 0] }, { name: 'transpose' }),
      makeNode('MatMul', ['x', 't'], ['y'], {}, { name: 'm' }),
    ]
    const quantized = await quantize(model(['N', 32], nodes, [weights('w', [8, 32])], { y: ['N', 8] }))
    expect(quantized.kernels).toEqual({ m: 'DynamicQuantizeMatMul' })
    expect(quantized.model.graph!.initializer.every(({ dataType, dims }) => dataType !== 1 || dims.length < 2)).toBe(true)
  })

  it('quantizes in sub-graphs: captured activations and weights once, each branch for itself', async () => {
    const branch = makeNode('If', ['flag'], ['y'], {}, { name: 'branch' })
    for (const [name, own] of [
      ['then_branch', 'shared'],
      ['else_branch', 'own'],
    ] as const) {
      const nodes = [makeNode('MatMul', ['x', own], [`${name}_y`], {}, { name: `${name}_m` })]
      const g = {
        ...model(['N', 16], nodes, own === 'own' ? [weights('own', [16, 16])] : [], { [`${name}_y`]: ['N', 16] }).graph!,
        input: [],
      }
      branch.attribute.push(create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g }))
    }
    const nodes = [
      makeNode('ReduceSum', ['x'], ['total'], { keepdims: 0 }, { name: 'total' }),
      makeNode('Greater', ['total', 'zero'], ['flag'], {}, { name: 'flag' }),
      makeNode('MatMul', ['x', 'shared'], ['z'], {}, { name: 'outer' }),
      branch,
    ]
    const source = model(['N', 16], nodes, [weights('shared', [16, 16]), constant('zero', [], [0])], { y: ['N', 16], z: ['N', 16] })
    const quantized = await quantize(source)
    expect(quantized.quantized).toEqual(['outer', 'then_branch_m', 'else_branch_m'])
    expect(quantized.kernels).toMatchObject({ then_branch_m: 'MatMulIntegerToFloat', else_branch_m: 'MatMulIntegerToFloat' })
    expect(quantized.model.graph!.initializer.map(({ name }) => name).sort()).toEqual([
      'shared_quantized',
      'shared_scale',
      'shared_zero_point',
      'zero',
    ])
    const bodies = quantized.model.graph!.node.find(({ opType }) => opType === 'If')!.attribute.map(({ g }) => g!)
    expect(bodies.flatMap(({ node }) => node.map(({ opType }) => opType))).not.toContain('DynamicQuantizeLinear')
    expect(bodies.map(({ initializer }) => initializer.length)).toEqual([0, 3])
    expect(quantized.sqnrDb).toBeGreaterThan(30)
    const inner = await quantize(source, { include: ['then*'] })
    expect(inner.quantized).toEqual(['then_branch_m'])
    expect(inner.model.graph!.initializer.map(({ name }) => name)).toContain('shared')
  })

  it('names what it leaves', async () => {
    const nodes = [
      makeNode('MatMul', ['x', 'w'], ['m'], {}, { name: 'm' }),
      makeNode('MatMul', ['w', 'm'], ['first'], {}, { name: 'first' }),
      makeNode('MatMul', ['first', 'broken'], ['b'], {}, { name: 'nan' }),
      makeNode('FusedMatMul', ['b', 'w'], ['y'], {}, { name: 'fused', domain: 'com.microsoft' }),
    ]
    const broken = constant('broken', [8, 8], new Array<number>(64).fill(Number.NaN))
    const source = model([8, 8], nodes, [weights('w', [8, 8]), broken], { m: [8, 8], y: [8, 8] })
    source.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }))
    const { quantized, skipped } = await quantizeDynamic(source, onnxRuntime, { target: 'x64', perChannel: true, exclude: [] })
    expect(quantized).toEqual(['m'])
    expect(skipped).toEqual([
      { node: 'first', op: 'MatMul', reason: expect.stringContaining('first factor') },
      { node: 'nan', op: 'MatMul', reason: 'its weights hold NaN or infinity' },
      { node: 'fused', op: 'FusedMatMul', reason: 'operators of the domain com.microsoft are left as they are' },
    ])
  })

  it('refuses models without such multiplications, and TensorRT', async () => {
    const source = model(['N', 3, 4, 4], [makeNode('Conv', ['x', 'c'], ['y'], {}, { name: 'conv' })], [weights('c', [2, 3, 1, 1])], {
      y: ['N', 2, 4, 4],
    })
    await expect(quantize(source)).rejects.toThrow(/no MatMul, Gemm, LSTM or lookup table .*Conv: .*int8-static/)
    await expect(quantize(source, { target: 'tensorrt' })).rejects.toThrow(/TensorRT has no dynamic quantization/)
  })
})
