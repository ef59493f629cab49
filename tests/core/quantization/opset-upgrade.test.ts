import type { ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { float, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { upgradeOpset } from '../../../src/core/quantization/opset-upgrade.ts'
import { inferTensorFacts } from '../../../src/core/quantization/tensor-facts.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

const shape = [2, 3, 4, 4]
const values = Float32Array.from({ length: 96 }, (_, index) => Math.sin(index * 1.7) * 2)
const vector = (name: string, list: readonly number[]): TensorProto => makeTensor(name, 'float32', [list.length], Float32Array.from(list))

function oldModel(
  opset: number,
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[] = [],
  outputs: readonly string[] = ['y'],
): ModelProto {
  const inputs = [makeValueInfo('x', 'float32', shape)]
  const undeclared = outputs.map((name) => ({ ...makeValueInfo(name, 'float32', []), type: undefined }))
  return makeModel({ nodes, inputs, outputs: undeclared, initializers, opset })
}

async function run(model: ModelProto) {
  const loaded = await onnxRuntime.load(encodeModel(model), { optimization: 'disabled' })
  try {
    return await loaded.run({ x: { type: 'float32', dims: shape, values } })
  } finally {
    await loaded.close()
  }
}

async function upgraded(model: ModelProto): Promise<ModelProto> {
  const copy = decodeModel(encodeModel(model), 'copy')
  upgradeOpset(new Graph(copy), await inferTensorFacts(copy, onnxRuntime))
  return copy
}

const conv = makeNode('Conv', ['x', 'w'], ['y'], {}, { name: 'c' })
const weight = makeTensor('w', 'float32', [1, 3, 1, 1], Float32Array.of(1, 2, 3))
const statistics = [vector('s', [1, 2, 3]), vector('b', [0, 1, 0]), vector('m', [0.1, 0, 0]), vector('v', [1, 2, 1])]
const scales = vector('scales', [1, 1, 2, 2])
const halves = vector('halves', [1, 1, 0.5, 0.5])

const cases: readonly {
  readonly name: string
  readonly opset: number
  readonly nodes: readonly NodeProto[]
  readonly initializers?: readonly TensorProto[]
  readonly outputs?: readonly string[]
}[] = [
  { name: 'Softmax over all dimensions from the second on', opset: 11, nodes: [makeNode('Softmax', ['x'], ['y'])] },
  { name: 'Softmax over the two last dimensions', opset: 12, nodes: [makeNode('Softmax', ['x'], ['y'], { axis: 2 })] },
  { name: 'LogSoftmax over the last dimension', opset: 11, nodes: [makeNode('LogSoftmax', ['x'], ['y'], { axis: 3 })] },
  { name: 'Hardmax', opset: 11, nodes: [makeNode('Hardmax', ['x'], ['y'], { axis: 2 })] },
  {
    name: 'Squeeze and Unsqueeze',
    opset: 11,
    nodes: [makeNode('Unsqueeze', ['x'], ['u'], { axes: [0, 5] }), makeNode('Squeeze', ['u'], ['y'], { axes: [0] })],
  },
  {
    name: 'Squeeze of every single dimension',
    opset: 11,
    nodes: [makeNode('Unsqueeze', ['x'], ['u'], { axes: [0] }), makeNode('Squeeze', ['u'], ['y'])],
  },
  { name: 'ReduceSum', opset: 11, nodes: [makeNode('ReduceSum', ['x'], ['y'], { axes: [1, 3], keepdims: 0 })] },
  { name: 'ReduceSum of everything', opset: 12, nodes: [makeNode('ReduceSum', ['x'], ['y'])] },
  {
    name: 'Split in given parts',
    opset: 11,
    nodes: [makeNode('Split', ['x'], ['y', 'z'], { axis: 1, split: [1, 2] })],
    outputs: ['y', 'z'],
  },
  { name: 'Split in equal parts', opset: 12, nodes: [makeNode('Split', ['x'], ['y', 'z'], { axis: 2 })], outputs: ['y', 'z'] },
  { name: 'Clip', opset: 10, nodes: [makeNode('Clip', ['x'], ['y'], { min: float(-0.5), max: float(1) })] },
  { name: 'Clip on one side', opset: 7, nodes: [makeNode('Clip', ['x'], ['y'], { max: float(0.25) })] },
  { name: 'Pad', opset: 10, nodes: [makeNode('Pad', ['x'], ['y'], { pads: [0, 0, 1, 1, 0, 0, 0, 2], value: float(-3) })] },
  { name: 'Pad by reflection', opset: 9, nodes: [makeNode('Pad', ['x'], ['y'], { pads: [0, 0, 1, 1, 0, 0, 1, 1], mode: 'reflect' })] },
  { name: 'Slice', opset: 9, nodes: [makeNode('Slice', ['x'], ['y'], { starts: [0, 1], ends: [1, 3] })] },
  { name: 'Slice along axes', opset: 9, nodes: [makeNode('Slice', ['x'], ['y'], { starts: [1], ends: [-1], axes: [3] })] },
  { name: 'TopK', opset: 9, nodes: [makeNode('TopK', ['x'], ['y', 'z'], { k: 2, axis: -1 })], outputs: ['y', 'z'] },
  { name: 'Upsample with an attribute', opset: 8, nodes: [makeNode('Upsample', ['x'], ['y'], { scales: float([1, 1, 2, 3]) })] },
  {
    name: 'Upsample with an input',
    opset: 9,
    nodes: [makeNode('Upsample', ['x', 'scales'], ['y'], { mode: 'linear' })],
    initializers: [scales],
  },
  { name: 'Resize to larger', opset: 10, nodes: [makeNode('Resize', ['x', 'scales'], ['y'])], initializers: [scales] },
  { name: 'Resize to smaller', opset: 10, nodes: [makeNode('Resize', ['x', 'halves'], ['y'])], initializers: [halves] },
  { name: 'Resize linearly', opset: 10, nodes: [makeNode('Resize', ['x', 'halves'], ['y'], { mode: 'linear' })], initializers: [halves] },
  { name: 'Dropout', opset: 10, nodes: [makeNode('Dropout', ['x'], ['y'], { ratio: float(0.3) })] },
  {
    name: 'BatchNormalization',
    opset: 8,
    nodes: [makeNode('BatchNormalization', ['x', 's', 'b', 'm', 'v'], ['y'], { spatial: 1 })],
    initializers: statistics,
  },
  {
    name: 'Scatter',
    opset: 10,
    nodes: [makeNode('Flatten', ['x'], ['f']), makeNode('Scatter', ['f', 'i', 'u'], ['y'], { axis: 1 })],
    initializers: [makeInt64('i', [1, 2], [3, 1]), makeTensor('u', 'float32', [1, 2], Float32Array.of(7, 8))],
  },
  { name: 'Conv', opset: 7, nodes: [conv], initializers: [weight] },
]

describe('upgradeOpset', () => {
  it.each(cases)('$name from opset $opset gives the same values', async ({ opset, nodes, initializers, outputs }) => {
    const old = oldModel(opset, nodes, initializers, outputs)
    const raised = await upgraded(old)
    expect(new Graph(raised).opset).toBe(13)
    const [expected, found] = [await run(old), await run(raised)]
    for (const name of outputs ?? ['y']) {
      expect(found[name]!.dims).toEqual(expected[name]!.dims)
      for (const [index, value] of (found[name]!.values as Float32Array).entries())
        expect(Number(value)).toBeCloseTo(Number((expected[name]!.values as Float32Array)[index]), 5)
    }
  })

  it('leaves newer models as they are', async () => {
    const model = oldModel(17, [makeNode('Relu', ['x'], ['y'])])
    expect(encodeModel(await upgraded(model))).toEqual(encodeModel(model))
  })

  it('takes initializers that IR version 3 lists as inputs out of the inputs', async () => {
    const model = oldModel(9, [conv], [weight])
    model.irVersion = 3n
    model.graph!.input.push(makeValueInfo('w', 'float32', [1, 3, 1, 1]))
    const raised = await upgraded(model)
    expect(raised.graph!.input.map(({ name }) => name)).toEqual(['x'])
    expect(raised.irVersion).toBe(7n)
    expect((await run(raised)).y!.values).toEqual((await run(model)).y!.values)
  })

  it.each([
    { what: 'an opset before 7', model: oldModel(6, [makeNode('Relu', ['x'], ['y'])]), says: /opset 6/ },
    {
      what: 'Resize by factors that shrink and grow',
      model: oldModel(10, [makeNode('Resize', ['x', 'mixed'], ['y'], {}, { name: 'r' })], [vector('mixed', [1, 1, 2, 0.5])]),
      says: /Resize "r" cannot be raised/,
    },
    {
      what: 'normalization of every element on its own',
      model: oldModel(8, [makeNode('BatchNormalization', ['x', 's', 'b', 'm', 'v'], ['y'], { spatial: 0 }, { name: 'bn' })], statistics),
      says: /spatial = 0/,
    },
  ])('refuses $what and says why', ({ model, says }) => {
    const refused = expect.objectContaining({ code: 'RECIPE_NOT_APPLICABLE', message: expect.stringMatching(says) })
    expect(() => upgradeOpset(new Graph(model), new Map())).toThrow(refused)
  })
})
