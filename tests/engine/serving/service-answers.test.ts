import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Preprocessing } from '../../../src/contract/dataset.ts'
import type { ServiceConfigFile } from '../../../src/contract/service.ts'
import { writeNpz } from '../../../src/core/datasets/write-npz.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { answeredOutputs } from '../../../src/engine/serving/answered-outputs.ts'
import { serviceAnswers } from '../../../src/engine/serving/service-answers.ts'
import { runningServices } from '../../agent/serve/running-services.ts'
import { TOKEN } from '../../agent/service-fixture.ts'
import { identityModel, linearModel } from '../measure/small-models.ts'

const start = runningServices()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-answers-'))
})
afterAll(() => rm(folder, { recursive: true }))

const SAMPLES = 150
const floats = (name: string, shape: number[], values: Float32Array) => ({
  name,
  type: 'float32' as const,
  shape,
  bytes: new Uint8Array(values.buffer),
})
const phases: (number | null)[] = []
const reporter = { progress: ({ done }: { done: number }) => void phases.push(done), log: () => {} }

/** What a service of the model gives for a dataset. */
async function ask(
  model: Uint8Array,
  arrays: Parameters<typeof writeNpz>[0],
  {
    config = {},
    preprocessing = {},
    raw = false,
    samples = 1000,
    port,
  }: { config?: Partial<ServiceConfigFile>; preprocessing?: Preprocessing; raw?: boolean; samples?: number; port?: number } = {},
) {
  const modelPath = join(folder, 'model.onnx')
  const path = join(folder, 'data.npz')
  await writeFile(modelPath, model)
  await writeFile(path, writeNpz(arrays))
  const service = await start(model, { preprocessing, ...config })
  const source = { format: 'npz' as const, name: 'data', files: [{ role: 'samples' as const, path }], preprocessing }
  return serviceAnswers(
    { command: 'service-answers', source, modelPath, raw, port: port ?? service.port, token: TOKEN, samples },
    onnxRuntime,
    reporter,
  )
}

describe('serviceAnswers', () => {
  // Class of a sample is its largest value; every tenth label is wrong.
  const scores = Float32Array.from({ length: SAMPLES * 3 }, (_, index) => (index % 3 === Math.floor(index / 3) % 3 ? 1 : 0.1))
  const labels = Int32Array.from({ length: SAMPLES }, (_, index) => (index % 10 === 0 ? index + 1 : index) % 3)
  const classes = [
    floats('x', [SAMPLES, 3], scores),
    { name: 'labels', type: 'int32' as const, shape: [SAMPLES], bytes: new Uint8Array(labels.buffer) },
  ]

  it('finds the accuracy of the answers, over samples spread through the dataset', async () => {
    const found = await ask(identityModel('N', [3]), classes)
    expect(found).toMatchObject({ task: 'classification', accuracy: 0.9, r2: null, reason: null })
    expect(found.indices).toEqual(Array.from({ length: SAMPLES }, (_, index) => index))
    expect(phases.at(-1)).toBe(SAMPLES)
    expect(found.bodies).toHaveLength(32)
    expect(JSON.parse(found.bodies[1] as string)).toEqual({ inputs: { x: [expect.closeTo(0.1), 1, expect.closeTo(0.1)] } })
    // Every 30th of those has a wrong label, if any.
    const few = await ask(identityModel('N', [3]), classes, { samples: 5 })
    expect(few).toMatchObject({ indices: [0, 30, 60, 90, 120], accuracy: 0 })
  })

  it('sends values as they are where the service preprocesses, and bodies that it answers', async () => {
    const preprocessing = { scale: 0.5 }
    const found = await ask(identityModel('N', [3]), classes, { preprocessing, raw: true, samples: 20 })
    // Wrong are 0, 30, 60, 90 and 120 of them.
    expect(found.accuracy).toBe(0.75)
    expect(JSON.parse(found.bodies[1] as string).inputs.x).toContain(1)
  })

  it('finds errors of regression', async () => {
    const x = Float32Array.from({ length: SAMPLES * 2 }, (_, index) => Math.sin(index))
    const targets = Float32Array.from(
      { length: SAMPLES },
      (_, index) => 2 * (x[2 * index] as number) + (x[2 * index + 1] as number) + (index % 2 ? 0.5 : -0.5),
    )
    const found = await ask(linearModel('N', [[2], [1]]), [floats('x', [SAMPLES, 2], x), floats('targets', [SAMPLES], targets)])
    expect(found).toMatchObject({ task: 'regression', accuracy: null })
    expect(found.rmse).toBeCloseTo(0.5, 5)
    expect(found.r2).toBeGreaterThan(0.8)
  })

  it('says what it cannot find out, and what a service refuses', async () => {
    const [x] = classes
    expect(await ask(identityModel('N', [3]), x ? [x] : [])).toMatchObject({
      task: null,
      reason: 'data has neither labels nor targets',
      accuracy: null,
    })
    const fields = [{ input: 'x', index: 0, name: 'age', min: 50 }]
    await expect(ask(identityModel('N', [3]), classes, { config: { fields } })).rejects.toMatchObject({
      code: 'SERVICE_REFUSED',
      message: expect.stringContaining('age'),
    })
    await expect(ask(identityModel('N', [3]), classes, { port: 1 })).rejects.toMatchObject({ code: 'SERVICE_NOT_RUNNING' })
  })
})

describe('answeredOutputs', () => {
  const port = (name: string, shape: (number | string)[], type: 'float32' | 'int64' | 'string' = 'float32') => ({ name, type, shape })

  it('takes answers for what a run would have given', () => {
    const answers = [{ outputs: { y: [[1, null]], n: '9007199254740993', s: 'a' } }, { outputs: { y: [[3, 4]], n: 2, s: 'b' } }]
    const { outputs } = answeredOutputs(
      answers,
      [port('y', [1, 2]), port('n', ['N'], 'int64'), port('s', ['N'], 'string'), port('hidden', ['N'])],
      7,
    )
    expect(outputs.map(({ name, dims, sampleDims, perSample }) => ({ name, dims, sampleDims, perSample }))).toEqual([
      // A model without rows is answered with its batch of one.
      { name: 'y', dims: [2, 1, 2], sampleDims: [2], perSample: 2 },
      { name: 'n', dims: [2], sampleDims: [], perSample: 1 },
    ])
    expect([...(outputs[0]?.values ?? [])]).toEqual([1, Number.NaN, 3, 4])
  })

  it('leaves out what has another size for every sample, and refuses what is only answered now and then', () => {
    expect(answeredOutputs([{ outputs: { y: [1] } }, { outputs: { y: [1, 2] } }], [port('y', ['N', 'A'])], 0).outputs).toEqual([])
    expect(() => answeredOutputs([{ outputs: { y: 1 } }, { outputs: {} }], [port('y', ['N'])], 0)).toThrow(
      expect.objectContaining({ code: 'SERVICE_REFUSED' }),
    )
  })
})
