import { create } from '@bufbuild/protobuf'
import { AttributeProtoSchema, GraphProtoSchema, type ModelProto, type NodeProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { extractStepSchema } from '../../../src/contract/recipe.ts'
import type { NamedTensors } from '../../../src/core/inference-runtime.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64 } from '../../../src/core/onnx/tensor-values.ts'
import type { CalibrationFeeds } from '../../../src/engine/optimize/calibration-feeds.ts'
import { graphStep } from '../../../src/engine/optimize/graph-steps.ts'
import { makeBuild } from '../../../src/engine/optimize/make-build.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model, opCounts, step, weights } from './small-models.ts'

const context = {
  runtime: onnxRuntime,
  target: 'x64',
  calibration: undefined,
  budget: undefined,
  progress: () => {},
  log: () => {},
} as const

function extract(source: ModelProto, settings: Readonly<Record<string, unknown>>, calibration?: CalibrationFeeds) {
  return graphStep(source, extractStepSchema.parse({ recipe: 'extract', ...settings }), { ...context, calibration })
}

async function run(source: ModelProto, feeds: NamedTensors): Promise<NamedTensors> {
  const loaded = await onnxRuntime.load(encodeModel(source), { optimization: 'disabled' })
  try {
    return await loaded.run(feeds)
  } finally {
    await loaded.close()
  }
}

const ports = (built: ModelProto) => ({
  inputs: built.graph!.input.map(({ name }) => name),
  outputs: built.graph!.output.map(({ name }) => name),
})

/** Encoder (two layers) and decoder; the bias is shared, and the encoder's state is read twice. */
function network(): ModelProto {
  const nodes = [
    makeNode('MatMul', ['x', 'w1'], ['first'], {}, { name: 'enc.1' }),
    makeNode('Add', ['first', 'shared'], ['biased'], {}, { name: 'enc.bias' }),
    makeNode('Relu', ['biased'], ['code'], {}, { name: 'enc.relu' }),
    makeNode('MatMul', ['code', 'w2'], ['second'], {}, { name: 'dec.1' }),
    makeNode('Add', ['second', 'shared'], ['moved'], {}, { name: 'dec.bias' }),
    makeNode('Add', ['moved', 'code'], ['y'], {}, { name: 'dec.skip' }),
  ]
  const built = model(['N', 6], nodes, [weights('w1', [6, 8]), weights('w2', [8, 8]), weights('shared', [8])], { y: ['N', 8] })
  built.metadataProps.push({ $typeName: 'onnx.StringStringEntryProto', key: 'licence', value: 'MIT' })
  return built
}

/** An If that a whole number steers; both branches capture the weights around them and use the same names. */
function steered(): ModelProto {
  const branch = (weight: string): NodeProto[] => [
    makeNode('MatMul', ['x', weight], ['product'], {}, { name: 'product' }),
    makeNode('Relu', ['product'], ['result'], {}, { name: 'result' }),
  ]
  const body = (weight: string) =>
    create(GraphProtoSchema, { name: weight, node: branch(weight), output: [makeValueInfo('result', 'float32', ['N', 4])] })
  const choice = makeNode('If', ['is16'], ['chosen'], {}, { name: 'choice' })
  choice.attribute.push(
    create(AttributeProtoSchema, { name: 'then_branch', type: 5, g: body('wide') }),
    create(AttributeProtoSchema, { name: 'else_branch', type: 5, g: body('narrow') }),
  )
  const nodes = [
    makeNode('Equal', ['sr', 'rate'], ['is16'], {}, { name: 'equal' }),
    choice,
    makeNode('Sigmoid', ['chosen'], ['y'], {}, { name: 'sigmoid' }),
  ]
  return makeModel({
    nodes,
    inputs: [makeValueInfo('x', 'float32', ['N', 6]), makeValueInfo('sr', 'int64', [])],
    outputs: [makeValueInfo('y', 'float32', ['N', 4])],
    initializers: [weights('wide', [6, 4]), weights('narrow', [6, 4]), makeInt64('rate', [], [16000])],
    metadata: { licence: 'MIT' },
  })
}

describe('extract', () => {
  it('cuts off the encoder', async () => {
    const source = network()
    const before = encodeModel(source)
    const { model: part, newReference } = await extract(source, { outputs: ['code'] })
    expect(newReference).toBe(true)
    expect(ports(part)).toEqual({ inputs: ['x'], outputs: ['code'] })
    expect(part.graph!.node.map(({ name }) => name)).toEqual(['enc.1', 'enc.bias', 'enc.relu'])
    expect(part.graph!.initializer.map(({ name }) => name)).toEqual(['w1', 'shared'])
    expect(part.metadataProps.map(({ key }) => key)).toEqual(['licence'])
    expect(encodeModel(source)).toEqual(before)
    const feed = await feedsOf(source).read(0)
    expect(Object.keys(await run(part, feed))).toEqual(['code'])
  })

  it('cuts off the decoder, whose samples are what the encoder gives', async () => {
    const source = network()
    const given = feedsOf(source)
    const { model: part, calibration } = await extract(source, { inputs: ['code'] }, given)
    expect(ports(part)).toEqual({ inputs: ['code'], outputs: ['y'] })
    expect(part.graph!.input[0]!.type?.value).toMatchObject({ value: { shape: { dim: [{}, { value: { value: 8n } }] } } })
    expect(calibration!.feeds).toBe(given.feeds)
    for (const index of [3, 0]) {
      const found = await run(part, await calibration!.read(index))
      expect(found.y!.values).toEqual((await run(source, await given.read(index))).y!.values)
    }
  })

  it('takes patterns, several outputs, and leaves out what nothing reads', async () => {
    const { model: part, warnings } = await extract(network(), { inputs: ['x', 'second'], outputs: ['bias*', 'cod?'] })
    expect(ports(part)).toEqual({ inputs: ['x'], outputs: ['biased', 'code'] })
    expect(warnings).toEqual([expect.stringMatching(/reads "second"/)])
  })

  it('fixes an input, and the If it steers becomes its branch', async () => {
    const source = steered()
    const { model: part } = await extract(source, { fixed: { sr: 16000 } })
    expect(ports(part).inputs).toEqual(['x'])
    expect(opCounts(part)).toEqual({ MatMul: 1, Relu: 1, Sigmoid: 1 })
    expect(part.graph!.initializer).toHaveLength(1)
    expect(part.metadataProps.map(({ key }) => key)).toEqual(['licence'])
    const { x } = await feedsOf(model(['N', 6], [], [], {})).read(0)
    const sr = { type: 'int64', dims: [], values: BigInt64Array.of(16000n) } as const
    expect((await run(part, { x: x! })).y).toEqual((await run(source, { x: x!, sr })).y)
  })

  it('lets a later step work on what was inside the If', async () => {
    const request = { modelName: 'm', target: 'x64', calibration: null, edgesmithVersion: '1', lineage: [] } as const
    const recipe = [step('extract', { fixed: { sr: 8000 } }), step('int8-dynamic')]
    const reporter = { progress: () => {}, log: () => {} }
    const built = await makeBuild(
      encodeModel(steered()),
      { ...request, recipe, lineage: [] },
      { calibration: undefined },
      onnxRuntime,
      reporter,
    )
    expect(built.summary.fusedNodes).toBe(1)
    expect(built.summary.fidelity.sqnrDb).toBeGreaterThan(25)
    expect(ports(decodeModel(built.bytes, 'build')).inputs).toEqual(['x'])
  })

  it('fixes every value of an input with dimensions, in its type', async () => {
    const nodes = [makeNode('Mul', ['x', 'gain'], ['y'], {}, { name: 'mul' })]
    const source = model([2, 3], nodes, [], { y: [2, 3] }, { extraInputs: [makeValueInfo('gain', 'float32', [3])] })
    const { model: part } = await extract(source, { fixed: { gain: 2.5 } })
    const x = { type: 'float32', dims: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) } as const
    expect([...(await run(part, { x })).y!.values]).toEqual([2.5, 5, 7.5, 10, 12.5, 15])
  })

  it('keeps a node whose second result is wanted when the first becomes an input', async () => {
    const nodes = [
      makeNode('Split', ['x'], ['left', 'right'], { axis: 1 }, { name: 'split' }),
      makeNode('Relu', ['left'], ['a'], {}, { name: 'relu' }),
      makeNode('Add', ['a', 'right'], ['y'], {}, { name: 'add' }),
    ]
    const { model: part } = await extract(model([2, 6], nodes, [], { y: [2, 3] }), { inputs: ['x', 'left'] })
    expect(ports(part)).toEqual({ inputs: ['x', 'left'], outputs: ['y'] })
  })

  it('keeps what a sub-graph captures', async () => {
    const { model: part } = await extract(steered(), { outputs: ['chosen'] })
    expect(part.graph!.initializer.map(({ name }) => name).sort()).toEqual(['narrow', 'rate', 'wide'])
    expect(ports(part)).toEqual({ inputs: ['x', 'sr'], outputs: ['chosen'] })
  })

  const reshaped = model(['N', 6], [makeNode('Reshape', ['x', 'shape'], ['y'])], [makeInt64('shape', [2], [-1, 3])], { y: ['M', 3] })
  it.each([
    ['nothing', network(), {}, /Nothing is chosen.* There are 7 tensors: "x", "first"/],
    ['an unknown output', network(), { outputs: ['cod'] }, /No tensor "cod" can be an output\. Did you mean "code"/],
    ['an unknown name that is like none', network(), { outputs: ['%%%%%%%%%%'] }, /There are "x", "first"/],
    ['an unknown fixed input', steered(), { fixed: { sR: 1 } }, /No tensor "sR" can be fixed\. Did you mean "sr"/],
    ['an output that needs another input', steered(), { inputs: ['x'] }, /also need the input "sr"/],
    ['a tensor at both ends', network(), { inputs: ['code'], outputs: ['code'] }, /"code" would be an input and an output/],
    ['a fraction for whole numbers', steered(), { fixed: { sr: 0.5 } }, /int64 holds whole numbers/],
    ['an open shape', reshaped, { fixed: { x: 0 } }, /its shape \[N,6\] is open/],
    ['a model without inputs', model([1, 6], [makeNode('Relu', ['x'], ['y'])], [], { y: [1, 6] }), { fixed: { x: 0 } }, /No input is left/],
  ])('refuses %s', async (_, source, settings, says) => {
    await expect(extract(source, settings)).rejects.toMatchObject({ code: 'RECIPE_NOT_APPLICABLE', message: expect.stringMatching(says) })
  })

  it('does not call a part right that is not', async () => {
    const nodes = [makeNode('RandomNormalLike', ['x'], ['noise']), makeNode('Add', ['x', 'noise'], ['y'])]
    const source = model([1, 6], nodes, [constant('unused', [1], [1])], { y: [1, 6] })
    await expect(extract(source, { outputs: ['y'] })).rejects.toMatchObject({ code: 'BUILD_VERIFICATION_FAILED' })
  })
})
