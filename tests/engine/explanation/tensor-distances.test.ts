import fc from 'fast-check'
import type { ModelProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { comparedLayers } from '../../../src/core/explanation/compared-layers.ts'
import { correspondingTensors } from '../../../src/core/explanation/corresponding-tensors.ts'
import { DistanceSum } from '../../../src/core/explanation/tensor-distance.ts'
import { tensorDistances } from '../../../src/core/explanation/tensor-distances.ts'
import { floatToHalf } from '../../../src/core/float16.ts'
import type { NamedTensors } from '../../../src/core/inference-runtime.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { inferTensorFacts } from '../../../src/core/quantization/tensor-facts.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, model, pair } from './plain-models.ts'

const opened = async (proto: ModelProto) => ({ graph: new Graph(proto), facts: await inferTensorFacts(proto, onnxRuntime) })
const feed = (values: readonly number[]): NamedTensors => ({
  x: { type: 'float32', dims: [1, values.length], values: Float32Array.from(values) },
})
const zero = makeTensor('z', 'uint8', [], Uint8Array.of(128))

describe('correspondingTensors', () => {
  it('takes what stands behind a Q/DQ pair, whoever kept the name, and leaves out what one model has alone', async () => {
    const baseline = model(
      [1, 4],
      [
        makeNode('Mul', ['x', 'two'], ['a'], {}, { name: 'a' }),
        makeNode('Relu', ['a'], ['b'], {}, { name: 'b' }),
        makeNode('Neg', ['b'], ['c'], {}, { name: 'c' }),
        makeNode('Neg', ['c'], ['y'], {}, { name: 'y' }),
      ],
      [constant('two', [], [2])],
      { y: [1, 4] },
    )
    // "a" is gone (taken in by the pair of "b", which keeps the name); "c" keeps its name in front of a pair.
    const build = model(
      [1, 4],
      [
        ...pair('x', 'xd'),
        makeNode('Mul', ['xd', 'two'], ['raw'], {}, { name: 'a' }),
        ...pair('raw', 'b'),
        makeNode('Neg', ['b'], ['c'], {}, { name: 'c' }),
        ...pair('c', 'cd'),
        makeNode('Neg', ['cd'], ['y'], {}, { name: 'y' }),
      ],
      [constant('two', [], [2]), constant('s', [], [0.5]), zero],
      { y: [1, 4] },
    )
    const found = correspondingTensors(await opened(baseline), await opened(build))
    expect(found.map(({ tensor, buildTensor, grid }) => [tensor, buildTensor, grid?.scale])).toEqual([
      ['x', 'xd', 0.5],
      ['b', 'b', 0.5],
      ['c', 'cd', 0.5],
      ['y', 'y', undefined],
    ])
    expect(found[0]!.grid).toEqual({ scale: 0.5, zeroPoint: 128, lowest: 0, highest: 255 })
    const [before, after] = [await opened(baseline), await opened(build)]
    const read = async () => ({ baseline: feed([1, 2, 3, 4]), build: feed([1, 2, 3, 4]) })
    const distances = await tensorDistances({ baseline, build, tensors: found, feeds: 1, read }, onnxRuntime)
    const layers = comparedLayers(before, after, found, distances)
    // Multiplication and ReLU are one layer, since the build has only what is behind both.
    expect(layers.map(({ layer, op, nodes, precision }) => [layer, op, nodes.length, precision])).toEqual([
      ['x', 'Input', 0, 'int8'],
      ['a', 'Mul', 2, 'int8'],
      ['c', 'Neg', 1, 'int8'],
      ['y', 'Neg', 1, 'int8'],
    ])
    expect(layers[1]!.inputs.map(({ layer }) => layer)).toEqual(['x'])
  })

  it('compares no integers and nothing with a scale for each channel as a grid', async () => {
    const shaped = (): ModelProto =>
      model(
        [1, 4],
        [
          makeNode('Shape', ['x'], ['shape'], {}, { name: 'shape' }),
          makeNode('QuantizeLinear', ['x', 'ss', 'zz'], ['q'], { axis: 1 }),
          makeNode('DequantizeLinear', ['q', 'ss', 'zz'], ['d'], { axis: 1 }),
          makeNode('Reshape', ['d', 'shape'], ['y'], {}, { name: 'y' }),
        ],
        [constant('ss', [4], [1, 2, 3, 4]), makeTensor('zz', 'uint8', [4], new Uint8Array(4))],
        { y: [1, 4] },
      )
    const found = correspondingTensors(await opened(shaped()), await opened(shaped()))
    expect(found.map(({ tensor, grid }) => [tensor, grid])).toEqual([
      ['d', undefined],
      ['y', undefined],
    ])
  })
})

describe('tensorDistances', () => {
  it('adds up over feeds what an independent computation finds', async () => {
    const baseline = model([1, 4], [makeNode('Mul', ['x', 'k'], ['y'], {}, { name: 'y' })], [constant('k', [], [3])], { y: [1, 4] })
    const build = model(
      [1, 4],
      [makeNode('Mul', ['x', 'k'], ['raw'], {}, { name: 'y' }), ...pair('raw', 'y')],
      [constant('k', [], [3]), constant('s', [], [0.25]), zero],
      { y: [1, 4] },
    )
    const given = [
      [0.1, -0.2, 5, -20],
      [1.01, 0.33, -0.7, 11],
    ]
    const tensors = correspondingTensors(await opened(baseline), await opened(build))
    const read = async (index: number) => ({ baseline: feed(given[index]!), build: feed(given[index]!) })
    const steps: [number, number][] = []
    const distances = await tensorDistances({ baseline, build, tensors, feeds: 2, read }, onnxRuntime, (done, total) =>
      steps.push([done, total]),
    )
    const expected = given.flat().map((value) => Math.fround(3 * Math.fround(value)))
    // Scale 0.25, zero point 128: from −32 to 31.75; −60 and 33 lie outside.
    const found = expected.map((value) => 0.25 * Math.min(127, Math.max(-128, Math.round(value / 0.25))))
    const signal = expected.reduce((sum, value) => sum + value * value, 0)
    const noise = expected.reduce((sum, value, index) => sum + (value - found[index]!) ** 2, 0)
    const distance = distances.get('y')!
    expect(distance.sqnrDb).toBeCloseTo(10 * Math.log10(signal / noise), 5)
    expect(distance.maxAbsDiff).toBeCloseTo(28, 5)
    expect(distance).toMatchObject({ values: 8, clipped: 2, notFinite: 0, min: -60, max: 33 })
    // Half a step beyond the ends still rounds into the grid.
    const beyond = (60 - 32.125) ** 2 + (33 - 31.875) ** 2
    expect(distance.clippingShare).toBeCloseTo(beyond / noise, 5)
    expect(steps).toEqual([
      [1, 2],
      [2, 2],
    ])
  })
})

describe('DistanceSum', () => {
  const tensors = (values: readonly number[]): NamedTensors => ({
    t: { type: 'float32', dims: [values.length], values: Float32Array.from(values) },
  })

  it('reads float16 by its bits', () => {
    const sum = new DistanceSum(undefined)
    sum.add(tensors([1, 2]), 't', { t: { type: 'float16', dims: [2], values: Uint16Array.of(floatToHalf(1), floatToHalf(2.5)) } }, 't')
    expect(sum.result()).toMatchObject({ maxAbsDiff: 0.5, values: 2 })
  })

  it('counts what is not finite in the build alone, and calls it the worst there is', () => {
    const sum = new DistanceSum(undefined)
    sum.add(tensors([1, Number.NaN, 3, 4]), 't', tensors([1, 5, Number.POSITIVE_INFINITY, Number.NaN]), 't')
    expect(sum.result()).toMatchObject({ notFinite: 2, sqnrDb: -300, maxAbsDiff: null, min: 1, max: 4 })
  })

  it('has no result for what cannot be compared', () => {
    const sum = new DistanceSum(undefined)
    sum.add(tensors([1, 2]), 't', tensors([1]), 't')
    expect(sum.result()).toBeUndefined()
    const missing = new DistanceSum(undefined)
    missing.add(tensors([1]), 't', {}, 't')
    expect(missing.result()).toBeUndefined()
    expect(new DistanceSum(undefined).result()).toBeUndefined()
  })

  it('does not depend on how values are cut into feeds', () => {
    const values = fc.array(fc.tuple(fc.float({ noNaN: true, min: -100, max: 100 }), fc.float({ noNaN: true, min: -1, max: 1 })), {
      minLength: 2,
      maxLength: 30,
    })
    fc.assert(
      fc.property(values, fc.nat(), (pairs, at) => {
        const [expected, found] = [pairs.map(([value]) => value), pairs.map(([value, noise]) => value + noise)]
        const cut = 1 + (at % (pairs.length - 1))
        const [whole, parts] = [new DistanceSum(undefined), new DistanceSum(undefined)]
        whole.add(tensors(expected), 't', tensors(found), 't')
        parts.add(tensors(expected.slice(0, cut)), 't', tensors(found.slice(0, cut)), 't')
        parts.add(tensors(expected.slice(cut)), 't', tensors(found.slice(cut)), 't')
        const [a, b] = [whole.result()!, parts.result()!]
        if (a.sqnrDb === null) expect(b.sqnrDb).toBeNull()
        else expect(b.sqnrDb).toBeCloseTo(a.sqnrDb, 6)
        expect(b).toMatchObject({ maxAbsDiff: a.maxAbsDiff, values: a.values, min: a.min, max: a.max })
      }),
    )
  })
})
