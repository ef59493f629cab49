import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeWire, encodeWire } from '../../../src/contract/agent-wire.ts'
import { evaluateResultSchema } from '../../../src/contract/evaluation.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { wilsonInterval } from '../../../src/core/statistics/proportion.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { EvaluationFixture } from './evaluation-fixture.ts'
import { identityModel, linearModel, oneNodeModel } from './small-models.ts'

const SAMPLES = 53

let fixture: EvaluationFixture
let scores: Float32Array
let labels: Int32Array

/** y = x + offset on [batch, width], with a second output z = x. */
function shiftedModel(batch: number | string, width: number, offset: readonly number[], input = 'x'): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [makeNode('Add', [input, 'offset'], ['y']), makeNode('Identity', [input], ['z'])],
      inputs: [makeValueInfo(input, 'float32', [batch, width])],
      outputs: [makeValueInfo('y', 'float32', [batch, width]), makeValueInfo('z', 'float32', [batch, width])],
      initializers: [makeTensor('offset', 'float32', [width], Float32Array.from(offset))],
    }),
  )
}

beforeAll(async () => {
  fixture = await EvaluationFixture.make()
  const random = seededRandom(21)
  scores = Float32Array.from({ length: SAMPLES * 3 }, () => Math.fround(random.uniform() * 4 - 2))
  labels = Int32Array.from({ length: SAMPLES }, () => random.below(3))
  const shape = [SAMPLES, 3]
  await fixture.model('identity', identityModel('N', [3]))
  await fixture.model('identity of five', identityModel(5, [3]))
  await fixture.model('shifted', shiftedModel('N', 3, [0.25, 0, 0]))
  await fixture.model('shifted of four', shiftedModel(4, 3, [0.25, 0, 0]))
  await fixture.model('unshifted of seven', shiftedModel(7, 3, [0, 0, 0], 'other'))
  await fixture.model('unshifted', shiftedModel('N', 3, [0, 0, 0]))
  await fixture.model('single', identityModel('N', [1]))
  await fixture.model('flat', oneNodeModel('Squeeze', { type: 'float32', shape: ['N', 1] }, { type: 'float32', shape: ['N'] }, {}))
  await fixture.model('sigmoid', oneNodeModel('Sigmoid', { type: 'float32', shape: ['N', 1] }, { type: 'float32', shape: ['N', 1] }))
  await fixture.model('root', oneNodeModel('Sqrt', { type: 'float32', shape: ['N', 3] }, { type: 'float32', shape: ['N', 3] }))
  await fixture.model('softmax', oneNodeModel('Softmax', { type: 'float32', shape: ['N', 3] }, { type: 'float32', shape: ['N', 3] }))
  await fixture.model(
    'to two',
    linearModel('N', [
      [1, 0],
      [0, 1],
      [0, 0],
    ]),
  )
  await fixture.model('sums', oneNodeModel('ReduceMean', { type: 'float32', shape: ['N', 3] }, { type: 'float32', shape: [1, 1] }))
  await fixture.model('integers', oneNodeModel('Cast', { type: 'float32', shape: ['N', 3] }, { type: 'int64', shape: ['N', 3] }, { to: 7 }))
  await fixture.dataset('labelled', { x: [shape, scores], labels: [[SAMPLES], labels] })
  await fixture.dataset('bare', { x: [shape, scores] })
  await fixture.dataset('negative', { x: [[2, 3], Float32Array.of(1, 1, 4, -1, 4, 1)] })
  await fixture.dataset('values', { x: [shape, scores], targets: [shape, scores.map((score) => score / 2 + 0.125)] })
  await fixture.dataset('two values', { x: [shape, scores], targets: [[SAMPLES, 2], scores.subarray(0, SAMPLES * 2)] })
})
afterAll(() => fixture.remove())

describe('a single score a sample', () => {
  it('answers labels 0 and 1, as probability or logit', async () => {
    const logits = Float32Array.of(-3, -0.5, 0.25, 2, 0.75, -0.25)
    const truth = Int32Array.of(0, 1, 1, 1, 0, 0)
    await fixture.dataset('binary', { x: [[6, 1], logits], labels: [[6], truth] })
    const expected = { task: 'classification', metrics: { accuracy: 4 / 6 }, classification: { classes: 2, confusion: [2, 1, 1, 2] } }
    const found = await fixture.evaluate('single', 'binary', { batch: 4 })
    expect(found).toMatchObject({ ...expected, classification: { ...expected.classification, calibration: { scores: 'logits' } } })
    expect(found.metrics.accuracyCi95).toEqual(wilsonInterval(4, 6))
    expect(found.perSample.predictions).toEqual(Int32Array.of(0, 0, 1, 1, 1, 0))
    expect(found.perSample.confidence?.[0]).toBeCloseTo(1 / (1 + Math.exp(-3)), 6)
    const sigmoid = await fixture.evaluate('sigmoid', 'binary', { baseline: 'single' })
    expect(sigmoid.classification?.calibration?.scores).toBe('probabilities')
    expect(sigmoid.perSample.predictions).toEqual(found.perSample.predictions)
    expect(sigmoid.perSample.confidence?.[0]).toBeCloseTo(1 / (1 + Math.exp(-3)), 6)
    // Without a dimension for the score.
    expect((await fixture.evaluate('flat', 'binary', { batch: 3 })).perSample.predictions).toEqual(found.perSample.predictions)
    expect(sigmoid.metrics.agreement).toBe(1)
    expect(sigmoid.perSample.baselinePredictions).toEqual(found.perSample.predictions)
  })
})

describe('regression', () => {
  it('measures the errors of each value, streamed', async () => {
    for (const batch of [1, 10, 4096]) {
      const found = await fixture.evaluate('identity', 'values', { batch })
      expect(evaluateResultSchema.parse(found)).toEqual(found)
      expect(found.task).toBe('regression')
      // predicted − actual = score − (score ÷ 2 + ⅛)
      const errors = [...scores].map((score) => score / 2 - 0.125)
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
      expect(found.metrics.mae).toBeCloseTo(mean(errors.map(Math.abs)), 5)
      expect(found.metrics.rmse).toBeCloseTo(Math.sqrt(mean(errors.map((error) => error * error))), 5)
      expect(found.metrics.maxError).toBeCloseTo(Math.max(...errors.map(Math.abs)), 5)
      expect(found.regression?.bias).toBeCloseTo(mean(errors), 5)
      expect(found.regression?.perOutput).toHaveLength(3)
      const [low, high] = found.metrics.maeCi95 as [number, number]
      expect(low < (found.metrics.mae ?? 0) && (found.metrics.mae ?? 0) < high).toBe(true)
      expect(found.perSample.predicted).toEqual(scores)
      expect(found.metrics.accuracy).toBeUndefined()
    }
  })

  it('takes the first floating point output of the width of the targets', async () => {
    expect((await fixture.evaluate('shifted', 'values')).perSample.predicted?.[0]).toBe((scores[0] ?? 0) + 0.25)
    expect((await fixture.evaluate('to two', 'two values')).regression?.width).toBe(2)
    expect(await fixture.failure('identity', 'two values')).toMatchObject({
      code: 'EVALUATION_IMPOSSIBLE',
      message: expect.stringMatching(/2 values a sample.*"y" float32\[8,3\] for 8 samples/),
    })
  })

  it('refuses answers that are not numbers, naming the sample', async () => {
    await fixture.dataset('roots', {
      x: [[3, 3], Float32Array.of(1, 1, 1, 4, 4, 4, 1, -1, 1)],
      targets: [[3, 3], new Float32Array(9).fill(0.5)],
    })
    const { code, message } = await fixture.failure('root', 'roots', { batch: 2 })
    expect([code, message]).toEqual(['EVALUATION_IMPOSSIBLE', 'Output "y" is NaN for sample 2: errors of regression need finite numbers.'])
  })

  it('compares with a baseline as well, and finds no classes in values', async () => {
    const found = await fixture.evaluate('shifted', 'values', { baseline: 'unshifted' })
    expect(found.task).toBe('regression')
    expect(found.metrics.maxAbsDiff).toBeCloseTo(0.25, 6)
    expect(found.metrics.agreement).toBeNull()
    expect(found.perSample.baselinePredictions).toBeUndefined()
  })
})

describe('parity', () => {
  /** Worked out again from the scores, for a shift of ¼ in the first of three values. */
  function expected() {
    const rows = Array.from({ length: SAMPLES }, (_, i) => [...scores.subarray(3 * i, 3 * i + 3)])
    const shifted = rows.map(([a, b, c]) => [Math.fround((a ?? 0) + 0.25), b ?? 0, c ?? 0])
    const power = (row: readonly number[]) => row.reduce((sum, value) => sum + value * value, 0)
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
    const cosines = rows.map((row, i) => dot(row, shifted[i] ?? []) / Math.sqrt(power(row) * power(shifted[i] ?? [])))
    const top = (row: readonly number[]) => row.indexOf(Math.max(...row))
    return {
      sqnrDb: 10 * Math.log10(power(rows.flat()) / (SAMPLES / 16)),
      sampleDb: rows.map((row) => 10 * Math.log10(power(row) * 16)),
      cosine: cosines.reduce((sum, value) => sum + value, 0) / SAMPLES,
      worstCosine: Math.min(...cosines),
      same: rows.filter((row, i) => top(row) === top(shifted[i] ?? [])).length,
      predictions: shifted.map(top),
      baselinePredictions: rows.map(top),
    }
  }

  it('needs no labels: each output for itself, each sample by its worst output', async () => {
    const wanted = expected()
    const found = await fixture.evaluate('shifted', 'bare', { baseline: 'unshifted' })
    expect(evaluateResultSchema.parse(found)).toEqual(found)
    expect(decodeWire(encodeWire(found))).toEqual(found)
    const [y, z] = found.parity?.outputs ?? []
    expect(found.task).toBe('parity')
    expect(y).toMatchObject({ name: 'y', type: 'float32', agreement: wanted.same / SAMPLES })
    expect(y?.sqnrDb).toBeCloseTo(wanted.sqnrDb, 4)
    expect(y?.cosine).toBeCloseTo(wanted.cosine, 6)
    expect(y?.worstCosine).toBeCloseTo(wanted.worstCosine, 6)
    expect(y?.maxAbsDiff).toBeCloseTo(0.25, 6)
    expect(y?.meanAbsDiff).toBeCloseTo(0.25 / 3, 6)
    expect(z).toEqual({ name: 'z', type: 'float32', sqnrDb: null, cosine: 1, worstCosine: 1, maxAbsDiff: 0, meanAbsDiff: 0, agreement: 1 })
    expect(found.metrics).toMatchObject({ sqnrDb: y?.sqnrDb, maxAbsDiff: y?.maxAbsDiff, agreement: wanted.same / SAMPLES })
    expect(found.metrics.agreementCi95).toEqual(wilsonInterval(wanted.same, SAMPLES))
    found.perSample.sampleSqnrDb?.forEach((decibels, i) => {
      expect(decibels).toBeCloseTo(wanted.sampleDb[i] ?? Number.NaN, 3)
    })
    expect([...(found.perSample.predictions ?? [])]).toEqual(wanted.predictions)
    expect([...(found.perSample.baselinePredictions ?? [])]).toEqual(wanted.baselinePredictions)
  })

  it('is the same whatever the batches: open, fixed ones that differ, other input names', async () => {
    const open = await fixture.evaluate('shifted', 'bare', { baseline: 'unshifted' })
    const numbers = ({ metrics, parity, perSample }: typeof open) => ({ metrics, parity, perSample })
    for (const [model, baseline] of [
      ['shifted of four', 'unshifted'],
      ['shifted', 'unshifted of seven'],
      ['shifted of four', 'unshifted of seven'],
    ] as const) {
      expect(numbers(await fixture.evaluate(model, 'bare', { baseline, batch: 3 })), `${model} beside ${baseline}`).toEqual(numbers(open))
    }
  })

  it('goes with accuracy where there are labels', async () => {
    const found = await fixture.evaluate('shifted', 'labelled', { baseline: 'identity of five' })
    const plain = await fixture.evaluate('shifted', 'labelled')
    expect(found).toMatchObject({ task: 'classification', classification: plain.classification, parity: { outputs: [{ name: 'y' }] } })
    expect(found.metrics).toMatchObject(plain.metrics)
    expect(found.metrics.agreement).toBe(expected().same / SAMPLES)
    expect([...(found.perSample.baselinePredictions ?? [])]).toEqual(expected().baselinePredictions)
  })

  it('is what is left where labels or targets do not fit, and says so', async () => {
    expect(await fixture.failure('integers', 'labelled')).toMatchObject({ code: 'MODEL_NOT_CLASSIFIER' })
    const found = await fixture.evaluate('integers', 'labelled', { baseline: 'integers' })
    expect(found).toMatchObject({ task: 'parity', metrics: { sqnrDb: null, cosine: 1, maxAbsDiff: 0, agreement: null } })
    expect(fixture.log).toEqual([expect.stringMatching(/labels of labelled are not used/)])
    expect((await fixture.evaluate('identity', 'two values', { baseline: 'identity' })).task).toBe('parity')
    expect(fixture.log).toEqual([expect.stringMatching(/No output has 2 values a sample/)])
  })

  it('counts values that are not numbers as −300 dB and says how many', async () => {
    const found = await fixture.evaluate('root', 'negative', { baseline: 'identity' })
    expect(found.perSample.sampleSqnrDb?.[1]).toBe(-300)
    expect(found.metrics).toMatchObject({ sqnrDb: -300, maxAbsDiff: 2 })
    expect(found.perSample.predictions).toEqual(Int32Array.of(2, -1))
    expect(fixture.log).toEqual([expect.stringMatching(/^1 values of outputs are not finite/)])
    expect(decodeWire(encodeWire(found))).toEqual(found)
  })

  it('compares an output without samples as a whole', async () => {
    const found = await fixture.evaluate('sums', 'bare', { baseline: 'sums', batch: 6 })
    expect(found.parity?.outputs[0]).toMatchObject({ sqnrDb: null, cosine: 1, agreement: null })
  })

  it('refuses models that cannot be compared', async () => {
    expect(await fixture.failure('identity', 'bare')).toMatchObject({
      code: 'EVALUATION_IMPOSSIBLE',
      hint: expect.stringMatching(/--baseline/),
    })
    expect(await fixture.failure('to two', 'bare', { baseline: 'identity' })).toMatchObject({
      code: 'EVALUATION_IMPOSSIBLE',
      message: expect.stringMatching(/"y" of the model is float32\[8,2\], that of the baseline float32\[8,3\]/),
    })
    expect(await fixture.failure('identity', 'bare', { baseline: 'no such file' })).toMatchObject({ code: 'ENOENT' })
  })
})
