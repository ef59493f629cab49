import { readFile } from 'node:fs/promises'
import type { ModelProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import type { InferenceRuntime, NamedTensors } from '../../../src/core/inference-runtime.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64 } from '../../../src/core/onnx/tensor-values.ts'
import type { CollectOptions } from '../../../src/core/quantization/calibration/calibration-statistics.ts'
import { CalibrationStatistics } from '../../../src/core/quantization/calibration/calibration-statistics.ts'
import type { RangeChoice } from '../../../src/core/quantization/calibration/tensor-statistics.ts'
import type { CalibrationSamples } from '../../../src/core/quantization/calibration-samples.ts'
import { valueRange } from '../../../src/core/quantization/quantize-tensor.ts'
import { collectRanges } from '../../../src/core/quantization/range-collection.ts'
import { encodeWithOutputs } from '../../../src/core/quantization/tensor-facts.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model, weights } from './small-models.ts'

const HOW: RangeChoice = { type: 'uint8', symmetric: false, percentile: 90 }

function samplesOf(...feeds: NamedTensors[]): CalibrationSamples {
  return { feeds: feeds.length, read: async (index) => feeds[index]! }
}

function floats(dims: readonly number[], values: readonly number[]): NamedTensors[string] {
  return { type: 'float32', dims, values: Float32Array.from(values) }
}

/** Feeds for input `x` [1, 2, n] of different lengths. */
const ragged = samplesOf(
  ...[3, 5, 1, 0, 4].map((length, feed) => ({
    x: floats(
      [1, 2, length],
      Array.from({ length: 2 * length }, (_, index) => Math.sin(feed * 10 + index * 3) * (feed + 1)),
    ),
  })),
)

/** x → Abs → a → Mul by 3 → y; x → Shape → s. */
function raggedModel(opset?: number): ModelProto {
  const nodes = [
    makeNode('Abs', ['x'], ['a'], {}, { name: 'abs' }),
    makeNode('Mul', ['a', 'three'], ['y'], {}, { name: 'mul' }),
    makeNode('Shape', ['x'], ['s'], {}, { name: 'shape' }),
  ]
  return model([1, 2, 'n'], nodes, [constant('three', [], [3])], { y: [1, 2, 'n'] }, opset === undefined ? {} : { opset })
}

/** Every value of the tensors by reading them all: what the statistics are about. */
async function readAll(
  source: ModelProto,
  tensors: readonly string[],
  samples: CalibrationSamples,
): Promise<Map<string, NamedTensors[string][]>> {
  const inputs = new Set(source.graph!.input.map(({ name }) => name))
  const loaded = await onnxRuntime.load(
    encodeWithOutputs(
      source,
      tensors.filter((name) => !inputs.has(name)),
    ),
    { optimization: 'disabled' },
  )
  const found = new Map<string, NamedTensors[string][]>(tensors.map((name) => [name, []]))
  for (let index = 0; index < samples.feeds; index++) {
    const feed = await samples.read(index)
    const results = await loaded.run(feed)
    for (const name of tensors) found.get(name)!.push((results[name] ?? feed[name])!)
  }
  await loaded.close()
  return found
}

function joined(feeds: readonly NamedTensors[string][]): Float32Array {
  return Float32Array.from(feeds.flatMap(({ values }) => [...(values as Float32Array)]))
}

/** The real runtime, counting the models it loads and the values that come out of them. */
function counting() {
  const counts = { loads: 0, runs: 0, values: 0 }
  const runtime: InferenceRuntime = {
    ...onnxRuntime,
    load: async (bytes, options) => {
      const loaded = await onnxRuntime.load(bytes, options)
      counts.loads++
      return {
        ...loaded,
        run: async (feed) => {
          const results = await loaded.run(feed)
          counts.runs++
          for (const { values } of Object.values(results)) counts.values += values.length
          return results
        },
      }
    },
  }
  return { runtime, counts }
}

const collect = (source: ModelProto, tensors: readonly string[], samples: CalibrationSamples, options: CollectOptions) =>
  CalibrationStatistics.collect(source, tensors, samples, onnxRuntime, options)

describe('ranges', () => {
  it.each([7, 11, 13, 18, 21, 26])('are those of all values of feeds of different shapes, opset %i', async (opset) => {
    const source = raggedModel(opset)
    const all = await readAll(source, ['x', 'a', 'y'], ragged)
    for (const histograms of [false, true]) {
      const statistics = await collect(source, ['x', 'a', 'y', 's'], ragged, { histograms, means: [{ tensor: 'a', axis: 1 }] })
      for (const [tensor, feeds] of all) expect(statistics.range(tensor, 'minmax', HOW), tensor).toEqual(valueRange(joined(feeds)))
      expect(statistics.range('s', 'minmax', HOW)).toBeUndefined()
      const channels = [0, 1].map((channel) =>
        all.get('a')!.flatMap(({ values, dims }) => [...(values as Float32Array)].slice(channel * dims[2]!, (channel + 1) * dims[2]!)),
      )
      const means = channels.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length)
      expect([...statistics.channelMeans('a')!]).toEqual(means.map((mean) => expect.closeTo(mean, 5)))
    }
  })

  it('take out single numbers, not activations', async () => {
    const { runtime, counts } = counting()
    const samples = samplesOf({ x: floats([1, 2, 5000], new Array<number>(10_000).fill(2)) })
    await CalibrationStatistics.collect(raggedModel(), ['x', 'a', 'y'], samples, runtime, {
      histograms: false,
      means: [{ tensor: 'a', axis: 1 }],
    })
    // Smallest, largest and sum of three tensors; two means and three dimensions.
    expect(counts).toEqual({ loads: 2, runs: 1, values: 14 })
  })

  it('leave the model as it was', async () => {
    const source = raggedModel(21)
    const before = encodeModel(source)
    await collect(source, ['a'], ragged, { histograms: true, means: [{ tensor: 'a', axis: 1 }] })
    expect(encodeModel(source)).toEqual(before)
  })

  it('are those of the sample model as they were read before', async () => {
    const source = decodeModel(await readFile(new URL('../../../models/fashion-mobilenet.onnx', import.meta.url)), 'fashion-mobilenet.onnx')
    const tensors = [...source.graph!.input.map(({ name }) => name), ...source.graph!.node.flatMap(({ output }) => output)]
    const samples = feedsOf(source, 3)
    const found = await collectRanges(source, tensors, samples, onnxRuntime)
    const all = await readAll(source, tensors, samples)
    expect(tensors.length).toBeGreaterThan(40)
    for (const tensor of tensors) expect(found.get(tensor), tensor).toEqual(valueRange(joined(all.get(tensor)!)))
  })

  it('are of the feeds asked for only', async () => {
    const statistics = await collect(raggedModel(), ['x'], ragged, { histograms: false, feeds: [2, 0] })
    const all = (await readAll(raggedModel(), ['x'], ragged)).get('x')!
    expect(statistics.range('x', 'minmax', HOW)).toEqual(valueRange(joined([all[0]!, all[2]!])))
    const last = valueRange(joined([all[0]!]))!
    const first = valueRange(joined([all[2]!]))!
    expect(statistics.range('x', 'moving-average', HOW)!.max).toBeCloseTo((first.max * 0.99 + last.max) / 1.99, 6)
  })

  it('work for initializers, scalars, a model without the standard operators and nothing at all', async () => {
    const scalar = model([], [makeNode('Abs', ['x'], ['a']), makeNode('Add', ['a', 'c'], ['y'])], [constant('c', [2], [-4, 5])], { y: [2] })
    const found = await collect(scalar, ['x', 'a', 'c', 'y'], samplesOf({ x: floats([], [-3]) }), { histograms: true })
    const ranges = ['x', 'a', 'c', 'y'].map((tensor) => found.range(tensor, 'percentile', { ...HOW, percentile: 100 }))
    expect(ranges).toEqual([
      { min: -3, max: -3 },
      { min: 3, max: 3 },
      { min: -4, max: 5 },
      { min: -1, max: 8 },
    ])

    const foreign = makeModel({
      nodes: [makeNode('FusedMatMul', ['x', 'w'], ['y'], {}, { domain: 'com.microsoft' })],
      inputs: [makeValueInfo('x', 'float32', [2, 2])],
      outputs: [makeValueInfo('y', 'float32', [2, 2])],
      initializers: [weights('w', [2, 2])],
      domains: { 'com.microsoft': 1 },
    })
    foreign.opsetImport = foreign.opsetImport.filter(({ domain }) => domain !== '')
    const samples = samplesOf({ x: floats([2, 2], [1, 2, 3, 4]) })
    expect((await collect(foreign, ['x', 'y'], samples, { histograms: false })).range('x', 'minmax', HOW)).toEqual({ min: 1, max: 4 })
    expect(foreign.opsetImport.map(({ domain }) => domain)).toEqual(['com.microsoft'])
    expect((await collect(foreign, [], samples, { histograms: true })).range('x', 'minmax', HOW)).toBeUndefined()
    expect((await collect(foreign, ['x'], samplesOf(), { histograms: true })).range('x', 'minmax', HOW)).toBeUndefined()
  })
})

describe('values that are no numbers', () => {
  /** ReduceMin and ReduceMax of ONNX Runtime lose −50 and 100 among these: NaN sticks to a lane of the vector unit. */
  const poisoned = Array.from({ length: 32 }, (_, index) => ({ 1: Number.NaN, 9: 100, 17: -50 })[index] ?? index)

  it.each([false, true])('are left out, histograms %s', async (histograms) => {
    const samples = samplesOf({ x: floats([1, 2, 1], [1, 2]) }, { x: floats([1, 2, 16], poisoned) }, { x: floats([1, 2, 1], [7, 7]) })
    const statistics = await collect(raggedModel(), ['x', 'a'], samples, { histograms, means: [{ tensor: 'x', axis: 1 }] })
    expect(statistics.range('x', 'minmax', HOW)).toEqual({ min: -50, max: 100 })
    expect(statistics.range('a', 'minmax', HOW)).toEqual({ min: 0, max: 100 })
    expect(statistics.range('x', 'moving-average', HOW)!.max).toBeCloseTo((2 * 0.99 ** 2 + 100 * 0.99 + 7) / (0.99 ** 2 + 0.99 + 1), 5)
    const numbers = [poisoned.slice(0, 16), poisoned.slice(16)].map((channel) => channel.filter((value) => !Number.isNaN(value)))
    const means = numbers
      .map((channel, index) => [...channel, [1, 2][index]!, 7])
      .map((all) => all.reduce((sum, value) => sum + value, 0) / all.length)
    expect([...statistics.channelMeans('x')!]).toEqual(means.map((mean) => expect.closeTo(mean, 5)))
    if (histograms) expect(statistics.range('x', 'percentile', { ...HOW, percentile: 100 })).toEqual({ min: -50, max: 100 })
  })

  it.each([false, true])('infinite ones make the range infinite, a tensor of NaN alone has none, histograms %s', async (histograms) => {
    const nodes = [makeNode('Log', ['x'], ['log']), makeNode('Sub', ['log', 'log'], ['y'])]
    const source = model(['n'], nodes, [], { y: ['n'] })
    const statistics = await collect(source, ['log', 'y', 'x'], samplesOf({ x: floats([1], [0]) }), { histograms })
    expect(statistics.range('log', histograms ? 'mse' : 'minmax', HOW)).toEqual({
      min: Number.NEGATIVE_INFINITY,
      max: Number.NEGATIVE_INFINITY,
    })
    expect(statistics.range('y', 'minmax', HOW)).toBeUndefined()
    expect(statistics.range('x', 'minmax', HOW)).toEqual({ min: 0, max: 0 })
  })
})

describe('histograms', () => {
  it('give the same ranges in one pass and in one for each tensor', async () => {
    const source = raggedModel()
    const done: number[] = []
    const { runtime, counts } = counting()
    const [one, many] = await Promise.all([
      collect(source, ['x', 'a', 'y'], ragged, { histograms: true }),
      CalibrationStatistics.collect(source, ['x', 'a', 'y'], ragged, runtime, { histograms: true, mostValues: 1 }, (feeds) =>
        done.push(feeds),
      ),
    ])
    for (const tensor of ['x', 'a', 'y'])
      for (const calibrator of ['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const)
        expect(many.range(tensor, calibrator, HOW)).toEqual(one.range(tensor, calibrator, HOW))
    // Types, sizes, three passes over five feeds.
    expect(counts).toMatchObject({ loads: 5, runs: 16 })
    expect(done).toEqual([...done].sort((a, b) => a - b))
    expect([done.length, done.at(-1)]).toEqual([15, 5])
  })

  it('are made of tensors with any name', async () => {
    const nodes = [makeNode('Abs', ['constructor'], ['toString']), makeNode('Neg', ['toString'], ['probe_0'])]
    const source = makeModel({
      nodes,
      inputs: [makeValueInfo('constructor', 'float32', ['n'])],
      outputs: [makeValueInfo('probe_0', 'float32', ['n'])],
    })
    const samples = samplesOf({ constructor: floats([3], [-2, 0, 1]) } as unknown as NamedTensors)
    const statistics = await collect(source, ['constructor', 'toString', 'probe_0'], samples, { histograms: true })
    const ranges = ['constructor', 'toString', 'probe_0'].map((tensor) =>
      statistics.range(tensor, 'percentile', { ...HOW, percentile: 100 }),
    )
    expect(ranges).toEqual([
      { min: -2, max: 1 },
      { min: 0, max: 2 },
      { min: -2, max: -0 },
    ])
  })

  it('hold the percentile of all values', async () => {
    const source = model(['n'], [makeNode('Neg', ['x'], ['y'])], [], { y: ['n'] })
    const samples = samplesOf(
      ...Array.from({ length: 10 }, (_, feed) => ({
        x: floats(
          [100],
          Array.from({ length: 100 }, (_, index) => (feed * 100 + index) / 100),
        ),
      })),
    )
    const { min, max } = (await collect(source, ['y'], samples, { histograms: true })).range('y', 'percentile', { ...HOW, percentile: 80 })!
    expect([min, max]).toEqual([expect.closeTo(-9, 1), expect.closeTo(-1, 1)])
  })
})

describe('means', () => {
  const image = ['n', 3, 4, 4] as const

  it('are taken along any axis, of inputs and outputs too, more than one of a tensor', async () => {
    const nodes = [makeNode('Conv', ['x', 'w'], ['c'], { pads: [1, 1, 1, 1] }), makeNode('Relu', ['c'], ['y'])]
    const source = model(image, nodes, [weights('w', [5, 3, 3, 3])], { y: ['n', 5, 4, 4] }, { opset: 18 })
    const samples = feedsOf(source, 4)
    const means = [
      { tensor: 'x', axis: 1 },
      { tensor: 'y', axis: 1 },
      { tensor: 'y', axis: -1 },
    ]
    const statistics = await collect(source, ['c'], samples, { histograms: false, means })
    const all = await readAll(source, ['x', 'y'], samples)
    const mean = (tensor: string, of: (index: number) => boolean) => {
      const values = [...joined(all.get(tensor)!)].filter((_, index) => of(index))
      return expect.closeTo(values.reduce((sum, value) => sum + value, 0) / values.length, 5)
    }
    expect([...statistics.channelMeans('x')!]).toEqual(
      [0, 1, 2].map((channel) => mean('x', (index) => Math.floor(index / 16) % 3 === channel)),
    )
    expect([...statistics.channelMeans('y', 1)!]).toEqual(
      [0, 1, 2, 3, 4].map((channel) => mean('y', (index) => Math.floor(index / 16) % 5 === channel)),
    )
    expect([...statistics.channelMeans('y', -1)!]).toEqual([0, 1, 2, 3].map((column) => mean('y', (index) => index % 4 === column)))
    expect(['c', 'y'].map((tensor) => statistics.channelMeans(tensor))).toEqual([undefined, undefined])
  })

  it('are read where the graph does not know the rank', async () => {
    // The rank of what Reshape gives hangs on an input.
    const source = model(
      [12],
      [makeNode('Reshape', ['x', 'shape'], ['r']), makeNode('Abs', ['r'], ['y'])],
      [],
      { y: [] },
      { extraInputs: [makeValueInfo('shape', 'int64', ['rank'])] },
    )
    source.graph!.output = source.graph!.output.map((output) => Object.assign(output, { type: undefined }))
    const feed = { x: floats([12], [...Array(12).keys()]), shape: { type: 'int64' as const, dims: [2], values: BigInt64Array.of(3n, 4n) } }
    const statistics = await collect(source, ['y'], samplesOf(feed), { histograms: false, means: [{ tensor: 'r', axis: 0 }] })
    expect([...statistics.channelMeans('r')!]).toEqual([1.5, 5.5, 9.5])
    expect(statistics.range('y', 'minmax', HOW)).toEqual({ min: 0, max: 11 })
  })

  it('are unknown for a vector of changing length, an axis that does not exist, integers', async () => {
    const source = model(['n'], [makeNode('Shape', ['x'], ['s']), makeNode('Abs', ['x'], ['y'])], [makeInt64('unused', [1], [1])], {
      y: ['n'],
    })
    const samples = samplesOf({ x: floats([2], [1, 2]) }, { x: floats([3], [1, 2, 3]) })
    const means = [
      { tensor: 'x', axis: 0 },
      { tensor: 'y', axis: 4 },
      { tensor: 's', axis: 0 },
    ]
    const statistics = await collect(source, [], samples, { histograms: false, means })
    for (const { tensor } of means) expect(statistics.channelMeans(tensor)).toBeUndefined()
  })
})
