import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Deployed, Validation } from '../../src/contract/deployment.ts'
import { LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import { ACCURACY, SAMPLES, type SmallFiles, writeSmallFiles } from '../cli/small-model.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

let workspace: TestWorkspace
let files: SmallFiles
let deployed: Deployed
let labelled: string

beforeAll(async () => {
  workspace = await openWorkspace()
  files = await writeSmallFiles(workspace.folder)
  const { backend } = workspace
  const { id: modelId } = await backend.call('models.import', { path: files.model })
  labelled = (await workspace.result('datasets.import', { path: files.labelled })).dataset.id
  deployed = await workspace.result('deploy.start', { modelId, deviceId: LOCAL_DEVICE_ID, service: 'small' })
}, 120_000)
afterAll(async () => {
  await workspace.backend.call('deployments.remove', { id: deployed.id })
  await workspace.close()
}, 60_000)

// Nobody knows how busy the machine of a test is: limits of time are checked with one that is always and one that is never met.
const validate = (input: object): Promise<Validation> =>
  workspace.result('validate.start', { deploymentId: deployed.id, requestsPerSecond: 40, seconds: 1, maxLatencyMs: 60_000, ...input })
const check = ({ checks }: Validation, name: Validation['checks'][number]['name']) => checks.find((one) => one.name === name)

describe('validate.start', () => {
  it('checks a deployed service from answers to restart, stores what it found, and puts it into reports', async () => {
    const found = await validate({ datasetId: labelled, samples: 60 })
    expect(found.checks.map(({ name }) => name)).toEqual([
      'answers',
      'schema',
      'golden answers',
      'accuracy',
      'latency',
      'load',
      'errors under load',
      'memory',
      'restart',
    ])
    for (const { name, passed, measured } of found.checks)
      if (name !== 'load') expect({ name, passed, measured }).toMatchObject({ passed: true })
    // Every second sample; of those every fifth label is wrong, or none: which, the dataset's own evaluation knows.
    expect(found.accuracy).toMatchObject({ samples: 60, metric: 'accuracy' })
    expect(found.accuracy?.measured).toBe(found.accuracy?.expected)
    expect(found.load).toMatchObject({ requestsPerSecond: 40, seconds: 1, errors: 0 })
    expect(found.load?.requests).toBeGreaterThan(20)
    expect(check(found, 'answers')?.measured).toContain(deployed.release)
    expect(check(found, 'restart')?.measured).toMatch(/killed/)
    // What to expect was measured on the way, and is kept.
    const [evaluation] = await workspace.backend.call('evaluations.list', { modelId: deployed.modelId })
    expect(evaluation).toMatchObject({ samples: SAMPLES, deviceId: LOCAL_DEVICE_ID })
    expect(evaluation?.metrics.accuracy).toBeCloseTo(ACCURACY)
    expect(await workspace.backend.call('validations.list', { deploymentId: deployed.id })).toEqual([found])
    const path = join(workspace.folder, 'validation.md')
    await workspace.backend.call('report.write', { validationIds: [found.id], path })
    expect(await readFile(path, 'utf8')).toContain('| golden answers | passed |')
  }, 120_000)

  it('fails where a limit is missed, and says what was not checked', async () => {
    const found = await validate({ maxLatencyMs: 0.001, restart: false })
    expect(found.passed).toBe(false)
    expect(check(found, 'latency')).toMatchObject({ passed: false, limit: expect.stringContaining('0.00100 ms') })
    expect(check(found, 'accuracy')).toMatchObject({ passed: null, measured: 'not checked: no dataset was given' })
    expect(check(found, 'restart')).toMatchObject({ passed: null })
    expect(check(found, 'golden answers')).toMatchObject({ passed: true, measured: expect.stringContaining('made up') })
    expect(found.warnings).toContain('Requests of the load test are made up after the service’s schema.')
  }, 120_000)

  it('ends with an error for a service that does not run, and for unknown ones', async () => {
    await expect(workspace.backend.call('validate.start', { deploymentId: LOCAL_DEVICE_ID })).rejects.toMatchObject({ code: 'USAGE' })
    await workspace.backend.call('deployments.stop', { id: deployed.id })
    const job = await workspace.job('validate.start', { deploymentId: deployed.id })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'SERVICE_NOT_RUNNING' } })
    await workspace.backend.call('deployments.restart', { id: deployed.id })
  }, 120_000)
})
