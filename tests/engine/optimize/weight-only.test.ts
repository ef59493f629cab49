import { create } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, AttributeProtoSchema, type ModelProto, type NodeProto, type TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import type { Target } from '../../../src/contract/names.ts'
import { float, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { quantizeWeightsOnly, type WeightOnlyOptions } from '../../../src/core/quantization/weight-only/quantize-weights-only.ts'
import type { CalibrationFeeds } from '../../../src/engine/optimize/calibration-feeds.ts'
import type { StepContext } from '../../../src/engine/optimize/step-context.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { weightOnlyStep } from '../../../src/engine/optimize/weight-only-step.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { countPackedKernels } from '../../../src/engine/runtimes/packed-kernels.ts'
import { constant, feedsOf, initializer, model, opCounts, step, weights } from './small-models.ts'

const defaults: WeightOnlyOptions = {
  bits: 4,
  blockSize: 32,
  symmetric: true,
  rounding: 'nearest',
  mseScales: true,
  negativeScales: true,
  exclude: [],
  include: [],
}

/** Quantizes, loads with real ONNX Runtime, and compares with the source. */
async function quantize(source: ModelProto, options: Partial<WeightOnlyOptions> = {}, feeds: CalibrationFeeds = feedsOf(source)) {
  const result = await quantizeWeightsOnly(source, onnxRuntime, { ...defaults, ...options }, feeds)
  const bytes = encodeModel(result.model)
  const { fused, dequantizers } = await countPackedKernels(bytes)
  const { sqnrDb } = await verifyBuild(encodeModel(source), bytes, feeds, 'x64', onnxRuntime)
  return { ...result, bytes, fused: [...fused].sort(), unfused: [...dequantizers], sqnrDb: sqnrDb ?? Number.POSITIVE_INFINITY }
}

const gemm = (attributes = {}, bias: string[] = ['b']) => makeNode('Gemm', ['x', 'w', ...bias], ['y'], attributes, { name: 'layer' })
const matmul = makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'layer' })

function oneLayer(
  node: NodeProto,
  tensors: readonly TensorProto[],
  input: readonly (number | string)[] = ['N', 50],
  opset = 17,
): ModelProto {
  const output = [...input.slice(0, -1), 24]
  return model(
    input,
    [node],
    tensors,
    { y: node.attribute.some(({ name, i }) => name === 'transA' && i === 1n) ? [3, 24] : output },
    { opset },
  )
}

describe('quantizeWeightsOnly', () => {
  // 50 inputs: the last block of 16 or 32 is not full.
  it.each([
    { what: 'int4, blocks of 16', options: { blockSize: 16 }, type: 22, least: 19 },
    { what: 'int4, blocks of 32', options: {}, type: 22, least: 18 },
    { what: 'int4, one block', options: { blockSize: 256 }, type: 22, least: 17 },
    { what: 'int4 with positive scales', options: { negativeScales: false }, type: 22, least: 17 },
    { what: 'uint4 with zero points', options: { symmetric: false }, type: 21, least: 18 },
    { what: 'int8, one scale a channel', options: { bits: 8, blockSize: 0 }, type: 3, least: 35 },
    { what: 'int8, blocks of 32', options: { bits: 8, blockSize: 32 }, type: 3, least: 35 },
  ] as const)('$what: one MatMulNBits, outputs close', async ({ options, type, least }) => {
    const quantized = await quantize(oneLayer(matmul, [weights('w', [50, 24])]), options)
    expect(quantized).toMatchObject({ fused: ['layer'], unfused: [], quantized: ['layer'], skipped: [] })
    expect(quantized.model.graph!.initializer.find(({ name }) => name === 'w_quantized')!.dataType).toBe(type)
    expect(quantized.model.graph!.initializer.some(({ name }) => name === 'w')).toBe(false)
    expect(quantized.sqnrDb).toBeGreaterThan(least)
    expect(quantized.weights).toEqual([{ node: 'layer', op: 'MatMul', tensor: 'w', sqnrDb: expect.any(Number) }])
    // Weights and outputs of one layer lose about the same, when the inputs are random.
    expect(Math.abs(quantized.weights[0]!.sqnrDb! - Math.min(quantized.sqnrDb, 45))).toBeLessThan(4)
  })

  it.each([
    { what: 'a bias', node: gemm(), weight: [50, 24], bias: [24] },
    { what: 'no bias', node: gemm({}, []), weight: [50, 24], bias: undefined },
    { what: 'transposed weights', node: gemm({ transB: 1 }), weight: [24, 50], bias: [24] },
    { what: 'factors', node: gemm({ alpha: float(0.5), beta: float(2) }), weight: [50, 24], bias: [24] },
    { what: 'a bias of two dimensions', node: gemm(), weight: [50, 24], bias: [1, 24] },
    { what: 'a bias of one value', node: gemm({ beta: float(3) }), weight: [50, 24], bias: [1] },
    { what: 'a bias that is left out by its factor', node: gemm({ beta: float(0) }), weight: [50, 24], bias: [24] },
  ])('Gemm with $what is one MatMulNBits', async ({ node, weight, bias }) => {
    const own = makeNode('Gemm', node.input, node.output, {}, { name: 'layer' })
    own.attribute = [...node.attribute]
    const quantized = await quantize(oneLayer(own, [weights('w', weight), ...(bias ? [weights('b', bias)] : [])]), { bits: 8 })
    expect(quantized).toMatchObject({ fused: ['layer'], unfused: [] })
    expect(quantized.sqnrDb).toBeGreaterThan(35)
  })

  it('leaves Gemm in float with a transposed input, or a bias that is no constant row', async () => {
    const nodes = [
      makeNode('Gemm', ['x', 'w'], ['h'], { transA: 1 }, { name: 'turned' }),
      makeNode('Gemm', ['h', 'v', 'each'], ['i'], {}, { name: 'for each' }),
      makeNode('Gemm', ['i', 'u', 'h'], ['j'], {}, { name: 'computed' }),
      makeNode('MatMul', ['j', 't'], ['y'], {}, { name: 'fine' }),
    ]
    const matrices = [
      weights('w', [50, 24]),
      weights('v', [24, 24]),
      weights('u', [24, 24]),
      weights('t', [24, 24]),
      weights('each', [3, 24]),
    ]
    const { fused, unfused, skipped } = await quantize(model([50, 3], nodes, matrices, { y: [3, 24] }))
    expect([fused, unfused]).toEqual([['fine'], []])
    expect(skipped.map(({ node, reason }) => [node, reason])).toEqual([
      ['turned', expect.stringContaining('transposes')],
      ['for each', expect.stringContaining('bias')],
      ['computed', expect.stringContaining('bias')],
    ])
  })

  it.each(['Relu', 'Clip'])('is fused before a %s that another operator follows', async (activation) => {
    const limits = activation === 'Clip' ? ['low', 'high'] : []
    const nodes = (first: NodeProto[]) => [
      ...first,
      makeNode(activation, ['h', ...limits], ['r'], {}, { name: 'activation' }),
      makeNode('Softmax', ['r'], ['y'], {}, { name: 'softmax' }),
    ]
    const constants = [weights('w', [50, 24]), weights('b', [24]), constant('low', [], [0]), constant('high', [], [6])]
    const tensors = constants.slice(0, activation === 'Clip' ? 4 : 2)
    const forms = [
      [makeNode('Gemm', ['x', 'w', 'b'], ['h'], {}, { name: 'layer' })],
      [makeNode('MatMul', ['x', 'w'], ['m'], {}, { name: 'layer' }), makeNode('Add', ['m', 'b'], ['h'], {}, { name: 'add' })],
    ]
    for (const form of forms) {
      const quantized = await quantize(model(['N', 50], nodes(form), tensors, { y: ['N', 24] }), { bits: 8 })
      expect(quantized).toMatchObject({ fused: ['layer'], unfused: [] })
      expect(quantized.sqnrDb).toBeGreaterThan(35)
    }
  })

  it('takes inputs of one and of three dimensions, and opsets from 7 to 24', async () => {
    for (const input of [[50], ['N', 5, 50]]) {
      const quantized = await quantize(
        oneLayer(makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'layer' }), [weights('w', [50, 24])], input),
      )
      expect(quantized).toMatchObject({ fused: ['layer'], unfused: [] })
    }
    for (const opset of [7, 12, 13, 21, 24]) {
      const source = oneLayer(makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'layer' }), [weights('w', [50, 24])], ['N', 50], opset)
      const [eight, four] = [await quantize(source, { bits: 8, blockSize: 0 }), await quantize(source)]
      expect([new Graph(eight.model).opset, new Graph(four.model).opset]).toEqual([Math.max(opset, 13), Math.max(opset, 21)])
      expect([eight.fused, four.fused]).toEqual([['layer'], ['layer']])
    }
  })

  it('gives each of the nodes that share weights its own copy, as long as that takes less room', async () => {
    const chain = (count: number) => {
      const nodes = Array.from({ length: count }, (_, index) =>
        makeNode(
          index === 0 ? 'Gemm' : 'MatMul',
          [index === 0 ? 'x' : `h${index}`, 'w'],
          [`h${index + 1}`],
          index === 0 ? { transB: 1 } : {},
          { name: `layer${index}` },
        ),
      )
      return model(['N', 32], nodes, [weights('w', [32, 32])], { [`h${count}`]: ['N', 32] })
    }
    const quantized = await quantize(chain(3), { bits: 8 })
    expect(quantized).toMatchObject({ fused: ['layer0', 'layer1', 'layer2'], unfused: [] })
    expect(quantized.bytes.length).toBeLessThan(encodeModel(chain(3)).length)
    await expect(quantize(chain(4), { bits: 8 })).rejects.toThrow('4 nodes share its weights')
  })

  it('reads weights from Constant nodes and keeps float16 float16', async () => {
    const value = makeTensor(
      '',
      'float16',
      [50, 24],
      Uint16Array.from({ length: 1200 }, (_, index) => 0x3000 + ((index * 37) % 1024)),
    )
    const source = makeModel({
      nodes: [
        makeNode('Cast', ['x'], ['h'], { to: 10 }, { name: 'in' }),
        makeNode('Constant', [], ['w'], { value }, { name: 'hold' }),
        makeNode('MatMul', ['h', 'w'], ['m'], {}, { name: 'layer' }),
        makeNode('Cast', ['m'], ['y'], { to: 1 }, { name: 'out' }),
      ],
      inputs: [makeValueInfo('x', 'float32', ['N', 50])],
      outputs: [makeValueInfo('y', 'float32', ['N', 24])],
    })
    const quantized = await quantize(source, { bits: 8, blockSize: 0 })
    expect(quantized).toMatchObject({ fused: ['layer'], unfused: [] })
    expect(opCounts(quantized.model)).toEqual({ Cast: 2, DequantizeLinear: 1, MatMul: 1 })
    expect(quantized.model.graph!.initializer.find(({ name }) => name === 'w_scale')!.dataType).toBe(10)
    expect(quantized.sqnrDb).toBeGreaterThan(35)
  })

  it('quantizes in sub-graphs, weights of the graph around them too', async () => {
    const branch = (name: string, weight: string) => {
      const body = makeModel({
        nodes: [makeNode('MatMul', ['x', weight], [`${name}_y`], {}, { name: `${name}_layer` })],
        inputs: [],
        outputs: [makeValueInfo(`${name}_y`, 'float32', ['N', 24])],
        initializers: weight === 'w' ? [] : [weights(weight, [50, 24])],
        name,
      }).graph!
      return body
    }
    const choose = makeNode('If', ['large'], ['y'], {}, { name: 'choose' })
    choose.attribute = (['then_branch', 'else_branch'] as const).map((name, index) => {
      const g = branch(name, index === 0 ? 'w' : 'inner')
      return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g })
    })
    const nodes = [
      makeNode('ReduceMax', ['x'], ['most'], { keepdims: 0 }, { name: 'most' }),
      makeNode('Greater', ['most', 'limit'], ['large'], {}, { name: 'compare' }),
      choose,
    ]
    const source = model(['N', 50], nodes, [weights('w', [50, 24]), constant('limit', [], [0.98])], { y: ['N', 24] })
    const quantized = await quantize(source, { bits: 8, blockSize: 0 })
    expect(quantized).toMatchObject({ fused: ['else_branch_layer', 'then_branch_layer'], unfused: [] })
    expect(quantized.sqnrDb).toBeGreaterThan(35)
    expect(quantized.model.graph!.initializer.map(({ name }) => name)).toEqual(['limit'])
  })

  it('stores a table of rows as int8, with a scale for each row', async () => {
    const nodes = [
      makeNode('Cast', ['x'], ['i'], { to: 7 }, { name: 'index' }),
      makeNode('Gather', ['table', 'i'], ['y'], {}, { name: 'lookup' }),
    ]
    // Rows of very different size: one scale for all would lose the small ones.
    const rows = Float32Array.from({ length: 40 * 16 }, (_, index) => Math.sin(index) * 10 ** (Math.floor(index / 16) % 5))
    const source = model(['N', 3], nodes, [makeTensor('table', 'float32', [40, 16], rows)], { y: ['N', 3, 16] })
    const feeds = Array.from({ length: 10 }, (_, index) => ({
      x: { type: 'float32' as const, dims: [1, 3], values: Float32Array.of(index, index + 10, index + 30) },
    }))
    const quantized = await quantize(source, {}, { feeds: 10, samples: 10, read: async (index) => feeds[index]! })
    expect(quantized.quantized).toEqual(['lookup'])
    expect(quantized.sqnrDb).toBeGreaterThan(40)
    // Nothing but Gather, Cast and Mul: the opset stays.
    expect(new Graph(quantized.model).opset).toBe(17)
    expect(quantized.bytes.length).toBeLessThan(encodeModel(source).length / 2)
  })

  it('leaves in float what would not gain, with the reason', async () => {
    const nodes = [
      makeNode('Conv', ['image', 'cw'], ['c'], {}, { name: 'conv' }),
      makeNode('Flatten', ['c'], ['f'], {}, { name: 'flatten' }),
      makeNode('MatMul', ['f', 'w1'], ['h1'], {}, { name: 'shared' }),
      makeNode('Add', ['h1', 'w1'], ['h2'], {}, { name: 'adds weights' }),
      makeNode('MatMul', ['first', 'h2'], ['h3'], {}, { name: 'first operand' }),
      makeNode('MatMul', ['h3', 'broken'], ['h4'], {}, { name: 'infinite' }),
      makeNode('MatMul', ['h3', 'left'], ['h5'], {}, { name: 'head.left' }),
      makeNode('MatMul', ['h3', 'deep'], ['h6'], {}, { name: 'three dimensions' }),
      makeNode('MatMul', ['h3', 'fine'], ['y'], {}, { name: 'fine' }),
      makeNode('Reshape', ['x', 'shape'], ['image'], {}, { name: 'reshape' }),
    ]
    const ordered = [nodes.at(-1)!, ...nodes.slice(0, -1)]
    const initializers = [
      weights('cw', [16, 1, 1, 1]),
      weights('w1', [16, 16]),
      weights('first', [16, 16]),
      constant('broken', [16, 1], [Number.POSITIVE_INFINITY, ...new Array<number>(15).fill(0)]),
      weights('left', [16, 16]),
      weights('deep', [2, 16, 3]),
      weights('fine', [16, 16]),
      makeInt64('shape', [4], [16, 1, 1, 1]),
    ]
    const source = model([16], ordered, initializers, { y: [16, 16], h4: [16, 1], h5: [16, 16], h6: [2, 16, 3] })
    const { quantized, skipped } = await quantizeWeightsOnly(source, onnxRuntime, { ...defaults, exclude: ['head.*'] })
    expect(quantized).toEqual(['fine'])
    const reasons = Object.fromEntries(skipped.map(({ node, reason }) => [node, reason]))
    expect(reasons).toEqual({
      conv: expect.stringContaining('int8-static quantizes convolutions'),
      shared: expect.stringContaining('another operator that stays in float reads its weights'),
      'first operand': expect.stringContaining('first operand'),
      infinite: expect.stringContaining('NaN or infinity'),
      'head.left': 'excluded by the recipe',
      'three dimensions': expect.stringContaining('3 dimensions'),
    })
  })

  it('refuses a model without such weights, one that is quantized already, and gptq without samples', async () => {
    const conv = model(['N', 3, 4, 4], [makeNode('Conv', ['x', 'w'], ['y'], {}, { name: 'c' })], [weights('w', [2, 3, 1, 1])], {
      y: ['N', 2, 4, 4],
    })
    const refused = expect.objectContaining({ code: 'RECIPE_NOT_APPLICABLE' })
    await expect(quantizeWeightsOnly(conv, onnxRuntime, defaults)).rejects.toThrow(refused)
    const { model: once } = await quantizeWeightsOnly(oneLayer(matmul, [weights('w', [50, 24])]), onnxRuntime, defaults)
    await expect(quantizeWeightsOnly(once, onnxRuntime, defaults)).rejects.toThrow(refused)
    const needed = expect.objectContaining({ code: 'CALIBRATION_NEEDED' })
    const gptq = { ...defaults, rounding: 'gptq' } as const
    await expect(quantizeWeightsOnly(oneLayer(matmul, [weights('w', [50, 24])]), onnxRuntime, gptq)).rejects.toThrow(needed)
  })
})

/** Two layers whose inputs are strongly correlated: 64 values made of 8. */
function correlated(): ModelProto {
  const nodes = [
    makeNode('MatMul', ['x', 'mix'], ['h'], {}, { name: 'mix' }),
    makeNode('MatMul', ['h', 'w'], ['m'], {}, { name: 'layer' }),
    makeNode('Tanh', ['m'], ['t'], {}, { name: 'tanh' }),
    makeNode('MatMul', ['t', 'v'], ['y'], {}, { name: 'last' }),
  ]
  return model(['N', 8], nodes, [weights('mix', [8, 64]), weights('w', [64, 48]), weights('v', [48, 16])], { y: ['N', 16] })
}

describe('gptq', () => {
  it('makes up for errors where inputs are correlated', async () => {
    const source = correlated()
    const exclude = ['mix']
    const feeds = feedsOf(source, 200)
    const nearest = await quantize(source, { exclude }, feeds)
    const gptq = await quantize(source, { exclude, rounding: 'gptq' }, feeds)
    expect(gptq.sqnrDb).toBeGreaterThan(nearest.sqnrDb + 4)
    expect(gptq.notCompensated).toEqual([])
  })

  it('gives the same bytes twice', async () => {
    const source = correlated()
    const [first, second] = [await quantize(source, { rounding: 'gptq' }), await quantize(source, { rounding: 'gptq' })]
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0)
  })

  it('rounds to nearest, and says so, where it has nothing to go by', async () => {
    const nodes = [
      makeNode('Mul', ['x', 'zero'], ['z'], {}, { name: 'zeros' }),
      makeNode('Div', ['z', 'zero'], ['n'], {}, { name: 'nans' }),
      makeNode('MatMul', ['n', 'w1'], ['y1'], {}, { name: 'nan inputs' }),
      makeNode('MatMul', ['x', 'w2'], ['y'], {}, { name: 'fine' }),
    ]
    const source = model(['N', 32], nodes, [constant('zero', [1], [0]), weights('w1', [32, 4]), weights('w2', [32, 4])], {
      y: ['N', 4],
      y1: ['N', 4],
    })
    const { notCompensated } = await quantizeWeightsOnly(source, onnxRuntime, { ...defaults, rounding: 'gptq' }, feedsOf(source))
    expect(notCompensated).toEqual(['nan inputs'])
  })
})

describe('weightOnlyStep', () => {
  function context(settings: Partial<StepContext> = {}): StepContext & { readonly said: string[]; readonly phases: Set<string> } {
    const [said, phases]: [string[], Set<string>] = [[], new Set()]
    return {
      runtime: onnxRuntime,
      target: 'x64' as Target,
      calibration: undefined,
      budget: undefined,
      progress: (phase) => phases.add(phase),
      log: (text) => said.push(text),
      said,
      phases,
      ...settings,
    }
  }

  it('takes back to float what ONNX Runtime does not fuse', async () => {
    // A Relu behind a product of three dimensions cannot be kept apart from it.
    const nodes = [
      makeNode('MatMul', ['x', 'w'], ['m'], {}, { name: 'stubborn' }),
      makeNode('Relu', ['m'], ['r'], {}, { name: 'relu' }),
      makeNode('MatMul', ['r', 'v'], ['y'], {}, { name: 'fine' }),
    ]
    const source = model(['N', 5, 32], nodes, [weights('w', [32, 32]), weights('v', [32, 8])], { y: ['N', 5, 8] })
    const used = context()
    const result = await weightOnlyStep(source, step('int4-weights') as never, used)
    expect(result.changed).toEqual(['fine'])
    expect(result.skipped).toEqual([{ node: 'stubborn', op: 'MatMul', reason: expect.stringContaining('taken back to float') }])
    expect(used.said).toEqual([
      '1 of 2 matrices run as MatMulNBits',
      expect.stringContaining('stubborn'),
      '1 of 1 matrices run as MatMulNBits',
    ])
    expect((await countPackedKernels(encodeModel(result.model))).dequantizers.size).toBe(0)
  })

  it('uses gptq when there is data, and reports every weight', async () => {
    const source = correlated()
    const used = context({ calibration: feedsOf(source, 20) })
    const result = await weightOnlyStep(source, step('int8-weights') as never, used)
    expect(used.phases).toEqual(new Set(['quantizing', 'calibrating']))
    expect(result.facts?.weights?.map(({ node }) => node).sort()).toEqual(['last', 'layer', 'mix'])
    for (const { sqnrDb } of result.facts?.weights ?? []) expect(sqnrDb).toBeGreaterThan(30)
    expect(result.warnings).toEqual([])
  })

  it('gptq asked for without data: CALIBRATION_NEEDED', async () => {
    const needed = expect.objectContaining({ code: 'CALIBRATION_NEEDED' })
    await expect(weightOnlyStep(correlated(), step('int4-weights', { rounding: 'gptq' }) as never, context())).rejects.toThrow(needed)
  })

  it('for TensorRT scales are positive', async () => {
    const source = correlated()
    const scales = async (target: Target) => {
      const { model: built } = await weightOnlyStep(source, step('int4-weights') as never, context({ target }))
      return initializer(built, 'w_scale')
    }
    expect((await scales('tensorrt')).every((scale) => scale > 0)).toBe(true)
    expect((await scales('x64')).some((scale) => scale < 0)).toBe(true)
  })
})
