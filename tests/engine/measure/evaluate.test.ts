import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DatasetSource } from '../../../src/contract/dataset.ts'
import { type EvaluateResult, evaluateResultSchema } from '../../../src/contract/evaluation.ts'
import type { Progress } from '../../../src/contract/job.ts'
import { writeNpz } from '../../../src/core/datasets/write-npz.ts'
import { wilsonInterval } from '../../../src/core/statistics/proportion.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import type { MeasureContext } from '../../../src/engine/measure/benchmark.ts'
import { type EvaluateRequest, evaluate } from '../../../src/engine/measure/evaluate.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { identityModel, oneNodeModel } from './small-models.ts'

const SAMPLES = 101
const CLASSES = 7

let folder: string
let scores: Float32Array
let labels: Int32Array
const paths: Record<string, string> = {}
const datasets: Record<string, DatasetSource> = {}

async function model(name: string, bytes: Uint8Array): Promise<void> {
  paths[name] = join(folder, `${name}.onnx`)
  await writeFile(paths[name], bytes)
}

async function dataset(
  name: string,
  values: Float32Array,
  shape: number[],
  own: Int32Array | undefined,
  preprocessing = {},
): Promise<void> {
  const path = join(folder, `${name}.npz`)
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array) => new Uint8Array(buffer, byteOffset, byteLength)
  await writeFile(
    path,
    writeNpz([
      { name: 'x', type: 'float32', shape, bytes: bytesOf(values) },
      ...(own ? [{ name: 'labels', type: 'int32' as const, shape: [own.length], bytes: bytesOf(own) }] : []),
    ]),
  )
  datasets[name] = { format: 'npz', name, files: [{ role: 'samples', path }], preprocessing }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-evaluate-'))
  const random = seededRandom(4)
  scores = Float32Array.from({ length: SAMPLES * CLASSES }, () => Math.fround(random.uniform()))
  labels = Int32Array.from({ length: SAMPLES }, (_, i) => {
    const row = [...scores.subarray(i * CLASSES, (i + 1) * CLASSES)]
    // Two thirds right.
    return i % 3 === 0 ? random.below(CLASSES) : row.indexOf(Math.max(...row))
  })
  await model('open', identityModel('N', [CLASSES]))
  await model('fixed', identityModel(4, [CLASSES]))
  await model('trailing', identityModel('N', [CLASSES, 1, 1]))
  await model(
    'half',
    oneNodeModel('Cast', { type: 'float32', shape: ['N', CLASSES] }, { type: 'float16', shape: ['N', CLASSES] }, { to: 10 }),
  )
  await model('root', oneNodeModel('Sqrt', { type: 'float32', shape: ['N', CLASSES] }, { type: 'float32', shape: ['N', CLASSES] }))
  await model('one-score', identityModel('N', [1]))
  await model(
    'integers',
    oneNodeModel('Cast', { type: 'float32', shape: ['N', CLASSES] }, { type: 'int32', shape: ['N', CLASSES] }, { to: 6 }),
  )
  await dataset('good', scores, [SAMPLES, CLASSES], labels)
  await dataset('spatial', scores, [SAMPLES, CLASSES, 1, 1], labels)
  await dataset('unlabelled', scores, [SAMPLES, CLASSES], undefined)
  await dataset(
    'out of range',
    scores,
    [SAMPLES, CLASSES],
    labels.map((label, i) => (i === 50 ? CLASSES : label)),
  )
  await dataset('narrow', scores.subarray(0, SAMPLES), [SAMPLES, 1], labels)
  await dataset(
    'negated',
    scores.map((score) => 1 - score),
    [SAMPLES, CLASSES],
    labels,
    { scale: -1, mean: [-1] },
  )
  await dataset(
    'some negative',
    scores.map((score, i) => (i < 2 * CLASSES ? -score : score)),
    [SAMPLES, CLASSES],
    labels,
  )
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function run(modelName: string, datasetName: string, batch = 32, changes: Partial<MeasureContext> = {}) {
  const request: EvaluateRequest = { model: paths[modelName] as string, dataset: datasets[datasetName] as DatasetSource, batch, threads: 1 }
  const context: MeasureContext = {
    reporter: { progress: () => {}, log: () => {} },
    signal: new AbortController().signal,
    edgesmithVersion: '1.2.3',
    ...changes,
  }
  return evaluate(request, onnxRuntime, context)
}

function predictionsOf({ perSample }: EvaluateResult): Int32Array {
  return perSample.predictions as Int32Array
}

/** Counted again, the plain way. */
function expected() {
  const rows = Array.from({ length: SAMPLES }, (_, i) => [...scores.subarray(i * CLASSES, (i + 1) * CLASSES)])
  const predictions = rows.map((row) => row.indexOf(Math.max(...row)))
  const inTop5 = rows.filter((row, i) => {
    const best = row.map((score, index) => ({ score, index })).sort((a, b) => b.score - a.score)
    return best.slice(0, 5).some(({ index }) => index === labels[i])
  })
  const correct = predictions.filter((prediction, i) => prediction === labels[i]).length
  return { predictions, correct, top5: inTop5.length / SAMPLES }
}

describe('evaluate', () => {
  it('counts what a plain loop counts, whatever the batch', async () => {
    const { predictions, correct, top5 } = expected()
    for (const batch of [1, 10, 101, 4096]) {
      const found = await run('open', 'good', batch)
      expect(evaluateResultSchema.parse(found)).toEqual(found)
      expect([...predictionsOf(found)], `batch ${batch}`).toEqual(predictions)
      expect(found.perSample.labels).toEqual(labels)
      expect(found).toMatchObject({
        task: 'classification',
        samples: SAMPLES,
        classification: { classes: CLASSES, correct, unanswered: 0 },
        parity: null,
      })
      expect(found.metrics.accuracy).toBe(correct / SAMPLES)
      expect(found.metrics.top5).toBe(top5)
      expect(found.metrics.accuracyCi95).toEqual(wilsonInterval(correct, SAMPLES))
      expect(found.metrics.top5Ci95).toEqual(wilsonInterval(Math.round(top5 * SAMPLES), SAMPLES))
      expect(found.classification?.confusion?.reduce((sum, count) => sum + count, 0)).toBe(SAMPLES)
    }
  })

  it('fills the last batch of a model with a fixed one, and counts no sample twice', async () => {
    const { predictions } = expected()
    expect([...predictionsOf(await run('fixed', 'good'))]).toEqual(predictions)
  })

  it('takes scores with trailing ones, half precision, and preprocessed samples', async () => {
    const { predictions } = expected()
    expect([...predictionsOf(await run('trailing', 'spatial'))]).toEqual(predictions)
    expect([...predictionsOf(await run('open', 'negated'))]).toEqual(predictions)
    const half = await run('half', 'good')
    const agreeing = predictionsOf(half).filter((prediction, i) => prediction === predictions[i]).length
    // Rounding to half precision can only change rows whose best two scores are within 1/2048.
    expect(agreeing).toBeGreaterThan(SAMPLES - 3)
  })

  it('counts answers that are not numbers as wrong and says how many', async () => {
    const log: string[] = []
    const found = await run('root', 'some negative', 8, { reporter: { progress: () => {}, log: (text) => void log.push(text) } })
    expect([...predictionsOf(found).subarray(0, 3)]).toEqual([-1, -1, expected().predictions[2]])
    expect(log).toEqual(['2 of 101 samples have scores that are not numbers; they count as wrong.'])
  })

  it('gives coded errors for data and models that do not go together', async () => {
    const failures: [string, string, string, RegExp][] = [
      ['open', 'unlabelled', 'EVALUATION_IMPOSSIBLE', /neither labels nor targets/],
      ['open', 'out of range', 'DATASET_LABELS', /Label 7 in row 50/],
      ['one-score', 'narrow', 'MODEL_NOT_CLASSIFIER', /"y" float32\[32,1\] for 32 samples/],
      ['integers', 'good', 'MODEL_NOT_CLASSIFIER', /int32/],
      ['open', 'narrow', 'DATASET_SHAPE', /./],
    ]
    for (const [name, data, code, message] of failures) {
      const error = await run(name, data).then(
        () => undefined,
        (thrown: Error & { code: string }) => thrown,
      )
      expect(error?.code, `${name} on ${data}`).toBe(code)
      expect(error?.message).toMatch(message)
    }
  })

  it('reports progress and stops when cancelled', async () => {
    const cancel = new AbortController()
    const seen: Progress[] = []
    const reporter = {
      progress: (progress: Progress) => {
        seen.push(progress)
        if (progress.done === 20) cancel.abort()
      },
      log: () => {},
    }
    await expect(run('open', 'good', 10, { reporter, signal: cancel.signal })).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(seen.map(({ phase, done, total }) => [phase, done, total])).toEqual([
      ['load', 0, null],
      ['evaluate', 10, SAMPLES],
      ['evaluate', 20, SAMPLES],
    ])
  })
})
