import { describe, expect, it } from 'vitest'
import { coarseChannels } from '../../../src/core/explanation/coarse-channels.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'

/** A layer whose weights come out of a DequantizeLinear. */
function found(
  op: string,
  dims: readonly number[],
  values: readonly number[],
  options: { readonly scales?: number; readonly zeroPoint?: number; readonly attributes?: Record<string, number> } = {},
) {
  const { scales = 1, zeroPoint = 0, attributes = {} } = options
  const node = makeNode(op, ['x', 'w'], ['y'], attributes)
  const graph = new Graph(
    makeModel({
      nodes: [makeNode('DequantizeLinear', ['w_8', 'w_s', 'w_z'], ['w']), node],
      inputs: [makeValueInfo('x', 'float32', [1, 2])],
      outputs: [makeValueInfo('y', 'float32', [1, 2])],
      initializers: [
        makeTensor('w_8', 'int8', dims, Int8Array.from(values)),
        makeTensor('w_s', 'float32', scales === 1 ? [] : [scales], new Float32Array(scales).fill(1)),
        makeTensor('w_z', 'int8', scales === 1 ? [] : [scales], new Int8Array(scales).fill(zeroPoint)),
      ],
    }),
  )
  return coarseChannels(graph, node)
}

describe('coarseChannels', () => {
  it('gives the worked example', () => {
    expect(found('Conv', [2, 1, 2, 2], [1, -2, 1, 2, 100, 90, -80, 3])).toEqual({ coarse: 1, of: 2, scales: 1 })
  })

  it('goes along the axis of output channels of each operator', () => {
    // Two columns: the first of few steps.
    const columns = [1, 50, 2, -60, 1, 70]
    expect(found('MatMul', [3, 2], columns)).toEqual({ coarse: 1, of: 2, scales: 1 })
    expect(found('Gemm', [3, 2], columns)).toEqual({ coarse: 1, of: 2, scales: 1 })
    expect(found('Gemm', [2, 3], [1, 2, 1, 50, -60, 70], { attributes: { transB: 1 } })).toEqual({ coarse: 1, of: 2, scales: 1 })
    expect(found('ConvTranspose', [1, 2, 1, 2], [1, 2, 60, 50])).toEqual({ coarse: 1, of: 2, scales: 1 })
  })

  it('counts steps from the zero point', () => {
    expect(found('Conv', [2, 1, 1, 2], [101, 99, 30, -30], { scales: 2, zeroPoint: 100 })).toEqual({ coarse: 1, of: 2, scales: 2 })
  })

  it('knows nothing of other operators and of float weights', () => {
    expect(found('Add', [2], [1, 2])).toBeUndefined()
    const graph = new Graph(
      makeModel({
        nodes: [makeNode('MatMul', ['x', 'w'], ['y'])],
        inputs: [makeValueInfo('x', 'float32', [1, 1])],
        outputs: [makeValueInfo('y', 'float32', [1, 1])],
        initializers: [makeTensor('w', 'float32', [1, 1], Float32Array.of(1))],
      }),
    )
    expect(coarseChannels(graph, graph.nodes[0])).toBeUndefined()
    expect(coarseChannels(graph, undefined)).toBeUndefined()
  })
})
