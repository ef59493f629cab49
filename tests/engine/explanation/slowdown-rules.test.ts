import { arch } from 'node:process'
import type { ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { explainSlowdown, type SlowdownExplanation } from '../../../src/core/explanation/explain-slowdown.ts'
import type { ModelProfile, ProfiledKernel } from '../../../src/core/explanation/model-profile.ts'
import type { Machine } from '../../../src/core/explanation/slowdown-context.ts'
import { unfusedReason } from '../../../src/core/explanation/unfused-reason.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { profileInterleaved } from '../../../src/engine/runtimes/node-profile.ts'
import { activationParameters, constant, model, pair, quantizedWeight, weights } from './plain-models.ts'

const AVX2: Machine = { architecture: 'x64', features: ['avx', 'avx2', 'fma'], threads: 1 }
const VNNI: Machine = { architecture: 'x64', features: ['avx', 'avx2', 'fma', 'avx_vnni'], threads: 1 }

type Timing = (kernel: ProfiledKernel, side: 'baseline' | 'build') => number

const node = (op: string, inputs: string[], output: string, attributes = {}) =>
  makeNode(op, inputs, [output], attributes, { name: `${op}_${output}` })

/** What real ONNX Runtime runs for two models, with the times that a test wants. */
async function explained(baseline: ModelProto, build: ModelProto, timing: Timing, machine: Machine = VNNI): Promise<SlowdownExplanation> {
  const dims = baseline.graph!.input[0]!.type!.value
  if (dims.case !== 'tensorType') throw new Error('a tensor')
  const shape = dims.value.shape!.dim.map(({ value }) => Number(value.value))
  const values = Float32Array.from({ length: shape.reduce((product, dim) => product * dim, 1) }, (_, index) => Math.sin(index))
  const feeds = { x: { type: 'float32' as const, dims: shape, values } }
  const models = [baseline, build].map((entry) => ({ model: encodeModel(entry), feeds }))
  const [before, after] = await profileInterleaved(models, { runs: 3, warmupRuns: 1 })
  const timed = (profile: ModelProfile, side: 'baseline' | 'build'): ModelProfile => ({
    ...profile,
    kernels: profile.kernels.map((kernel) => ({ ...kernel, ms: timing(kernel, side) })),
  })
  return explainSlowdown(timed(before!, 'baseline'), timed(after!, 'build'), machine)
}

/** Every kernel the same. */
const even: Timing = () => 1
/** What works on 8-bit values is three times as fast, conversions cost next to nothing. */
const gaining: Timing = ({ op }) =>
  /^Q|^MatMulInteger|^NhwcMaxPool/.test(op) && op !== 'QuantizeLinear' ? 1 : /antizeLinear|Transpose|Reorder/.test(op) ? 0.001 : 3
/** 8-bit layers are slower than float32 ones. */
const losing: Timing = ({ op }) => (op.startsWith('QLinear') ? 3 : /antizeLinear|Transpose|Reorder/.test(op) ? 0.001 : 1)

const rulesOf = ({ findings }: SlowdownExplanation) => findings.map(({ rule }) => rule)
const find = ({ findings }: SlowdownExplanation, rule: string) => {
  const found = findings.find((finding) => finding.rule === rule)
  if (!found) throw new Error(`no finding ${rule}, only ${findings.map((finding) => finding.rule).join(', ')}`)
  return found
}

interface ConvSettings {
  readonly channels?: readonly [input: number, output: number]
  readonly group?: number
  /** Nodes between convolution `c` and output `y`, in float. */
  readonly behind?: readonly NodeProto[]
  readonly outputs?: readonly number[]
}

/** A 3×3 convolution on 8×8 values, and what stands behind it. */
function floatConv({ channels: [from, to] = [32, 32], group = 1, behind = [] }: ConvSettings = {}): ModelProto {
  return model(
    [1, from, 8, 8],
    [node('Conv', ['x', 'w'], behind.length > 0 ? 'c' : 'y', { pads: [1, 1, 1, 1], group }), ...behind],
    [weights('w', [to, from / group, 3, 3])],
    { y: [1, to, 8, 8] },
  )
}

/** The same with Q/DQ pairs around the convolution; `nodes` come behind `cd`. */
function quantizedConv(
  { channels: [from, to] = [32, 32], group = 1 }: ConvSettings = {},
  nodes: readonly NodeProto[] = [],
  tensors: readonly TensorProto[] = [],
): ModelProto {
  const w = quantizedWeight('w', [to, from / group, 3, 3])
  return model(
    [1, from, 8, 8],
    [
      w.node,
      ...pair('x', 'xd'),
      node('Conv', ['xd', 'w'], 'c', { pads: [1, 1, 1, 1], group }),
      ...pair('c', nodes.length > 0 ? 'cd' : 'y'),
      ...nodes,
    ].map(
      // The convolution keeps the name it has in float.
      (entry) => (entry.opType === 'Conv' && nodes.length === 0 ? Object.assign(entry, { name: 'Conv_y' }) : entry),
    ),
    [...w.tensors, ...activationParameters, ...tensors],
    { y: [1, to, 8, 8] },
  )
}

describe('a build that gains everywhere', () => {
  it('has no findings', async () => {
    const result = await explained(floatConv(), quantizedConv(), gaining)
    expect(result.findings).toEqual([])
    expect(result.advice).toBeNull()
    const row = result.nodes.find(({ node: named }) => named === 'Conv_y')!
    expect(row.baseline?.ms).toBe(3)
    expect(row.build).toEqual({ node: 'Conv_y', kernels: ['QLinearConv'], ms: 1 })
    expect(row.lostMs).toBe(-2)
    expect(result.kernels.find(({ kernel }) => kernel === 'QLinearConv')).toEqual({ kernel: 'QLinearConv', baselineMs: 0, buildMs: 1 })
  })
})

describe('conversions', () => {
  const swish = (from: string, to: string) => [node('HardSwish', [from], to)]
  const second = { ...quantizedWeight('v', [32, 32, 3, 3]) }
  const behind = (float: readonly NodeProto[]) => [
    ...float,
    ...pair('h', 'hd'),
    node('Conv', ['hd', 'v'], 'e', { pads: [1, 1, 1, 1] }),
    ...pair('e', 'y'),
  ]

  it('names float islands between 8-bit nodes, and operators without a kernel', async () => {
    const plain = floatConv({ behind: [...swish('c', 'h'), node('Conv', ['h', 'v'], 'y', { pads: [1, 1, 1, 1] })] })
    plain.graph!.initializer.push(weights('v', [32, 32, 3, 3]))
    const build = quantizedConv({}, [second.node, ...behind(swish('cd', 'h'))], second.tensors)
    const result = await explained(plain, build, even)
    const conversions = find(result, 'many-conversions')
    expect(conversions).toMatchObject({ lostMs: 2, nodes: ['HardSwish_h'] })
    expect(conversions.message).toContain('2 conversions between float32 and 8 bits inside the network run as kernels')
    expect(conversions.message).toContain('HardSwish (1)')
    const missing = find(result, 'no-int8-kernel')
    expect(missing).toMatchObject({ nodes: ['HardSwish_h'] })
    expect(missing.message).toContain('no 8-bit kernel for HardSwish (1): "HardSwish_h"')
    // Converting input and output is two kernels of eight.
    expect(find(result, 'boundary-conversions').lostMs).toBe(2)
    expect(rulesOf(result)).not.toContain('left-in-float')
  })

  it('tells nodes that were left out from nodes without a kernel', async () => {
    const plain = floatConv({ behind: [node('Sigmoid', ['c'], 'h'), node('Conv', ['h', 'v'], 'y', { pads: [1, 1, 1, 1] })] })
    plain.graph!.initializer.push(weights('v', [32, 32, 3, 3]))
    const build = quantizedConv({}, [second.node, ...behind([node('Sigmoid', ['cd'], 'g'), node('Sigmoid', ['g'], 'h')])], second.tensors)
    const result = await explained(plain, build, even)
    expect(find(result, 'left-in-float').nodes).toContain('Sigmoid_g')
    expect(rulesOf(result)).not.toContain('no-int8-kernel')
    expect(rulesOf(result)).not.toContain('unfused-unit')
  })

  it('sees nodes left in float that ONNX Runtime quantizes by itself, and how a Sum of one keeps it from that', async () => {
    const pads = { pads: [1, 1, 1, 1] }
    const plain = floatConv({ behind: [node('Conv', ['c', 'v'], 'y', pads)] })
    plain.graph!.initializer.push(weights('v', [32, 32, 3, 3]))
    const leftOut = (nodes: readonly NodeProto[]) => quantizedConv({}, [...nodes, ...pair('h', 'y')], [weights('v', [32, 32, 3, 3])])
    const silent = await explained(plain, leftOut([node('Conv', ['cd', 'v'], 'h', pads)]), gaining)
    expect(find(silent, 'quantized-by-the-runtime').nodes).toEqual(['Conv_h'])
    const kept = await explained(plain, leftOut([node('Conv', ['cd', 'v'], 'g', pads), node('Sum', ['g'], 'h')]), gaining)
    expect(rulesOf(kept)).not.toContain('quantized-by-the-runtime')
    expect(kept.kernels.find(({ kernel }) => kernel.startsWith('Conv'))?.buildMs).toBeGreaterThan(0)
  })

  it('says nothing of conversions at inputs and outputs that cost little', async () => {
    const result = await explained(floatConv(), quantizedConv(), gaining)
    expect(rulesOf(result)).not.toContain('boundary-conversions')
    expect(rulesOf(result)).not.toContain('many-conversions')
  })

  it('finds weights that are converted in every inference', async () => {
    const w = quantizedWeight('w', [32, 32, 3, 3])
    const build = model([1, 32, 8, 8], [w.node, node('Conv', ['x', 'w'], 'y', { pads: [1, 1, 1, 1] })], w.tensors, { y: [1, 32, 8, 8] })
    const result = await explained(floatConv(), build, even)
    expect(find(result, 'weights-dequantized-every-run')).toMatchObject({ lostMs: 1, nodes: ['Conv_y'] })
    expect(result.advice).toContain('weightsOnly')
    expect(rulesOf(result)).not.toContain('boundary-conversions')
  })

  it('finds ranges measured in every inference, and slow convolutions with them', async () => {
    const w = quantizedWeight('w', [32, 32, 3, 3])
    const dynamic = [
      makeNode('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz'], {}, { name: 'measure' }),
      node('ConvInteger', ['xq', 'w_8', 'xz'], 'i', { pads: [1, 1, 1, 1] }),
      node('Cast', ['i'], 'f', { to: 1 }),
      node('Mul', ['xs', 'w_s'], 'scale'),
      makeNode('Mul', ['f', 'scale'], ['y'], {}, { name: 'Conv_y' }),
    ]
    const build = model([1, 32, 8, 8], dynamic, w.tensors, { y: [1, 32, 8, 8] })
    // A build by the recipe names the convolution after the node it replaces.
    dynamic[1]!.name = 'Conv_y'
    dynamic[4]!.name = 'scaled'
    const result = await explained(floatConv(), build, ({ op }) => (op === 'ConvInteger' ? 3 : 1))
    expect(find(result, 'dynamic-quantization')).toMatchObject({ lostMs: 1, nodes: ['measure'] })
    expect(find(result, 'conv-integer')).toMatchObject({ nodes: ['Conv_y'] })
    expect(result.advice).toContain('int8-static')
  })

  it('finds casts of float16 models, and arithmetic in float32', async () => {
    const half = makeTensor('w', 'float16', [32, 32, 3, 3], new Uint16Array(32 * 32 * 9).fill(0x3c00))
    const cast = [
      node('Cast', ['x'], 'xh', { to: 10 }),
      node('Conv', ['xh', 'w'], 'c', { pads: [1, 1, 1, 1] }),
      makeNode('Cast', ['c'], ['y'], { to: 1 }, { name: 'out' }),
    ]
    // Two casts of one graph that ONNX Runtime cannot cancel: the graph itself gives float16 on.
    const kept = model([1, 32, 8, 8], cast, [half], { y: [1, 32, 8, 8] })
    kept.graph!.output.push(structuredOutput('c', 10))
    const result = await explained(floatConv(), kept, even)
    if (arch === 'x64') expect(find(result, 'half-precision-casts').message).toContain('float16')
    const stored = model(
      [1, 32, 8, 8],
      [node('Cast', ['w'], 'wf', { to: 1 }), node('Conv', ['x', 'wf'], 'y', { pads: [1, 1, 1, 1] })],
      [half],
      { y: [1, 32, 8, 8] },
    )
    const weightsOnly = await explained(floatConv(), stored, even)
    expect(rulesOf(weightsOnly)).toContain('half-precision-computes-in-float32')
    expect(rulesOf(weightsOnly)).not.toContain('half-precision-casts')
  })

  it('finds changes of layout around 8-bit convolutions', async () => {
    const build = quantizedConv()
    const slow: Timing = (kernel) => (kernel.op === 'Transpose' ? 2 : 1)
    const result = await explained(floatConv(), build, slow)
    const transposes = result.kernels.find(({ kernel }) => kernel === 'Transpose')?.buildMs ?? 0
    if (transposes > 0) expect(find(result, 'layout-changes').message).toContain('channels last')
    else expect(rulesOf(result)).not.toContain('layout-changes')
    expect(rulesOf(await explained(floatConv(), floatConv(), slow))).not.toContain('layout-changes')
  })
})

/** A declared output of an element type by number. */
function structuredOutput(name: string, elemType: number) {
  const { output } = model([1], [node('Relu', ['x'], name)], [], { [name]: [1, 32, 8, 8] }).graph!
  const value = output[0]!.type!.value
  if (value.case === 'tensorType') value.value.elemType = elemType
  return output[0]!
}

describe('layers in 8 bits that lose', () => {
  it.each([
    { rule: 'depthwise-in-8-bits', settings: { channels: [32, 32], group: 32 } as const },
    { rule: 'few-channels', settings: { channels: [3, 32] } as const },
    { rule: 'int8-not-faster', settings: { channels: [32, 32] } as const },
  ])('$rule', async ({ rule, settings }) => {
    const result = await explained(floatConv(settings), quantizedConv(settings), losing)
    const found = find(result, rule)
    expect(found).toMatchObject({ nodes: ['Conv_y'] })
    expect(found.lostMs).toBeGreaterThan(0)
    const others = ['depthwise-in-8-bits', 'few-channels', 'int8-not-faster', 'tiny-layers', 'float32-fuses-more'].filter(
      (name) => name !== rule,
    )
    expect(rulesOf(result).filter((name) => others.includes(name))).toEqual([])
    expect(result.advice).toContain('keep float32 here')
    // The same layers without a loss are nobody's business.
    expect(rulesOf(await explained(floatConv(settings), quantizedConv(settings), gaining))).not.toContain(rule)
  })

  it('calls layers tiny whose time is that of a call', async () => {
    const result = await explained(floatConv(), quantizedConv(), (kernel, side) => losing(kernel, side) / 100)
    expect(rulesOf(result)).toContain('tiny-layers')
    expect(rulesOf(result)).not.toContain('int8-not-faster')
  })

  it('sees what float32 fuses and 8 bits do not', async () => {
    const pads = { pads: [1, 1, 1, 1] }
    const v = quantizedWeight('v', [32, 32, 3, 3])
    const plain = floatConv({ behind: [node('Conv', ['c', 'v'], 'e', pads), node('Add', ['e', 'c'], 'a'), node('Relu', ['a'], 'y')] })
    plain.graph!.initializer.push(weights('v', [32, 32, 3, 3]))
    const residual = [v.node, node('Conv', ['cd', 'v'], 'e', pads), ...pair('e', 'ed'), node('Add', ['ed', 'cd'], 'a'), ...pair('a', 'y')]
    const timing: Timing = ({ op }) => (/^QLinearAdd/.test(op) ? 0.5 : /antizeLinear|Transpose|Reorder/.test(op) ? 0.001 : 1)
    const result = await explained(plain, quantizedConv({}, residual, v.tensors), timing)
    if (!result.kernels.some(({ kernel }) => kernel === 'Conv (NCHWc)')) return expect(arch).not.toBe('x64')
    const found = find(result, 'float32-fuses-more')
    expect(found).toMatchObject({ nodes: ['Conv_e'] })
    expect(found.lostMs).toBeCloseTo(0.5, 9)
    expect(found.message).toContain('Conv+Add+Relu as one kernel')
    expect(found.message).toContain('QLinearAdd is a kernel of its own')
  })

  it('advises to leave out what loses more than conversions would cost', async () => {
    // Two convolutions: the first gains 10 ms, the second loses 5.
    const w = quantizedWeight('v', [32, 32, 3, 3])
    const plain = floatConv({ behind: [node('Conv', ['c', 'v'], 'y', { pads: [1, 1, 1, 1] })] })
    plain.graph!.initializer.push(weights('v', [32, 32, 3, 3]))
    const build = quantizedConv({}, [w.node, node('Conv', ['cd', 'v'], 'e', { pads: [1, 1, 1, 1] }), ...pair('e', 'y')], w.tensors)
    build.graph!.node.find(({ name }) => name === 'Conv_e')!.name = 'Conv_y'
    const timing: Timing = (kernel, side) => {
      if (kernel.nodes.some(({ name }) => name === 'Conv_c')) return side === 'baseline' ? 20 : 10
      if (kernel.nodes.some(({ name }) => name === 'Conv_y')) return side === 'baseline' ? 5 : 10
      return 0.001
    }
    const result = await explained(plain, build, timing)
    expect(result.advice).toContain('--set exclude=Conv_y.')
    expect(result.advice).not.toContain('Conv_c')
  })
})

describe('the processor', () => {
  it('lacks 8-bit dot products', async () => {
    const result = await explained(floatConv(), quantizedConv(), losing, AVX2)
    expect(find(result, 'missing-cpu-feature').message).toContain('lacks VNNI (avx_vnni or avx512_vnni)')
    expect(result.advice).toContain('processor with 8-bit dot products')
    const arm = { architecture: 'arm64', features: ['asimd'], threads: 1 }
    expect(find(await explained(floatConv(), quantizedConv(), losing, arm), 'missing-cpu-feature').message).toContain('asimddp')
  })

  it.each([
    ['has them', VNNI, losing],
    ['gains all the same', AVX2, gaining],
    ['is not known', { ...AVX2, features: [] }, losing],
  ] as const)('says nothing when it %s', async (_, machine, timing) => {
    expect(rulesOf(await explained(floatConv(), quantizedConv(), timing, machine))).not.toContain('missing-cpu-feature')
  })

  it('threads find nothing to do in short kernels', async () => {
    const short: Timing = () => 0.01
    expect(rulesOf(await explained(floatConv(), quantizedConv(), short, { ...VNNI, threads: 4 }))).toContain('threads-idle')
    expect(rulesOf(await explained(floatConv(), quantizedConv(), short))).not.toContain('threads-idle')
    expect(rulesOf(await explained(floatConv(), quantizedConv(), even, { ...VNNI, threads: 4 }))).not.toContain('threads-idle')
  })

  it('has no fast kernels for int8 activations (made for another target)', async () => {
    // Signed activations that ONNX Runtime cannot turn into uint8: they come as they are, from an operator in 8 bits.
    const build = quantizedConv()
    const result = await explained(floatConv(), build, losing, AVX2)
    expect(rulesOf(result)).not.toContain('slow-number-types')
    const signed: Timing = losing
    const asSigned = await explainedSigned(signed)
    expect(find(asSigned, 'slow-number-types').nodes).toEqual(['Conv_y'])
    expect(asSigned.advice).toContain('target x64')
  })

  /** ONNX Runtime rewrites int8 activations to uint8 on x64, so what arm64 runs is put into the profile. */
  async function explainedSigned(timing: Timing): Promise<SlowdownExplanation> {
    const feeds = { x: { type: 'float32' as const, dims: [1, 32, 8, 8], values: new Float32Array(2048) } }
    const [before, after] = await profileInterleaved(
      [floatConv(), quantizedConv()].map((entry) => ({ model: encodeModel(entry), feeds })),
      { runs: 3 },
    )
    const kernels = after!.kernels.map((kernel) => ({
      ...kernel,
      ms: timing(kernel, 'build'),
      inputs:
        kernel.op === 'QLinearConv'
          ? kernel.inputs.map((input, index) => (index === 0 ? { ...input, type: 'int8' } : input))
          : kernel.inputs,
    }))
    return explainSlowdown(
      { ...before!, kernels: before!.kernels.map((kernel) => ({ ...kernel, ms: timing(kernel, 'baseline') })) },
      { ...after!, kernels },
      AVX2,
    )
  }
})

describe('the whole model', () => {
  it('pays for calling kernels', async () => {
    const relus = Array.from({ length: 6 }, (_, index) =>
      node('Softsign', [index === 0 ? 'x' : `r${index}`], index === 5 ? 'y' : `r${index + 1}`),
    )
    const chain = model([1, 4], relus, [], { y: [1, 4] })
    expect(find(await explained(chain, chain, even), 'fixed-costs').message).toContain('6 kernels')
    const first = relus[0]!.name
    const uneven: Timing = ({ nodes }) => (nodes.some(({ name }) => name === first) ? 100 : 1)
    expect(rulesOf(await explained(chain, chain, uneven))).not.toContain('fixed-costs')
  })

  it('runs the same kernels', async () => {
    expect(rulesOf(await explained(floatConv(), floatConv(), even))).toContain('same-kernels')
    expect(rulesOf(await explained(floatConv(), quantizedConv(), even))).not.toContain('same-kernels')
  })

  it('multiplies zeros', async () => {
    const pruned = floatConv()
    pruned.graph!.initializer[0] = makeTensor(
      'w',
      'float32',
      [32, 32, 3, 3],
      new Float32Array(32 * 32 * 9).map((_, index) => (index % 2 === 0 ? 0 : 0.25)),
    )
    const result = await explained(floatConv(), pruned, even)
    expect(find(result, 'zeros-cost-time').message).toContain('50 % of the weights are zero')
    expect(result.advice).toContain('prune-channels')
    expect(rulesOf(await explained(pruned, pruned, even))).not.toContain('zeros-cost-time')
  })

  it('waits for weights when it multiplies a single row', async () => {
    const product = (rows: number) => model([rows, 256], [node('MatMul', ['x', 'w'], 'y')], [weights('w', [256, 512])], { y: [rows, 512] })
    const found = find(await explained(product(1), product(1), even), 'memory-bound')
    expect(found.nodes).toEqual(['MatMul_y'])
    expect(found.message).toContain('0.524 MB of float32 weights')
    expect(rulesOf(await explained(product(4), product(4), even))).not.toContain('memory-bound')
  })
})

describe('unfusedReason', () => {
  const convolution = (graph: Graph) => graph.nodes.find(({ opType }) => opType === 'Conv')!
  const reason = (built: ModelProto, machine = AVX2) => {
    const graph = new Graph(built)
    return unfusedReason(graph, convolution(graph), machine)
  }
  const w = quantizedWeight('w', [32, 32, 3, 3])
  const conv = (inputs: string[]) => node('Conv', inputs, 'c', { pads: [1, 1, 1, 1] })
  const built = (nodes: readonly NodeProto[], tensors: readonly TensorProto[] = []) =>
    model([1, 32, 8, 8], [w.node, ...nodes], [...w.tensors, ...activationParameters, ...tensors], { y: [1, 32, 8, 8] })
  const bias = (scale: number) => ({
    node: node('DequantizeLinear', ['b_32', 'b_s'], 'b'),
    tensors: [makeTensor('b_32', 'int32', [32], new Int32Array(32)), constant('b_s', [], [scale])],
  })

  const cases: [string, ModelProto, string][] = [
    [
      'an activation between',
      built([...pair('x', 'xd'), conv(['xd', 'w']), node('HardSwish', ['c'], 'h'), ...pair('h', 'y')]),
      'HardSwish stands between it and QuantizeLinear',
    ],
    [
      'an output that is not quantized',
      built([...pair('x', 'xd'), conv(['xd', 'w']), node('Tanh', ['c'], 'y')]),
      'its output is not quantized',
    ],
    [
      'two readers before the quantizer',
      built([...pair('x', 'xd'), conv(['xd', 'w']), ...pair('c', 'cd'), node('Add', ['cd', 'c'], 'y')]),
      'other nodes read its output before it is quantized',
    ],
    [
      'a bias of another scale',
      built([...pair('x', 'xd'), bias(1).node, conv(['xd', 'w', 'b']), ...pair('c', 'y')], bias(1).tensors),
      'the scale of its bias is not the product of the scales of activation and weight',
    ],
  ]

  it.each(cases)('%s', async (_, entry, expected) => {
    expect(reason(entry)).toBe(expected)
    const plain = floatConv({ behind: [node('Identity', ['c'], 'y')] })
    const found = find(await explained(plain, entry, even), 'unfused-unit')
    expect(found.nodes).toEqual(['Conv_c'])
    expect(found.message).toContain(`because ${expected}`)
  })

  it('advises to take the pairs away', async () => {
    const result = await explained(floatConv({ behind: [node('Identity', ['c'], 'y')] }), cases[0]![1], even)
    expect(result.advice).toBe('Leave what runs in float32 anyway without Q/DQ pairs: --set exclude=Conv_c.')
  })

  it('knows int8 activations that x64 cannot turn into uint8', async () => {
    const signed = [constant('s8', [], [1 / 64]), makeTensor('z8', 'int8', [], Int8Array.of(0))]
    const entry = built(
      [
        makeNode('QuantizeLinear', ['x', 's8', 'z8'], ['xq']),
        makeNode('DequantizeLinear', ['xq', 's8', 'z8'], ['xd']),
        makeNode('DequantizeLinear', ['xq', 's8', 'z8'], ['xe']),
        conv(['xd', 'w']),
        ...pair('c', 'cd', ['s8', 'z8']),
        node('Add', ['cd', 'xe'], 'y'),
      ],
      signed,
    )
    expect(reason(entry)).toContain('several nodes read them')
    expect(reason(entry, { ...AVX2, architecture: 'arm64' })).not.toContain('several nodes')
  })

  it('has nothing to say of nodes that are not quantized, and of units that fuse', async () => {
    expect(reason(floatConv())).toBeUndefined()
    const scale = 1 / 64 / 128
    const fused = built([...pair('x', 'xd'), bias(scale).node, conv(['xd', 'w', 'b']), ...pair('c', 'y')], bias(scale).tensors)
    const result = await explained(floatConv({ behind: [node('Identity', ['c'], 'y')] }), fused, gaining)
    expect(rulesOf(result)).not.toContain('unfused-unit')
    expect(result.kernels.map(({ kernel }) => kernel)).toContain('QLinearConv')
  })
})

describe('strange input', () => {
  it('explains models that have nothing in common', async () => {
    const other = model([1, 32, 8, 8], [makeNode('Relu', ['x'], ['r']), makeNode('Sigmoid', ['r'], ['y'])], [], { y: [1, 32, 8, 8] })
    const result = await explained(floatConv(), other, even)
    expect(result.nodes.map(({ baseline, build }) => [baseline === null, build === null])).toContainEqual([true, false])
    expect(result.nodes.reduce((sum, { lostMs }) => sum + lostMs, 0)).toBeCloseTo(
      result.kernels.reduce((sum, { baselineMs, buildMs }) => sum + buildMs - baselineMs, 0),
      9,
    )
  })

  it('takes profiles without kernels', () => {
    const graph = new Graph(floatConv())
    const empty: ModelProfile = { graph, rewritten: graph, kernels: [], runMs: 0, runs: 0 }
    expect(explainSlowdown(empty, empty, AVX2)).toMatchObject({ nodes: [], kernels: [], advice: null })
  })
})
