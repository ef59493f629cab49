import fc from 'fast-check'
import type { ModelProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { floatToHalf } from '../../../src/core/float16.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { floatValues, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { pruneByMagnitude } from '../../../src/core/pruning/magnitude.ts'
import { smallestWeights } from '../../../src/core/pruning/smallest-weights.ts'

const defaults = { sparsity: 0.5, scope: 'global', exclude: [] } as const

function twoLayers(first: readonly number[], second: readonly number[]): ModelProto {
  return makeModel({
    nodes: [
      makeNode('MatMul', ['x', 'w1'], ['h'], {}, { name: 'first' }),
      makeNode('Gemm', ['h', 'w2', 'b2'], ['y'], {}, { name: 'second' }),
    ],
    inputs: [makeValueInfo('x', 'float32', [1, 2])],
    outputs: [makeValueInfo('y', 'float32', [1, 2])],
    initializers: [
      makeTensor('w1', 'float32', [2, 2], Float32Array.from(first)),
      makeTensor('w2', 'float32', [2, 2], Float32Array.from(second)),
      makeTensor('b2', 'float32', [2], Float32Array.of(0.001, 0.002)),
    ],
  })
}

function weights(model: ModelProto, name: string): number[] {
  return [...floatValues(model.graph!.initializer.find((tensor) => tensor.name === name)!)]
}

describe('smallestWeights', () => {
  it('finds the threshold of a sorted copy, and how many ties go with it', () => {
    const magnitude = fc.oneof(fc.constantFrom(0, 0.5, 1, 1.5), fc.float({ noNaN: true, noDefaultInfinity: true }))
    fc.assert(
      fc.property(
        fc.array(fc.array(magnitude, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (lists, pick) => {
          const groups = lists.map((list) => Float32Array.from(list))
          const sorted = groups.flatMap((group) => [...group].map(Math.abs)).sort((a, b) => a - b)
          const count = pick % (sorted.length + 1)
          const { threshold, ties } = smallestWeights(groups, count)
          const below = sorted.filter((size) => size < threshold).length
          expect(below + ties).toBe(count)
          if (count > 0) expect(threshold).toBe(sorted[count - 1])
        },
      ),
    )
  })
})

describe('pruneByMagnitude', () => {
  it('takes the smallest of the whole model', () => {
    const { model, sparsity, pruned } = pruneByMagnitude(twoLayers([0.1, -0.2, 0.3, -0.4], [5, -6, 7, 8]), defaults)
    expect(weights(model, 'w1')).toEqual([0, 0, 0, 0])
    expect(weights(model, 'w2')).toEqual([5, -6, 7, 8])
    expect(weights(model, 'b2')).toEqual([...Float32Array.of(0.001, 0.002)])
    expect({ sparsity, pruned }).toEqual({ sparsity: 0.5, pruned: ['first', 'second'] })
  })

  it('takes the same share of every layer', () => {
    const { model } = pruneByMagnitude(twoLayers([0.1, -0.2, 0.3, -0.4], [5, -6, 7, 8]), { ...defaults, scope: 'layer' })
    expect(weights(model, 'w1')).toEqual([0, 0, ...Float32Array.of(0.3, -0.4)])
    expect(weights(model, 'w2')).toEqual([0, 0, 7, 8])
  })

  it('breaks ties by position', () => {
    const { model } = pruneByMagnitude(twoLayers([1, -1, 1, -1], [1, 1, -1, -1]), { ...defaults, sparsity: 0.375 })
    expect(weights(model, 'w1')).toEqual([0, 0, 0, -1])
    expect(weights(model, 'w2')).toEqual([1, 1, -1, -1])
  })

  it('zeroes exactly the share asked for', () => {
    const some = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(0.01) }), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(some, some, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (first, second, sparsity) => {
        const result = pruneByMagnitude(twoLayers(first, second), { ...defaults, sparsity })
        expect(result.sparsity * 8).toBe(Math.round(sparsity * 8))
      }),
    )
  })

  it('does not touch the source and keeps its size', () => {
    const source = twoLayers([1, 2, 3, 4], [5, 6, 7, 8])
    const before = encodeModel(source)
    const { model } = pruneByMagnitude(source, defaults)
    expect(encodeModel(source)).toEqual(before)
    expect(encodeModel(model).length).toBe(before.length)
  })

  it('leaves excluded nodes and weights they share', () => {
    const source = twoLayers([1, 2, 3, 4], [5, 6, 7, 8])
    source.graph!.node.push(makeNode('MatMul', ['h', 'w1'], ['z'], {}, { name: 'third' }))
    const { model, skipped, sparsity } = pruneByMagnitude(source, { ...defaults, exclude: ['third'] })
    expect(weights(model, 'w1')).toEqual([1, 2, 3, 4])
    expect(weights(model, 'w2')).toEqual([0, 0, 7, 8])
    expect(sparsity).toBe(0.5)
    expect(skipped).toEqual([
      { node: 'first', op: 'MatMul', reason: 'it shares its weights with a node that is left as it is' },
      { node: 'third', op: 'MatMul', reason: 'excluded by the recipe' },
    ])
  })

  it('leaves depthwise convolutions', () => {
    const conv = (name: string, input: string, output: string, group: number) =>
      makeNode('Conv', [input, name], [output], { group }, { name })
    const source = makeModel({
      nodes: [conv('depthwise', 'x', 'h', 2), conv('pointwise', 'h', 'y', 1)],
      inputs: [makeValueInfo('x', 'float32', [1, 2, 4, 4])],
      outputs: [makeValueInfo('y', 'float32', [1, 2, 3, 3])],
      initializers: [
        makeTensor('depthwise', 'float32', [2, 1, 2, 2], new Float32Array(8).fill(0.1)),
        makeTensor('pointwise', 'float32', [2, 2, 1, 1], Float32Array.of(1, 2, 3, 4)),
      ],
    })
    const { model, skipped } = pruneByMagnitude(source, defaults)
    expect(weights(model, 'depthwise').every((value) => value !== 0)).toBe(true)
    expect(weights(model, 'pointwise')).toEqual([0, 0, 3, 4])
    expect(skipped).toEqual([{ node: 'depthwise', op: 'Conv', reason: expect.stringContaining('depthwise') }])
  })

  it('prunes float16 weights and typed fields', () => {
    const source = twoLayers([1, 2, 3, 4], [5, 6, 7, 8])
    const [first, second] = source.graph!.initializer
    Object.assign(first!, makeTensor('w1', 'float16', [2, 2], Uint16Array.from([1, 2, 3, 4], floatToHalf)))
    Object.assign(second!, { rawData: new Uint8Array(), floatData: [5, 6, 7, 8] })
    const { model } = pruneByMagnitude(source, { ...defaults, scope: 'layer' })
    expect(weights(model, 'w1')).toEqual([0, 0, 3, 4])
    expect(weights(model, 'w2')).toEqual([0, 0, 7, 8])
  })

  it('refuses a model without such weights, and one that is quantized', () => {
    const plain = makeModel({
      nodes: [makeNode('Relu', ['x'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', [1])],
      outputs: [makeValueInfo('y', 'float32', [1])],
    })
    expect(() => pruneByMagnitude(plain, defaults)).toThrow(expect.objectContaining({ code: 'RECIPE_NOT_APPLICABLE' }))
    const quantized = twoLayers([1, 2, 3, 4], [5, 6, 7, 8])
    quantized.graph!.node.push(makeNode('QuantizeLinear', ['y', 'b2'], ['q'], {}, { name: 'quantizer' }))
    expect(() => pruneByMagnitude(quantized, defaults)).toThrow(/quantized already: it has QuantizeLinear "quantizer"/)
  })
})
