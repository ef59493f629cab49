import { create } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, AttributeProtoSchema, type ModelProto, type TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import type { NamedTensors } from '../../../src/core/inference-runtime.ts'
import { float, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { validateModel } from '../../../src/core/onnx/validate.ts'
import { type DynamicOptions, quantizeDynamic } from '../../../src/core/quantization/dynamic-quantization.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { countInt8Kernels } from '../../../src/engine/runtimes/int8-kernels.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { feedsOf, model, opCounts, weights } from './small-models.ts'

async function quantize(source: ModelProto, settings: Partial<DynamicOptions> = {}, feeds = feedsOf(source)) {
  const result = await quantizeDynamic(source, onnxRuntime, { target: 'x64', perChannel: true, exclude: [], ...settings })
  const bytes = encodeModel(result.model)
  validateModel(decodeModel(bytes, 'the build'))
  const { sqnrDb } = await verifyBuild(encodeModel(source), bytes, feeds, 'x64', onnxRuntime)
  return { ...result, bytes, kernels: (await countInt8Kernels(bytes)).byOp, sqnrDb: sqnrDb ?? Number.POSITIVE_INFINITY }
}

const STEPS = 7
const HIDDEN = 24

function lstm(directions: 1 | 2, inputs: readonly string[] = [], attributes: Parameters<typeof makeNode>[3] = {}): ModelProto {
  const direction = directions === 2 ? 'bidirectional' : 'reverse'
  const node = makeNode(
    'LSTM',
    ['x', 'w', 'r', ...inputs],
    ['y', 'h', 'c'],
    { hidden_size: HIDDEN, direction, ...attributes },
    { name: 'lstm' },
  )
  const initializers = [
    weights('w', [directions, 4 * HIDDEN, 10]),
    weights('r', [directions, 4 * HIDDEN, HIDDEN]),
    weights('b', [directions, 8 * HIDDEN]),
    weights('h0', [directions, 1, HIDDEN]),
    weights('c0', [directions, 1, HIDDEN]),
    weights('p', [directions, 3 * HIDDEN]),
    makeTensor('steps', 'int32', [1], Int32Array.of(STEPS - 2)),
  ].filter(({ name }) => name === 'w' || name === 'r' || inputs.includes(name))
  return model([STEPS, 1, 10], [node], initializers, {
    y: [STEPS, directions, 1, HIDDEN],
    h: [directions, 1, HIDDEN],
    c: [directions, 1, HIDDEN],
  })
}

function withActivations(source: ModelProto, names: readonly string[]): ModelProto {
  const strings = names.map((name) => new TextEncoder().encode(name))
  source.graph!.node[0]!.attribute.push(
    create(AttributeProtoSchema, { name: 'activations', type: AttributeProto_AttributeType.STRINGS, strings }),
  )
  return source
}

describe('quantizeDynamic, LSTM', () => {
  it.each([
    ['one direction, no bias', lstm(1)],
    ['two directions, every optional input', lstm(2, ['b', 'steps', 'h0', 'c0', 'p'])],
    ['without sequence lengths', lstm(2, ['b', '', 'h0', 'c0'])],
    ['other activations, clipped', withActivations(lstm(1, ['b'], { clip: float(2) }), ['Sigmoid', 'Tanh', 'Relu'])],
  ])('becomes DynamicQuantizeLSTM: %s', async (_, source) => {
    for (const perChannel of [true, false]) {
      const quantized = await quantize(source, { perChannel })
      expect(quantized.kernels).toEqual({ DynamicQuantizeLSTM: 1 })
      expect(quantized.quantized).toEqual(['lstm'])
      expect(quantized.weights.map(({ tensor }) => tensor)).toEqual(['w', 'r'])
      expect(quantized.sqnrDb).toBeGreaterThan(25)
    }
  })

  it('is exact on x64 without VNNI too: its products do not saturate', async () => {
    const source = lstm(2, ['b'])
    const feeds = feedsOf(source, 4, 10)
    const { bytes, sqnrDb } = await quantize(source, {}, feeds)
    const [usual, exact] = [await onnxRuntime.load(bytes), await onnxRuntime.load(bytes, { exact8Bit: true })]
    for (let index = 0; index < feeds.feeds; index++) {
      const feed: NamedTensors = await feeds.read(index)
      expect((await usual.run(feed)).y).toEqual((await exact.run(feed)).y)
    }
    await usual.close()
    await exact.close()
    expect(sqnrDb).toBeGreaterThan(25)
  })

  it('leaves GRU, for which there is no kernel', async () => {
    const gru = makeNode('GRU', ['x', 'w', 'r'], ['', 'h'], { hidden_size: 4 }, { name: 'gru' })
    const head = makeNode('MatMul', ['h', 'k'], ['y'], {}, { name: 'm' })
    const source = model([3, 1, 6], [gru, head], [weights('w', [1, 12, 6]), weights('r', [1, 12, 4]), weights('k', [4, 4])], {
      y: [1, 1, 4],
    })
    const quantized = await quantize(source)
    expect(quantized.skipped).toEqual([{ node: 'gru', op: 'GRU', reason: 'GRU has no 8-bit kernel in ONNX Runtime' }])
    const withKernel = decodeModel(quantized.bytes, 'the build')
    withKernel.graph!.node.find(({ opType }) => opType === 'GRU')!.domain = 'com.microsoft'
    withKernel.graph!.node.find(({ opType }) => opType === 'GRU')!.opType = 'DynamicQuantizeGRU'
    await expect(onnxRuntime.load(encodeModel(withKernel))).rejects.toThrow(/DynamicQuantizeGRU/)
  })
})

const ROWS = 1100

/** Looks up rows of `table`, multiplied by weights of its own or by the table itself. */
function lookUp(table: TensorProto, tied = false, options: { readonly given?: boolean } = {}): ModelProto {
  const width = Number(table.dims.at(-1))
  const nodes = [
    makeNode('Gather', ['table', 'tokens'], ['rows'], {}, { name: 'embed' }),
    tied
      ? makeNode('Gemm', ['rows', 'table'], ['y'], { transB: 1 }, { name: 'head' })
      : makeNode('MatMul', ['rows', 'k'], ['y'], {}, { name: 'head' }),
  ]
  return makeModel({
    nodes,
    initializers: tied ? [table] : [table, weights('k', [width, 4])],
    inputs: [makeValueInfo('tokens', 'int64', [5])],
    outputs: [
      makeValueInfo('y', 'float32', [5, tied ? ROWS : 4]),
      ...(options.given ? [makeValueInfo('table', 'float32', [ROWS, width])] : []),
    ],
  })
}

/** Rows of very different sizes, as the rare words of a vocabulary have. */
function unevenTable(width: number): TensorProto {
  const values = Float32Array.from({ length: ROWS * width }, (_, index) => Math.sin(index * 1.7) * (1 + (Math.floor(index / width) % 10)))
  return makeTensor('table', 'float32', [ROWS, width], values)
}

const tokens = {
  feeds: 4,
  samples: 4,
  read: async (index: number): Promise<NamedTensors> => ({
    tokens: {
      type: 'int64',
      dims: [5],
      values: BigInt64Array.from([0, 1, 10, 777, ROWS - 1], (row) => (BigInt(row) + BigInt(index)) % BigInt(ROWS)),
    },
  }),
}

describe('quantizeDynamic, tables', () => {
  it('stores rows in 8 bits, with a scale for each or one for all', async () => {
    const source = lookUp(unevenTable(16))
    const byRow = await quantize(source, { exclude: ['head'] }, tokens)
    expect(opCounts(byRow.model)).toEqual({ Gather: 2, Cast: 1, Mul: 1, MatMul: 1 })
    const whole = await quantize(source, { exclude: ['head'], perChannel: false }, tokens)
    expect(opCounts(whole.model)).toEqual({ Gather: 1, DequantizeLinear: 1, MatMul: 1 })
    expect(byRow.weights[0]!.sqnrDb! - whole.weights[0]!.sqnrDb!).toBeGreaterThan(3)
    expect(byRow.sqnrDb).toBeGreaterThan(40)
    expect(whole.sqnrDb).toBeGreaterThan(30)
    for (const { bytes } of [byRow, whole]) expect(bytes.length / encodeModel(source).length).toBeLessThan(0.35)
  })

  it('writes a table twice, each in 8 bits, when the output multiplies by it', async () => {
    const source = lookUp(unevenTable(16), true)
    const tied = await quantize(source, {}, tokens)
    expect(tied.quantized).toEqual(['embed', 'head'])
    expect(tied.model.graph!.initializer.map(({ name }) => name)).not.toContain('table')
    expect(tied.bytes.length / encodeModel(source).length).toBeLessThan(0.7)
    expect(tied.sqnrDb).toBeGreaterThan(30)
  })

  it('leaves a table that is needed in float32 too, or given out, or small, or of no use', async () => {
    const tied = lookUp(unevenTable(16), true)
    await expect(quantize(tied, { exclude: ['head'] }, tokens)).rejects.toThrow(/also read by Gemm "head" in float32/)
    const given = await quantize(lookUp(unevenTable(16), false, { given: true }), {}, tokens)
    expect(given.skipped).toEqual([{ node: 'embed', op: 'Gather', reason: expect.stringContaining('given out') }])
    const unused = await quantize(lookUp(unevenTable(16)), { tables: false }, tokens)
    expect(unused.quantized).toEqual(['head'])
    const small = await quantize(lookUp(unevenTable(14)), {}, tokens)
    expect(small.quantized).toEqual(['head'])
    expect(small.skipped).toEqual([])
  })
})

describe('quantizeDynamic, convolutions', () => {
  it.each([
    ['1-D', [1, 6, 20], [8, 6, 3], { pads: [1, 1], strides: [2] }, [1, 8, 10]],
    ['2-D, grouped', [1, 6, 8, 8], [6, 3, 3, 3], { pads: [1, 1, 1, 1], group: 2 }, [1, 6, 8, 8]],
    ['2-D, depthwise, dilated', [1, 6, 9, 9], [6, 1, 3, 3], { dilations: [2, 2], group: 6 }, [1, 6, 5, 5]],
    ['2-D, padded by name', [1, 3, 9, 9], [4, 3, 3, 3], { auto_pad: 'SAME_UPPER' }, [1, 4, 9, 9]],
    ['3-D', [1, 2, 5, 5, 5], [3, 2, 3, 3, 3], {}, [1, 3, 3, 3, 3]],
  ])('runs as ConvInteger: %s', async (_, x, w, attributes, y) => {
    for (const bias of [true, false]) {
      const conv = makeNode('Conv', bias ? ['x', 'w', 'b'] : ['x', 'w'], ['y'], attributes, { name: 'conv' })
      const source = model(x, [conv], bias ? [weights('w', w), weights('b', [w[0]!])] : [weights('w', w)], { y })
      for (const perChannel of [true, false]) {
        const quantized = await quantize(source, { convolutions: true, perChannel })
        expect(quantized.kernels).toEqual({ ConvInteger: 1 })
        expect(quantized.sqnrDb).toBeGreaterThan(32)
      }
    }
  })

  it('adds a bias that is made while the model runs', async () => {
    const nodes = [
      makeNode('ReduceMean', ['x'], ['means'], { axes: [0, 2, 3], keepdims: 0 }, { name: 'means' }),
      makeNode('Conv', ['x', 'w', 'means'], ['y'], {}, { name: 'conv' }),
    ]
    const source = model([1, 4, 6, 6], nodes, [weights('w', [4, 4, 3, 3])], { y: [1, 4, 4, 4] })
    const quantized = await quantize(source, { convolutions: true })
    expect(quantized.kernels).toEqual({ ConvInteger: 1 })
    expect(quantized.sqnrDb).toBeGreaterThan(32)
  })
})
