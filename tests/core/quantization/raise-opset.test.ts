import { create } from '@bufbuild/protobuf'
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import type { NamedTensors } from '../../../src/core/inference-runtime.ts'
import { type AttributeValue, float, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { raiseOpset } from '../../../src/core/quantization/opset-upgrade.ts'
import { inferTensorFacts } from '../../../src/core/quantization/tensor-facts.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

const shape = [2, 4, 5, 6]
const values = Float32Array.from({ length: 240 }, (_, index) => Math.sin(index * 1.7) * 2)

function floats(name: string, dims: readonly number[], list?: readonly number[]): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1)
  return makeTensor(
    name,
    'float32',
    dims,
    list ? Float32Array.from(list) : Float32Array.from({ length: count }, (_, index) => Math.cos(index * 2.3)),
  )
}

function op(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
) {
  return makeNode(opType, inputs, outputs, attributes, { name: `${opType}_${outputs[0]}` })
}

function modelOf(opset: number, nodes: readonly NodeProto[], initializers: readonly TensorProto[] = []): ModelProto {
  const outputs = nodes.flatMap(({ output }) => output.filter((name) => name === 'y' || name === 'z'))
  const undeclared = outputs.map((name) => ({ ...makeValueInfo(name, 'float32', []), type: undefined }))
  return makeModel({ nodes, inputs: [makeValueInfo('x', 'float32', shape)], outputs: undeclared, initializers, opset })
}

async function run(model: ModelProto, feeds: NamedTensors = { x: { type: 'float32', dims: shape, values } }) {
  const loaded = await onnxRuntime.load(encodeModel(model), { optimization: 'disabled' })
  try {
    return await loaded.run(feeds)
  } finally {
    await loaded.close()
  }
}

async function raised(model: ModelProto, version: number): Promise<ModelProto> {
  const copy = decodeModel(encodeModel(model), 'copy')
  raiseOpset(new Graph(copy), await inferTensorFacts(copy, onnxRuntime), version)
  return copy
}

function expectSame(found: NamedTensors, expected: NamedTensors): void {
  for (const [name, { dims, values: wanted }] of Object.entries(expected)) {
    expect(found[name]!.dims).toEqual(dims)
    const apart = [...wanted].map((value, index) => Math.abs(Number(value) - Number(found[name]!.values[index])))
    expect(Math.max(...apart)).toBeLessThan(1e-5)
  }
}

const regions = [floats('r', [2, 4], [0.3, 0.4, 3.7, 4.1, 0, 0, 1, 1]), makeInt64('i', [2], [1, 0])]
const grid = floats('g', [2, 3, 3, 2])
const perGroup = [floats('s', [2]), floats('b', [2])]
const perChannel = [floats('s', [4]), floats('b', [4]), floats('m', [4]), floats('v', [4], [1, 2, 3, 4])]
const scales = floats('scales', [4], [1, 1, 1.5, 0.7])
const empty = floats('empty', [0], [])
const lastAxis = makeInt64('last', [1], [4])
const reductions = ['L1', 'L2', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare', 'Sum']

type Case = readonly [what: string, opset: number, nodes: readonly NodeProto[], initializers?: readonly TensorProto[], newest?: number]

const cases: readonly Case[] = [
  ...reductions.flatMap((kind): Case[] => [
    [`Reduce${kind} over axes`, 11, [op(`Reduce${kind}`, ['x'], ['y'], { axes: [1, -1], keepdims: 0 })]],
    [`Reduce${kind} over everything`, 12, [op(`Reduce${kind}`, ['x'], ['y'])]],
    [`Reduce${kind} over an empty list of axes`, 12, [op(`Reduce${kind}`, ['x'], ['y'], { axes: [] })]],
  ]),
  ['ReduceLogSum', 17, [op('Abs', ['x'], ['a']), op('ReduceLogSum', ['a'], ['y'], { axes: [2] })]],
  ['Split into equal parts', 11, [op('Split', ['x'], ['y', 'z'], { axis: 1 })]],
  ['Split into equal parts, later', 13, [op('Split', ['x'], ['y', 'z'], { axis: -1 })]],
  ['Split into given parts', 13, [op('Split', ['x', 'parts'], ['y', 'z'], { axis: -1 })], [makeInt64('parts', [2], [2, 4])]],
  ['Split into given parts as an attribute', 11, [op('Split', ['x'], ['y', 'z'], { axis: 3, split: [1, 5] })]],
  ['RoiAlign', 10, [op('RoiAlign', ['x', 'r', 'i'], ['y'], { output_height: 2, output_width: 2, sampling_ratio: 2 })], regions, 21],
  ['RoiAlign with half pixels', 16, [op('RoiAlign', ['x', 'r', 'i'], ['y'], { output_height: 2, output_width: 2 })], regions, 21],
  ['DFT', 17, [op('Unsqueeze', ['x', 'last'], ['u']), op('DFT', ['u'], ['y'])], [lastAxis]],
  [
    'DFT of a length',
    17,
    [op('Unsqueeze', ['x', 'last'], ['u']), op('DFT', ['u', 'n'], ['y'], { axis: 2 })],
    [lastAxis, makeInt64('n', [], [4])],
  ],
  ['GridSample', 16, [op('GridSample', ['x', 'g'], ['y'])], [grid]],
  ['GridSample, bilinear', 16, [op('GridSample', ['x', 'g'], ['y'], { mode: 'bilinear', align_corners: 1 })], [grid]],
  ['GridSample, bicubic', 16, [op('GridSample', ['x', 'g'], ['y'], { mode: 'bicubic', padding_mode: 'border' })], [grid]],
  ['GridSample, nearest', 16, [op('GridSample', ['x', 'g'], ['y'], { mode: 'nearest' })], [grid]],
  ['GroupNormalization', 18, [op('GroupNormalization', ['x', 's', 'b'], ['y'], { num_groups: 2, epsilon: float(0.01) })], perGroup],
  ['BatchNormalization', 9, [op('BatchNormalization', ['x', 's', 'b', 'm', 'v'], ['y'])], perChannel],
  ['MeanVarianceNormalization', 8, [op('MeanVarianceNormalization', ['x'], ['y'])]],
  ['MeanVarianceNormalization across channels', 8, [op('MeanVarianceNormalization', ['x'], ['y'], { across_channels: 1 })]],
  ['Resize without a region', 11, [op('Resize', ['x', 'empty', 'scales'], ['y'], { mode: 'linear' })], [empty, scales]],
  [
    'Resize to sizes',
    11,
    [op('Resize', ['x', 'empty', 'empty', 'sizes'], ['y'], { mode: 'cubic', coordinate_transformation_mode: 'align_corners' })],
    [empty, makeInt64('sizes', [4], [2, 4, 7, 9])],
  ],
  [
    'Resize with a mode that was removed',
    11,
    [op('Resize', ['x', 'empty', 'scales'], ['y'], { nearest_mode: 'floor', coordinate_transformation_mode: 'tf_half_pixel_for_nn' })],
    [empty, scales],
  ],
  ['Upsample', 7, [op('Upsample', ['x'], ['y'], { mode: 'linear', scales: float([1, 1, 2, 1.5]) })]],
  [
    'Clip, Pad, Softmax, Dropout',
    7,
    [
      op('Clip', ['x'], ['c'], { min: float(-1), max: float(1) }),
      op('Pad', ['c'], ['p'], { pads: [0, 0, 1, 1, 0, 0, 0, 2], value: float(-3) }),
      op('Dropout', ['p'], ['d'], { ratio: float(0.3) }),
      op('Softmax', ['d'], ['y'], { axis: 2 }),
    ],
  ],
  [
    'AveragePool that rounds up and counts padding',
    11,
    [op('AveragePool', ['x'], ['y'], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1, count_include_pad: 1 })],
  ],
  [
    'MaxPool that rounds up',
    11,
    [op('MaxPool', ['x'], ['y', 'z'], { kernel_shape: [2, 2], strides: [3, 3], pads: [0, 0, 1, 1], ceil_mode: 1 })],
  ],
  ['TopK', 7, [op('TopK', ['x'], ['y', 'z'], { k: 2 })]],
  [
    'LSTM',
    7,
    [op('Reshape', ['x', 'steps'], ['q']), op('LSTM', ['q', 'w', 'r'], ['y'], { hidden_size: 3 })],
    [makeInt64('steps', [3], [10, 2, 12]), floats('w', [1, 12, 12]), floats('r', [1, 12, 3])],
  ],
]

const named = cases.map(([what, opset, nodes, initializers, newest = 26]) => ({ what, opset, nodes, initializers, newest }))

describe('raiseOpset', () => {
  it.each(named)('keeps what $what of opset $opset computes', async ({ opset, nodes, initializers, newest }) => {
    const old = modelOf(opset, nodes, initializers)
    const expected = await run(old)
    for (const version of [21, newest]) {
      const model = await raised(old, version)
      expect(new Graph(model).opset).toBe(version)
      expectSame(await run(model), expected)
    }
  })

  it.each([
    [7, 13, 7n],
    [13, 18, 8n],
    [17, 19, 9n],
    [17, 21, 10n],
    [17, 23, 11n],
    [17, 24, 12n],
    [17, 26, 13n],
  ])('from opset %d to %d writes IR version %d', async (from, to, irVersion) => {
    const old = modelOf(from, [op('Relu', ['x'], ['y'])])
    old.irVersion = 3n
    const model = await raised(old, to)
    expect(model.irVersion).toBe(irVersion)
    expectSame(await run(model), await run(old))
  })

  it('keeps a newer IR version, and newer models whole', async () => {
    const old = modelOf(17, [op('Relu', ['x'], ['y'])])
    old.irVersion = 13n
    expect((await raised(old, 21)).irVersion).toBe(13n)
    const newer = modelOf(22, [op('Relu', ['x'], ['y'])])
    expect(encodeModel(await raised(newer, 21))).toEqual(encodeModel(newer))
  })

  it('repeats the scales of groups when the number of channels is open', async () => {
    const nodes = [op('GroupNormalization', ['x', 's', 'b'], ['y'], { num_groups: 2 })]
    const old = modelOf(18, nodes, perGroup)
    old.graph!.input = [makeValueInfo('x', 'float32', ['N', 'C', 'H', 'W'])]
    const model = await raised(old, 21)
    expect(model.graph!.node.map(({ opType }) => opType)).toContain('Div')
    expectSame(await run(model), await run(old))
  })

  it('raises the bodies of If and Loop, which read constants of the graph around them', async () => {
    const body = (nodes: readonly NodeProto[], output: string): GraphProto =>
      create(GraphProtoSchema, { name: output, node: [...nodes], output: [{ ...makeValueInfo(output, 'float32', []), type: undefined }] })
    const upscale = body(
      [
        op('Clip', ['x'], ['clipped'], { min: float(-0.5) }),
        op('Upsample', ['clipped', 'twice'], ['large']),
        op('ReduceMax', ['large'], ['up'], { axes: [2, 3] }),
      ],
      'up',
    )
    const reduce = body(
      [
        op('ReduceMean', ['x'], ['mean'], { axes: [2, 3] }),
        op('Split', ['mean'], ['left', 'right'], { axis: 1 }),
        op('Concat', ['right', 'left'], ['swapped'], { axis: 1 }),
      ],
      'swapped',
    )
    const branch = op('If', ['flag'], ['y'])
    branch.attribute.push(
      create(AttributeProtoSchema, { name: 'then_branch', type: 5, g: upscale }),
      create(AttributeProtoSchema, { name: 'else_branch', type: 5, g: reduce }),
    )
    const model = modelOf(9, [branch], [floats('twice', [4], [1, 1, 2, 2])])
    model.graph!.input.push(makeValueInfo('flag', 'bool', []))
    const feeds = (flag: number): NamedTensors => ({
      x: { type: 'float32', dims: shape, values },
      flag: { type: 'bool', dims: [], values: Uint8Array.of(flag) },
    })
    const newer = await raised(model, 21)
    for (const flag of [0, 1]) expectSame(await run(newer, feeds(flag)), await run(model, feeds(flag)))
  })

  const training = [op('BatchNormalization', ['x', 's', 'b', 'm', 'v'], ['y', 'a', 'c', 'd', 'e'])]
  it.each([
    [
      'normalization in training',
      modelOf(9, training, perChannel),
      21,
      /BatchNormalization "BatchNormalization_y" .*opset 21: it is in training mode/,
    ],
    ['a version ONNX Runtime does not load', modelOf(17, [op('Relu', ['x'], ['y'])]), 27, /Opset 27 is newer .* 26/],
    ['an opset before 7', modelOf(6, [op('Relu', ['x'], ['y'])]), 21, /opset 6/],
    [
      'a resize mode that is gone',
      modelOf(
        11,
        [op('Resize', ['x', 'empty', 'scales'], ['y'], { mode: 'linear', coordinate_transformation_mode: 'tf_half_pixel_for_nn' })],
        [empty, scales],
      ),
      21,
      /tf_half_pixel_for_nn was removed/,
    ],
    [
      'channels that are not groups',
      modelOf(18, [op('GroupNormalization', ['x', 's', 'b'], ['y'], { num_groups: 3 })], perGroup),
      21,
      /4 channels are not 3/,
    ],
  ])('refuses %s', (_, model, version, says) => {
    const facts = new Map([['x', { type: 'float32', shape } as const]])
    const refused = expect.objectContaining({ code: 'RECIPE_NOT_APPLICABLE', message: expect.stringMatching(says) })
    expect(() => raiseOpset(new Graph(model), facts, version)).toThrow(refused)
  })

  it('refuses functions, whose bodies have operator sets of their own', () => {
    const model = modelOf(17, [makeNode('Twice', ['x'], ['y'], {}, { domain: 'custom' })])
    model.functions.push(
      create(FunctionProtoSchema, { name: 'Twice', domain: 'custom', input: ['a'], output: ['b'], node: [op('Add', ['a', 'a'], ['b'])] }),
    )
    expect(() => raiseOpset(new Graph(model), new Map(), 21)).toThrow(/functions of its own/)
  })
})
