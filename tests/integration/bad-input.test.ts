// Input that cannot be used: a coded error that says what is wrong, and nothing left behind.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import type { Model } from '../../src/contract/model.ts'
import type { NumericArray } from '../../src/core/datasets/numeric-array.ts'
import { writeNpz } from '../../src/core/datasets/write-npz.ts'
import { float, makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { modelsFolder, openWorkspace, type TestWorkspace } from './workspace.ts'

let workspace: TestWorkspace
let inputs: string
let model: Model
beforeAll(async () => {
  workspace = await openWorkspace()
  inputs = join(workspace.folder, 'inputs')
  mkdirSync(inputs)
  model = await workspace.backend.call('models.import', { path: join(modelsFolder, 'fashion-cnn.onnx') })
}, 60_000)
afterAll(() => workspace?.close())

function file(name: string, content: Uint8Array | string): string {
  const path = join(inputs, name)
  writeFileSync(path, content)
  return path
}

const sigmoid = (opType: string, opset: number) =>
  encodeModel(
    makeModel({
      nodes: [makeNode(opType, ['x'], ['y'], opType === 'LeakyRelu' ? { alpha: float(0.1) } : {})],
      inputs: [makeValueInfo('x', 'float32', ['N', 4])],
      outputs: [makeValueInfo('y', 'float32', ['N', 4])],
      opset,
    }),
  )

describe('a model that is', () => {
  const whole = () => new Uint8Array(readFileSync(join(modelsFolder, 'fashion-cnn.onnx')))
  const cases: readonly [what: string, code: string, path: () => string][] = [
    ['not there', 'FILE_NOT_FOUND', () => join(inputs, 'missing.onnx')],
    ['a folder', 'FILE_UNREADABLE', () => inputs],
    ['empty', 'MODEL_NOT_ONNX', () => file('empty.onnx', '')],
    ['text', 'MODEL_NOT_ONNX', () => file('text.onnx', 'hello, this is no model')],
    ['truncated', 'MODEL_TRUNCATED', () => file('truncated.onnx', whole().subarray(0, 500_000))],
    ['of an opset from the future', 'MODEL_UNSUPPORTED_OPSET', () => file('opset.onnx', sigmoid('Sigmoid', 99))],
    ['made of an unknown operator', 'MODEL_UNSUPPORTED_OP', () => file('op.onnx', sigmoid('NoSuchOperator', 17))],
  ]
  test.each(cases)('%s: %s', async (_what, code, path) => {
    await expect(workspace.backend.call('models.import', { path: path() })).rejects.toMatchObject({ code })
    expect((await workspace.backend.call('models.list', {})).map(({ name }) => name)).toEqual(['fashion-cnn'])
    expect(workspace.leftovers()).toEqual([])
  })
})

describe('a dataset with', () => {
  const samples = (shape: number[], name = 'input'): NumericArray => ({
    name,
    type: 'float32',
    shape,
    bytes: new Uint8Array(4 * shape.reduce((product, dim) => product * dim, 1)),
  })
  const labels = (values: number[]): NumericArray => ({
    name: 'labels',
    type: 'int64',
    shape: [values.length],
    bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  })

  test.each([
    ['no samples', 'DATASET_EMPTY', [samples([0, 1, 28, 28]), labels([])]],
    ['labels of another length', 'DATASET_LABELS', [samples([2, 1, 28, 28]), labels([1, 2, 3])]],
  ] as const)('%s is refused at import', async (name, code, arrays) => {
    const path = file(`${name}.npz`, writeNpz(arrays))
    expect(await workspace.job('datasets.import', { path })).toMatchObject({ state: 'failed', error: { code } })
    expect(await workspace.backend.call('datasets.list', {})).toEqual([])
    expect(workspace.leftovers()).toEqual([])
  })

  test.each([
    ['labels out of range', 'DATASET_LABELS', [samples([2, 1, 28, 28]), labels([1, 10])]],
    ['the wrong shape', 'DATASET_SHAPE', [samples([2, 1, 28, 27]), labels([1, 2])]],
    ['no array for the input', 'DATASET_ARRAY_MISSING', [samples([2, 784], 'first'), samples([2, 3], 'second'), labels([1, 2])]],
  ] as const)('%s fails the evaluation', async (name, code, arrays) => {
    const { dataset } = await workspace.result('datasets.import', { path: file(`${name}.npz`, writeNpz(arrays)) })
    const job = await workspace.job('evaluate.start', { modelId: model.id, datasetId: dataset.id, deviceId: LOCAL_DEVICE_ID })
    expect(job).toMatchObject({ state: 'failed', error: { code } })
    expect(await workspace.backend.call('evaluations.list', {})).toEqual([])
    await workspace.backend.call('datasets.remove', { id: dataset.id })
  })

  test('a broken archive is refused', async () => {
    const whole = writeNpz([samples([2, 1, 28, 28]), labels([1, 2])])
    for (const content of [whole.subarray(0, whole.length - 40), new Uint8Array(100)]) {
      expect(await workspace.job('datasets.import', { path: file('broken.npz', content) })).toMatchObject({
        state: 'failed',
        error: { code: 'DATASET_INVALID' },
      })
    }
  })
})

test('a recipe without the calibration data it needs is refused before a job starts', async () => {
  const jobs = await workspace.backend.call('jobs.list', {})
  await expect(workspace.backend.call('optimize.start', { modelId: model.id, recipe: [{ recipe: 'int8-static' }] })).rejects.toMatchObject({
    code: 'CALIBRATION_NEEDED',
  })
  expect(await workspace.backend.call('jobs.list', {})).toEqual(jobs)
})

test('exporting to a place that is not there, or may not be written, leaves nothing', async () => {
  await expect(workspace.backend.call('models.export', { id: model.id, path: join(inputs, 'no/such/x.onnx') })).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
  })
  if (process.getuid?.() !== 0) {
    chmodSync(inputs, 0o500)
    await expect(workspace.backend.call('models.export', { id: model.id, path: join(inputs, 'x.onnx') })).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
    })
    chmodSync(inputs, 0o700)
  }
  expect(existsSync(join(inputs, 'x.onnx'))).toBe(false)
})

test('a device nobody answers for is unreachable, and is not kept', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const attempt = workspace.backend.call('devices.add', {
    name: 'nobody',
    host: '127.0.0.1',
    port,
    user: 'pi',
    auth: { method: 'password', environmentVariable: null },
    password: 'x',
  })
  await expect(attempt).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE' })
  expect((await workspace.backend.call('devices.list', {})).map(({ id }) => id)).toEqual([LOCAL_DEVICE_ID])
})

test('a port that is taken is named, and the service is not kept', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const job = await workspace.job('deploy.start', { modelId: model.id, deviceId: LOCAL_DEVICE_ID, service: 'blocked', port })
  expect(job).toMatchObject({ state: 'failed', error: { code: 'PORT_TAKEN' } })
  expect(await workspace.backend.call('deployments.list', {})).toEqual([])
  await new Promise((resolve) => server.close(resolve))
})
