import type { ModelProto, NodeProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { coarsestPrecision, exposedLayers, outputStep } from '../../../src/core/parity/exposed-layers.ts'
import { inferTensorFacts } from '../../../src/core/quantization/tensor-facts.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, model, weights } from '../../engine/explanation/plain-models.ts'

const exposed = async (of: ModelProto) => exposedLayers(new Graph(of), await inferTensorFacts(of, onnxRuntime))
const named = async (of: ModelProto) =>
  (await exposed(of)).map(({ layer, tensor, inputs, precision }) => [layer, tensor, inputs, precision])
const square = (nodes: readonly NodeProto[], more: Parameters<typeof model>[2] = []) =>
  model(['N', 4], nodes, [weights('w', [4, 4]), weights('b', [4]), ...more], { y: ['N', 4] })

describe('exposedLayers', () => {
  it('takes a matrix product with what is computed in the same kernel as one layer', async () => {
    const found = await named(
      square([
        makeNode('MatMul', ['x', 'w'], ['m'], {}, { name: 'product' }),
        makeNode('Add', ['m', 'b'], ['s'], {}, { name: 'bias' }),
        makeNode('Relu', ['s'], ['r'], {}, { name: 'relu' }),
        makeNode('MatMul', ['r', 'w'], ['t'], {}, { name: 'second' }),
        makeNode('Add', ['t', 'r'], ['y'], {}, { name: 'residual' }),
      ]),
    )
    expect(found).toEqual([
      ['product', 'r', [], 'float32'],
      ['second', 'y', ['r'], 'float32'],
    ])
  })

  it('leaves out what does not depend on the inputs, and integers that are no numbers', async () => {
    const found = await named(
      square([
        makeNode('Transpose', ['w'], ['wt'], { perm: [1, 0] }),
        makeNode('Shape', ['x'], ['shape']),
        makeNode('MatMul', ['x', 'wt'], ['m'], {}, { name: 'product' }),
        makeNode('Reshape', ['m', 'shape'], ['y'], {}, { name: 'back' }),
      ]),
    )
    expect(found).toEqual([['product', 'y', [], 'float32']])
  })

  it('gives out neither the integers of dynamic quantization nor their sums', async () => {
    const dynamic = square(
      [
        makeNode('DynamicQuantizeLinear', ['x'], ['q', 'qs', 'qz']),
        makeNode('MatMulInteger', ['q', 'w8', 'qz', 'wz'], ['sums'], {}, { name: 'integers' }),
        makeNode('Cast', ['sums'], ['f'], { to: 1 }),
        makeNode('Mul', ['qs', 'ws'], ['scale']),
        makeNode('Mul', ['f', 'scale'], ['y'], {}, { name: 'scaled' }),
      ],
      [
        makeTensor(
          'w8',
          'int8',
          [4, 4],
          Int8Array.from({ length: 16 }, (_, index) => index - 8),
        ),
        makeTensor('wz', 'int8', [], Int8Array.of(0)),
        constant('ws', [], [0.01]),
      ],
    )
    const found = await exposed(dynamic)
    expect(found.map(({ layer, op, tensor, precision }) => [layer, op, tensor, precision])).toEqual([
      ['integers', 'MatMulInteger', 'y', 'int8'],
    ])
    expect(coarsestPrecision(found)).toBe('int8')
  })

  it('reads the grid of operators on integers, and passes over one with a scale for each channel', async () => {
    const zero = makeTensor('z', 'uint8', [], Uint8Array.of(128))
    const scale = constant('s', [], [0.5])
    const perAxis = [constant('cs', [4], [1, 2, 3, 4]), makeTensor('cz', 'uint8', [4], Uint8Array.of(0, 0, 0, 0))]
    const wholly = model(
      ['N', 4],
      [
        makeNode('QuantizeLinear', ['x', 's', 'z'], ['q'], {}, { name: 'Q' }),
        makeNode('QLinearMatMul', ['q', 's', 'z', 'w8', 's', 'z', 's', 'z'], ['p'], {}, { name: 'product' }),
        makeNode('DequantizeLinear', ['p', 's', 'z'], ['y']),
      ],
      [zero, scale, makeTensor('w8', 'uint8', [4, 4], new Uint8Array(16).fill(130))],
      { y: ['N', 4] },
    )
    const found = await exposed(wholly)
    expect(found.map(({ layer, tensor, inputs, grid }) => [layer, tensor, inputs, grid?.scale, grid?.zeroPoint])).toEqual([
      ['Q', 'q', [], 0.5, 128],
      ['product', 'p', ['q'], 0.5, 128],
    ])
    const graph = new Graph(wholly)
    expect([outputStep(graph, 'y'), outputStep(graph, 'p'), outputStep(graph, 'x')]).toEqual([0.5, 1, null])
    const channels = square(
      [
        makeNode('QuantizeLinear', ['x', 'cs', 'cz'], ['q'], { axis: 1 }),
        makeNode('DequantizeLinear', ['q', 'cs', 'cz'], ['d'], { axis: 1 }),
        makeNode('Relu', ['d'], ['y'], {}, { name: 'relu' }),
      ],
      perAxis,
    )
    expect(await named(channels)).toEqual([['relu', 'y', [], 'float32']])
  })
})
