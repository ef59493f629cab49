import type { ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { dynamicBatchStepSchema } from '../../../src/contract/recipe.ts'
import { float, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64 } from '../../../src/core/onnx/tensor-values.ts'
import { graphStep } from '../../../src/engine/optimize/graph-steps.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model, opCounts, weights } from './small-models.ts'

const context = {
  runtime: onnxRuntime,
  target: 'x64',
  calibration: undefined,
  budget: undefined,
  progress: () => {},
  log: () => {},
} as const

const free = (source: ModelProto, settings = {}) =>
  graphStep(source, dynamicBatchStepSchema.parse({ recipe: 'dynamic-batch', ...settings }), context)

async function shapes(built: ModelProto) {
  const loaded = await onnxRuntime.load(encodeModel(built))
  await loaded.close()
  return [...loaded.inputs, ...loaded.outputs].map(({ shape }) => shape.map((dim) => dim ?? '?').join())
}

const op = (type: string, inputs: readonly string[], outputs: readonly string[], attributes = {}) =>
  makeNode(type, inputs, outputs, attributes, { name: `${type}.${outputs[0]}` })

type Case = readonly [
  what: string,
  input: readonly number[],
  nodes: readonly NodeProto[],
  constants: readonly TensorProto[],
  output: readonly number[],
]

const list = (name: string, values: readonly number[]) => makeInt64(name, [values.length], values)

const cases: readonly Case[] = [
  [
    'a shape that flattens',
    [1, 3, 4],
    [op('Reshape', ['x', 's'], ['r']), op('MatMul', ['r', 'w'], ['y'])],
    [list('s', [1, 12]), weights('w', [12, 5])],
    [1, 5],
  ],
  [
    'a shape of a Constant node',
    [1, 3, 4],
    [op('Constant', [], ['s'], { value: list('', [1, 12]) }), op('Reshape', ['x', 's'], ['y'])],
    [],
    [1, 12],
  ],
  ['a shape with what is left over elsewhere', [1, 3, 4], [op('Reshape', ['x', 's'], ['y'])], [list('s', [1, -1, 2])], [1, 6, 2]],
  [
    'a shape without the batch',
    [1, 3, 4],
    [op('Reshape', ['x', 's'], ['r']), op('MatMul', ['r', 'w'], ['m']), op('Reshape', ['m', 's2'], ['y'])],
    [list('s', [3, 4]), weights('w', [4, 2]), list('s2', [1, 3, 2])],
    [1, 3, 2],
  ],
  ['a shape that copies dimensions', [1, 3, 4], [op('Reshape', ['x', 's'], ['y'])], [list('s', [0, -1])], [1, 12]],
  [
    'two shapes that share a constant',
    [1, 12],
    [op('Reshape', ['x', 's'], ['a']), op('Relu', ['a'], ['b']), op('Reshape', ['b', 's'], ['y'])],
    [list('s', [1, 3, 4])],
    [1, 3, 4],
  ],
  [
    'attention with heads',
    [1, 6, 8],
    [
      op('Reshape', ['x', 's'], ['a']),
      op('Transpose', ['a'], ['b'], { perm: [0, 2, 1, 3] }),
      op('Transpose', ['a'], ['c'], { perm: [0, 2, 3, 1] }),
      op('MatMul', ['b', 'c'], ['d']),
      op('Softmax', ['d'], ['e'], { axis: -1 }),
      op('MatMul', ['e', 'b'], ['f']),
      op('Transpose', ['f'], ['g'], { perm: [0, 2, 1, 3] }),
      op('Reshape', ['g', 's2'], ['y']),
    ],
    [list('s', [1, 6, 2, 4]), list('s2', [1, 6, 8])],
    [1, 6, 8],
  ],
  ['a class token', [1, 4, 8], [op('Concat', ['token', 'x'], ['y'], { axis: 1 })], [weights('token', [1, 1, 8])], [1, 5, 8]],
  [
    'padding of a constant shape',
    [1, 2, 4, 4],
    [op('ConstantOfShape', ['s'], ['zeros']), op('Concat', ['x', 'zeros'], ['y'], { axis: 1 })],
    [list('s', [1, 3, 4, 4])],
    [1, 5, 4, 4],
  ],
  ['an Expand', [2, 1, 4], [op('Expand', ['x', 's'], ['y'])], [list('s', [2, 3, 4])], [2, 3, 4]],
  ['sizes of a Resize', [1, 2, 4, 4], [op('Resize', ['x', '', '', 's'], ['y'])], [list('s', [1, 2, 8, 6])], [1, 2, 8, 6]],
  [
    'a batch of two',
    [2, 3, 4],
    [op('Reshape', ['x', 's'], ['r']), op('MatMul', ['r', 'w'], ['y'])],
    [list('s', [2, 12]), weights('w', [12, 5])],
    [2, 5],
  ],
  [
    'a recurrent layer that starts from zeros',
    [1, 5, 3],
    [
      op('Transpose', ['x'], ['t'], { perm: [1, 0, 2] }),
      op('LSTM', ['t', 'w', 'r', '', '', 'h', 'h'], ['s', 'last'], { hidden_size: 4 }),
      op('Squeeze', ['last', 'zero'], ['y']),
    ],
    [weights('w', [1, 16, 3]), weights('r', [1, 16, 4]), constant('h', [1, 1, 4], [0, 0, 0, 0]), list('zero', [0])],
    [1, 4],
  ],
  [
    'a recurrent layer that starts from learned values',
    [1, 5, 3],
    [
      op('Transpose', ['x'], ['t'], { perm: [1, 0, 2] }),
      op('GRU', ['t', 'w', 'r', '', '', 'h'], ['s', 'last'], { hidden_size: 4 }),
      op('Squeeze', ['last', 'zero'], ['y']),
    ],
    [weights('w', [1, 12, 3]), weights('r', [1, 12, 4]), weights('h', [1, 1, 4]), list('zero', [0])],
    [1, 4],
  ],
  [
    'convolutions',
    [1, 3, 8, 8],
    [op('Conv', ['x', 'w'], ['c'], { pads: [1, 1, 1, 1] }), op('GlobalAveragePool', ['c'], ['g']), op('Flatten', ['g'], ['y'])],
    [weights('w', [4, 3, 3, 3])],
    [1, 4],
  ],
]

describe('dynamic-batch', () => {
  it.each(cases.map(([what, input, nodes, constants, output]) => ({ what, input, nodes, constants, output })))(
    'frees $what',
    async ({ input, nodes, constants, output }) => {
      const source = model(input, nodes, constants, { y: output })
      const before = encodeModel(source)
      const { model: built, newReference } = await free(source)
      expect(newReference).toBeUndefined()
      expect(await shapes(built)).toEqual([['batch', ...input.slice(1)].join(), ['batch', ...output.slice(1)].join()])
      expect(encodeModel(source)).toEqual(before)
      const feeds = feedsOf(source, 5)
      const [one, many] = [await onnxRuntime.load(before), await onnxRuntime.load(encodeModel(built))]
      const rows = await Promise.all(Array.from({ length: 5 }, (_, index) => feeds.read(index)))
      const joined = Float32Array.from(rows.flatMap(({ x }) => [...(x!.values as Float32Array)]))
      const found = await many.run({ x: { type: 'float32', dims: [input[0]! * 5, ...input.slice(1)], values: joined } })
      const expected: number[] = []
      for (const feed of rows) expected.push(...((await one.run(feed)).y!.values as Float32Array))
      expect(found.y!.dims).toEqual([output[0]! * 5, ...output.slice(1)])
      for (const [index, value] of (found.y!.values as Float32Array).entries()) expect(value).toBeCloseTo(expected[index]!, 5)
      await Promise.all([one.close(), many.close()])
    },
  )

  it('frees states of a recurrent layer, whose batch is the second dimension, and takes another name', async () => {
    const nodes = [
      op('Transpose', ['x'], ['t'], { perm: [1, 0, 2] }),
      op('LSTM', ['t', 'w', 'r', '', '', 'h', 'c'], ['s', 'hn'], { hidden_size: 4 }),
    ]
    const extraInputs = [makeValueInfo('h', 'float32', [1, 1, 4]), makeValueInfo('c', 'float32', [1, 1, 4])]
    const source = model([1, 5, 3], nodes, [weights('w', [1, 16, 3]), weights('r', [1, 16, 4])], { hn: [1, 1, 4] }, { extraInputs })
    const { model: built } = await free(source, { name: 'rows' })
    expect(await shapes(built)).toEqual(['rows,5,3', '1,rows,4', '1,rows,4', '1,rows,4'])
  })

  it('leaves inputs that all samples share', async () => {
    const nodes = [op('Mul', ['x', 'gain'], ['y'])]
    const source = model([1, 3], nodes, [], { y: [1, 3] }, { extraInputs: [makeValueInfo('gain', 'float32', [1])] })
    expect(await shapes((await free(source)).model)).toEqual(['batch,3', '1', 'batch,3'])
  })

  it('drops shapes the file declares for the old batch, and says nothing of nodes it did not touch', async () => {
    const nodes = [op('Relu', ['x'], ['a']), op('Relu', ['a'], ['y'])]
    const source = model([1, 3], nodes, [], { y: [1, 3] })
    source.graph!.valueInfo.push(makeValueInfo('a', 'float32', [1, 3]))
    const { model: built } = await free(source)
    expect(built.graph!.valueInfo).toEqual([])
    expect(opCounts(built)).toEqual({ Relu: 2 })
  })

  it.each([
    ['a batch that is free', model(['N', 3], [op('Relu', ['x'], ['y'])], [], { y: ['N', 3] }), /free already/],
    [
      'a mean over the batch',
      model([2, 3], [op('ReduceMean', ['x'], ['m'], { axes: [0] }), op('Add', ['x', 'm'], ['y'])], [], { y: [2, 3] }),
      /ReduceMean "ReduceMean\.m" gives the same shape/,
    ],
    ['a softmax over the batch', model([2, 3], [op('Softmax', ['x'], ['y'], { axis: 0 })], [], { y: [2, 3] }), /values differ/],
    [
      'the first sample alone',
      model([1, 3], [op('Gather', ['x', 'i'], ['y'])], [makeInt64('i', [], [0])], { y: [3] }),
      /Gather "Gather\.y" gives the same shape/,
    ],
    [
      'a batch that is squeezed away',
      model([1, 3], [op('Squeeze', ['x', 'i'], ['y'])], [list('i', [0])], { y: [3] }),
      /cannot be freed from 1/,
    ],
    [
      'a table that is as long as the batch',
      model([2, 3], [op('Add', ['x', 't'], ['y'])], [constant('t', [2, 1], [1, 2])], { y: [2, 3] }),
      /cannot be freed from 2: .*Add/,
    ],
    [
      'a clip by the largest of all',
      model([2, 3], [op('ReduceMax', ['x'], ['m'], { keepdims: 0 }), op('Div', ['x', 'm'], ['y'])], [], { y: [2, 3] }),
      /ReduceMax/,
    ],
  ])('refuses %s and says where', async (_, source, says) => {
    await expect(free(source)).rejects.toMatchObject({ code: 'RECIPE_NOT_APPLICABLE', message: expect.stringMatching(says) })
  })

  it('works in opset 9, where sizes are scales', async () => {
    const nodes = [op('Upsample', ['x', 's'], ['u']), op('Reshape', ['u', 'shape'], ['y'])]
    const source = model([1, 2, 2, 2], nodes, [constant('s', [4], [1, 1, 2, 2]), list('shape', [1, 32])], { y: [1, 32] }, { opset: 9 })
    expect(await shapes((await free(source)).model)).toEqual(['batch,2,2,2', 'batch,32'])
  })

  it('clips by constants as before', async () => {
    const nodes = [op('LeakyRelu', ['x'], ['y'], { alpha: float(0.2) })]
    expect(await shapes((await free(model([4, 3], nodes, [], { y: [4, 3] }))).model)).toEqual(['batch,3', 'batch,3'])
  })
})
