import { create } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, AttributeProtoSchema, type ModelProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { floatValues, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { pruneByMagnitude } from '../../../src/core/pruning/magnitude.ts'
import { pruneOnSamples, type SamplePruneOptions } from '../../../src/core/pruning/weight-pruning-samples.ts'
import { magnitudeStep } from '../../../src/engine/optimize/magnitude-step.ts'
import type { StepContext } from '../../../src/engine/optimize/step-context.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, initializer, model, step, weights } from './small-models.ts'

const defaults: SamplePruneOptions = { method: 'sparsegpt', sparsity: 0.5, scope: 'global', exclude: [] }

/** A convolution, a grouped one, and a matrix, with inputs that are correlated: 12 channels made of 3. */
function network(): ModelProto {
  const nodes = [
    makeNode('Conv', ['x', 'mix'], ['h'], {}, { name: 'mix' }),
    makeNode('Conv', ['h', 'w1'], ['c1'], { pads: [1, 1, 1, 1] }, { name: 'conv' }),
    makeNode('Conv', ['c1', 'w2'], ['c2'], { group: 2 }, { name: 'grouped' }),
    makeNode('GlobalAveragePool', ['c2'], ['p'], {}, { name: 'pool' }),
    makeNode('Flatten', ['p'], ['f'], {}, { name: 'flatten' }),
    makeNode('Gemm', ['f', 'w3'], ['y'], { transB: 1 }, { name: 'gemm' }),
  ]
  const initializers = [weights('mix', [12, 3, 1, 1]), weights('w1', [16, 12, 3, 3]), weights('w2', [8, 8, 3, 3]), weights('w3', [10, 8])]
  return model(['N', 3, 8, 8], nodes, initializers, { y: ['N', 10] })
}

const zeroCount = (built: ModelProto, name: string) => initializer(built, name).filter((value) => value === 0).length
const source = network()
const feeds = feedsOf(source, 60)

async function fidelity(pruned: ModelProto): Promise<number> {
  return (await verifyBuild(encodeModel(source), encodeModel(pruned), feeds, 'x64', onnxRuntime)).sqnrDb ?? Number.POSITIVE_INFINITY
}

describe('pruneOnSamples', () => {
  it.each(['wanda', 'sparsegpt'] as const)('%s: exactly the share asked for, of each layer or of all together', async (method) => {
    const sizes = { mix: 36, w1: 16 * 108, w2: 8 * 72, w3: 80 }
    const each = await pruneOnSamples(source, onnxRuntime, { ...defaults, method, scope: 'layer', sparsity: 0.4 }, feeds)
    for (const [name, size] of Object.entries(sizes)) expect([name, zeroCount(each.model, name)]).toEqual([name, Math.round(0.4 * size)])
    const together = await pruneOnSamples(source, onnxRuntime, { ...defaults, method, sparsity: 0.4 }, feeds)
    const total = Object.values(sizes).reduce((sum, size) => sum + size, 0)
    const zeros = Object.keys(sizes).reduce((sum, name) => sum + zeroCount(together.model, name), 0)
    expect(zeros).toBe(Math.round(0.4 * total))
    expect(together).toMatchObject({ sparsity: zeros / total, byWanda: [], byMagnitude: [], pruned: ['mix', 'conv', 'grouped', 'gemm'] })
  })

  it('sparsegpt keeps the outputs closer than magnitude does, where inputs are correlated', async () => {
    const magnitude = await fidelity(pruneByMagnitude(source, { sparsity: 0.5, scope: 'layer', exclude: ['mix', 'grouped', 'gemm'] }).model)
    const sparsegpt = await fidelity(
      (await pruneOnSamples(source, onnxRuntime, { ...defaults, scope: 'layer', exclude: ['mix', 'grouped', 'gemm'] }, feeds)).model,
    )
    expect(sparsegpt).toBeGreaterThan(magnitude + 5)
  })

  it('changes nothing but pruned weights: wanda only writes zeros, the source stays as it was', async () => {
    const before = encodeModel(source)
    const { model: pruned } = await pruneOnSamples(source, onnxRuntime, { ...defaults, method: 'wanda', exclude: ['gemm'] }, feeds)
    expect(encodeModel(source)).toEqual(before)
    expect(initializer(pruned, 'w3')).toEqual(initializer(source, 'w3'))
    const [old, now] = [initializer(source, 'w1'), initializer(pruned, 'w1')]
    expect(now.every((value, index) => value === 0 || value === old[index])).toBe(true)
  })

  it('gives the same bytes twice', async () => {
    const prune = async () => encodeModel((await pruneOnSamples(source, onnxRuntime, defaults, feeds)).model)
    expect(Buffer.compare(await prune(), await prune())).toBe(0)
  })

  it('has a simpler method for layers it cannot do, and says which', async () => {
    const branch = (name: string) =>
      makeModel({
        nodes: [makeNode('MatMul', ['x', `w_${name}`], [`y_${name}`], {}, { name: `in ${name}` })],
        inputs: [],
        outputs: [makeValueInfo(`y_${name}`, 'float32', [1, 4])],
        initializers: [weights(`w_${name}`, [4, 4])],
        name,
      }).graph!
    const choose = makeNode('If', ['large'], ['chosen'], {}, { name: 'choose' })
    choose.attribute = ['then_branch', 'else_branch'].map((name) =>
      create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g: branch(name) }),
    )
    const nodes = [
      makeNode('ReduceMax', ['x'], ['most'], { keepdims: 0 }, { name: 'most' }),
      makeNode('Greater', ['most', 'limit'], ['large'], {}, { name: 'compare' }),
      choose,
      makeNode('MatMul', ['chosen', 'wide'], ['z'], {}, { name: 'to many' }),
      makeNode('MatMul', ['z', 'many'], ['y'], {}, { name: 'too many inputs' }),
    ]
    const initializers = [constant('limit', [], [0]), weights('wide', [4, 2500]), weights('many', [2500, 3])]
    const odd = model([1, 4], nodes, initializers, { y: [1, 3] })
    const result = await pruneOnSamples(odd, onnxRuntime, { ...defaults, scope: 'layer' }, feedsOf(odd, 8))
    expect(result).toMatchObject({ byWanda: ['too many inputs'], byMagnitude: ['in then_branch', 'in else_branch'] })
    expect(zeroCount(result.model, 'many')).toBe(3750)
    for (const scope of new Graph(result.model).scopes().slice(1))
      expect([...floatValues(scope.proto.initializer[0]!)].filter((value) => value === 0)).toHaveLength(8)
  })

  it('prunes weights that two layers share for the inputs of both, and float16 in float16', async () => {
    const half = makeTensor(
      'w',
      'float16',
      [8, 8],
      Uint16Array.from({ length: 64 }, (_, index) => 0x3000 + ((index * 37) % 1024)),
    )
    const nodes = [
      makeNode('Cast', ['x'], ['h'], { to: 10 }, { name: 'in' }),
      makeNode('MatMul', ['h', 'w'], ['i'], {}, { name: 'first' }),
      makeNode('MatMul', ['i', 'w'], ['j'], {}, { name: 'second' }),
      makeNode('Cast', ['j'], ['y'], { to: 1 }, { name: 'out' }),
    ]
    const shared = model(['N', 8], nodes, [half], { y: ['N', 8] })
    const { model: pruned, byMagnitude, byWanda } = await pruneOnSamples(shared, onnxRuntime, defaults, feedsOf(shared))
    const tensor = pruned.graph!.initializer[0]!
    expect([tensor.dataType, [...floatValues(tensor)].filter((value) => value === 0).length]).toEqual([10, 32])
    expect([...byMagnitude, ...byWanda]).toEqual([])
  })

  it('needs samples', async () => {
    const none = { feeds: 0, read: () => Promise.reject(new Error('there are none')) }
    await expect(pruneOnSamples(source, onnxRuntime, defaults, none)).rejects.toThrow(
      expect.objectContaining({ code: 'CALIBRATION_NEEDED' }),
    )
  })
})

it('pruneByMagnitude reaches sub-graphs', () => {
  const body = makeModel({
    nodes: [makeNode('MatMul', ['x', 'inner'], ['z'], {}, { name: 'inside' })],
    inputs: [],
    outputs: [makeValueInfo('z', 'float32', [1, 2])],
    initializers: [constant('inner', [2, 2], [1, 2, 3, 4])],
  }).graph!
  const choose = makeNode('If', ['c'], ['y'], {}, { name: 'choose' })
  choose.attribute = ['then_branch', 'else_branch'].map((name) =>
    create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g: body }),
  )
  const outer = model([1, 2], [choose], [], { y: [1, 2] }, { extraInputs: [makeValueInfo('c', 'bool', [])] })
  const { model: pruned, sparsity } = pruneByMagnitude(outer, { sparsity: 0.5, scope: 'global', exclude: [] })
  expect(sparsity).toBe(0.5)
  const inner = new Graph(pruned)
    .scopes()
    .slice(1)
    .map((scope) => [...floatValues(scope.proto.initializer[0]!)])
  // Both branches together: the four smallest of eight, ties from the front.
  expect(inner).toEqual([
    [0, 0, 3, 4],
    [0, 0, 3, 4],
  ])
})

describe('magnitudeStep', () => {
  const context = (calibration: StepContext['calibration']): StepContext => ({
    runtime: onnxRuntime,
    target: 'x64',
    calibration,
    budget: undefined,
    progress: () => {},
    log: () => {},
  })
  const prune = (settings: Record<string, unknown>, calibration?: StepContext['calibration']) =>
    magnitudeStep(source, step('prune-magnitude', settings) as never, context(calibration))

  it('auto: sparsegpt with samples, magnitude without', async () => {
    const changedOthers = async (calibration?: StepContext['calibration']) => {
      const { model: pruned, facts } = await prune({}, calibration)
      expect(facts?.sparsity).toBeCloseTo(0.5, 3)
      const old = new Set(initializer(source, 'w1'))
      return initializer(pruned, 'w1').some((value) => value !== 0 && !old.has(value))
    }
    expect(await changedOthers(feeds)).toBe(true)
    expect(await changedOthers()).toBe(false)
  })

  it('says that nothing becomes faster, and asks for samples where the method needs them', async () => {
    expect((await prune({ method: 'wanda' }, feeds)).warnings).toEqual([expect.stringContaining('not faster')])
    for (const method of ['wanda', 'sparsegpt'])
      await expect(prune({ method })).rejects.toThrow(expect.objectContaining({ code: 'CALIBRATION_NEEDED' }))
  })
})
