import { create } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, AttributeProtoSchema } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { float, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64 } from '../../../src/core/onnx/tensor-values.ts'
import { StaticQuantization } from '../../../src/core/quantization/static-quantization.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, initializer, model, opCounts, quantization, quantizeStatic, weights } from './small-models.ts'

const image = ['N', 4, 8, 8]
const conv = (name: string, input: string, output: string, extra: Parameters<typeof makeNode>[3] = {}) =>
  makeNode('Conv', [input, `${name}_w`, `${name}_b`], [output], { pads: [1, 1, 1, 1], ...extra }, { name })
const convWeights = (name: string, outChannels = 4, inChannels = 4) => [
  weights(`${name}_w`, [outChannels, inChannels, 3, 3]),
  weights(`${name}_b`, [outChannels]),
]
const names = (quantized: { kernels: { kernels: readonly { node: string; op: string }[] } }) =>
  Object.fromEntries(quantized.kernels.kernels.map(({ node, op }) => [node, op]))

describe('convolution', () => {
  it('becomes QLinearConv with its ReLU, int8 weights per channel, int32 bias at s_x·s_w', async () => {
    const source = model(image, [conv('c', 'x', 'h'), makeNode('Relu', ['h'], ['y'], {}, { name: 'r' })], convWeights('c'), { y: image })
    const quantized = await quantizeStatic(source)
    expect(names(quantized)).toEqual({ c: 'QLinearConv' })
    expect(opCounts(quantized.model)).toEqual({ Conv: 1, QuantizeLinear: 2, DequantizeLinear: 4 })
    expect(quantized.sqnrDb).toBeGreaterThan(35)
    const weightScales = quantization(quantized.model, 'c_w').scales
    const [inputScale] = quantization(quantized.model, 'x').scales
    expect(weightScales).toHaveLength(4)
    expect(quantization(quantized.model, 'c_b').scales).toEqual(weightScales.map((scale) => Math.fround(scale * inputScale!)))
    // After ReLU nothing is negative: all 256 steps serve the positive side.
    expect(quantization(quantized.model, 'y').zeroPoints).toEqual([0])
    expect(quantized.model.graph!.output.map(({ name }) => name)).toEqual(['y'])
  })

  it('takes one weight scale when asked for per-tensor weights', async () => {
    const source = model(image, [conv('c', 'x', 'y')], convWeights('c'), { y: image })
    const quantized = await quantizeStatic(source, { perChannel: false })
    expect(quantization(quantized.model, 'c_w').scales).toHaveLength(1)
    expect(names(quantized)).toEqual({ c: 'QLinearConv' })
  })

  it('absorbs a Clip that its range says already, and keeps one that says more', async () => {
    const limits = [constant('zero', [], [0]), constant('two', [], [2]), constant('six', [], [6])]
    const clip = (min: string) => makeNode('Clip', ['h', min, 'six'], ['y'], {}, { name: 'clip' })
    const relu6 = await quantizeStatic(model(image, [conv('c', 'x', 'h'), clip('zero')], [...convWeights('c'), ...limits], { y: image }))
    expect(opCounts(relu6.model).Clip).toBeUndefined()
    expect(relu6.sqnrDb).toBeGreaterThan(35)
    const band = await quantizeStatic(model(image, [conv('c', 'x', 'h'), clip('two')], [...convWeights('c'), ...limits], { y: image }))
    expect(opCounts(band.model).Clip).toBe(1)
    expect(names(band)).toEqual({ c: 'QLinearConv' })
    expect(band.skipped).toContainEqual(expect.objectContaining({ node: 'clip' }))
  })

  it('folds batch normalization first', async () => {
    const nodes = [
      conv('c', 'x', 'h'),
      makeNode('BatchNormalization', ['h', 's', 'b', 'm', 'v'], ['n'], { epsilon: float(1e-5) }, { name: 'bn' }),
      makeNode('Relu', ['n'], ['y'], {}, { name: 'r' }),
    ]
    const statistics = [constant('s', [4], [1, 2, 0.5, 1.5]), weights('b', [4]), weights('m', [4]), constant('v', [4], [1, 0.5, 2, 1])]
    const quantized = await quantizeStatic(model(image, nodes, [...convWeights('c'), ...statistics], { y: image }))
    expect(names(quantized)).toEqual({ c: 'QLinearConv' })
    expect(opCounts(quantized.model).BatchNormalization).toBeUndefined()
    expect(quantized.sqnrDb).toBeGreaterThan(35)
  })

  it('uses the full range for depthwise weights and pair-safe scales for grouped ones', async () => {
    // All weights alike: pairs add up, so the pair-safe scale is 2/127.5 where the full range is 1/127.
    const ones = (name: string, dims: readonly number[]) => constant(name, dims, new Array(dims.reduce((a, b) => a * b)).fill(1))
    const grouped = (group: number) =>
      model(image, [makeNode('Conv', ['x', 'w'], ['y'], { pads: [1, 1, 1, 1], group }, { name: 'c' })], [ones('w', [4, 4 / group, 3, 3])], {
        y: image,
      })
    const depthwise = await quantizeStatic(grouped(4))
    expect(quantization(depthwise.model, 'w').scales[0]).toBe(Math.fround(1 / 127))
    const two = await quantizeStatic(grouped(2))
    expect(quantization(two.model, 'w').scales[0]).toBe(Math.fround(2 / 127.5))
    for (const quantized of [depthwise, two]) {
      expect(names(quantized)).toEqual({ c: 'QLinearConv' })
      expect(quantized.sqnrDb).toBeGreaterThan(40)
    }
  })

  it('does not saturate with weights that all push the same way', async () => {
    // Activations at their maximum and weights of one sign: the worst case for 16-bit sums.
    const wide = ['N', 16, 6, 6]
    const source = model(
      wide,
      [makeNode('Conv', ['x', 'w'], ['y'], {}, { name: 'c' })],
      [constant('w', [8, 16, 3, 3], new Array(8 * 16 * 9).fill(0.9))],
      { y: ['N', 8, 4, 4] },
    )
    const bright = {
      feeds: 4,
      samples: 4,
      read: async (index: number) => ({
        x: { type: 'float32' as const, dims: [1, 16, 6, 6], values: new Float32Array(16 * 36).fill(1 - index * 0.2) },
      }),
    }
    const quantization = await StaticQuantization.calibrated(source, bright, onnxRuntime, { target: 'x64', perChannel: true, exclude: [] })
    const [reference, build] = [
      await onnxRuntime.load(encodeModel(source)),
      await onnxRuntime.load(encodeModel(quantization.quantize().model)),
    ]
    const expected = (await reference.run(await bright.read(0))).y!.values as Float32Array
    const found = (await build.run(await bright.read(0))).y!.values as Float32Array
    for (const [index, value] of found.entries()) expect(Math.abs(value - expected[index]!)).toBeLessThan(0.01 * expected[index]!)
  })

  it('adjusts the weight scale of a channel whose bias is far larger than its weights', async () => {
    const tiny = constant('c_w', [4, 4, 1, 1], [1e-9, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0])
    const source = model(
      image,
      [makeNode('Conv', ['x', 'c_w', 'c_b'], ['y'], {}, { name: 'c' })],
      [tiny, constant('c_b', [4], [100, 1, 1, 1])],
      { y: image },
    )
    const quantized = await quantizeStatic(source)
    expect(Math.abs(quantization(quantized.model, 'c_b').values![0]!)).toBeLessThanOrEqual(2 ** 30 + 1)
    expect(quantized.sqnrDb).toBeGreaterThan(35)
  })

  it('stays in float32 where its weights are computed', async () => {
    const nodes = [conv('c', 'x', 'h'), makeNode('Conv', ['h', 'k'], ['y'], {}, { name: 'dynamic' })]
    const source = model(
      image,
      nodes,
      convWeights('c'),
      { y: ['N', 2, 6, 6] },
      { extraInputs: [makeValueInfo('k', 'float32', [2, 4, 3, 3])] },
    )
    const quantized = await quantizeStatic(source)
    expect(names(quantized)).toEqual({ c: 'QLinearConv' })
    expect(quantized.skipped).toEqual([{ node: 'dynamic', op: 'Conv', reason: 'its weights are computed while the model runs' }])
  })
})

describe('matrix multiplication', () => {
  it('runs Gemm as QGemm, with transposed weights, factors and a bias in one row', async () => {
    const gemm = makeNode('Gemm', ['x', 'w', 'b'], ['y'], { transB: 1, alpha: float(0.5), beta: float(2) }, { name: 'g' })
    const quantized = await quantizeStatic(model(['N', 16], [gemm], [weights('w', [6, 16]), weights('b', [1, 6])], { y: ['N', 6] }))
    expect(names(quantized)).toEqual({ g: 'QGemm' })
    expect(quantized.sqnrDb).toBeGreaterThan(35)
    // The model's output needs no 8 bits: the kernel gives float32.
    expect(opCounts(quantized.model)).toEqual({ Gemm: 1, QuantizeLinear: 1, DequantizeLinear: 3 })
  })

  it('quantizes between two Gemm with their ReLU in between', async () => {
    const nodes = [
      makeNode('Gemm', ['x', 'w1', 'b1'], ['h'], {}, { name: 'g1' }),
      makeNode('Relu', ['h'], ['r'], {}, { name: 'r' }),
      makeNode('Gemm', ['r', 'w2'], ['y'], {}, { name: 'g2' }),
    ]
    const quantized = await quantizeStatic(
      model(['N', 16], nodes, [weights('w1', [16, 12]), weights('b1', [12]), weights('w2', [12, 5])], { y: ['N', 5] }),
    )
    expect(names(quantized)).toEqual({ g1: 'QGemm', g2: 'QGemm' })
    expect(opCounts(quantized.model).Relu).toBeUndefined()
  })

  it('keeps the ReLU of a Gemm whose output stays float32', async () => {
    const nodes = [makeNode('Gemm', ['x', 'w1'], ['h'], {}, { name: 'g1' }), makeNode('Relu', ['h'], ['y'], {}, { name: 'r' })]
    const quantized = await quantizeStatic(model(['N', 16], nodes, [weights('w1', [16, 12])], { y: ['N', 12] }))
    expect(opCounts(quantized.model)).toEqual({ Gemm: 1, Relu: 1, QuantizeLinear: 1, DequantizeLinear: 2 })
    expect(quantized.sqnrDb).toBeGreaterThan(35)
  })

  it('runs MatMul of three dimensions with a bias in float32 behind it', async () => {
    const nodes = [
      makeNode('MatMul', ['x', 'w1'], ['m'], {}, { name: 'm1' }),
      makeNode('Add', ['b1', 'm'], ['h'], {}, { name: 'bias' }),
      makeNode('Relu', ['h'], ['r'], {}, { name: 'r' }),
      makeNode('MatMul', ['r', 'w2'], ['y'], {}, { name: 'm2' }),
    ]
    const quantized = await quantizeStatic(
      model(['N', 5, 16], nodes, [weights('w1', [16, 12]), weights('b1', [12]), weights('w2', [12, 7])], { y: ['N', 5, 7] }),
    )
    expect(names(quantized)).toEqual({ m1: 'MatMulIntegerToFloat', m2: 'MatMulIntegerToFloat' })
    expect(quantized.sqnrDb).toBeGreaterThan(35)
    expect(quantized.skipped).toEqual([])
  })

  it('stores weights that two nodes share once', async () => {
    const nodes = [makeNode('MatMul', ['x', 'w'], ['h'], {}, { name: 'm1' }), makeNode('MatMul', ['h', 'w'], ['y'], {}, { name: 'm2' })]
    const quantized = await quantizeStatic(model(['N', 3, 8], nodes, [weights('w', [8, 8])], { y: ['N', 3, 8] }))
    expect(names(quantized)).toEqual({ m1: 'QLinearMatMul', m2: 'MatMulIntegerToFloat' })
    expect(quantized.model.graph!.initializer.filter(({ dims }) => dims.length === 2)).toHaveLength(1)
  })
})

describe('operators between', () => {
  it('runs a residual block in 8 bits from end to end', async () => {
    const nodes = [
      conv('c1', 'x', 'h1'),
      makeNode('Relu', ['h1'], ['r1'], {}, { name: 'r1' }),
      conv('c2', 'r1', 'h2'),
      makeNode('Add', ['h2', 'r1'], ['s'], {}, { name: 'add' }),
      makeNode('Relu', ['s'], ['r2'], {}, { name: 'r2' }),
      makeNode('GlobalAveragePool', ['r2'], ['p'], {}, { name: 'pool' }),
      makeNode('Flatten', ['p'], ['f'], {}, { name: 'flatten' }),
      makeNode('Gemm', ['f', 'w'], ['y'], {}, { name: 'fc' }),
    ]
    const quantized = await quantizeStatic(
      model(image, nodes, [...convWeights('c1'), ...convWeights('c2'), weights('w', [4, 3])], { y: ['N', 3] }),
    )
    expect(names(quantized)).toEqual({
      c1: 'QLinearConv',
      c2: 'QLinearConv',
      add: 'QLinearAdd',
      pool: 'QLinearGlobalAveragePool',
      flatten: 'Flatten',
      fc: 'QGemm',
    })
    expect(quantized.quantized).toEqual(['c1', 'c2', 'add', 'pool', 'flatten', 'fc'])
    expect(quantized.sqnrDb).toBeGreaterThan(30)
    expect(quantized.skipped).toEqual([])
  })

  it('gives Concat inputs and output scales of their own', async () => {
    const nodes = [
      conv('c1', 'x', 'h1'),
      conv('c2', 'x', 'h2'),
      makeNode('Concat', ['h1', 'h2'], ['h'], { axis: 1 }, { name: 'cat' }),
      conv('c3', 'h', 'y'),
    ]
    const initializers = [...convWeights('c1'), weights('c2_w', [4, 4, 3, 3], 3), weights('c2_b', [4]), ...convWeights('c3', 4, 8)]
    const quantized = await quantizeStatic(model(image, nodes, initializers, { y: image }))
    expect(names(quantized)).toEqual({ c1: 'QLinearConv', c2: 'QLinearConv', cat: 'QLinearConcat', c3: 'QLinearConv' })
    expect(new Set(['h1', 'h2'].map((name) => quantization(quantized.model, name).scales[0])).size).toBe(2)
    expect(quantized.sqnrDb).toBeGreaterThan(30)
  })

  it('lets data movement share the scale of what it moves', async () => {
    const nodes = [
      conv('c1', 'x', 'h'),
      makeNode('MaxPool', ['h'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }, { name: 'pool' }),
      makeNode('Reshape', ['p', 'shape'], ['s'], {}, { name: 'reshape' }),
      makeNode('Transpose', ['s'], ['t'], { perm: [0, 2, 1] }, { name: 'transpose' }),
      makeNode('MatMul', ['t', 'w'], ['y'], {}, { name: 'm' }),
    ]
    const source = model(image, nodes, [...convWeights('c1'), makeInt64('shape', [3], [0, 4, 16]), weights('w', [4, 3])], {
      y: ['N', 16, 3],
    })
    const quantized = await quantizeStatic(source)
    const scales = quantized.model.graph!.node.filter(({ opType }) => opType === 'QuantizeLinear').map(({ input }) => input[1])
    expect([scales.length, new Set(scales).size, new Set(scales.slice(1)).size]).toEqual([5, 2, 1])
    expect(quantized.quantized).toEqual(['c1', 'pool', 'reshape', 'transpose', 'm'])
    expect([...quantized.kernels.others]).toEqual([])
    expect(quantized.sqnrDb).toBeGreaterThan(30)
  })

  it('runs x·sigmoid(x) and constant operands in 8 bits', async () => {
    const nodes = [
      conv('c1', 'x', 'h'),
      makeNode('Sigmoid', ['h'], ['s'], {}, { name: 'sigmoid' }),
      makeNode('Mul', ['h', 's'], ['m'], {}, { name: 'mul' }),
      makeNode('Mul', ['m', 'third'], ['k'], {}, { name: 'scale' }),
      conv('c2', 'k', 'y'),
    ]
    const quantized = await quantizeStatic(
      model(image, nodes, [...convWeights('c1'), ...convWeights('c2'), constant('third', [1], [1 / 3])], { y: image }),
    )
    expect(names(quantized)).toEqual({
      c1: 'QLinearConv',
      sigmoid: 'QLinearSigmoid',
      mul: 'QLinearMul',
      scale: 'QLinearMul',
      c2: 'QLinearConv',
    })
    expect(quantized.sqnrDb).toBeGreaterThan(30)
  })

  it('runs x·relu6(x + 3)/6 in 8 bits', async () => {
    const nodes = [
      conv('c1', 'x', 'h'),
      makeNode('Add', ['h', 'three'], ['s'], {}, { name: 'shift' }),
      makeNode('Clip', ['s', 'zero', 'six'], ['l'], {}, { name: 'limit' }),
      makeNode('Mul', ['h', 'l'], ['m'], {}, { name: 'mul' }),
      makeNode('Div', ['m', 'six'], ['d'], {}, { name: 'sixth' }),
      conv('c2', 'd', 'y'),
    ]
    const limits = [constant('three', [], [3]), constant('zero', [], [0]), constant('six', [], [6])]
    const quantized = await quantizeStatic(model(image, nodes, [...convWeights('c1'), ...convWeights('c2'), ...limits], { y: image }))
    expect(names(quantized)).toEqual({ c1: 'QLinearConv', shift: 'QLinearAdd', mul: 'QLinearMul', sixth: 'QLinearMul', c2: 'QLinearConv' })
    expect(quantized.sqnrDb).toBeGreaterThan(28)
  })

  it('leaves a constant operand in float32 that 8 bits would ruin', async () => {
    const nodes = [
      conv('c1', 'x', 'h'),
      makeNode('Relu', ['h'], ['r']),
      makeNode('Mul', ['r', 'k'], ['m'], {}, { name: 'scale' }),
      conv('c2', 'm', 'y'),
    ]
    const uneven = constant('k', [1, 4, 1, 1], [1e-4, 2e-4, 3e-4, 1])
    const quantized = await quantizeStatic(model(image, nodes, [...convWeights('c1'), ...convWeights('c2'), uneven], { y: image }))
    expect(names(quantized)).toEqual({ c1: 'QLinearConv', c2: 'QLinearConv' })
    expect(quantized.skipped).toEqual([{ node: 'scale', op: 'Mul', reason: 'its constant operand "k" loses too much in 8 bits' }])
  })

  it('gives Softmax the range 0 to 1 where 8-bit operators stand on both sides', async () => {
    const nodes = [
      makeNode('MatMul', ['x', 'w1'], ['h'], {}, { name: 'm1' }),
      makeNode('Softmax', ['h'], ['p'], { axis: -1 }, { name: 'softmax' }),
      makeNode('MatMul', ['p', 'w2'], ['y'], {}, { name: 'm2' }),
    ]
    const quantized = await quantizeStatic(
      model(['N', 4, 16], nodes, [weights('w1', [16, 8], 1), weights('w2', [8, 8])], { y: ['N', 4, 8] }),
    )
    expect(names(quantized)).toEqual({ m1: 'QLinearMatMul', softmax: 'QLinearSoftmax', m2: 'MatMulIntegerToFloat' })
    expect(quantization(quantized.model, 'p').scales).toEqual([Math.fround(1 / 255)])
  })

  it('leaves alone what stands between float operators', async () => {
    const nodes = [
      makeNode('Tanh', ['x'], ['t'], {}, { name: 'tanh' }),
      makeNode('Add', ['t', 'x'], ['s'], {}, { name: 'add' }),
      makeNode('Tanh', ['s'], ['u'], {}, { name: 'tanh2' }),
      conv('c', 'u', 'y'),
    ]
    const quantized = await quantizeStatic(model(image, nodes, convWeights('c'), { y: image }))
    expect(quantized.quantized).toEqual(['c'])
    expect(quantized.skipped.map(({ node }) => node).sort()).toEqual(['add', 'tanh', 'tanh2'])
  })
})

describe('operators without 8-bit kernel', () => {
  it('leaves ConvTranspose in float32 and says why', async () => {
    const nodes = [conv('c1', 'x', 'h'), makeNode('ConvTranspose', ['h', 'tw'], ['y'], { strides: [2, 2] }, { name: 'up' })]
    const quantized = await quantizeStatic(
      model(image, nodes, [...convWeights('c1'), weights('tw', [4, 2, 2, 2])], { y: ['N', 2, 16, 16] }),
    )
    expect(names(quantized)).toEqual({ c1: 'QLinearConv' })
    expect(quantized.skipped).toEqual([{ node: 'up', op: 'ConvTranspose', reason: expect.stringContaining('no 8-bit kernel') }])
    expect(quantized.sqnrDb).toBeGreaterThan(30)
  })

  it('quantizes the convolutions of a HardSwish network and nothing around HardSwish', async () => {
    const nodes = [
      conv('c1', 'x', 'h1'),
      makeNode('HardSwish', ['h1'], ['a1'], {}, { name: 'hs' }),
      conv('c2', 'a1', 'h2'),
      makeNode('HardSwish', ['h2'], ['y'], {}, { name: 'hs2' }),
    ]
    const quantized = await quantizeStatic(model(image, nodes, [...convWeights('c1'), ...convWeights('c2')], { y: image }))
    expect(names(quantized)).toEqual({ c1: 'QLinearConv', c2: 'QLinearConv' })
    // ONNX Runtime has no kernel for HardSwish and takes it apart.
    expect(quantized.skipped.map(({ op }) => op).sort()).toEqual(['HardSigmoid', 'HardSigmoid', 'Mul', 'Mul'])
    expect(quantized.sqnrDb).toBeGreaterThan(30)
  })

  it('leaves linear Resize, runs nearest Resize', async () => {
    const resize = (mode: string) =>
      makeNode(
        'Resize',
        ['h', '', 'scales'],
        ['u'],
        { mode, coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
        { name: 'resize' },
      )
    const build = (mode: string) =>
      quantizeStatic(
        model(
          image,
          [conv('c1', 'x', 'h'), resize(mode), conv('c2', 'u', 'y')],
          [...convWeights('c1'), ...convWeights('c2'), constant('scales', [4], [1, 1, 2, 2])],
          { y: ['N', 4, 16, 16] },
        ),
      )
    expect(names(await build('nearest'))).toEqual({ c1: 'QLinearConv', resize: 'Resize', c2: 'QLinearConv' })
    const linear = await build('linear')
    expect(names(linear)).toEqual({ c1: 'QLinearConv', c2: 'QLinearConv' })
    expect(linear.skipped).toEqual([{ node: 'resize', op: 'Resize', reason: expect.stringContaining('linear') }])
  })
})

describe('graph', () => {
  it('keeps the names of outputs that are also read inside', async () => {
    const nodes = [conv('c1', 'x', 'h'), makeNode('Relu', ['h'], ['features'], {}, { name: 'r' }), conv('c2', 'features', 'y')]
    const quantized = await quantizeStatic(model(image, nodes, [...convWeights('c1'), ...convWeights('c2')], { y: image, features: image }))
    expect(names(quantized)).toEqual({ c1: 'QLinearConv', c2: 'QLinearConv' })
    expect(quantized.model.graph!.output.map(({ name }) => name)).toEqual(['y', 'features'])
    expect(quantized.sqnrDb).toBeGreaterThan(30)
  })

  it('feeds sub-graphs that read a quantized tensor from outside', async () => {
    const branch = makeNode('If', ['flag'], ['y'], {}, { name: 'branch' })
    for (const [name, op] of [
      ['then_branch', 'Abs'],
      ['else_branch', 'Neg'],
    ] as const) {
      const output = `${name}_output`
      const g = { ...model(image, [makeNode(op, ['h'], [output], {}, { name: `${name}_op` })], [], { [output]: image }).graph!, input: [] }
      branch.attribute.push(create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g }))
    }
    const nodes = [
      makeNode('ReduceSum', ['x'], ['total'], { keepdims: 0 }),
      makeNode('Greater', ['total', 'zero'], ['flag']),
      conv('c', 'x', 'h'),
      branch,
    ]
    const quantized = await quantizeStatic(model(image, nodes, [...convWeights('c'), constant('zero', [], [0])], { y: image }))
    expect(names(quantized)).toEqual({ c: 'QLinearConv' })
    expect(quantized.sqnrDb).toBeGreaterThan(30)
    expect(quantized.skipped).toContainEqual({ node: 'branch', op: 'If', reason: expect.stringContaining('sub-graphs') })
  })

  it('leaves excluded nodes and operators', async () => {
    const nodes = [conv('c1', 'x', 'h'), conv('c2', 'h', 'g'), makeNode('MatMul', ['g', 'w'], ['y'], {}, { name: 'm' })]
    const source = model(image, nodes, [...convWeights('c1'), ...convWeights('c2'), weights('w', [8, 2])], { y: ['N', 4, 8, 2] })
    const quantized = await quantizeStatic(source, { exclude: ['c1', 'MatMul'] })
    expect(names(quantized)).toEqual({ c2: 'QLinearConv' })
    expect(quantized.skipped).toEqual([
      { node: 'c1', op: 'Conv', reason: 'excluded by the recipe' },
      { node: 'm', op: 'MatMul', reason: 'excluded by the recipe' },
    ])
  })

  it('gives the same bytes every time, and does not touch the source', async () => {
    const source = model(image, [conv('c', 'x', 'h'), makeNode('Relu', ['h'], ['y'])], convWeights('c'), { y: image })
    const before = encodeModel(source)
    const [first, second] = [await quantizeStatic(source), await quantizeStatic(source)]
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0)
    expect(encodeModel(source)).toEqual(before)
  })

  it('refuses a model that is quantized already, or has nothing to quantize', async () => {
    const source = model(image, [conv('c', 'x', 'y')], convWeights('c'), { y: image })
    const { model: quantized } = await quantizeStatic(source)
    await expect(quantizeStatic(quantized)).rejects.toThrow(
      expect.objectContaining({ code: 'RECIPE_NOT_APPLICABLE', message: expect.stringContaining('quantized already') }),
    )
    const nothing = model(['N', 4], [makeNode('Tanh', ['x'], ['y'], {}, { name: 't' })], [], { y: ['N', 4] })
    await expect(quantizeStatic(nothing)).rejects.toThrow(/nothing to quantize.*Tanh has no 8-bit kernel/)
  })

  it('names the tensor that has no range on the samples', async () => {
    const source = model(image, [makeNode('Log', ['x'], ['l'], {}, { name: 'log' }), conv('c', 'l', 'y')], convWeights('c'), { y: image })
    const zeros = { feeds: 1, read: async () => ({ x: { type: 'float32' as const, dims: [1, 4, 8, 8], values: new Float32Array(256) } }) }
    await expect(
      StaticQuantization.calibrated(source, zeros, onnxRuntime, { target: 'x64', perChannel: true, exclude: [] }),
    ).rejects.toThrow(/Tensor "l" runs from -Infinity/)
  })

  it('needs only the ranges it uses: one feed at a time', async () => {
    const source = model(image, [conv('c', 'x', 'h'), makeNode('Relu', ['h'], ['y'])], convWeights('c'), { y: image })
    const feeds = feedsOf(source, 5)
    const done: number[] = []
    await StaticQuantization.calibrated(source, feeds, onnxRuntime, { target: 'x64', perChannel: true, exclude: [] }, (count) =>
      done.push(count),
    )
    expect(done).toEqual([1, 2, 3, 4, 5])
  })
})

describe('targets', () => {
  const nodes = [
    conv('c1', 'x', 'h1'),
    makeNode('Relu', ['h1'], ['r1'], {}, { name: 'r1' }),
    conv('c2', 'r1', 'h2'),
    makeNode('Add', ['h2', 'r1'], ['s'], {}, { name: 'add' }),
    makeNode('Relu', ['s'], ['y'], {}, { name: 'r2' }),
  ]
  const source = () => model(image, nodes, [...convWeights('c1'), ...convWeights('c2')], { y: image })

  it('takes int8 activations with zero point −128 after ReLU on arm64', async () => {
    const quantized = await quantizeStatic(source(), { target: 'arm64' })
    expect(quantization(quantized.model, 'r1').zeroPoints).toEqual([-128])
    expect(quantization(quantized.model, 'c1_w').zeroPoints).toEqual([0, 0, 0, 0])
    expect(names(quantized)).toEqual({ c1: 'QLinearConv', c2: 'QLinearConv', add: 'QLinearAdd' })
    expect(quantized.sqnrDb).toBeGreaterThan(30)
  })

  it('takes the full weight range on x64 with VNNI', async () => {
    const built = source()
    const [safe, full] = [await quantizeStatic(built, { target: 'x64' }), await quantizeStatic(built, { target: 'x64-vnni' })]
    const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0)
    expect(sum(quantization(full.model, 'c1_w').scales)).toBeLessThan(sum(quantization(safe.model, 'c1_w').scales))
    expect(full.sqnrDb).toBeGreaterThan(30)
  })

  it('gives TensorRT symmetric pairs on inputs only, float bias, its own pair for each reader, and the residual branch', async () => {
    const quantized = await quantizeStatic(source(), { target: 'tensorrt' })
    const { graph } = quantized.model
    const quantizers = graph!.node.filter(({ opType }) => opType === 'QuantizeLinear')
    // x for c1, r1 for c2, and r1 once more as the residual operand of add.
    expect(quantizers.map(({ input }) => input[0])).toEqual(['x', 'r1', 'r1'])
    for (const { input } of quantizers) expect(initializer(quantized.model, input[2]!)).toEqual([0])
    expect(opCounts(quantized.model)).toMatchObject({ Relu: 2, Conv: 2, Add: 1 })
    expect(graph!.initializer.filter(({ dataType }) => dataType === 6)).toEqual([])
    expect(quantized.sqnrDb).toBeGreaterThan(30)
  })
})
