import type { ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { comparedLayers } from '../../../src/core/explanation/compared-layers.ts'
import { correspondingTensors } from '../../../src/core/explanation/corresponding-tensors.ts'
import { type AccuracyReasons, explainAccuracy } from '../../../src/core/explanation/explain-accuracy.ts'
import { tensorDistances } from '../../../src/core/explanation/tensor-distances.ts'
import { floatToHalf } from '../../../src/core/float16.ts'
import type { NamedTensors } from '../../../src/core/inference-runtime.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { elementTypeNumber } from '../../../src/core/onnx/data-types.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { inferTensorFacts } from '../../../src/core/quantization/tensor-facts.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, model, pair } from './plain-models.ts'

const WIDTH = 32

/** Values between −`size` and `size`. */
function spread(count: number, size: number, seed: number): Float32Array {
  const { uniform } = seededRandom(seed)
  return Float32Array.from({ length: count }, () => (2 * uniform() - 1) * size)
}

const feeds = (dims: readonly number[], size = 1): NamedTensors[] =>
  Array.from({ length: 8 }, (_, seed) => ({
    x: {
      type: 'float32',
      dims,
      values: spread(
        dims.reduce((product, dim) => product * dim, 1),
        size,
        100 + seed,
      ),
    },
  }))

/** Runs both models as written on the same inputs and explains the difference; without answers, which have tests of their own. */
async function explained(baseline: ModelProto, build: ModelProto, given = feeds([1, WIDTH])): Promise<AccuracyReasons> {
  const compared = async (proto: ModelProto) => ({ graph: new Graph(proto), facts: await inferTensorFacts(proto, onnxRuntime) })
  const [before, after] = [await compared(baseline), await compared(build)]
  const tensors = correspondingTensors(before, after)
  const read = async (index: number) => ({ baseline: given[index]!, build: given[index]! })
  const distances = await tensorDistances({ baseline, build, tensors, feeds: given.length, read }, onnxRuntime)
  const db = distances.get('y')?.sqnrDb ?? null
  const layers = comparedLayers(before, after, tensors, distances)
  return explainAccuracy({ baseline: before, build: after, layers, outputs: { writtenDb: db, runDb: db }, answers: null })
}

const rulesOf = ({ findings }: AccuracyReasons) => findings.map(({ rule }) => rule)

/** A square weight that turns values about without changing their size: an orthogonal matrix of 2×2 rotations, then a shift of columns. */
function rotation(name: string, seed: number, scale = 1): TensorProto {
  const { uniform } = seededRandom(seed)
  const values = new Float32Array(WIDTH * WIDTH)
  for (let column = 0; column < WIDTH; column += 2) {
    const angle = uniform() * 2 * Math.PI
    const [left, right] = [(column + 5) % WIDTH, (column + 14) % WIDTH]
    values[column * WIDTH + left] = scale * Math.cos(angle)
    values[column * WIDTH + right] = scale * Math.sin(angle)
    values[(column + 1) * WIDTH + left] = -scale * Math.sin(angle)
    values[(column + 1) * WIDTH + right] = scale * Math.cos(angle)
  }
  return makeTensor(name, 'float32', [WIDTH, WIDTH], values)
}

const product = (from: string, weight: string, to: string) => makeNode('MatMul', [from, weight], [to], {}, { name: `layer_${to}` })

/** Products one behind the other: h1 … h`count − 1`, y. */
const names = (count: number) => Array.from({ length: count }, (_, index) => (index === count - 1 ? 'y' : `h${index + 1}`))

function chain(count: number): ModelProto {
  const outputs = names(count)
  const nodes = outputs.map((name, index) => product(outputs[index - 1] ?? 'x', `w${index}`, name))
  return model(
    [1, WIDTH],
    nodes,
    outputs.map((_, index) => rotation(`w${index}`, index + 1)),
    { y: [1, WIDTH] },
  )
}

/** The same with every result passed through a Q/DQ pair of its scale; `scales` by tensor, `change` what is done to weights. */
function quantizedChain(
  count: number,
  scaleOf: (tensor: string) => number,
  change = (_: string, weight: TensorProto) => weight,
): ModelProto {
  const outputs = names(count)
  const nodes = outputs.flatMap((name, index) => [
    product(outputs[index - 1] ?? 'x', `w${index}`, `${name}_raw`),
    ...pair(`${name}_raw`, name, [`s_${name}`, 'z']),
  ])
  const tensors = outputs.flatMap((name, index) => [
    change(name, rotation(`w${index}`, index + 1)),
    constant(`s_${name}`, [], [scaleOf(name)]),
  ])
  return model([1, WIDTH], renamed(nodes), [...tensors, makeTensor('z', 'uint8', [], Uint8Array.of(128))], { y: [1, WIDTH] })
}

/** Products keep the names they have in the baseline. */
function renamed(nodes: readonly NodeProto[]): NodeProto[] {
  for (const node of nodes) node.name = node.name.replace(/_raw$/, '')
  return [...nodes]
}

describe('explainAccuracy on tensors', () => {
  it('has nothing to say of a clean build', async () => {
    const reasons = await explained(
      chain(4),
      quantizedChain(4, () => 1 / 80),
    )
    expect(rulesOf(reasons)).toEqual([])
    expect(reasons.advice).toBeNull()
    expect(reasons.layers.map(({ layer, op }) => [layer, op])).toEqual(['h1', 'h2', 'h3', 'y'].map((name) => [`layer_${name}`, 'MatMul']))
    for (const { sqnrDb } of reasons.layers) expect(sqnrDb).toBeGreaterThan(35)
  })

  it('finds no difference between a model and itself', async () => {
    const reasons = await explained(chain(3), chain(3))
    expect(rulesOf(reasons)).toEqual([])
    expect(reasons.layers.map(({ sqnrDb, lostDb }) => [sqnrDb, lostDb])).toEqual([
      [null, null],
      [null, null],
      [null, null],
    ])
  })

  it('names the layer whose range is too narrow, and what it holds', async () => {
    const reasons = await explained(
      chain(4),
      quantizedChain(4, (tensor) => (tensor === 'h2' ? 1 / 400 : 1 / 80)),
    )
    expect(rulesOf(reasons)).toEqual(['clipped-activations'])
    expect(reasons.findings[0]!.layers).toEqual(['layer_h2'])
    expect(reasons.findings[0]!.message).toMatch(/the build holds -0\.32 to 0\.317: \d+ % are clipped/)
    expect(reasons.advice).toContain('--set calibrator=minmax')
  })

  it('names the first layer at which the signal to noise falls sharply', async () => {
    const broken = (tensor: string, weight: TensorProto) => (tensor === 'h2' ? rotation(weight.name, 2, 0.7) : weight)
    const reasons = await explained(
      chain(4),
      quantizedChain(4, () => 1 / 100, broken),
    )
    expect(rulesOf(reasons)).toEqual(['sharp-drop'])
    expect(reasons.findings[0]!.layers).toEqual(['layer_h2'])
    expect(reasons.advice).toContain('--set exclude=layer_h2')
    const [first, second] = reasons.layers
    expect(second!.lostDb).toBeCloseTo(first!.sqnrDb! - second!.sqnrDb!, 9)
  })

  it('names a depthwise convolution whose channels share one scale', async () => {
    const channels = 8
    const sizes = Array.from({ length: channels }, (_, channel) => (channel < 2 ? 1 : 0.012))
    const weights = Float32Array.from(spread(channels * 9, 1, 9), (value, index) => value * sizes[Math.floor(index / 9)]!)
    // Behind it each channel is brought back to the same size, as a normalization would.
    const gains = constant(
      'gain',
      [1, channels, 1, 1],
      sizes.map((size) => 1 / size),
    )
    const depthwise = (weight: string) =>
      makeNode('Conv', ['x', weight], ['c'], { group: channels, pads: [1, 1, 1, 1] }, { name: 'depthwise' })
    const behind = makeNode('Mul', ['c', 'gain'], ['y'], {}, { name: 'gain' })
    const dims = [channels, 1, 3, 3]
    const float = model([1, channels, 8, 8], [depthwise('w'), behind], [makeTensor('w', 'float32', dims, weights), gains], {
      y: [1, channels, 8, 8],
    })
    const largest = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const build = (scales: readonly number[]) =>
      model(
        [1, channels, 8, 8],
        [makeNode('DequantizeLinear', ['w_8', 'w_s'], ['w'], { axis: 0 }, { name: 'DQ_w' }), depthwise('w'), behind],
        [
          makeTensor(
            'w_8',
            'int8',
            dims,
            Int8Array.from(weights, (value, index) => Math.round(value / scales[scales.length === 1 ? 0 : Math.floor(index / 9)]!)),
          ),
          constant('w_s', scales.length === 1 ? [] : [channels], scales),
          gains,
        ],
        { y: [1, channels, 8, 8] },
        { opset: 17 },
      )
    const given = feeds([1, channels, 8, 8])
    const shared = await explained(float, build([largest / 127]), given)
    expect(rulesOf(shared)).toEqual(['coarse-weights'])
    const finding = shared.findings.find(({ rule }) => rule === 'coarse-weights')!
    expect(finding.layers).toEqual(['depthwise'])
    expect(finding.message).toContain('In 6 of 8 output channels of "depthwise" (Conv, int8 weights), a depthwise convolution,')
    expect(shared.advice).toContain('--set perChannel=true')
    const own = await explained(float, build(sizes.map((size) => size / 127)), given)
    expect(rulesOf(own)).toEqual([])
  })

  it('says where float16 overflows', async () => {
    const nodes = (type: 'float32' | 'float16'): NodeProto[] => [
      makeNode('Cast', ['x'], ['h0'], { to: elementTypeNumber(type) }, { name: 'in' }),
      makeNode('Mul', ['h0', 'big'], ['h1'], {}, { name: 'grow' }),
      makeNode('Mul', ['h1', 'small'], ['h2'], {}, { name: 'shrink' }),
      makeNode('Cast', ['h2'], ['y'], { to: elementTypeNumber('float32') }, { name: 'out' }),
    ]
    const factor = (type: 'float32' | 'float16', name: string, value: number) =>
      type === 'float32' ? constant(name, [], [value]) : makeTensor(name, 'float16', [], Uint16Array.of(floatToHalf(value)))
    const build = (type: 'float32' | 'float16', big: number) =>
      model([1, WIDTH], nodes(type), [factor(type, 'big', big), factor(type, 'small', 1 / big)], { y: [1, WIDTH] })
    const overflowing = await explained(build('float32', 60_000), build('float16', 60_000), feeds([1, WIDTH], 3))
    expect(rulesOf(overflowing)).toEqual(['float16-overflow'])
    expect(overflowing.findings[0]!.layers).toEqual(['grow'])
    expect(overflowing.findings[0]!.message).toMatch(
      /^Values of "grow" \(Mul, float16\) reach from -1\d{5} to 1\d{5}; float16 ends at ±65504\./,
    )
    expect(overflowing.advice).toContain('--recipe fp16 --set exclude=grow')
    const fitting = await explained(build('float32', 1000), build('float16', 1000), feeds([1, WIDTH], 3))
    expect(rulesOf(fitting)).toEqual([])
  })

  it('says that errors add up along residual additions', async () => {
    const blocks = 10
    const sums = Array.from({ length: blocks }, (_, index) => (index === blocks - 1 ? 'y' : `a${index}`))
    const weights = sums.map((_, index) => rotation(`w${index}`, index + 30, 0.15))
    const nodes = (quantized: boolean) =>
      sums.flatMap((name, index) => {
        const before = sums[index - 1] ?? 'x'
        const written = quantized ? `${name}_raw` : name
        const add = makeNode('Add', [before, `b${index}`], [written], {}, { name: `add_${name}` })
        return [product(before, `w${index}`, `b${index}`), add, ...(quantized ? pair(written, name) : [])]
      })
    const float = model([1, WIDTH], nodes(false), weights, { y: [1, WIDTH] })
    const coarse = [constant('s', [], [1 / 13]), makeTensor('z', 'uint8', [], Uint8Array.of(128))]
    const reasons = await explained(float, model([1, WIDTH], nodes(true), [...weights, ...coarse], { y: [1, WIDTH] }))
    expect(rulesOf(reasons)).toEqual(['residual-accumulation'])
    expect(reasons.findings[0]!.layers).toContain('add_y')
    expect(reasons.advice).toContain('--max-accuracy-drop')
  })

  it('is honest where every layer loses a little', async () => {
    const reasons = await explained(
      chain(6),
      quantizedChain(6, () => 1 / 12),
    )
    expect(rulesOf(reasons)).toEqual(['no-single-layer'])
    expect(reasons.findings[0]!.message).toContain('no single layer stands out')
    expect(reasons.findings[0]!.layers).toHaveLength(3)
  })
})
