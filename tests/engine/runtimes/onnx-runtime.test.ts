import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { ModelProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import type { NamedTensors } from '../../../src/core/inference-runtime.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { onnxRuntime, onnxRuntimeVersion } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { cleanMessage, loadError } from '../../../src/engine/runtimes/runtime-errors.ts'

const x = makeValueInfo('x', 'float32', ['N', 3])
const y = makeValueInfo('y', 'float32', ['N', 3])
const double = makeModel({ nodes: [makeNode('Add', ['x', 'x'], ['y'], {}, { name: 'add' })], inputs: [x], outputs: [y] })
const row = { type: 'float32', dims: [1, 3], values: Float32Array.of(1, 2, 3) } as const

async function running(model: ModelProto, feeds: NamedTensors) {
  const loaded = await onnxRuntime.load(encodeModel(model))
  try {
    return await loaded.run(feeds)
  } finally {
    await loaded.close()
  }
}

describe('load and run', () => {
  it('tells its version', () => {
    expect(onnxRuntimeVersion).toMatch(/^\d+\.\d+\.\d+/)
  })

  it('says names, types and shapes, symbolic dimensions by name and unknown ones as undefined', async () => {
    const inputs = [makeValueInfo('x', 'float32', ['batch', 3]), makeValueInfo('k', 'int64', ['', 2])]
    const nodes = [makeNode('Identity', ['x'], ['y']), makeNode('Identity', ['k'], ['z'])]
    const loaded = await onnxRuntime.load(encodeModel(makeModel({ nodes, inputs, outputs: [y, makeValueInfo('z', 'int64', ['', 2])] })))
    expect(loaded.inputs).toEqual([
      { name: 'x', type: 'float32', shape: ['batch', 3] },
      { name: 'k', type: 'int64', shape: [undefined, 2] },
    ])
    expect(loaded.outputs.map(({ name, type }) => [name, type])).toEqual([
      ['y', 'float32'],
      ['z', 'int64'],
    ])
    await loaded.close()
  })

  it('runs', async () => {
    expect((await running(double, { x: row })).y).toEqual({ type: 'float32', dims: [1, 3], values: Float32Array.of(2, 4, 6) })
  })

  it('passes every element type through', async () => {
    const tensors = [
      { type: 'float32', values: Float32Array.of(1.5) },
      { type: 'float64', values: Float64Array.of(1.5) },
      { type: 'float16', values: Uint16Array.of(0x3e00) },
      { type: 'int8', values: Int8Array.of(-3) },
      { type: 'uint8', values: Uint8Array.of(3) },
      { type: 'int16', values: Int16Array.of(-3) },
      { type: 'uint16', values: Uint16Array.of(3) },
      { type: 'int32', values: Int32Array.of(-3) },
      { type: 'uint32', values: Uint32Array.of(3) },
      { type: 'int64', values: BigInt64Array.of(-3n) },
      { type: 'uint64', values: BigUint64Array.of(3n) },
      { type: 'bool', values: Uint8Array.of(1) },
      { type: 'string', values: ['text'] },
    ] as const
    for (const { type, values } of tensors) {
      const port = (name: string) => makeValueInfo(name, type, [1])
      const identity = makeModel({ nodes: [makeNode('Identity', ['a'], ['b'])], inputs: [port('a')], outputs: [port('b')] })
      expect((await running(identity, { a: { type, dims: [1], values } })).b).toEqual({ type, dims: [1], values })
    }
  })

  it('leaves out outputs that are no tensors', async () => {
    const sequence = Object.assign(makeValueInfo('s', 'float32', []), { type: undefined })
    const model = makeModel({
      nodes: [makeNode('SequenceConstruct', ['x'], ['s']), makeNode('Identity', ['x'], ['y'])],
      inputs: [x],
      outputs: [sequence, y],
    })
    expect(Object.keys(await running(model, { x: row }))).toEqual(['y'])
  })
})

describe('wrong inputs', () => {
  it.each([
    { what: 'a missing one', feeds: {}, says: 'Input "x" is missing.' },
    { what: 'an unknown one', feeds: { x: row, z: row }, says: 'The model has no input "z".' },
    {
      what: 'another type',
      feeds: { x: { type: 'int32', dims: [1, 3], values: Int32Array.of(1, 2, 3) } },
      says: 'Input "x" must be float32, found int32.',
    },
    { what: 'another shape', feeds: { x: { ...row, dims: [3, 1] } }, says: 'Input "x" must have shape [N,3], found [3,1].' },
    { what: 'another rank', feeds: { x: { ...row, dims: [3] } }, says: 'Input "x" must have shape [N,3], found [3].' },
    { what: 'too few values', feeds: { x: { ...row, dims: [2, 3] } }, says: 'Input "x" has 3 values, its shape [2,3] needs 6.' },
  ] as const)('names $what', async ({ feeds, says }) => {
    await expect(running(double, feeds as NamedTensors)).rejects.toThrow(
      expect.objectContaining({ code: 'MODEL_RUN_FAILED', message: says }),
    )
  })

  it('says what failed while running, without paths of the machine ONNX Runtime was built on', async () => {
    const model = makeModel({
      nodes: [makeNode('Reshape', ['x', 'shape'], ['y'], {}, { name: 'reshape' })],
      inputs: [x],
      outputs: [makeValueInfo('y', 'float32', [7, 7])],
      initializers: [makeInt64('shape', [2], [7, 7])],
    })
    const error = await running(model, { x: row }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'MODEL_RUN_FAILED', details: { op: 'Reshape', node: 'reshape' } })
    expect((error as Error).message).toContain('Input shape:{1,3}, requested shape:{7,7}')
    expect((error as Error).message).not.toMatch(/onnxruntime_src|\.h:|::/)
  })
})

describe('models that do not load', () => {
  const withOp = (opType: string, domain = '', domains = {}) =>
    makeModel({ nodes: [makeNode(opType, ['x'], ['y'], {}, { name: 'odd', domain })], inputs: [x], outputs: [y], domains })
  const newer = makeModel({ nodes: double.graph!.node, inputs: [x], outputs: [y], opset: 99 })
  const newerFormat = makeModel({ nodes: double.graph!.node, inputs: [x], outputs: [y] })
  newerFormat.irVersion = 99n
  const bfloat = (name: string) => makeValueInfo(name, 'bfloat16', [1, 1, 3, 3])
  const noKernel = makeModel({
    nodes: [makeNode('Conv', ['x', 'w'], ['y'], {}, { name: 'odd' })],
    inputs: [bfloat('x'), bfloat('w')],
    outputs: [bfloat('y')],
    opset: 22,
  })
  const dangling = makeModel({ nodes: [makeNode('Relu', ['nowhere'], ['y'])], inputs: [x], outputs: [y] })
  const mixed = makeModel({
    nodes: [makeNode('Add', ['x', 'k'], ['y'], {}, { name: 'odd' })],
    inputs: [x],
    outputs: [y],
    initializers: [makeInt64('k', [1], [1])],
  })

  it.each([
    { what: 'an unknown operator', model: withOp('Foo'), code: 'MODEL_UNSUPPORTED_OP', details: { op: 'Foo', node: 'odd' } },
    {
      what: 'an operator of another domain',
      model: withOp('Foo', 'acme', { acme: 1 }),
      code: 'MODEL_UNSUPPORTED_OP',
      details: { op: 'acme:Foo' },
    },
    { what: 'a type without kernel', model: noKernel, code: 'MODEL_UNSUPPORTED_OP', details: { op: 'Conv', node: 'odd' } },
    { what: 'an opset that does not exist yet', model: newer, code: 'MODEL_UNSUPPORTED_OPSET', details: {} },
    { what: 'a file format that does not exist yet', model: newerFormat, code: 'MODEL_UNSUPPORTED_OPSET', details: {} },
    { what: 'a tensor nobody makes', model: dangling, code: 'MODEL_LOAD_FAILED', details: {} },
    { what: 'types that do not fit', model: mixed, code: 'MODEL_LOAD_FAILED', details: { op: 'Add', node: 'odd' } },
  ])('$what: $code', async ({ model, code, details }) => {
    const error = await onnxRuntime.load(encodeModel(model)).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code, details })
    expect((error as Error).message).not.toMatch(/onnxruntime_src|::Model/)
  })

  it('refuses bytes that are no model', async () => {
    await expect(onnxRuntime.load(Uint8Array.of(1, 2, 3))).rejects.toThrow(expect.objectContaining({ code: 'MODEL_LOAD_FAILED' }))
  })

  it('refuses inputs that are no tensors', async () => {
    const model = decodeModel(
      encodeModel(
        makeModel({
          nodes: [makeNode('SequenceAt', ['s', 'i'], ['y'])],
          inputs: [],
          outputs: [y],
          initializers: [makeInt64('i', [], [0])],
        }),
      ),
      'sequence',
    )
    model.graph!.input.push({
      ...makeValueInfo('s', 'float32', []),
      type: {
        $typeName: 'onnx.TypeProto',
        denotation: '',
        value: { case: 'sequenceType', value: { $typeName: 'onnx.TypeProto.Sequence', elemType: x.type! } },
      },
    })
    await expect(onnxRuntime.load(encodeModel(model))).rejects.toThrow('Model input "s" is not a tensor')
  })
})

describe('cleanMessage', () => {
  it.each([
    [
      '/onnxruntime_src/onnxruntime/core/graph/model.cc:202 onnxruntime::Model::Model(onnx::ModelProto&&, const std::map<int, int>&) Unsupported\n',
      'Unsupported',
    ],
    [
      'Load failed: D:\\a\\_work\\1\\s\\onnxruntime\\core\\graph\\model.cc:7 static onnxruntime::X::Y(void (*)(int)) const was false. Why',
      'Load failed: was false. Why',
    ],
    ["Name:'a' /onnxruntime_src/a.h:9 void a::b(int)::<lambda(long)> [with T = float] Broken  twice", "Name:'a' Broken twice"],
    ['nothing to clean (at all)', 'nothing to clean (at all)'],
  ])('%s', (message, cleaned) => {
    expect(cleanMessage(new Error(message))).toBe(cleaned)
  })

  it('keeps a message that is no error object', () => {
    expect(loadError('odd').message).toContain('odd')
  })
})

describe('optimized', () => {
  it('folds batch normalization and constants at the basic level and leaves no file behind', async () => {
    const vector = (name: string, value: number) => makeTensor(name, 'float32', [2], new Float32Array(2).fill(value))
    const model = makeModel({
      nodes: [makeNode('Conv', ['x', 'w'], ['h'], {}, { name: 'c' }), makeNode('BatchNormalization', ['h', 's', 'b', 'm', 'v'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', ['N', 3, 4, 4])],
      outputs: [makeValueInfo('y', 'float32', ['N', 2, 4, 4])],
      initializers: [
        makeTensor('w', 'float32', [2, 3, 1, 1], new Float32Array(6).fill(1)),
        vector('s', 2),
        vector('b', 0),
        vector('m', 0),
        vector('v', 1),
      ],
    })
    const folders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('edgesmith-graph-')).length
    const before = await folders()
    const folded = decodeModel(await onnxRuntime.optimized(encodeModel(model), 'basic'), 'folded')
    expect(folded.graph!.node.map(({ opType, name }) => [opType, name])).toEqual([['Conv', 'c']])
    expect(await folders()).toBeLessThanOrEqual(before)
  })
})
