import { create } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  TensorProto_DataType,
} from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { float, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import type { HalfChoice } from '../../../src/core/quantization/half-plan.ts'
import { convertToHalf, prepareForHalf } from '../../../src/core/quantization/half-precision.ts'
import { inferScopeFacts } from '../../../src/core/quantization/scope-facts.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model, opCounts, weights } from './small-models.ts'

const { FLOAT, FLOAT16 } = TensorProto_DataType

async function convert(source: ModelProto, settings: Partial<HalfChoice> = {}) {
  const prepared = prepareForHalf(source)
  const facts = await inferScopeFacts(new Graph(prepared), onnxRuntime)
  const result = convertToHalf(prepared, facts, { keepIoTypes: true, exclude: [], ...settings })
  const bytes = encodeModel(result.model)
  const { sqnrDb } = await verifyBuild(encodeModel(source), bytes, feedsOf(source), 'x64', onnxRuntime)
  return { ...result, bytes, sqnrDb: sqnrDb ?? Number.POSITIVE_INFINITY }
}

const bodyAttribute = (name: string, g: GraphProto) => create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g })
const typesOf = (built: ModelProto) => Object.fromEntries(built.graph!.initializer.map(({ name, dataType }) => [name, dataType]))
const casts = (built: ModelProto) =>
  built.graph!.node.filter(({ opType }) => opType === 'Cast').map(({ input, output }) => `${input[0]}→${output[0]}`)

describe('convertToHalf', () => {
  it('halves the file, keeps inputs and outputs float32, and casts once at each end', async () => {
    const nodes = [makeNode('Gemm', ['x', 'w', 'b'], ['h']), makeNode('Relu', ['h'], ['r']), makeNode('Gemm', ['r', 'w2'], ['y'])]
    const source = model(['N', 64], nodes, [weights('w', [64, 64]), weights('b', [64]), weights('w2', [64, 8])], { y: ['N', 8] })
    const { model: half, bytes, sqnrDb, converted, skipped } = await convert(source)
    expect(typesOf(half)).toEqual({ w: FLOAT16, b: FLOAT16, w2: FLOAT16 })
    expect(casts(half)).toEqual(['x→x_half', 'y_half→y'])
    expect(bytes.length / encodeModel(source).length).toBeLessThan(0.53)
    expect(sqnrDb).toBeGreaterThan(55)
    expect({ converted: converted.length, skipped }).toEqual({ converted: 3, skipped: [] })
  })

  it('changes inputs and outputs too when they are not to be kept', async () => {
    const source = model(['N', 16], [makeNode('Gemm', ['x', 'w'], ['y'])], [weights('w', [16, 8])], { y: ['N', 8] })
    const { model: half, sqnrDb } = await convert(source, { keepIoTypes: false })
    expect(opCounts(half)).toEqual({ Gemm: 1 })
    const loaded = await onnxRuntime.load(encodeModel(half))
    expect([loaded.inputs[0]?.type, loaded.outputs[0]?.type]).toEqual(['float16', 'float16'])
    await loaded.close()
    expect(sqnrDb).toBeGreaterThan(55)
  })

  it('casts a tensor once for all float32 readers, and keeps float32 islands together', async () => {
    const nodes = [
      makeNode('Gemm', ['x', 'w'], ['h'], {}, { name: 'g' }),
      makeNode('CumSum', ['h', 'axis'], ['c1'], {}, { name: 'c1' }),
      makeNode('CumSum', ['h', 'axis'], ['c2'], { reverse: 1 }, { name: 'c2' }),
      makeNode('Max', ['c1', 'c2'], ['m'], {}, { name: 'max' }),
      makeNode('Relu', ['m'], ['y'], {}, { name: 'r' }),
    ]
    const source = model(['N', 16], nodes, [weights('w', [16, 8]), makeInt64('axis', [], [1])], { y: ['N', 8] })
    const { model: half, skipped, sqnrDb } = await convert(source)
    // In float16, the Relu behind them would need a cast before and after.
    expect(casts(half)).toEqual(['x→x_half', 'h→h_float'])
    expect(skipped.map(({ node }) => node)).toEqual(['c1', 'c2', 'max', 'r'])
    expect(sqnrDb).toBeGreaterThan(50)
  })

  it('keeps the scales of Resize in float32', async () => {
    const resize = makeNode('Resize', ['x', '', 'scales'], ['y'], { mode: 'linear' }, { name: 'resize' })
    const { model: half, converted } = await convert(
      model(['N', 2, 4, 4], [resize], [constant('scales', [4], [1, 1, 2, 2])], { y: ['N', 2, 8, 8] }),
    )
    expect(typesOf(half)).toEqual({ scales: FLOAT })
    expect(converted).toEqual(['resize'])
  })

  it('turns Cast, ConstantOfShape and Constant to float16', async () => {
    const nodes = [
      makeNode('Shape', ['x'], ['shape'], {}, { name: 'shape' }),
      makeNode('Cast', ['shape'], ['sizes'], { to: FLOAT }, { name: 'cast' }),
      makeNode('ReduceProd', ['sizes'], ['count'], { keepdims: 0 }, { name: 'prod' }),
      makeNode('ConstantOfShape', ['shape'], ['ones'], { value: makeTensor('', 'float32', [1], Float32Array.of(1)) }, { name: 'fill' }),
      makeNode('Constant', [], ['k'], { value_float: float(0.5) }, { name: 'constant' }),
      makeNode('Mul', ['ones', 'k'], ['halves'], {}, { name: 'mul' }),
      makeNode('Add', ['x', 'halves'], ['s'], {}, { name: 'add' }),
      makeNode('Div', ['s', 'count'], ['y'], {}, { name: 'div' }),
    ]
    const { model: half, sqnrDb } = await convert(model([2, 8], nodes, [], { y: [2, 8] }))
    expect(casts(half).sort()).toEqual(['shape→sizes', 'x→x_half', 'y_half→y'])
    expect(opCounts(half).Constant).toBeUndefined()
    expect(sqnrDb).toBeGreaterThan(50)
  })

  it('clamps what float16 cannot hold and counts it', async () => {
    const source = model(
      ['N', 4],
      [makeNode('Mul', ['x', 'k'], ['m']), makeNode('Clip', ['m', 'low', 'high'], ['y'])],
      [constant('k', [4], [1, 1e-9, 0, -1e-9]), constant('low', [], [-1e9]), constant('high', [], [1e9])],
      { y: ['N', 4] },
    )
    const { clamped } = await convert(source)
    expect(clamped).toEqual({ tooLarge: 2, tooSmall: 2 })
  })

  it('computes in float32 with constants beyond float16', async () => {
    const nodes = [makeNode('Mul', ['x', 'large'], ['m'], {}, { name: 'm' }), makeNode('Mul', ['m', 'small'], ['y'], {}, { name: 'n' })]
    const { skipped, sqnrDb } = await convert(
      model(['N', 4], nodes, [constant('large', [1], [1e6]), constant('small', [1], [1e-3])], { y: ['N', 4] }),
    )
    expect(skipped).toEqual([{ node: 'm', op: 'Mul', reason: 'its constant "large" reaches 1.00e+6, beyond float16' }])
    expect(sqnrDb).toBeGreaterThan(50)
  })

  it('converts inside sub-graphs, and gives them the tensors they capture in the type they read', async () => {
    const shape = ['N', 8]
    const branch = makeNode('If', ['flag'], ['b'], {}, { name: 'branch' })
    for (const [name, op] of [
      ['then_branch', 'Abs'],
      ['else_branch', 'CumSum'],
    ] as const) {
      const output = `${name}_output`
      const nodes = [makeNode(op, op === 'Abs' ? ['h'] : ['h', 'axis'], [output], {}, { name: op })]
      branch.attribute.push(bodyAttribute(name, { ...model(shape, nodes, [], { [output]: shape }).graph!, input: [] }))
    }
    const nodes = [
      makeNode('ReduceSum', ['x'], ['total'], { keepdims: 0 }, { name: 'sum' }),
      makeNode('Greater', ['total', 'zero'], ['flag'], {}, { name: 'greater' }),
      makeNode('Gemm', ['x', 'w'], ['h'], {}, { name: 'g' }),
      branch,
      makeNode('Gemm', ['b', 'w2'], ['y'], {}, { name: 'r' }),
    ]
    const initializers = [weights('w', [16, 8]), weights('w2', [8, 8]), constant('zero', [], [0]), makeInt64('axis', [], [1])]
    const source = model(shape.with(1, 16), nodes, initializers, { y: shape, h: shape })
    for (const keepIoTypes of [true, false]) {
      const { model: half, skipped, sqnrDb, converted } = await convert(source, { keepIoTypes })
      expect(converted).toEqual(['sum', 'greater', 'g', 'branch', 'r', 'Abs'])
      expect(skipped).toEqual([{ node: 'CumSum', op: 'CumSum', reason: expect.stringContaining('no float16 form') }])
      expect(sqnrDb).toBeGreaterThan(50)
      const [then, otherwise] = half.graph!.node.find(({ opType }) => opType === 'If')!.attribute.map(({ g }) => g!)
      expect(then!.node.map(({ opType }) => opType)).toEqual(['Abs'])
      expect(otherwise!.node.map(({ opType }) => opType)).toEqual(['CumSum', 'Cast'])
    }
  })

  it('keeps one type for everything that a loop carries', async () => {
    const looping = (seen: NodeProto): ModelProto => {
      const nodes = [makeNode('Gemm', ['row', 'w'], ['next'], {}, { name: 'inner' }), seen, makeNode('Identity', ['go'], ['on'])]
      const body = model([8], nodes, [], { next: [1, 8], seen: [1, 8] }).graph!
      body.input = [makeValueInfo('round', 'int64', []), makeValueInfo('go', 'bool', []), makeValueInfo('row', 'float32', [1, 8])]
      body.output.unshift(makeValueInfo('on', 'bool', []))
      const loop = makeNode('Loop', ['rounds', '', 'x'], ['last', 'all'], {}, { name: 'loop' })
      loop.attribute.push(bodyAttribute('body', body))
      const initializers = [weights('w', [8, 8]), makeInt64('rounds', [], [3]), makeInt64('axis', [], [1])]
      return model([1, 8], [loop], initializers, { last: [1, 8], all: [3, 1, 8] })
    }
    const light = looping(makeNode('Relu', ['next'], ['seen'], {}, { name: 'relu' }))
    const inHalf = await convert(light)
    expect(inHalf.converted).toEqual(['loop', 'inner', 'relu'])
    expect(casts(inHalf.model)).toEqual(['x→x_half', 'last_half→last', 'all_half→all'])
    expect(inHalf.sqnrDb).toBeGreaterThan(45)
    await expect(convert(light, { exclude: ['loop'] })).rejects.toThrow(/everything is excluded/)
    const onlyInner = await convert(light, { include: ['inner'] })
    expect(onlyInner.converted).toEqual(['inner'])
    expect(casts(onlyInner.model)).toEqual([])
    // With a float32 operator in the body, carrying float32 takes two casts instead of five.
    const mixed = await convert(looping(makeNode('CumSum', ['next', 'axis'], ['seen'], {}, { name: 'sums' })))
    expect(mixed.converted).toEqual(['inner'])
    expect(mixed.skipped).toContainEqual({ node: 'loop', op: 'Loop', reason: expect.stringContaining('more casts') })
    expect(mixed.sqnrDb).toBeGreaterThan(45)
  })

  it('keeps default values of inputs overridable', async () => {
    const source = model(
      ['N', 4],
      [makeNode('Mul', ['x', 'gain'], ['y'])],
      [constant('gain', [1], [3])],
      { y: ['N', 4] },
      { extraInputs: [makeValueInfo('gain', 'float32', [1])] },
    )
    expect((await convert(source)).sqnrDb).toBeGreaterThan(50)
    const { model: half } = await convert(source, { keepIoTypes: false })
    expect(typesOf(half)).toEqual({ gain: FLOAT16 })
  })

  it('leaves excluded nodes, and writes an initializer in both types where both are read', async () => {
    const nodes = [makeNode('Gemm', ['x', 'w'], ['h'], {}, { name: 'g1' }), makeNode('Gemm', ['h', 'w'], ['y'], {}, { name: 'g2' })]
    const { model: half, skipped } = await convert(model(['N', 8], nodes, [weights('w', [8, 8])], { y: ['N', 8] }), { exclude: ['g2'] })
    expect(typesOf(half)).toEqual({ w: FLOAT16, w_float: FLOAT })
    expect(skipped).toEqual([{ node: 'g2', op: 'Gemm', reason: 'excluded by the recipe' }])
  })

  it('takes out casts that change nothing', async () => {
    const nodes = [
      makeNode('Cast', ['x'], ['wide'], { to: FLOAT }, { name: 'widen' }),
      makeNode('Gemm', ['wide', 'w'], ['h'], {}, { name: 'g' }),
      makeNode('Cast', ['h'], ['narrow'], { to: FLOAT16 }, { name: 'narrow' }),
      makeNode('Relu', ['narrow'], ['r'], {}, { name: 'r' }),
      makeNode('Cast', ['r'], ['y'], { to: FLOAT }, { name: 'give' }),
    ]
    const source = model(['N', 8], nodes, [weights('w', [8, 32])], { y: ['N', 32] })
    source.graph!.input = [makeValueInfo('x', 'float16', ['N', 8])]
    const prepared = prepareForHalf(source)
    const facts = await inferScopeFacts(new Graph(prepared), onnxRuntime)
    const { model: half } = convertToHalf(prepared, facts, { keepIoTypes: true, exclude: [] })
    expect(opCounts(half)).toEqual({ Gemm: 1, Relu: 1, Cast: 1 })
    // A Cast that stays in float32 before a float16 operator: one pair, taken out as well.
    const { model: pair } = convertToHalf(prepared, facts, { keepIoTypes: true, exclude: ['widen'] })
    expect(opCounts(pair)).toEqual({ Gemm: 1, Relu: 1, Cast: 1 })
    for (const built of [half, pair]) await (await onnxRuntime.load(encodeModel(built))).close()
  })

  it('keeps weights constant that files of IR version 3 list among the inputs', async () => {
    const source = model(['N', 8], [makeNode('MatMul', ['x', 'w'], ['y'])], [weights('w', [8, 8])], { y: ['N', 8] }, { opset: 8 })
    source.irVersion = 3n
    source.graph!.input.push(makeValueInfo('w', 'float32', [8, 8]))
    const { model: half, sqnrDb } = await convert(source)
    expect(typesOf(half)).toEqual({ w: FLOAT16 })
    expect(half.graph!.input.map(({ name }) => name)).toEqual(['x'])
    expect(sqnrDb).toBeGreaterThan(50)
  })

  it('refuses a model without float32, and a quantized one', async () => {
    const integers = model([4], [makeNode('Cast', ['x'], ['i'], { to: 7 }), makeNode('Cast', ['i'], ['y'], { to: FLOAT })], [], { y: [4] })
    await expect(convert(integers, { exclude: ['Cast'] })).rejects.toThrow(expect.objectContaining({ code: 'RECIPE_NOT_APPLICABLE' }))
    const quantized = model(
      [4],
      [makeNode('DynamicQuantizeLinear', ['x'], ['q', 's', 'z'], {}, { name: 'dq' }), makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'])],
      [],
      { y: [4] },
    )
    await expect(convert(quantized)).rejects.toThrow(/quantized already/)
  })
})
