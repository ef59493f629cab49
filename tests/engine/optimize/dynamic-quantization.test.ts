import type { ModelProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { float, makeNode } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { quantizeDynamic } from '../../../src/core/quantization/dynamic-quantization.ts'
import type { QuantizationOptions } from '../../../src/core/quantization/static-quantization.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { countInt8Kernels } from '../../../src/engine/runtimes/int8-kernels.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, initializer, model, weights } from './small-models.ts'

async function quantize(source: ModelProto, settings: Partial<QuantizationOptions> = {}) {
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

  it('never touches convolutions, and says so', async () => {
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

  it('refuses models without such multiplications, and TensorRT', async () => {
    const source = model(['N', 3, 4, 4], [makeNode('Conv', ['x', 'c'], ['y'], {}, { name: 'conv' })], [weights('c', [2, 3, 1, 1])], {
      y: ['N', 2, 4, 4],
    })
    await expect(quantize(source)).rejects.toThrow(/no MatMul or Gemm .*Conv: .*int8-static/)
    await expect(quantize(source, { target: 'tensorrt' })).rejects.toThrow(/TensorRT has no dynamic quantization/)
  })
})
