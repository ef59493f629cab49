import { create } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  SparseTensorProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  TypeProtoSchema,
} from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { modelReportSchema } from '../../../src/contract/model.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { inspectModel } from '../../../src/core/onnx/inspect.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { branching, classifier, eccentric, weightValues } from './sample-models.ts'
import { build, conv, floats, ints, one, windows, x } from './shape-cases.ts'

const HASH = 'ab'.repeat(32)
const inspect = (model: Parameters<typeof inspectModel>[0]) => inspectModel(model, 1000, HASH)

test('a classifier, all of it', () => {
  const report = inspect(classifier())
  expect(modelReportSchema.parse(report)).toEqual(report)
  expect(report).toMatchObject({
    sizeBytes: 1000,
    sha256: HASH,
    irVersion: 8,
    producer: 'edgesmith',
    opset: 17,
    domains: { 'ai.onnx': 17 },
    inputs: [{ name: 'x', type: 'float32', shape: ['N', 1, 8, 8] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['N', 3] }],
    nodeCount: 6,
    opCounts: { Conv: 1, Relu: 1, MaxPool: 1, Flatten: 1, Gemm: 1, Softmax: 1 },
    initializerCount: 4,
    parameters: 36 + 4 + 192 + 3,
    parameterBytes: 4 * 235,
    zeroFraction: 0,
    weightTypes: { float32: 940 },
    // Conv 4·8·8 outputs · 9, Gemm 64·3
    macs: 2304 + 192,
    uncountedNodes: 0,
    labels: ['cat', 'dog', 'bird'],
    metadata: { author: 'somebody' },
    nodesTruncated: false,
  })
  expect(report.nodes[0]).toEqual({ name: 'conv1', op: 'Conv', domain: '', outputShape: ['N', 4, 8, 8], parameters: 40, macs: 2304 })
  expect(report.nodes[1]).toMatchObject({ name: 'relu1', parameters: 0, macs: 0 })
})

describe('multiply-accumulates', () => {
  const macsOf = (parts: Parameters<typeof build>[0]) => inspect(withOutput(build(parts))).macs
  const withOutput = (model: ReturnType<typeof build>) => {
    model.graph!.output.push(makeValueInfo('y', 'float32', []))
    return model
  }

  test.each<[string, Parameters<typeof build>[0], number]>([
    // Worked by hand: outputs × multiplications for each.
    ['Conv', conv([9, 8], [3, 3]), 6 * 7 * 6 * (4 * 9)],
    ['Conv, depthwise', conv([7, 7], [3, 3], { group: 4 }, 4, 1, 8), 8 * 5 * 5 * 9],
    [
      'ConvTranspose',
      { nodes: one('ConvTranspose', { strides: [2, 2] }, ['x', 'w']), inputs: [x('N', 4, 5, 6)], initializers: [floats('w', 4, 3, 2, 2)] },
      4 * 5 * 6 * 3 * 2 * 2,
    ],
    ['ConvInteger', windows.ConvInteger!, 3 * 3 * 3 * 2 * 9],
    ['QLinearConv', windows.QLinearConv!, 3 * 5 * 5 * 2 * 9],
    ['Gemm', { nodes: one('Gemm', { transB: 1 }, ['x', 'w']), inputs: [x('N', 4)], initializers: [floats('w', 5, 4)] }, 20],
    [
      'Gemm with A transposed',
      { nodes: one('Gemm', { transA: 1 }, ['x', 'w']), inputs: [x(4, 2)], initializers: [floats('w', 4, 3)] },
      2 * 3 * 4,
    ],
    [
      'MatMul in batches',
      { nodes: one('MatMul', {}, ['x', 'w']), inputs: [x('N', 1, 3, 4)], initializers: [floats('w', 2, 4, 5)] },
      2 * 3 * 5 * 4,
    ],
    ['MatMul by a vector', { nodes: one('MatMul', {}, ['x', 'w']), inputs: [x('N', 3, 4)], initializers: [floats('w', 4)] }, 12],
    [
      'Einsum',
      { nodes: one('Einsum', { equation: 'nij,jk->nik' }, ['x', 'w']), inputs: [x('N', 3, 4)], initializers: [floats('w', 4, 5)] },
      60,
    ],
    // 7 steps · 2 sequences · 2 directions · 4 gates · 5 hidden · (3 + 5)
    [
      'LSTM',
      {
        nodes: one('LSTM', { hidden_size: 5, direction: 'bidirectional' }, ['x', 'w', 'r']),
        inputs: [x(7, 2, 3)],
        initializers: [floats('w', 2, 20, 3), floats('r', 2, 20, 5)],
      },
      7 * 2 * 2 * 4 * 5 * 8,
    ],
    [
      'GRU',
      {
        nodes: one('GRU', { hidden_size: 5 }, ['x', 'w', 'r']),
        inputs: [x(7, 2, 3)],
        initializers: [floats('w', 1, 15, 3), floats('r', 1, 15, 5)],
      },
      7 * 2 * 3 * 5 * 8,
    ],
    ['nothing but activations', { nodes: one('Relu'), inputs: [x('N', 4)] }, 0],
  ])('%s', (_, parts, macs) => {
    expect(macsOf(parts)).toBe(macs)
  })

  test.each<[string, Parameters<typeof build>[0]]>([
    [
      'an image of any size',
      { nodes: one('Conv', { pads: [1, 1, 1, 1] }, ['x', 'w']), inputs: [x('N', 4, 'H', 'W')], initializers: [floats('w', 6, 4, 3, 3)] },
    ],
    [
      'a matrix product of unknown operands',
      {
        nodes: [makeNode('Magic', ['x'], ['m'], {}, { domain: 'org.x' }), makeNode('MatMul', ['m', 'x'], ['y'])],
        inputs: [x('N', 4)],
        domains: { 'org.x': 1 },
      },
    ],
    [
      'fused attention',
      { nodes: one('Attention', {}, ['x', 'x', 'x'], ['y'], 'com.microsoft'), inputs: [x('N', 4, 8)], domains: { 'com.microsoft': 1 } },
    ],
  ])('%s is not counted, and that is said', (_, parts) => {
    const report = inspect(withOutput(build(parts)))
    expect(report.macs).toBeNull()
    expect(report.uncountedNodes).toBe(1)
  })

  test('work inside a Loop is not counted, a Loop without work is', () => {
    const loop = (inner: ReturnType<typeof makeNode>) => {
      const node = makeNode('Loop', ['n', ''], ['y'])
      const g = create(GraphProtoSchema, {
        node: [inner],
        input: [makeValueInfo('i', 'int64', []), makeValueInfo('c', 'bool', [])],
        output: [makeValueInfo('c', 'bool', []), makeValueInfo('o', 'float32', [2, 2])],
      })
      node.attribute.push(create(AttributeProtoSchema, { name: 'body', type: AttributeProto_AttributeType.GRAPH, g }))
      return inspect(withOutput(build({ nodes: [node], inputs: [{ name: 'n', type: 'int64', dims: [] }, x(2, 2)] })))
    }
    expect(loop(makeNode('MatMul', ['x', 'x'], ['o']))).toMatchObject({
      macs: null,
      uncountedNodes: 1,
      nodeCount: 2,
      opCounts: { Loop: 1, MatMul: 1 },
    })
    expect(loop(makeNode('Relu', ['x'], ['o']))).toMatchObject({ macs: 0, uncountedNodes: 0 })
  })
})

describe('weights', () => {
  const quantized = (points: number[]) => {
    const values = Int8Array.from({ length: 12 }, (_, index) =>
      index % 3 === 0 ? (points[Math.floor(index / 6)] ?? points[0]!) : 50 + index,
    )
    return makeModel({
      nodes: [
        makeNode('DequantizeLinear', ['w', 's', 'z'], ['wf'], { axis: 0 }),
        makeNode('DequantizeLinear', ['b', 's'], ['bf']),
        makeNode('Gemm', ['x', 'wf', 'bf'], ['y'], { transB: 1 }),
      ],
      inputs: [makeValueInfo('x', 'float32', ['N', 6])],
      outputs: [makeValueInfo('y', 'float32', ['N', 2])],
      initializers: [
        makeTensor('w', 'int8', [2, 6], values),
        makeTensor('b', 'int32', [2], Int32Array.of(1, 2)),
        makeTensor(
          's',
          'float32',
          points.length === 1 ? [] : [2],
          Float32Array.from(points, () => 0.1),
        ),
        makeTensor('z', 'int8', points.length === 1 ? [] : [2], Int8Array.from(points)),
      ],
    })
  }

  test('a quantized layer has as many parameters as a float one: scales and zero points are none', () => {
    expect(inspect(quantized([0]))).toMatchObject({ parameters: 14, parameterBytes: 12 + 8, initializerCount: 4 })
  })

  test('zeros of quantized weights are their zero points', () => {
    expect(inspect(quantized([0])).zeroFraction).toBeCloseTo(4 / 12)
    expect(inspect(quantized([7])).zeroFraction).toBeCloseTo(4 / 12)
    expect(inspect(quantized([7, -9])).zeroFraction).toBeCloseTo(4 / 12)
  })

  test.each<[string, Parameters<typeof makeTensor>[1], Parameters<typeof makeTensor>[3]]>([
    ['float32', 'float32', Float32Array.of(0, -0, 1, 1e-40)],
    ['float64', 'float64', Float64Array.of(0, -0, 1, 1e-300)],
    ['float16', 'float16', Uint16Array.of(0, 0x8000, 1, 0x3c00)],
    ['int8', 'int8', Int8Array.of(0, 0, 1, -128)],
  ])('half of these %s weights are zero, -0 included', (_, type, values) => {
    const model = build({ nodes: one('Relu'), inputs: [x('N', 2)], initializers: [makeTensor('w', type, [2, 2], values)] })
    expect(inspect(model).zeroFraction).toBe(0.5)
  })

  test('4-bit weights are parameters; their zeros are not looked for', () => {
    const packed = (name: string, dims: bigint[], bytes: number) =>
      create(TensorProtoSchema, { name, dataType: 22, dims, rawData: new Uint8Array(bytes) })
    const model = makeModel({
      nodes: [makeNode('DequantizeLinear', ['w', 's', 'z'], ['wf'], { axis: 1 }), makeNode('MatMul', ['x', 'wf'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', ['N', 4])],
      outputs: [makeValueInfo('y', 'float32', ['N', 3])],
      initializers: [packed('w', [4n, 3n], 6), floats('s', 3), packed('z', [3n], 2)],
      opset: 21,
    })
    expect(inspect(model)).toMatchObject({ parameters: 12, parameterBytes: 6, zeroFraction: 0, macs: 12 })
  })

  test('a node has the parameters it reads, from initializers and constants', () => {
    const model = build({
      nodes: [
        makeNode('Constant', [], ['k'], { value: floats('', 3, 3) }),
        makeNode('Clip', ['x', '', 'high'], ['c']),
        makeNode('MatMul', ['c', 'k'], ['y']),
      ],
      inputs: [x('N', 3)],
      initializers: [makeTensor('high', 'float32', [], Float32Array.of(6))],
    })
    expect(inspect(model).nodes.map(({ op, parameters }) => [op, parameters])).toEqual([
      ['Constant', 0],
      ['Clip', 1],
      ['MatMul', 9],
    ])
  })

  test('biases and shapes do not count into the share of zeros', () => {
    const model = build({
      nodes: one('Relu'),
      inputs: [x('N', 2)],
      initializers: [makeTensor('b', 'float32', [4], new Float32Array(4)), ints('shape', 0, 0), floats('w', 3, 3)],
    })
    expect(inspect(model)).toMatchObject({ zeroFraction: 0, parameters: 13, weightTypes: { float32: 52, int64: 16 } })
  })

  test('a large weight in typed or raw form is counted in pieces', () => {
    const values = weightValues(600_000)
    values.fill(0, 0, 150_000)
    const model = build({ nodes: one('Relu'), inputs: [x('N', 2)], initializers: [makeTensor('w', 'float32', [600, 1000], values)] })
    expect(inspect(model).zeroFraction).toBe(0.25)
    const tensor = model.graph!.initializer[0]!
    tensor.floatData = [...values]
    tensor.rawData = new Uint8Array()
    expect(inspect(model).zeroFraction).toBe(0.25)
  })

  test('Constant nodes, sub-graphs and sparse tensors hold parameters too', () => {
    const model = branching()
    model.graph!.node.push(
      makeNode('Constant', [], ['k'], { value: floats('', 2, 2) }),
      makeNode('Constant', [], ['setting'], { value: makeTensor('', 'float32', [], Float32Array.of(1)) }),
    )
    model.graph!.node[0]!.attribute[0]!.g!.initializer.push(floats('inner', 5))
    model.graph!.sparseInitializer.push(
      create(SparseTensorProtoSchema, { values: floats('sparse', 2), indices: ints('', 0, 3), dims: [4n] }),
    )
    expect(inspect(model)).toMatchObject({ parameters: 4 + 5 + 2, initializerCount: 2 })
  })

  test('values in another file count by their shape', () => {
    const model = build({ nodes: one('Relu'), inputs: [x('N', 2)], initializers: [floats('w', 3, 3)] })
    const tensor = model.graph!.initializer[0]!
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL
    tensor.rawData = new Uint8Array()
    expect(inspect(model)).toMatchObject({ parameters: 9, parameterBytes: 36, zeroFraction: 0 })
  })
})

describe('ports', () => {
  test('a shape the file does not give is inferred, its type too', () => {
    const model = classifier()
    model.graph!.output[0]!.type = undefined
    expect(inspect(model).outputs).toEqual([{ name: 'y', type: 'float32', shape: ['N', 3] }])
  })

  test('a number that is certain is shown instead of a name', () => {
    const model = classifier()
    model.graph!.output = [makeValueInfo('y', 'float32', ['M', 'classes'])]
    expect(inspect(model).outputs[0]?.shape).toEqual(['M', 3])
  })

  test('sequences and maps are named, without a shape', () => {
    const model = classifier()
    const tensor = create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType: 1 } } })
    model.graph!.output[0]!.type = create(TypeProtoSchema, {
      value: {
        case: 'sequenceType',
        value: { elemType: create(TypeProtoSchema, { value: { case: 'mapType', value: { keyType: 7, valueType: tensor } } }) },
      },
    })
    model.graph!.input[0]!.type = create(TypeProtoSchema, { value: { case: 'optionalType', value: { elemType: tensor } } })
    const report = inspect(model)
    expect(report.outputs[0]?.type).toBe('sequence(map(int64, float32))')
    expect(report.inputs[0]).toEqual({ name: 'x', type: 'optional(float32)', shape: null })
  })

  test('inputs with a default value are not asked for', () => {
    const model = classifier()
    model.graph!.input.push(makeValueInfo('w', 'float32', [4, 1, 3, 3]))
    expect(inspect(model).inputs.map(({ name }) => name)).toEqual(['x'])
  })
})

test('operators of sub-graphs and other domains are counted under their name', () => {
  expect(inspect(branching()).opCounts).toEqual({ If: 1, Relu: 1, Neg: 1 })
  expect(
    inspect(
      build({
        nodes: [...one('Gelu', {}, ['x'], ['y'], 'com.microsoft'), ...one('constructor', {}, ['x'], ['z'], '__proto__')],
        inputs: [x('N')],
        domains: { 'com.microsoft': 1, __proto__x: 1 },
      }),
    ).opCounts,
  ).toEqual(
    Object.fromEntries([
      ['com.microsoft.Gelu', 1],
      ['__proto__.constructor', 1],
    ]),
  )
})

test('everything a file may carry makes a report of the contract', () => {
  expect(() => modelReportSchema.parse(inspect(eccentric()))).not.toThrow()
})

test('metadata keys cannot reach the prototype, long values are cut', () => {
  const model = classifier()
  model.metadataProps.push(
    { ...model.metadataProps[0]!, key: '__proto__', value: 'x' },
    { ...model.metadataProps[0]!, key: 'long', value: 'x'.repeat(100_000) },
  )
  const { metadata } = inspect(model)
  expect(Object.keys(metadata)).toContain('__proto__')
  expect(metadata.long).toHaveLength(65_536)
})

test('a listing is cut at 20,000 nodes', () => {
  const nodes = Array.from({ length: 20_001 }, (_, index) => makeNode('Relu', [`t${index}`], [`t${index + 1}`]))
  const report = inspect(
    makeModel({ nodes, inputs: [makeValueInfo('t0', 'float32', ['N', 2])], outputs: [makeValueInfo('t20001', 'float32', ['N', 2])] }),
  )
  expect(report).toMatchObject({ nodeCount: 20_001, nodesTruncated: true })
  expect(report.nodes).toHaveLength(20_000)
})

test('an integer initializer that nothing quantizes is no parameter', () => {
  expect(
    inspect(build({ nodes: one('Reshape', {}, ['x', 's']), inputs: [x('N', 2)], initializers: [makeInt64('s', [1], [-1])] })).parameters,
  ).toBe(0)
})
