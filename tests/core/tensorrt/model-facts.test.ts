import type { NodeProto, TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { tensorRtModelFacts } from '../../../src/core/tensorrt/model-facts.ts'

function model(nodes: NodeProto[], initializers: TensorProto[] = []) {
  return makeModel({
    nodes,
    inputs: [makeValueInfo('x', 'float32', ['N', 4])],
    outputs: [makeValueInfo('y', 'float32', ['N', 4])],
    initializers,
  })
}

function quantized(type: 'int8' | 'uint8', zeroPoint: number) {
  const values = type === 'int8' ? Int8Array.of(zeroPoint) : Uint8Array.of(zeroPoint)
  return model(
    [makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']), makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'])],
    [makeTensor('s', 'float32', [], Float32Array.of(0.1)), makeTensor('z', type, [], values)],
  )
}

describe('tensorRtModelFacts', () => {
  it('finds nothing against a float model, and its inputs', () => {
    const found = tensorRtModelFacts(model([makeNode('Relu', ['x'], ['y'])]))
    expect(found).toEqual({ inputs: [{ name: 'x', type: 'float32', shape: ['N', 4] }], hasQdq: false, hasFloat16: false, obstacles: [] })
  })

  it('leaves weights out that are listed as inputs', () => {
    const listed = model([makeNode('Add', ['x', 'w'], ['y'])], [makeTensor('w', 'float32', [4], new Float32Array(4))])
    listed.graph?.input.push(makeValueInfo('w', 'float32', [4]))
    expect(tensorRtModelFacts(listed).inputs.map(({ name }) => name)).toEqual(['x'])
  })

  it('takes symmetric signed Q/DQ, and nothing else', () => {
    expect(tensorRtModelFacts(quantized('int8', 0))).toMatchObject({ hasQdq: true, obstacles: [] })
    expect(tensorRtModelFacts(quantized('int8', 3)).obstacles).toEqual([
      { op: 'QuantizeLinear', reason: 'has a zero point other than 0; TensorRT quantizes symmetrically', nodes: 1, firstNode: 'q' },
      { op: 'DequantizeLinear', reason: 'has a zero point other than 0; TensorRT quantizes symmetrically', nodes: 1, firstNode: 'y' },
    ])
    expect(tensorRtModelFacts(quantized('uint8', 128)).obstacles.map(({ reason }) => reason)).toEqual([
      'has uint8 values; TensorRT takes int8',
      'has uint8 values; TensorRT takes int8',
    ])
    // A bias in 32 bits, as builds for processors have it.
    const bias = model(
      [makeNode('DequantizeLinear', ['b', 's'], ['f']), makeNode('Add', ['x', 'f'], ['y'])],
      [makeTensor('b', 'int32', [4], new Int32Array(4)), makeTensor('s', 'float32', [], Float32Array.of(1))],
    )
    expect(tensorRtModelFacts(bias).obstacles).toMatchObject([{ op: 'DequantizeLinear', reason: 'has int32 values; TensorRT takes int8' }])
  })

  it('names integer operators and those of ONNX Runtime, once each', () => {
    const nodes = [
      makeNode('QLinearConv', ['x'], ['a']),
      makeNode('QLinearConv', ['a'], ['b']),
      makeNode('DynamicQuantizeLinear', ['b'], ['c']),
      makeNode('QLinearAdd', ['c'], ['y']),
    ]
    ;(nodes[3] as NodeProto).domain = 'com.microsoft'
    expect(tensorRtModelFacts(model(nodes)).obstacles.map(({ op, nodes, firstNode }) => [op, nodes, firstNode])).toEqual([
      ['QLinearConv', 2, 'a'],
      ['DynamicQuantizeLinear', 1, 'c'],
      ['com.microsoft.QLinearAdd', 1, 'y'],
    ])
  })

  it('leaves operators of other domains to the plugins of the device', () => {
    const node = makeNode('EfficientNMS_TRT', ['x'], ['y'])
    node.domain = 'TRT'
    expect(tensorRtModelFacts(model([node])).obstacles).toEqual([])
  })

  it('looks into branches', () => {
    const inner = model([makeNode('MatMulInteger', ['x', 'x'], ['z'])]).graph
    const outer = makeNode('If', ['c'], ['y'], {})
    if (inner) outer.attribute.push({ name: 'then_branch', g: inner, graphs: [] } as never)
    expect(tensorRtModelFacts(model([outer])).obstacles).toMatchObject([{ op: 'MatMulInteger', firstNode: 'z' }])
  })

  it('sees 16-bit weights', () => {
    const half = model([makeNode('Cast', ['w'], ['y'])], [makeTensor('w', 'float16', [4], new Uint16Array(4))])
    expect(tensorRtModelFacts(half).hasFloat16).toBe(true)
  })
})
