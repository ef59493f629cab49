import { create } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { AttributeProto_AttributeType, AttributeProtoSchema, type ModelProto, type NodeProto, type TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import '../../fuzz-seed.ts'
import { pruneChannelsStepSchema } from '../../../src/contract/recipe.ts'
import { floatToHalf } from '../../../src/core/float16.ts'
import { makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { ChannelCoupling } from '../../../src/core/pruning/channels/channel-coupling.ts'
import { AxisGuard, channelGroups } from '../../../src/core/pruning/channels/channel-groups.ts'
import { prepareForChannels } from '../../../src/core/pruning/channels/prepare-channels.ts'
import { requireSameOutputs } from '../../../src/core/pruning/channels/removal-check.ts'
import { muteChannels, removeChannels } from '../../../src/core/pruning/channels/remove-channels.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import type { CalibrationFeeds } from '../../../src/engine/optimize/calibration-feeds.ts'
import { channelsStep } from '../../../src/engine/optimize/channels-step.ts'
import { makeBuild } from '../../../src/engine/optimize/make-build.ts'
import type { StepContext } from '../../../src/engine/optimize/step-context.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, initializer, model, opCounts, step, weights } from './small-models.ts'

/** Removes a random half of what may go and checks it against the muted model with real ONNX Runtime; how many classes went. */
async function removeSome(source: ModelProto, seed = 1): Promise<{ readonly removed: number; readonly pruned: ModelProto }> {
  const { graph, facts } = await prepareForChannels(source, onnxRuntime)
  const coupling = ChannelCoupling.of(graph, facts, () => false)
  const guard = new AxisGuard(coupling, () => 1)
  const random = seededRandom(seed)
  const removed = new Set<number>()
  for (const { classes } of channelGroups(coupling).groups)
    for (const name of classes)
      if (random.uniform() < 0.5 && guard.allows([name])) {
        guard.take([name])
        removed.add(name)
      }
  const pruned = removeChannels(graph.model, coupling, removed)
  await requireSameOutputs(muteChannels(graph.model, coupling, removed), pruned, feedsOf(source, 2), onnxRuntime)
  return { removed: removed.size, pruned }
}

/** Conv of 8 channels, something, Conv to 2. */
function around(
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[],
  options: { readonly channels?: number; readonly opset?: number } = {},
): ModelProto {
  const channels = options.channels ?? 8
  return model(
    ['N', 3, 8, 8],
    [
      makeNode('Conv', ['x', 'w1', 'b1'], ['a'], { pads: [1, 1, 1, 1] }, { name: 'first' }),
      ...nodes,
      makeNode('Conv', ['z', 'w9'], ['y'], { pads: [1, 1, 1, 1] }, { name: 'last' }),
    ],
    [weights('w1', [8, 3, 3, 3]), weights('b1', [8]), weights('w9', [2, channels, 3, 3]), ...initializers],
    { y: ['N', 2, 'H', 'W'] },
    options.opset === undefined ? {} : { opset: options.opset },
  )
}

const COUPLED: Readonly<Record<string, () => ModelProto>> = {
  // Activations that are not zero at zero: what a removed channel holds must not matter.
  Sigmoid: () => around([makeNode('Sigmoid', ['a'], ['z'])], []),
  HardSigmoid: () => around([makeNode('HardSigmoid', ['a'], ['z'])], []),
  PRelu: () => around([makeNode('PRelu', ['a', 'slope'], ['z'])], [weights('slope', [8, 1, 1])]),
  BatchNormalization: () =>
    around(
      [makeNode('Relu', ['a'], ['r']), makeNode('BatchNormalization', ['r', 's', 'o', 'm', 'v'], ['n']), makeNode('Tanh', ['n'], ['z'])],
      [weights('s', [8]), weights('o', [8]), weights('m', [8]), constant('v', [8], [1, 2, 3, 4, 5, 6, 7, 8])],
    ),
  InstanceNormalization: () => around([makeNode('InstanceNormalization', ['a', 's', 'o'], ['z'])], [weights('s', [8]), weights('o', [8])]),
  'Clip with limits': () =>
    around([makeNode('Clip', ['a', 'low', 'high'], ['z'])], [constant('low', [], [-0.1]), constant('high', [], [0.4])]),
  'MaxPool and Pad': () =>
    around(
      [makeNode('MaxPool', ['a'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }), makeNode('Pad', ['p', 'pads'], ['z'])],
      [makeInt64('pads', [8], [0, 0, 1, 1, 0, 0, 1, 1])],
    ),
  'Resize by scales': () => around([makeNode('Resize', ['a', '', 'scales'], ['z'])], [constant('scales', [4], [1, 1, 2, 2])]),
  'constants for each channel': () =>
    around(
      [makeNode('Mul', ['gain', 'a'], ['g']), makeNode('Sub', ['g', 'shift'], ['z'])],
      [weights('gain', [1, 8, 1, 1]), weights('shift', [8, 1, 1])],
    ),
  'depthwise with two filters each': () =>
    around([makeNode('Conv', ['a', 'wd', 'bd'], ['z'], { group: 8 })], [weights('wd', [16, 1, 3, 3]), weights('bd', [16])], {
      channels: 16,
    }),
  'grouped convolution': () =>
    around([makeNode('Conv', ['a', 'wg'], ['g'], { group: 2 }), makeNode('Relu', ['g'], ['z'])], [weights('wg', [12, 4, 1, 1])], {
      channels: 12,
    }),
  'ConvTranspose with groups': () =>
    around(
      [
        makeNode('ConvTranspose', ['a', 'wt', 'bt'], ['t'], { strides: [2, 2] }),
        makeNode('ConvTranspose', ['t', 'wu'], ['z'], { group: 2 }),
      ],
      [weights('wt', [8, 6, 2, 2]), weights('bt', [6]), weights('wu', [6, 5, 1, 1])],
      { channels: 10 },
    ),
  'residual sum': () =>
    around(
      [makeNode('Conv', ['a', 'w2'], ['b']), makeNode('Add', ['a', 'b'], ['s']), makeNode('Relu', ['s'], ['z'])],
      [weights('w2', [8, 8, 1, 1])],
    ),
  'squeeze and excite': () =>
    around(
      [
        makeNode('GlobalAveragePool', ['a'], ['p']),
        makeNode('Conv', ['p', 'w2', 'b2'], ['q']),
        makeNode('Relu', ['q'], ['r']),
        makeNode('Conv', ['r', 'w3'], ['s']),
        makeNode('HardSigmoid', ['s'], ['h']),
        makeNode('Mul', ['a', 'h'], ['z']),
      ],
      [weights('w2', [4, 8, 1, 1]), weights('b2', [4]), weights('w3', [8, 4, 1, 1])],
    ),
  'Concat with the input': () => around([makeNode('Concat', ['a', 'x', 'a'], ['z'], { axis: 1 })], [], { channels: 19 }),
  'Split into gates': () =>
    around([makeNode('Split', ['a'], ['p', 'q'], { axis: 1 }), makeNode('Sigmoid', ['q'], ['s']), makeNode('Mul', ['p', 's'], ['z'])], [], {
      channels: 4,
    }),
  'Split with num_outputs': () =>
    around([makeNode('Split', ['a'], ['p', 'q'], { axis: 1, num_outputs: 2 }), makeNode('Concat', ['q', 'p'], ['z'], { axis: 1 })], [], {
      opset: 18,
    }),
  'Slice of channels': () =>
    around(
      [makeNode('Slice', ['a', 'from', 'to', 'axis'], ['z'])],
      [makeInt64('from', [1], [2]), makeInt64('to', [1], [7]), makeInt64('axis', [1], [-3])],
      { channels: 5 },
    ),
  'shuffle of groups': () =>
    around(
      [
        makeNode('Reshape', ['a', 'apart'], ['g']),
        makeNode('Transpose', ['g'], ['t'], { perm: [0, 2, 1, 3, 4] }),
        makeNode('Reshape', ['t', 'back'], ['z']),
      ],
      [makeInt64('apart', [5], [-1, 2, 4, 8, 8]), makeInt64('back', [4], [-1, 8, 8, 8])],
    ),
  DepthToSpace: () => around([makeNode('DepthToSpace', ['a'], ['z'], { blocksize: 2, mode: 'CRD' })], [], { channels: 2 }),
  SpaceToDepth: () => around([makeNode('SpaceToDepth', ['a'], ['z'], { blocksize: 2 })], [], { channels: 32 }),
  'two layers with one weight': () =>
    around(
      [makeNode('Conv', ['a', 'w2'], ['b']), makeNode('Conv', ['b', 'w2'], ['c']), makeNode('Add', ['b', 'c'], ['z'])],
      [weights('w2', [8, 8, 1, 1])],
    ),
  'sizes read off a shape': () =>
    around(
      [
        makeNode('Shape', ['a'], ['shape']),
        makeNode('Slice', ['shape', 'zero', 'two'], ['head']),
        makeNode('Concat', ['head', 'twelve'], ['sizes'], { axis: 0 }),
        makeNode('Resize', ['a', '', '', 'sizes'], ['z']),
      ],
      [makeInt64('zero', [1], [0]), makeInt64('two', [1], [2]), makeInt64('twelve', [2], [12, 12])],
    ),
}

describe('what belongs together goes together: pruned model and muted source agree', () => {
  it.each(Object.keys(COUPLED))('%s', async (name) => {
    const { removed } = await removeSome(COUPLED[name]!())
    expect(removed).toBeGreaterThan(0)
  })

  it('one and three dimensions', async () => {
    for (const rank of [1, 3]) {
      const kernel = new Array<number>(rank).fill(2)
      const spatial = new Array<number>(rank).fill(5)
      const source = model(
        [1, 2, ...spatial],
        [
          makeNode('Conv', ['x', 'w1'], ['a']),
          makeNode('AveragePool', ['a'], ['p'], { kernel_shape: kernel }),
          makeNode('Conv', ['p', 'w2'], ['y']),
        ],
        [weights('w1', [6, 2, ...kernel]), weights('w2', [2, 6, ...kernel])],
        { y: [1, 2, ...spatial.map((size) => size - 3)] },
      )
      expect((await removeSome(source)).removed).toBeGreaterThan(0)
    }
  })

  it('Flatten or Reshape before Gemm, both ways round, MatMul with Add, Squeeze', async () => {
    const dense = (
      before: readonly NodeProto[],
      input: number,
      nodes: readonly NodeProto[],
      initializers: readonly TensorProto[],
    ): ModelProto =>
      model(
        ['N', 2, 4, 4],
        [makeNode('Conv', ['x', 'w1'], ['a']), ...before, ...nodes],
        [weights('w1', [6, 2, 1, 1]), weights('w2', [input, 5]), weights('b2', [5]), weights('w3', [3, 5]), ...initializers],
        { y: ['N', 3] },
      )
    const last = makeNode('Gemm', ['r', 'w3'], ['y'], { transB: 1 })
    const gemm = [makeNode('Gemm', ['f', 'w2', 'b2'], ['h']), makeNode('Relu', ['h'], ['r']), last]
    const product = [makeNode('MatMul', ['f', 'w2'], ['m']), makeNode('Add', ['b2', 'm'], ['h']), makeNode('Relu', ['h'], ['r']), last]
    const pooled = [makeNode('ReduceMean', ['a'], ['p'], { axes: [2, 3], keepdims: 1 }), makeNode('Squeeze', ['p', 'axes'], ['f'])]
    for (const source of [
      dense([makeNode('Flatten', ['a'], ['f'])], 96, gemm, []),
      dense([makeNode('Reshape', ['a', 'shape'], ['f'])], 96, gemm, [makeInt64('shape', [2], [-1, 96])]),
      dense([makeNode('Reshape', ['a', 'shape'], ['f'])], 96, product, [makeInt64('shape', [2], [0, -1])]),
      dense([makeNode('Transpose', ['a'], ['t'], { perm: [0, 2, 3, 1] }), makeNode('Flatten', ['t'], ['f'])], 96, product, []),
      dense(pooled, 6, gemm, [makeInt64('axes', [2], [2, 3])]),
    ]) {
      const { removed, pruned } = await removeSome(source)
      expect(removed).toBeGreaterThan(0)
      expect(initializer(pruned, 'w1').length).toBeLessThan(12)
    }
  })

  it('a feed-forward block between LayerNormalizations; the stream itself stays', async () => {
    const source = model(
      ['N', 'T', 6],
      [
        makeNode('LayerNormalization', ['x', 'g', 'o'], ['n']),
        makeNode('MatMul', ['n', 'w1'], ['m']),
        makeNode('Add', ['m', 'b1'], ['h']),
        makeNode('Erf', ['h'], ['e']),
        makeNode('MatMul', ['e', 'w2'], ['f']),
        makeNode('Add', ['f', 'x'], ['s']),
        makeNode('LayerNormalization', ['s', 'g', 'o'], ['y']),
      ],
      [weights('g', [6]), weights('o', [6]), weights('w1', [6, 16]), weights('b1', [16]), weights('w2', [16, 6])],
      { y: ['N', 'T', 6] },
    )
    const { removed, pruned } = await removeSome(source)
    expect(removed).toBeGreaterThan(3)
    expect(initializer(pruned, 'w2').length).toBe((16 - removed) * 6)
  })

  it('random networks of residual, joined, depthwise, grouped and dense parts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('conv', 'residual', 'concat', 'depthwise', 'grouped', 'gate', 'pool'), { minLength: 1, maxLength: 6 }),
        fc.integer(),
        async (parts, seed) => {
          const { removed } = await removeSome(randomNetwork(parts), seed)
          expect(removed).toBeGreaterThan(0)
        },
      ),
      { numRuns: 25 },
    )
  })
})

/** Parts one after the other, then Flatten and Gemm. */
function randomNetwork(parts: readonly string[]): ModelProto {
  const nodes: NodeProto[] = [makeNode('Conv', ['x', 'w0'], ['t0'])]
  const constants: TensorProto[] = [weights('w0', [8, 3, 1, 1])]
  let [channels, at] = [8, 't0']
  for (const [index, part] of parts.entries()) {
    const [w, next] = [`w${index + 1}`, `t${index + 1}`]
    const conv = (outputs: number, perGroup: number, output: string, attributes = {}): void => {
      constants.push(weights(w, [outputs, perGroup, 3, 3]))
      nodes.push(makeNode('Conv', [at, w], [output], { pads: [1, 1, 1, 1], ...attributes }))
    }
    if (part === 'conv') {
      const before = channels
      channels = before === 8 ? 12 : 8
      conv(channels, before, next)
    } else if (part === 'residual') {
      conv(channels, channels, `${next}_c`)
      nodes.push(makeNode('Add', [at, `${next}_c`], [next]))
    } else if (part === 'concat') {
      conv(4, channels, `${next}_c`)
      nodes.push(makeNode('Concat', [`${next}_c`, at], [next], { axis: 1 }))
      channels += 4
    } else if (part === 'depthwise') conv(channels, 1, next, { group: channels })
    else if (part === 'grouped') conv(channels, channels / 2, next, { group: 2 })
    else if (part === 'gate') nodes.push(makeNode('Sigmoid', [at], [`${next}_s`]), makeNode('Mul', [`${next}_s`, at], [next]))
    else nodes.push(makeNode('MaxPool', [at], [next], { kernel_shape: [2, 2], strides: [1, 1], auto_pad: 'SAME_UPPER' }))
    at = next
  }
  nodes.push(makeNode('Flatten', [at], ['f']), makeNode('Gemm', ['f', 'wf'], ['y']))
  constants.push(weights('wf', [channels * 16, 3]))
  return model(['N', 3, 4, 4], nodes, constants, { y: ['N', 3] })
}

const channels = (settings: Readonly<Record<string, unknown>> = {}) =>
  pruneChannelsStepSchema.parse({ recipe: 'prune-channels', ...settings })
const context: StepContext = {
  runtime: onnxRuntime,
  target: 'x64',
  calibration: undefined,
  budget: undefined,
  progress: () => {},
  log: () => {},
}

/** A network whose 24 middle channels are made of 10 signals: most of them can be told from the others. */
function redundant(): ModelProto {
  const [few, mix] = [weights('few', [10, 3, 3, 3]), weights('mix', [24, 10, 1, 1])]
  return model(
    ['N', 3, 8, 8],
    [
      makeNode('Conv', ['x', 'few'], ['s'], {}, { name: 'few' }),
      makeNode('Conv', ['s', 'mix'], ['m'], {}, { name: 'mix' }),
      makeNode('LeakyRelu', ['m'], ['l'], {}, { name: 'act' }),
      makeNode('Conv', ['l', 'deep'], ['d'], { group: 24 }, { name: 'deep' }),
      makeNode('Conv', ['d', 'out', 'bias'], ['y'], {}, { name: 'out' }),
    ],
    [few, mix, weights('deep', [24, 1, 3, 3]), weights('out', [4, 24, 1, 1]), weights('bias', [4])],
    { y: ['N', 4, 4, 4] },
  )
}

async function fidelity(source: ModelProto, build: ModelProto, feeds: CalibrationFeeds): Promise<number> {
  return (await verifyBuild(encodeModel(source), encodeModel(build), feeds, 'x64', onnxRuntime)).sqnrDb ?? Number.POSITIVE_INFINITY
}

describe('prune-channels', () => {
  it('removes the share of work that was asked for, in multiples, and says what it did', async () => {
    const source = redundant()
    const result = await channelsStep(source, channels({ amount: 0.4 }), { ...context, calibration: feedsOf(source, 24) })
    const facts = result.facts!.channelPruning!
    expect(facts.macsAfter! / facts.macsBefore!).toBeLessThanOrEqual(0.6)
    expect(facts).toMatchObject({ goal: 'macs', amount: 0.4, refitted: true, latencyBeforeMs: null })
    expect(facts.layers).toEqual(
      expect.arrayContaining([
        { node: 'mix', op: 'Conv', before: 24, after: 8 },
        { node: 'deep', op: 'Conv', before: 24, after: 8 },
      ]),
    )
    expect(facts.parametersAfter).toBeLessThan(facts.parametersBefore)
    expect(result.skipped).toEqual([expect.objectContaining({ node: 'out', reason: expect.stringContaining('output of the model') })])
    expect(opCounts(result.model)).toEqual(opCounts(source))
  })

  it('calibration data and a re-fit keep the outputs far closer than weights alone', async () => {
    const source = redundant()
    const [feeds, others] = [feedsOf(source, 48), feedsOf(source, 60)]
    const held: CalibrationFeeds = { feeds: 12, samples: 12, read: (index) => others.read(48 + index) }
    const settings = channels({ amount: 0.3, multipleOf: 4 })
    const fitted = await channelsStep(source, settings, { ...context, calibration: feeds })
    const plain = await channelsStep(source, { ...settings, refit: false }, { ...context, calibration: feeds })
    const blind = await channelsStep(source, settings, context)
    expect(blind.warnings.join()).toContain('Without calibration data')
    const [withFit, withoutFit, withoutData] = [
      await fidelity(source, fitted.model, held),
      await fidelity(source, plain.model, held),
      await fidelity(source, blind.model, held),
    ]
    expect(withFit).toBeGreaterThan(withoutFit + 1)
    expect(withFit).toBeGreaterThan(withoutData + 1)
  })

  it('ratio: every group loses the share, rounded so that counts are multiples', async () => {
    const source = redundant()
    const result = await channelsStep(source, channels({ goal: 'ratio', amount: 0.5, multipleOf: 4 }), {
      ...context,
      calibration: feedsOf(source, 16),
    })
    // 10 × 0.5 = 5 → 8; 24 × 0.5 = 12.
    expect(result.facts!.channelPruning!.layers.map(({ node, after }) => [node, after])).toEqual([
      ['few', 8],
      ['mix', 12],
      ['deep', 12],
    ])
  })

  it('latency: measures candidates in turn with the source and reports both', async () => {
    const source = redundant()
    const result = await channelsStep(source, channels({ goal: 'latency', amount: 0.05, multipleOf: 1 }), {
      ...context,
      calibration: feedsOf(source, 8),
    })
    const { latencyBeforeMs, latencyAfterMs, layers } = result.facts!.channelPruning!
    expect(latencyBeforeMs).toBeGreaterThan(0)
    expect(latencyAfterMs).toBeGreaterThan(0)
    expect(layers.length).toBeGreaterThan(0)
  })

  it('every layer keeps its share, and a goal beyond that is said not to be reached', async () => {
    const source = redundant()
    const result = await channelsStep(source, channels({ amount: 0.95, multipleOf: 1, keepAtLeast: 0.5 }), {
      ...context,
      calibration: feedsOf(source, 8),
    })
    expect(result.facts!.channelPruning!.layers.map(({ after }) => after)).toEqual([5, 12, 12])
    expect(result.warnings.join()).toContain('was not reached')
  })

  it('excluded layers are left as they are, bytes and all', async () => {
    const source = redundant()
    const result = await channelsStep(source, channels({ amount: 0.1, multipleOf: 1, exclude: ['few'] }), {
      ...context,
      calibration: feedsOf(source, 8),
    })
    expect(result.changed).toEqual(['mix', 'deep'])
    expect(initializer(result.model, 'few')).toEqual(initializer(source, 'few'))
  })

  it('refuses a model without channels that can go, with the reasons', async () => {
    const lone = model(['N', 3, 4, 4], [makeNode('Conv', ['x', 'w'], ['y'], {}, { name: 'only' })], [weights('w', [4, 3, 1, 1])], {
      y: ['N', 4, 4, 4],
    })
    await expect(channelsStep(lone, channels(), context)).rejects.toMatchObject({
      code: 'RECIPE_NOT_APPLICABLE',
      message: expect.stringContaining('"only": it is an output of the model'),
    })
    const nothing = model(['N', 3], [makeNode('Relu', ['x'], ['y'])], [], { y: ['N', 3] })
    await expect(channelsStep(nothing, channels(), context)).rejects.toMatchObject({ code: 'RECIPE_NOT_APPLICABLE' })
  })

  it('a layer read inside a branch stays; others are pruned', async () => {
    const branch = (name: string): ModelProto =>
      model([1], [makeNode('Relu', ['a'], [`${name}_out`])], [], { [`${name}_out`]: [1, 8, 4, 4] })
    const choose = makeNode('If', ['flag'], ['i'], {}, { name: 'choose' })
    for (const [name, key] of [
      ['then', 'then_branch'],
      ['else', 'else_branch'],
    ] as const) {
      const body = branch(name).graph!
      body.input = []
      choose.attribute.push(create(AttributeProtoSchema, { name: key, type: AttributeProto_AttributeType.GRAPH, g: body }))
    }
    const source = model(
      [1, 3, 4, 4],
      [
        makeNode('Conv', ['x', 'w1'], ['a'], {}, { name: 'held' }),
        choose,
        makeNode('Conv', ['i', 'w2'], ['b'], {}, { name: 'free' }),
        makeNode('Conv', ['b', 'w3'], ['y'], {}, { name: 'end' }),
      ],
      [weights('w1', [8, 3, 1, 1]), weights('w2', [8, 8, 1, 1]), weights('w3', [2, 8, 1, 1])],
      { y: [1, 2, 4, 4] },
      { extraInputs: [makeValueInfo('flag', 'bool', [])] },
    )
    const feeds: CalibrationFeeds = {
      ...feedsOf(redundant(), 4),
      read: async () => ({
        x: { type: 'float32', dims: [1, 3, 4, 4], values: new Float32Array(48).map((_, index) => Math.sin(index)) },
        flag: { type: 'bool', dims: [], values: Uint8Array.of(1) },
      }),
    }
    const result = await channelsStep(source, channels({ amount: 0.3, multipleOf: 1 }), { ...context, calibration: feeds })
    expect(result.changed).toEqual(['free'])
    expect(result.skipped.find(({ node }) => node === 'held')!.reason).toContain('sub-graph')
  })

  it('float16 models are pruned in float32; a batch that is open in name only is not used', async () => {
    const half = (name: string, dims: readonly number[]): TensorProto => {
      const values = Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, (_, index) => Math.sin(index + name.length))
      return makeTensor(name, 'float16', dims, Uint16Array.from(values, floatToHalf))
    }
    const source = model(
      ['N', 3, 4, 4],
      [
        makeNode('Cast', ['x'], ['h'], { to: 10 }, { name: 'to_half' }),
        makeNode('Conv', ['h', 'w1'], ['a'], {}, { name: 'one' }),
        makeNode('Reshape', ['a', 'shape'], ['r'], {}, { name: 'fixed' }),
        makeNode('Gemm', ['r', 'w2'], ['g'], {}, { name: 'two' }),
        makeNode('Cast', ['g'], ['y'], { to: 1 }, { name: 'from_half' }),
      ],
      [half('w1', [8, 3, 1, 1]), half('w2', [128, 3]), makeInt64('shape', [2], [1, 128])],
      { y: ['N', 3] },
    )
    const result = await channelsStep(source, channels({ amount: 0.4, multipleOf: 1 }), { ...context, calibration: feedsOf(source, 8) })
    expect(result.changed).toEqual(['one'])
    // ONNX Runtime computes halves in float32 on a processor: the weights are re-fitted and stored so.
    expect(result.facts!.channelPruning!.refitted).toBe(true)
    expect(await fidelity(source, result.model, feedsOf(source, 2))).toBeGreaterThan(0)
  })

  it('a pruned model can be quantized in the same recipe', async () => {
    const source = redundant()
    const request = {
      modelName: 'small',
      recipe: [channels({ amount: 0.3, multipleOf: 4 }), step('int8-static')],
      target: 'x64' as const,
      calibration: null,
      edgesmithVersion: '0.0.0',
      lineage: [],
    }
    const { summary } = await makeBuild(encodeModel(source), request, { calibration: feedsOf(source, 32) }, onnxRuntime, {
      progress: () => {},
      log: () => {},
    })
    expect(summary.channelPruning!.layers.length).toBeGreaterThan(0)
    expect(summary.steps.map(({ recipe }) => recipe)).toEqual(['prune-channels', 'int8-static'])
    expect(summary.quantizedNodes).toBeGreaterThan(2)
    expect(summary.fidelity.sqnrDb).toBeGreaterThan(7)
  })
})
