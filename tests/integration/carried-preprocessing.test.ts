// The preprocessing of calibration data goes with the build to the service, which then takes samples as the dataset stores them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Dataset, Preprocessing } from '../../src/contract/dataset.ts'
import { LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import type { Model } from '../../src/contract/model.ts'
import { recipeSchema } from '../../src/contract/recipe.ts'
import { writeNpz } from '../../src/core/datasets/write-npz.ts'
import { makeNode } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { array, counting } from '../core/datasets/arrays.ts'
import { model as makeModel, weights } from '../engine/optimize/small-models.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

const preprocessing: Preprocessing = { stored: 'channels-last', layout: 'channels-first', reverseChannels: true, scale: 1 / 255 }

let workspace: TestWorkspace
let dataset: Dataset
let build: Model
beforeAll(async () => {
  workspace = await openWorkspace()
  const folder = join(workspace.folder, 'inputs')
  mkdirSync(folder)
  const nodes = [
    makeNode('Conv', ['x', 'cw'], ['h'], { pads: [1, 1, 1, 1] }, { name: 'conv' }),
    makeNode('Flatten', ['h'], ['f'], {}, { name: 'flatten' }),
    makeNode('Gemm', ['f', 'gw'], ['y'], {}, { name: 'fc' }),
  ]
  const network = makeModel(['N', 3, 4, 5], nodes, [weights('cw', [8, 3, 3, 3]), weights('gw', [160, 4])], { y: ['N', 4] })
  writeFileSync(join(folder, 'network.onnx'), encodeModel(network))
  const images = array(
    'x',
    'uint8',
    counting(40 * 60).map((value) => (value * 37) % 251),
    [40, 4, 5, 3],
  )
  const labels = array(
    'labels',
    'int64',
    counting(40).map((value) => value % 4),
  )
  writeFileSync(join(folder, 'photos.npz'), writeNpz([images, labels]))
  const source = await workspace.backend.call('models.import', { path: join(folder, 'network.onnx') })
  dataset = (await workspace.result('datasets.import', { path: join(folder, 'photos.npz'), preprocessing })).dataset
  const recipe = recipeSchema.parse([{ recipe: 'int8-static', calibrator: 'minmax' }])
  build = (await workspace.result('optimize.start', { modelId: source.id, recipe, calibrationId: dataset.id, samples: 16 })).model
}, 120_000)
afterAll(() => workspace?.close())

test('a service of a build prepares what it is sent as the calibration data was', async () => {
  expect(JSON.parse(build.report.metadata['edgesmith.preprocessing']!)).toEqual(preprocessing)
  const deployment = await workspace.result('deploy.start', { modelId: build.id, deviceId: LOCAL_DEVICE_ID, service: 'photos' })
  try {
    expect(deployment.preprocessing).toEqual(preprocessing)
    const { url, token } = await workspace.backend.call('deployments.connect', { id: deployment.id })
    const about = await (await fetch(`${url}/model_info`, { headers: { authorization: `Bearer ${token}` } })).json()
    expect(about).toMatchObject({ preprocessing, inputs: [{ sample_shape: [3, 4, 5], sent_shape: [4, 5, 3] }] })
    const tried = await workspace.backend.call('deployments.predict', { id: deployment.id, datasetId: dataset.id, index: 3 })
    expect(tried).toMatchObject({ httpStatus: 200, expected: 3 })
    // The same sample is answered the same where it was prepared here.
    const prepared = await workspace.result('deploy.start', {
      modelId: build.id,
      deviceId: LOCAL_DEVICE_ID,
      service: 'prepared',
      preprocessing: {},
    })
    const again = await workspace.backend.call('deployments.predict', { id: prepared.id, datasetId: dataset.id, index: 3 })
    await workspace.backend.call('deployments.remove', { id: prepared.id })
    const outputs = (answer: unknown) => (answer as { outputs: unknown }).outputs
    expect(outputs(tried.response)).toEqual(outputs(again.response))
  } finally {
    await workspace.backend.call('deployments.remove', { id: deployment.id })
  }
}, 120_000)

test('an evaluation on data that is prepared in another way says so in its log', async () => {
  const folder = join(workspace.folder, 'inputs')
  const other = await workspace.result('datasets.import', {
    path: join(folder, 'photos.npz'),
    name: 'other',
    preprocessing: { ...preprocessing, scale: 1 / 128 },
  })
  const logOf = async (datasetId: string) => {
    const job = await workspace.job('evaluate.start', { modelId: build.id, datasetId, deviceId: LOCAL_DEVICE_ID })
    expect(job.error).toBeNull()
    return (await workspace.backend.call('jobs.log', { id: job.id })).map(({ text }) => text).join('\n')
  }
  expect(await logOf(dataset.id)).not.toMatch(/was made for inputs/)
  expect(await logOf(other.dataset.id)).toMatch(
    /The model was made for inputs preprocessed with \{.*0\.0039.*\}, but other has \{.*0\.0078125.*\}/,
  )
}, 120_000)
