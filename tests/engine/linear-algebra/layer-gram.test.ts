import type { ModelProto, NodeProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { collectGrams, gramsInTurn, MAX_GRAM_SIZE } from '../../../src/core/linear-algebra/layer-gram.ts'
import { type AttributeValue, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { floatValues, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model, weights } from '../optimize/small-models.ts'

/**
 * H must say how large the layer's outputs are: for weights w, ‖X·w‖² = wᵀ·H·w, and the sum of outputs is rows · meansᵀ·w. Both are
 * compared with what the layer itself gives on the same feeds, channel by channel.
 */
async function expectGramsOf(source: ModelProto, node: NodeProto, { channelAxis }: { readonly channelAxis: number }) {
  const feeds = feedsOf(source, 5)
  const [entry] = [...(await collectGrams(source, [node.name], feeds, onnxRuntime))]
  expect(entry?.[0]).toBe(node.name)
  const grams = entry![1]
  const loaded = await onnxRuntime.load(encodeModel(source))
  const channels = Number(channelAxis === 1 ? channelsOf(source) : lastDim(source))
  const [squares, sums] = [new Float64Array(channels), new Float64Array(channels)]
  let rows = 0
  for (let index = 0; index < feeds.feeds; index++) {
    const { dims, values } = (await loaded.run(await feeds.read(index))).y!
    const inner = channelAxis === 1 ? dims.slice(2).reduce((product, dim) => product * dim, 1) : 1
    for (const [at, value] of (values as Float32Array).entries()) {
      const channel = Math.floor(at / inner) % channels
      squares[channel]! += value * value
      sums[channel]! += value
    }
    rows += values.length / channels
  }
  await loaded.close()
  const columns = weightColumns(source, node)
  for (let channel = 0; channel < channels; channel++) {
    const { size, values, means, rows: counted } = grams[Math.floor((channel * grams.length) / channels)]!
    expect(counted).toBe(rows)
    const w = columns[channel]!
    expect(w).toHaveLength(size)
    let [square, sum] = [0, 0]
    for (let i = 0; i < size; i++) {
      sum += means[i]! * w[i]! * rows
      for (let j = 0; j < size; j++) square += w[i]! * values[i * size + j]! * w[j]!
    }
    expect(square / squares[channel]!).toBeCloseTo(1, 4)
    expect(Math.abs(sum - sums[channel]!)).toBeLessThan(1e-3 * Math.sqrt(rows * squares[channel]!))
  }
}

function weightOf(source: ModelProto) {
  return new Graph(source).constant('w')!
}
const channelsOf = (source: ModelProto) => weightOf(source).dims[0]
const lastDim = (source: ModelProto) => {
  const type = source.graph!.output[0]!.type!.value
  return type.case === 'tensorType' ? Number(type.value.shape!.dim.at(-1)!.value.value) : 0
}

/** Weights of each output channel in the order of K. */
function weightColumns(source: ModelProto, node: NodeProto): number[][] {
  const tensor = weightOf(source)
  const values = [...floatValues(tensor)]
  const transposed = node.attribute.some(({ name, i }) => name === 'transB' && i === 1n)
  const [first, second] = tensor.dims.map(Number) as [number, number]
  if (node.opType === 'Conv' || transposed) {
    const size = values.length / first
    return Array.from({ length: first }, (_, row) => values.slice(row * size, (row + 1) * size))
  }
  return Array.from({ length: second }, (_, column) => Array.from({ length: first }, (_, row) => values[row * second + column]!))
}

function conv(
  inputDims: readonly number[],
  weightDims: readonly number[],
  attributes: Readonly<Record<string, AttributeValue>>,
  opset = 17,
) {
  const node = makeNode('Conv', ['x', 'w'], ['y'], attributes, { name: 'layer' })
  const rank = inputDims.length - 2
  const shape = ['N', weightDims[0]!, ...Array.from({ length: rank }, (_, axis) => `d${axis}`)]
  return { source: model(['N', ...inputDims.slice(1)], [node], [weights('w', weightDims)], { y: shape }, { opset }), node }
}

describe('collectGrams', () => {
  it.each([
    { what: '3x3 with pads and stride', input: [1, 3, 9, 8], weight: [4, 3, 3, 3], attributes: { pads: [1, 0, 2, 1], strides: [2, 1] } },
    { what: 'plain 1x1', input: [1, 5, 4, 4], weight: [3, 5, 1, 1], attributes: {} },
    { what: '1x1 with stride', input: [1, 5, 5, 5], weight: [3, 5, 1, 1], attributes: { strides: [2, 2] } },
    { what: 'dilated', input: [1, 2, 9, 9], weight: [2, 2, 3, 2], attributes: { dilations: [2, 3] } },
    { what: 'SAME_UPPER', input: [1, 2, 6, 7], weight: [2, 2, 2, 4], attributes: { auto_pad: 'SAME_UPPER', strides: [2, 1] } },
    { what: 'SAME_LOWER', input: [1, 2, 6, 7], weight: [2, 2, 2, 4], attributes: { auto_pad: 'SAME_LOWER' } },
    { what: 'VALID', input: [1, 2, 6, 7], weight: [2, 2, 2, 4], attributes: { auto_pad: 'VALID' } },
    { what: 'grouped', input: [1, 6, 5, 5], weight: [4, 3, 3, 3], attributes: { group: 2, pads: [1, 1, 1, 1] } },
    { what: 'depthwise', input: [1, 4, 5, 5], weight: [8, 1, 3, 3], attributes: { group: 4 } },
    { what: '1-D', input: [1, 4, 20], weight: [3, 4, 5], attributes: { strides: [2], pads: [2, 2] } },
    { what: '3-D', input: [1, 2, 4, 5, 4], weight: [3, 2, 2, 3, 2], attributes: { pads: [0, 1, 0, 1, 1, 0] } },
    { what: 'opset 7', input: [1, 4, 6, 6], weight: [4, 2, 3, 3], attributes: { group: 2 }, opset: 7 },
    { what: 'opset 23', input: [1, 4, 6, 6], weight: [4, 2, 3, 3], attributes: { group: 2 }, opset: 23 },
  ])('Conv, $what', async ({ input, weight, attributes, opset = 17 }) => {
    const { source, node } = conv(input, weight, attributes as Record<string, AttributeValue>, opset)
    await expectGramsOf(source, node, { channelAxis: 1 })
  })

  it.each([
    { what: 'MatMul of three dimensions', op: 'MatMul', input: ['N', 4, 6], weight: [6, 5], attributes: {}, output: ['N', 4, 5] },
    { what: 'Gemm', op: 'Gemm', input: ['N', 6], weight: [6, 5], attributes: {}, output: ['N', 5] },
    { what: 'Gemm with transposed weights', op: 'Gemm', input: ['N', 6], weight: [5, 6], attributes: { transB: 1 }, output: ['N', 5] },
    { what: 'Gemm with transposed input', op: 'Gemm', input: [6, 3], weight: [6, 5], attributes: { transA: 1 }, output: [3, 5] },
  ])('$what', async ({ op, input, weight, attributes, output }) => {
    const node = makeNode(op, ['x', 'w'], ['y'], attributes as Record<string, AttributeValue>, { name: 'layer' })
    await expectGramsOf(model(input, [node], [weights('w', weight)], { y: output }), node, { channelAxis: -1 })
  })

  it('works inside a network, with weights in a Constant node and a layer that is a graph output', async () => {
    const value = weights('', [4, 4])
    const hold = makeNode('Constant', [], ['w'], { value }, { name: 'hold' })
    const nodes = [hold, makeNode('Relu', ['x'], ['r'], {}, { name: 'relu' }), makeNode('MatMul', ['r', 'w'], ['y'], {}, { name: 'layer' })]
    const source = model(['N', 4], nodes, [], { y: ['N', 4], r: ['N', 4] })
    await expectGramsOf(source, nodes[2]!, { channelAxis: -1 })
  })

  it('takes float16 layers in float32', async () => {
    const node = makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'layer' })
    const source = makeModel({
      nodes: [node],
      inputs: [makeValueInfo('x', 'float16', [1, 2])],
      outputs: [makeValueInfo('y', 'float16', [1, 2])],
      initializers: [makeTensor('w', 'float16', [2, 2], new Uint16Array(4))],
    })
    // 1 and 2 in float16.
    const feed = { x: { type: 'float16', dims: [1, 2], values: Uint16Array.of(0x3c00, 0x4000) } } as const
    const grams = await collectGrams(source, ['layer'], { feeds: 1, read: async () => feed }, onnxRuntime)
    expect(grams.get('layer')).toEqual([{ size: 2, values: Float64Array.of(1, 2, 2, 4), means: Float64Array.of(1, 2), rows: 1 }])
  })

  it('thins out the positions of a large feature map', async () => {
    const { source } = conv([1, 1, 400, 400], [1, 1, 3, 3], {})
    source.graph!.input[0]!.type = makeValueInfo('x', 'float32', [1, 1, 400, 400]).type!
    const gram = (await collectGrams(source, ['layer'], feedsOf(source, 2), onnxRuntime)).get('layer')![0]!
    // 398 × 398 positions; 2 feeds share the 32,768 rows that are worthwhile: every third in both directions.
    expect(gram.rows).toBe(2 * 133 * 133)
  })

  it('leaves out what it cannot do, and what holds NaN', async () => {
    const nodes = [
      makeNode('MatMul', ['x', 'w'], ['m'], {}, { name: 'ok' }),
      makeNode('MatMul', ['x', 'x2'], ['p'], {}, { name: 'two activations' }),
      makeNode('Div', ['m', 'zero'], ['n'], {}, { name: 'nan' }),
      makeNode('MatMul', ['n', 'w'], ['y'], {}, { name: 'after nan' }),
      makeNode('Concat', ['x', 'x'], ['wide'], { axis: 1 }, { name: 'wide' }),
      makeNode('MatMul', ['x', 'large'], ['z'], {}, { name: 'few inputs' }),
      makeNode('MatMul', ['z', 'too_large'], ['z2'], {}, { name: 'too large' }),
    ]
    const initializers = [
      weights('w', [4, 4]),
      constant('zero', [1], [0]),
      weights('large', [4, MAX_GRAM_SIZE + 1]),
      weights('too_large', [MAX_GRAM_SIZE + 1, 2]),
    ]
    const source = model(
      ['N', 4],
      nodes,
      initializers,
      { y: ['N', 4], p: ['N', 4], z2: ['N', 2] },
      { extraInputs: [makeValueInfo('x2', 'float32', [4, 4])] },
    )
    const grams = await collectGrams(source, [...nodes.map(({ name }) => name), 'no such node'], feedsOf(source), onnxRuntime)
    expect([...grams.keys()]).toEqual(['ok', 'few inputs'])
  })

  it('gramsInTurn gives every layer once, in as many rounds as memory asks for', async () => {
    const size = 1500
    const nodes = Array.from({ length: 5 }, (_, index) =>
      makeNode('MatMul', [index === 0 ? 'x' : `h${index - 1}`, 'w'], [`h${index}`], {}, { name: `m${index}` }),
    )
    const source = model(['N', size], nodes, [weights('w', [size, size], 0.05)], { h4: ['N', size] })
    const steps: string[] = []
    const found: string[] = []
    for await (const { node, grams } of gramsInTurn(
      source,
      nodes.map(({ name }) => name),
      feedsOf(source, 1),
      onnxRuntime,
      (done, total) => steps.push(`${done}/${total}`),
    )) {
      found.push(node)
      expect(grams[0]!.rows).toBe(1)
    }
    expect(found).toEqual(['m0', 'm1', 'm2', 'm3', 'm4'])
    expect(steps).toEqual(['1/2', '2/2'])
  })

  it('leaves the model as it was', async () => {
    const { source } = conv([1, 6, 5, 5], [4, 3, 3, 3], { group: 2 })
    const before = encodeModel(source)
    await collectGrams(source, ['layer'], feedsOf(source, 2), onnxRuntime)
    expect(encodeModel(source)).toEqual(before)
  })
})
