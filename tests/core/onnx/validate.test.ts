import { create } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, AttributeProtoSchema, GraphProtoSchema, type ModelProto, TensorProtoSchema } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { CoreError } from '../../../src/core/core-error.ts'
import { type ModelParts, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { validateModel } from '../../../src/core/onnx/validate.ts'
import { branching, classifier, eccentric } from './sample-models.ts'

function model(parts: Partial<ModelParts> = {}, change: (model: ModelProto) => void = () => {}): ModelProto {
  const made = makeModel({
    nodes: [makeNode('Relu', ['x'], ['h'], {}, { name: 'first' }), makeNode('Neg', ['h'], ['y'], {}, { name: 'second' })],
    inputs: [makeValueInfo('x', 'float32', ['N', 3])],
    outputs: [makeValueInfo('y', 'float32', ['N', 3])],
    ...parts,
  })
  change(made)
  return decodeModel(encodeModel(made), 'model.onnx')
}

function problem(broken: ModelProto): CoreError {
  try {
    validateModel(broken)
  } catch (error) {
    if (error instanceof CoreError) return error
    throw error
  }
  return expect.fail('the model was accepted')
}

describe('good models', () => {
  test.each([
    ['a classifier', classifier],
    ['sub-graphs that read outer tensors', branching],
    ['functions, training, sparse and typed tensors', eccentric],
    ['nodes in any order', () => model({ nodes: [makeNode('Neg', ['h'], ['y']), makeNode('Relu', ['x'], ['h'])] })],
    [
      'optional inputs and outputs left out',
      () =>
        model({
          nodes: [makeNode('Clip', ['x', '', 'high'], ['y', ''])],
          initializers: [makeTensor('high', 'float32', [], new Float32Array([1]))],
        }),
    ],
    [
      'an initializer that is an input too',
      () =>
        model({
          inputs: [makeValueInfo('x', 'float32', [3]), makeValueInfo('w', 'float32', [3])],
          nodes: [makeNode('Add', ['x', 'w'], ['y'])],
          initializers: [makeTensor('w', 'float32', [3], new Float32Array(3))],
        }),
    ],
    [
      'an initializer that is an output',
      () => model({ outputs: [makeValueInfo('w', 'float32', [1])], initializers: [makeTensor('w', 'float32', [1], new Float32Array(1))] }),
    ],
    ['the oldest opset', () => model({ opset: 7 })],
    ['the newest opset', () => model({ opset: 26 })],
    ['several nodes without a name', () => model({ nodes: [makeNode('Relu', ['x'], ['h']), makeNode('Neg', ['h'], ['y'])] })],
    [
      'the long name of the standard domain',
      () =>
        model({}, (m) => {
          m.opsetImport[0]!.domain = 'ai.onnx'
        }),
    ],
    ['an empty tensor', () => model({ initializers: [makeTensor('none', 'float32', [0, 4], new Float32Array(0))] })],
  ])('%s', (_, make) => {
    expect(() => validateModel(make())).not.toThrow()
  })
})

describe('broken graphs', () => {
  test.each<[string, () => ModelProto, string, RegExp]>([
    ['no nodes', () => model({ nodes: [] }), 'MODEL_INVALID', /no nodes/],
    ['no outputs', () => model({ outputs: [] }), 'MODEL_INVALID', /no outputs/],
    [
      'an input without a name',
      () =>
        model({}, (m) => {
          m.graph!.input[0]!.name = ''
        }),
      'MODEL_INVALID',
      /An input of the graph has no name/,
    ],
    [
      'two inputs of one name',
      () => model({ inputs: [makeValueInfo('x', 'float32', [1]), makeValueInfo('x', 'float32', [1])] }),
      'MODEL_INVALID',
      /"x" is used twice: each input/,
    ],
    [
      'two outputs of one name',
      () => model({ outputs: [makeValueInfo('y', 'float32', [1]), makeValueInfo('y', 'float32', [1])] }),
      'MODEL_INVALID',
      /"y" is used twice: each output/,
    ],
    [
      'two initializers of one name',
      () => model({ initializers: [makeInt64('w', [], [1]), makeInt64('w', [], [2])] }),
      'MODEL_INVALID',
      /Two initializers of the graph have the name "w"/,
    ],
    [
      'a tensor written twice',
      () => model({ nodes: [makeNode('Relu', ['x'], ['y'], {}, { name: 'a' }), makeNode('Neg', ['x'], ['y'], {}, { name: 'b' })] }),
      'MODEL_INVALID',
      /"y" is written twice: by node "a" \(Relu\) and by node "b" \(Neg\)/,
    ],
    [
      'two nodes of one name',
      () => model({ nodes: [makeNode('Relu', ['x'], ['h'], {}, { name: 'a' }), makeNode('Neg', ['h'], ['y'], {}, { name: 'a' })] }),
      'MODEL_INVALID',
      /Two nodes of the graph have the name "a"/,
    ],
    [
      'a node that writes an input',
      () => model({ nodes: [makeNode('Relu', ['x'], ['x']), makeNode('Relu', ['x'], ['y'])] }),
      'MODEL_INVALID',
      /"x" is written by a Relu node, but it already is a graph input/,
    ],
    [
      'a node that writes an initializer',
      () => model({ nodes: [makeNode('Relu', ['x'], ['w']), makeNode('Relu', ['x'], ['y'])], initializers: [makeInt64('w', [], [1])] }),
      'MODEL_INVALID',
      /already is an initializer/,
    ],
    [
      'a tensor nobody makes',
      () => model({ nodes: [makeNode('Add', ['x', 'lost'], ['y'], {}, { name: 'sum' })] }),
      'MODEL_INVALID',
      /Node "sum" \(Add\) reads "lost", which nothing makes/,
    ],
    [
      'an output nobody makes',
      () => model({ outputs: [makeValueInfo('z', 'float32', [1])] }),
      'MODEL_INVALID',
      /Output "z" of the graph is made by nothing/,
    ],
    [
      'a cycle',
      () => model({ nodes: [makeNode('Add', ['x', 'b'], ['a']), makeNode('Relu', ['a'], ['b']), makeNode('Neg', ['b'], ['y'])] }),
      'MODEL_INVALID',
      /cycle/,
    ],
    ['a node that reads itself', () => model({ nodes: [makeNode('Add', ['x', 'y'], ['y'])] }), 'MODEL_INVALID', /cycle/],
    [
      'a node without operator',
      () => model({ nodes: [makeNode('', ['x'], ['y'], {}, { name: 'what' })] }),
      'MODEL_INVALID',
      /Node "what" has no operator type/,
    ],
    [
      'an attribute given twice',
      () =>
        model({}, (m) => {
          m.graph!.node[0]!.attribute.push(
            ...[1, 2].map((i) => create(AttributeProtoSchema, { name: 'axis', type: AttributeProto_AttributeType.INT, i: BigInt(i) })),
          )
        }),
      'MODEL_INVALID',
      /attribute "axis" twice/,
    ],
    [
      'a domain that is not imported',
      () => model({ nodes: [makeNode('Thing', ['x'], ['y'], {}, { domain: 'org.other' })] }),
      'MODEL_INVALID',
      /domain "org\.other", for which the model names no operator set/,
    ],
    [
      'too long a name',
      () => model({ nodes: [makeNode('Relu', ['x'], ['y'], {}, { name: 'n'.repeat(10_001) })] }),
      'TOO_LARGE',
      /10001 characters/,
    ],
    [
      'too many dimensions',
      () => model({ inputs: [makeValueInfo('x', 'float32', new Array(65).fill(1))] }),
      'TOO_LARGE',
      /"x" has 65 dimensions/,
    ],
    ['too much metadata', () => model({ metadata: { huge: 'x'.repeat(2 ** 24) } }), 'TOO_LARGE', /characters of metadata/],
  ])('%s', (_, make, code, message) => {
    expect(problem(make())).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('a cycle through a sub-graph is found', () => {
    const body = create(GraphProtoSchema, { node: [makeNode('Relu', ['y'], ['inner'])], output: [makeValueInfo('inner', 'float32', [1])] })
    const node = makeNode('If', ['flag'], ['y'])
    for (const name of ['then_branch', 'else_branch'])
      node.attribute.push(create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g: body }))
    expect(problem(model({ nodes: [node], inputs: [makeValueInfo('flag', 'bool', [])] }))).toMatchObject({
      message: expect.stringMatching(/cycle/),
    })
  })

  test('what a sub-graph reads from nowhere is found', () => {
    const broken = branching()
    broken.graph!.node[0]!.attribute[0]!.g!.node[0]!.input = ['nowhere']
    expect(problem(broken).message).toMatch(/A Relu node reads "nowhere", which nothing makes/)
  })

  test('names from the file cannot break the message', () => {
    const { message } = problem(model({ nodes: [makeNode('Add', ['x', `a\n\u001b[31m\u202e${'b'.repeat(500)}`], ['y'])] }))
    expect(message).toContain(String.raw`"a\n\u001b[31m\u202ebbb`)
    for (const character of '\n\u001b\u202e') expect(message).not.toContain(character)
    expect(message.length).toBeLessThan(250)
  })
})

describe('versions', () => {
  test.each([
    [6, 'opset 6'],
    [27, 'opset 27'],
    [1, 'opset 1'],
  ])('opset %i is refused with the range', (opset, text) => {
    expect(problem(model({ opset }))).toMatchObject({
      code: 'MODEL_UNSUPPORTED_OPSET',
      message: `The model has ${text}, supported are 7 to 26.`,
      details: { found: opset, min: 7, max: 26 },
    })
  })

  test('a newer IR version is refused', () => {
    expect(
      problem(
        model({}, (m) => {
          m.irVersion = 14n
        }),
      ),
    ).toMatchObject({ code: 'MODEL_UNSUPPORTED_OPSET', message: expect.stringMatching(/IR version 14, supported are 1 to 13/) })
  })

  test('a newer ai.onnx.ml is refused', () => {
    expect(problem(model({ domains: { 'ai.onnx.ml': 6 } })).message).toMatch(/ai\.onnx\.ml opset 6, supported are 1 to 5/)
  })

  test('no operator set at all hints at a cut file', () => {
    expect(
      problem(
        model({}, (m) => {
          m.opsetImport = []
        }),
      ),
    ).toMatchObject({ code: 'MODEL_INVALID', hint: expect.stringMatching(/cut off/) })
  })

  test('before IR version 3 no operator set means the first', () => {
    expect(
      problem(
        model({}, (m) => {
          m.opsetImport = []
          m.irVersion = 2n
        }),
      ),
    ).toMatchObject({ code: 'MODEL_UNSUPPORTED_OPSET', details: { found: 1 } })
  })

  test.each([
    ['two versions of a domain', [1n, 2n], /two versions \(1 and 2\)/],
    ['an impossible version', [-1n], /impossible version -1/],
  ])('%s', (_, versions, message) => {
    expect(
      problem(
        model({}, (m) => {
          m.opsetImport.push(...versions.map((version) => ({ ...m.opsetImport[0]!, domain: 'org.x', version })))
        }),
      ).message,
    ).toMatch(message)
  })
})

describe('tensors', () => {
  const withTensor = (change: Parameters<typeof create<typeof TensorProtoSchema>>[1]) =>
    model({}, (m) => {
      m.graph!.initializer.push(create(TensorProtoSchema, { name: 'w', dataType: 1, ...change }))
    })

  test.each<[string, Parameters<typeof create<typeof TensorProtoSchema>>[1], RegExp, object?]>([
    [
      'too few bytes',
      { dims: [2n, 3n], rawData: new Uint8Array(20) },
      /Initializer "w" of type float32 and shape \[2,3\] needs 24 bytes, found 20/,
      { expected: 24, found: 20 },
    ],
    ['too many bytes', { dims: [1n], rawData: new Uint8Array(8) }, /needs 4 bytes, found 8/],
    ['no values', { dims: [1000000n, 1000000n] }, /needs 1000000000000 values, found 0/],
    ['too few values', { dims: [3n], floatData: [1, 2] }, /needs 3 values, found 2/],
    ['values in the wrong list', { dims: [1n], int64Data: [1n] }, /needs 1 values, found 0 \(there are values in int64Data/],
    ['values twice', { dims: [1n], rawData: new Uint8Array(4), floatData: [1] }, /twice/],
    ['a negative dimension', { dims: [-2n], rawData: new Uint8Array(8) }, /negative dimension -2/],
    ['an impossible shape', { dims: [2n ** 40n, 2n ** 40n] }, /impossible shape/],
    ['65 dimensions', { dims: new Array(65).fill(1n), rawData: new Uint8Array(4) }, /65 dimensions, at most 64/],
    ['an unknown type', { dataType: 99, dims: [1n], rawData: new Uint8Array(4) }, /unknown element type 99/],
    ['no type', { dataType: 0, dims: [1n] }, /unknown element type 0/],
    ['strings as raw bytes', { dataType: 8, dims: [1n], rawData: new Uint8Array(4) }, /needs strings, not raw bytes/],
    ['too few strings', { dataType: 8, dims: [2n], stringData: [new Uint8Array(1)] }, /needs 2 values, found 1/],
    ['4-bit values, two to a byte', { dataType: 22, dims: [5n], rawData: new Uint8Array(5) }, /needs 3 bytes, found 5/],
    ['segments', { dims: [1n], segment: { begin: 0n, end: 1n } }, /segments/],
  ])('%s', (_, tensor, message, details) => {
    expect(problem(withTensor(tensor))).toMatchObject({
      code: 'TENSOR_INVALID',
      message: expect.stringMatching(message),
      ...(details ? { details } : {}),
    })
  })

  test.each([
    ['4-bit values in a typed list', { dataType: 22, dims: [5n], int32Data: [1, 2, 3] }],
    ['float16 in a typed list', { dataType: 10, dims: [2n], int32Data: [1, 2] }],
    ['complex numbers', { dataType: 14, dims: [1n], floatData: [1, 2] }],
    ['uint32', { dataType: 12, dims: [1n], uint64Data: [7n] }],
    ['bool', { dataType: 9, dims: [2n], rawData: new Uint8Array(2) }],
    ['a scalar', { dims: [], rawData: new Uint8Array(4) }],
  ])('%s are fine', (_, tensor) => {
    expect(() => validateModel(withTensor(tensor))).not.toThrow()
  })

  test('a constant inside a node is checked too', () => {
    const tensor = makeTensor('', 'float32', [2], new Float32Array(2))
    tensor.dims = [3n]
    const broken = model({
      nodes: [makeNode('Constant', [], ['c'], { value: tensor }, { name: 'const' }), makeNode('Add', ['x', 'c'], ['y'])],
    })
    expect(problem(broken)).toMatchObject({
      code: 'TENSOR_INVALID',
      message: expect.stringMatching(/Attribute "value" of node "const" \(Constant\), tensor "" .* needs 12 bytes, found 8/),
    })
  })
})

test('a graph of 50,000 nodes in reverse order is checked in good time', () => {
  const nodes = Array.from({ length: 50_000 }, (_, index) => makeNode('Relu', [`t${index}`], [`t${index + 1}`])).reverse()
  const long = makeModel({ nodes, inputs: [makeValueInfo('t0', 'float32', [1])], outputs: [makeValueInfo('t50000', 'float32', [1])] })
  expect(() => validateModel(long)).not.toThrow()
})
