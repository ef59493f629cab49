import { create } from '@bufbuild/protobuf'
import { AttributeProtoSchema, FunctionProtoSchema, GraphProtoSchema, type ModelProto, type NodeProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { foldConstants } from '../../../src/core/graph-surgery/fold-constants.ts'
import { float, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { prepareForQuantization } from '../../../src/core/quantization/prepare-model.ts'
import { inferTensorFacts } from '../../../src/core/quantization/tensor-facts.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, model, opCounts, weights } from './small-models.ts'

const op = (type: string, inputs: readonly string[], outputs: readonly string[], attributes = {}, domain = '') =>
  makeNode(type, inputs, outputs, attributes, { name: `${type}.${outputs[0]}`, domain })

async function prepared(source: ModelProto): Promise<ModelProto> {
  const { graph } = await prepareForQuantization(source, onnxRuntime)
  return graph.model
}

async function expectSame(source: ModelProto, built: ModelProto): Promise<void> {
  const { sqnrDb } = await verifyBuild(encodeModel(source), encodeModel(built), undefined, 'x64', onnxRuntime)
  expect(sqnrDb ?? Number.POSITIVE_INFINITY).toBeGreaterThan(100)
}

function ifNode(condition: string, output: string, branches: readonly [readonly NodeProto[], readonly NodeProto[]]): NodeProto {
  const node = op('If', [condition], [output])
  for (const [index, nodes] of branches.entries()) {
    const result = nodes.at(-1)!.output[0]!
    const g = create(GraphProtoSchema, {
      name: `branch ${index}`,
      node: [...nodes],
      output: [{ ...makeValueInfo(result, 'float32', []), type: undefined }],
    })
    node.attribute.push(create(AttributeProtoSchema, { name: index === 0 ? 'then_branch' : 'else_branch', type: 5, g }))
  }
  return node
}

describe('prepareForQuantization', () => {
  it.each([7, 8, 9, 10, 11, 12, 13, 17, 21, 25])('keeps what a model of opset %d computes', async (opset) => {
    const nodes = [
      op('Conv', ['x', 'c'], ['h'], { pads: [1, 1, 1, 1] }),
      op('BatchNormalization', ['h', 's', 'b', 'm', 'v'], ['n']),
      op('Relu', ['n'], ['r']),
      op('Flatten', ['r'], ['f']),
      op('Softmax', ['f'], ['y']),
    ]
    const statistics = ['s', 'b', 'm'].map((name) => weights(name, [4]))
    const constants = [weights('c', [4, 3, 3, 3]), ...statistics, constant('v', [4], [1, 2, 0.5, 1])]
    const source = model(['N', 3, 6, 6], nodes, constants, { y: ['N', 144] }, { opset })
    const built = await prepared(source)
    expect(opCounts(built).BatchNormalization).toBeUndefined()
    expect(built.opsetImport).toEqual([expect.objectContaining({ domain: '', version: BigInt(Math.max(13, opset)) })])
    await expectSame(source, built)
  })

  it('inlines functions of the model’s own', async () => {
    const nodes = [op('Scaled', ['x', 'w'], ['h'], { alpha: float(0.5) }, 'custom'), op('Relu', ['h'], ['y'])]
    const source = model(['N', 6], nodes, [weights('w', [6, 4])], { y: ['N', 4] })
    source.opsetImport.push({ $typeName: 'onnx.OperatorSetIdProto', domain: 'custom', version: 1n })
    const alpha = makeNode('Constant', [], ['factor'], {})
    alpha.attribute.push(create(AttributeProtoSchema, { name: 'value_float', type: 1, refAttrName: 'alpha' }))
    const body = [makeNode('MatMul', ['a', 'b'], ['product']), alpha, makeNode('Mul', ['product', 'factor'], ['c'])]
    source.functions.push(
      create(FunctionProtoSchema, {
        name: 'Scaled',
        domain: 'custom',
        input: ['a', 'b'],
        output: ['c'],
        attribute: ['alpha'],
        node: body,
        opsetImport: [{ domain: '', version: 17n }],
      }),
    )
    const built = await prepared(source)
    expect(opCounts(built)).toEqual({ MatMul: 1, Mul: 1, Relu: 1 })
    expect(built.functions).toEqual([])
    expect(built.opsetImport.map(({ domain }) => domain)).toEqual([''])
    await expectSame(source, built)
  })

  it('keeps operators of other domains and their operator sets', async () => {
    const nodes = [
      op('Scaler', ['x'], ['scaled'], { offset: float([0, 1, 0, 1]), scale: float([1, 2, 1, 2]) }, 'ai.onnx.ml'),
      op('Gelu', ['scaled'], ['g'], {}, 'com.microsoft'),
      op('MatMul', ['g', 'w'], ['y']),
    ]
    const source = makeModel({
      nodes,
      inputs: [makeValueInfo('x', 'float32', ['N', 4])],
      outputs: [makeValueInfo('y', 'float32', ['N', 3])],
      initializers: [weights('w', [4, 3])],
      domains: { 'ai.onnx.ml': 3, 'com.microsoft': 1 },
      opset: 12,
    })
    const built = await prepared(source)
    expect(Object.fromEntries(built.opsetImport.map(({ domain, version }) => [domain, version]))).toEqual({
      '': 13n,
      'ai.onnx.ml': 3n,
      'com.microsoft': 1n,
    })
    await expectSame(source, built)
  })

  it('keeps what the file says of itself', async () => {
    const source = model(['N', 4], [op('MatMul', ['x', 'w'], ['y'])], [weights('w', [4, 3])], { y: ['N', 3] })
    Object.assign(source, { producerName: 'a trainer', producerVersion: '2', domain: 'org.example', modelVersion: 7n, docString: 'text' })
    source.metadataProps.push({ $typeName: 'onnx.StringStringEntryProto', key: 'labels', value: 'a,b,c' })
    expect(await prepared(source)).toMatchObject({
      producerName: 'a trainer',
      producerVersion: '2',
      domain: 'org.example',
      modelVersion: 7n,
      docString: 'text',
      metadataProps: [{ key: 'labels', value: 'a,b,c' }],
    })
  })

  it('keeps sub-graphs that stay, raised with the rest', async () => {
    const branch = (axis: number): NodeProto[] => [
      op('MatMul', ['x', 'w'], [`p${axis}`]),
      op('Softmax', [`p${axis}`], [`s${axis}`], { axis }),
    ]
    const source = model(
      ['N', 4],
      [ifNode('flag', 'y', [branch(1), branch(0)])],
      [weights('w', [4, 3])],
      { y: ['N', 3] },
      {
        opset: 11,
        extraInputs: [makeValueInfo('flag', 'bool', [])],
      },
    )
    const built = await prepared(source)
    expect(opCounts(built)).toEqual({ If: 1 })
    await expectSame(source, built)
  })
})

describe('foldConstants', () => {
  // The batch is open, so ONNX Runtime does not know the shape; its second dimension is known all the same.
  const question = (value: number): NodeProto[] => [
    op('Shape', ['x'], ['shape']),
    op('Gather', ['shape', 'one'], ['columns']),
    makeNode('Constant', [], ['wanted'], { value: makeInt64('', [], [value]) }, { name: 'wanted' }),
    op('Equal', ['columns', 'wanted'], ['same']),
  ]
  const branches = [
    [op('Add', ['x', 'c'], ['sum']), op('Relu', ['sum'], ['result'])],
    [op('Mul', ['x', 'c'], ['sum']), op('Neg', ['sum'], ['result'])],
  ] as const
  const steered = (value: number): ModelProto =>
    model(['N', 4], [...question(value), ifNode('same', 'y', branches)], [makeInt64('one', [], [1]), weights('c', [4])], { y: ['N', 4] })

  it.each([
    [4, { Add: 1, Relu: 1 }],
    [5, { Mul: 1, Neg: 1 }],
  ])('replaces an If whose condition follows from a known dimension (%d)', async (value, left) => {
    const source = steered(value)
    const folded = await foldConstants(source, onnxRuntime)
    expect(opCounts(folded)).toEqual(left)
    await expectSame(source, folded)
  })

  it('follows Ifs within Ifs, whose names repeat', async () => {
    const inner = (name: string): NodeProto[] => [op('Relu', ['x'], ['a']), ifNode('same', name, branches)]
    const nodes = [
      ...question(4),
      ifNode('same', 'first', [inner('u'), inner('v')]),
      ifNode('same', 'second', [inner('u'), inner('v')]),
      op('Add', ['first', 'second'], ['y']),
    ]
    const source = model(['N', 4], nodes, [makeInt64('one', [], [1]), weights('c', [4])], { y: ['N', 4] })
    const folded = await foldConstants(source, onnxRuntime)
    expect(opCounts(folded).If).toBeUndefined()
    await expectSame(source, folded)
  })

  it('leaves an If that an input steers', async () => {
    const source = model(
      ['N', 4],
      [ifNode('flag', 'y', branches)],
      [weights('c', [4])],
      { y: ['N', 4] },
      { extraInputs: [makeValueInfo('flag', 'bool', [])] },
    )
    expect(opCounts(await foldConstants(source, onnxRuntime))).toEqual({ If: 1 })
  })

  it('leaves an If that an open dimension steers', async () => {
    const source = steered(4)
    source.graph!.input = [makeValueInfo('x', 'float32', ['N', 'M'])]
    expect(opCounts(await foldConstants(source, onnxRuntime)).If).toBe(1)
  })
})

describe('inferTensorFacts', () => {
  it('knows shapes that ONNX Runtime does not follow', async () => {
    const nodes = [
      op('Shape', ['x'], ['shape']),
      op('Gather', ['shape', 'zero'], ['rows']),
      op('Unsqueeze', ['rows', 'first'], ['list']),
      op('Concat', ['list', 'tail'], ['target'], { axis: 0 }),
      op('Reshape', ['x', 'target'], ['y']),
    ]
    const constants = [makeInt64('zero', [], [0]), makeInt64('first', [1], [0]), makeInt64('tail', [2], [2, 3])]
    const facts = await inferTensorFacts(model(['N', 6], nodes, constants, { y: ['N', 2, 3] }), onnxRuntime)
    expect(facts.get('y')).toEqual({ type: 'float32', shape: ['N', 2, 3] })
    expect(facts.get('rows')).toEqual({ type: 'int64', shape: [] })
  })

  it('takes element types from the runtime', async () => {
    const half = makeTensor('h', 'float16', [2], Uint16Array.of(0x3c00, 0x4000))
    const nodes = [op('Cast', ['x'], ['as_half'], { to: 10 }), op('Add', ['as_half', 'h'], ['sum']), op('Cast', ['sum'], ['y'], { to: 1 })]
    const facts = await inferTensorFacts(model([1, 2], nodes, [half], { y: [1, 2] }), onnxRuntime)
    expect(facts.get('sum')).toEqual({ type: 'float16', shape: [1, 2] })
    expect(facts.get('h')).toEqual({ type: 'float16', shape: [2] })
  })
})
