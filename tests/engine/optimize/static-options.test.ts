import { describe, expect, it } from 'vitest'
import { FidelityAccumulator } from '../../../src/core/metrics/fidelity.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { StaticQuantization } from '../../../src/core/quantization/static-quantization.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model, quantization, quantizeStatic, weights } from './small-models.ts'

/** Two convolutions with a ReLU between, and a third beside them. */
const network = model(
  ['N', 3, 8, 8],
  [
    makeNode('Conv', ['x', 'w1', 'b1'], ['h'], { pads: [1, 1, 1, 1] }, { name: 'stem.conv' }),
    makeNode('Relu', ['h'], ['r'], {}, { name: 'stem.relu' }),
    makeNode('Conv', ['r', 'w2'], ['s'], {}, { name: 'head.a' }),
    makeNode('Conv', ['r', 'w3'], ['t'], {}, { name: 'head.b' }),
    makeNode('Add', ['s', 't'], ['y'], {}, { name: 'head.add' }),
  ],
  [weights('w1', [8, 3, 3, 3]), weights('b1', [8]), weights('w2', [8, 8, 3, 3]), weights('w3', [8, 8, 3, 3])],
  { y: ['N', 8, 6, 6] },
)

describe('which nodes', () => {
  it('quantizes only what is included, less what is excluded', async () => {
    const { quantized, skipped } = await quantizeStatic(network, { include: ['head.*', 'stem.conv'], exclude: ['*.b'] })
    expect(quantized).toEqual(['stem.conv', 'head.a'])
    expect(skipped.filter(({ reason }) => reason === 'excluded by the recipe').map(({ node }) => node)).toContain('head.b')
  })
})

describe('which ranges', () => {
  it('takes a range from the recipe instead of what calibration found', async () => {
    const { model: built } = await quantizeStatic(network, { overrides: { r: { min: -1, max: 4 } } })
    const { scales, zeroPoints } = quantization(built, 'r')
    expect([scales[0], zeroPoints[0]]).toEqual([Math.fround(5 / 255), 51])
  })

  it('takes scale and zero point as they are', async () => {
    const { model: built } = await quantizeStatic(network, { overrides: { r: { scale: 0.25, zeroPoint: 3 } } })
    expect(quantization(built, 'r')).toMatchObject({ scales: [0.25], zeroPoints: [3] })
  })

  it('refuses an override that fits nothing, naming what there is', async () => {
    await expect(quantizeStatic(network, { overrides: { relu: { min: 0, max: 1 } } })).rejects.toThrow(
      expect.objectContaining({ code: 'RECIPE_NOT_APPLICABLE', message: expect.stringContaining('x, ') }),
    )
    await expect(quantizeStatic(network, { target: 'arm64', overrides: { r: { scale: 1, zeroPoint: 200 } } })).rejects.toThrow(/zero point/)
    await expect(quantizeStatic(network, { overrides: { r: { min: 2, max: 1 } } })).rejects.toThrow(/not a range/)
  })

  it('puts the zero point in the middle when asked, and keeps the ReLU then', async () => {
    const { model: built } = await quantizeStatic(network, { symmetricActivations: true })
    expect(quantization(built, 'r').zeroPoints).toEqual([128])
    expect(built.graph?.node.map(({ opType }) => opType)).toContain('Relu')
  })

  it('reports scale and zero point of every activation, with the limits of the ReLU it took over', async () => {
    const { tensors } = await quantizeStatic(network)
    const relu = tensors.find(({ tensor }) => tensor === 'r')
    expect(relu).toMatchObject({ after: 'r', type: 'uint8', zeroPoint: 0, absorbed: { min: 0, max: Number.POSITIVE_INFINITY } })
    expect(tensors.find(({ tensor }) => tensor === 'x')).toMatchObject({ before: 'x', type: 'uint8' })
  })
})

describe('weight scales', () => {
  it.each(['pair-safe', 'full-range', 'reduced-range'] as const)('are %s when asked', async (weightScale) => {
    const alike = model(
      ['N', 2, 4, 4],
      [makeNode('Conv', ['x', 'w'], ['y'], {}, { name: 'conv' })],
      [constant('w', [1, 2, 1, 1], [1, 1])],
      {
        y: ['N', 1, 4, 4],
      },
    )
    const { model: built } = await quantizeStatic(alike, { weightScale })
    const expected = { 'pair-safe': 2 / 127.5, 'full-range': 1 / 127, 'reduced-range': 1 / 64 }[weightScale]
    expect(quantization(built, 'w').scales[0]).toBeCloseTo(expected, 7)
  })
})

describe('bias correction', () => {
  /** Weights of which a quarter lies half a step from an integer: rounding them shifts the mean of every output. */
  const steps = Array.from({ length: 64 }, (_, index) => (index === 0 ? 1 : 0.5 / 127))
  const shifted = model(
    ['N', 64],
    [makeNode('Gemm', ['x', 'w', 'b'], ['y'], {}, { name: 'fc' })],
    [constant('w', [64, 1], steps), constant('b', [1], [0.5])],
    { y: ['N', 1] },
  )

  it('brings the mean of the outputs back', async () => {
    const positive = {
      ...feedsOf(shifted),
      read: async () => ({ x: { type: 'float32' as const, dims: [1, 64], values: new Float32Array(64).fill(0.5) } }),
    }
    const error = async (biasCorrection: boolean): Promise<number> => {
      const options = { target: 'x64-vnni', perChannel: true, exclude: [], biasCorrection } as const
      const { model: built } = (await StaticQuantization.calibrated(shifted, positive, onnxRuntime, options)).quantize()
      const outputs = await Promise.all(
        [encodeModel(shifted), encodeModel(built)].map(async (bytes) => {
          const loaded = await onnxRuntime.load(bytes, { optimization: 'disabled' })
          const { y } = await loaded.run(await positive.read())
          await loaded.close()
          return y!.values as Float32Array
        }),
      )
      const fidelity = new FidelityAccumulator()
      fidelity.add(outputs[0]!, outputs[1]!)
      return fidelity.result().maxAbsDiff
    }
    // Ties go to even: 63 weights of half a step become 0, 63 · 0.5/127 · 0.5 = 0.124 is missing.
    expect(await error(false)).toBeCloseTo(0.124, 2)
    expect(await error(true)).toBeLessThan(0.002)
  })

  it('gives a convolution without bias one, and fuses all the same', async () => {
    const { quantized, kernels, sqnrDb } = await quantizeStatic(network, { biasCorrection: true })
    const { sqnrDb: without } = await quantizeStatic(network)
    expect(kernels.kernels).toHaveLength(quantized.length)
    expect(sqnrDb).toBeGreaterThan(without - 0.5)
  })
})

describe('calibrators', () => {
  it.each(['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const)('%s gives a close build', async (calibrator) => {
    const { sqnrDb, quantized } = await quantizeStatic(network, { calibrators: [calibrator] })
    expect(quantized).toHaveLength(4)
    expect(sqnrDb).toBeGreaterThan(20)
  })
})

describe('excluded nodes', () => {
  /** Three units in a row; whatever stands in the middle could run in 8 bits. */
  const chain = (middle: readonly ReturnType<typeof makeNode>[]) =>
    model(
      ['N', 8, 8, 8],
      [
        makeNode('Conv', ['x', 'w1'], ['a'], { pads: [1, 1, 1, 1] }, { name: 'first' }),
        ...middle,
        makeNode('Conv', ['b', 'w3'], ['y'], { pads: [1, 1, 1, 1] }, { name: 'last' }),
      ],
      [weights('w1', [8, 8, 3, 3]), weights('w2', [8, 8, 3, 3]), weights('w3', [8, 8, 3, 3])],
      { y: ['N', 8, 'h', 'w'] },
    )
  const conv = (output: string) => makeNode('Conv', ['a', 'w2'], [output], { pads: [1, 1, 1, 1] }, { name: 'middle' })

  it.each([
    ['a convolution', [conv('b')]],
    ['a convolution and its ReLU', [conv('m'), makeNode('Relu', ['m'], ['b'], {}, { name: 'relu' })]],
    ['a convolution and a pooling', [conv('m'), makeNode('MaxPool', ['m'], ['b'], { kernel_shape: [2, 2] }, { name: 'pool' })]],
    ['a sum of activations', [makeNode('Add', ['a', 'a'], ['b'], {}, { name: 'middle' })]],
    ['a sigmoid', [makeNode('Sigmoid', ['a'], ['b'], {}, { name: 'middle' })]],
  ])('stay in float also between quantized ones: %s', async (_, middle) => {
    const source = chain(middle)
    const all = await quantizeStatic(source)
    expect(all.kernels.others.has('middle')).toBe(false)
    const { quantized, kernels, sqnrDb } = await quantizeStatic(source, { exclude: ['middle'] })
    expect(quantized).toEqual(expect.arrayContaining(['first', 'last']))
    expect(kernels.kernels.filter(({ op }) => op === 'QLinearConv')).toHaveLength(2)
    expect(kernels.kernels.map(({ op }) => op)).not.toEqual(expect.arrayContaining([expect.stringMatching(/QLinear(Add|Sigmoid)/)]))
    expect(sqnrDb).toBeGreaterThan(all.sqnrDb - 1)
  })

  it('cost nothing where nothing is excluded', async () => {
    const { model: built } = await quantizeStatic(chain([conv('b')]))
    expect(built.graph?.node.some(({ opType }) => opType === 'Sum')).toBe(false)
  })
})
