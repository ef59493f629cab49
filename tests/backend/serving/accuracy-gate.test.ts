import { describe, expect, it } from 'vitest'
import type { ReadyDevice } from '../../../src/backend/devices/agent-work.ts'
import type { JobContext } from '../../../src/backend/jobs/job-queue.ts'
import type { Services } from '../../../src/backend/services.ts'
import { accuracyGate, checkAccuracy } from '../../../src/backend/serving/accuracy-gate.ts'
import type { Dataset } from '../../../src/contract/dataset.ts'
import type { Model } from '../../../src/contract/model.ts'

const model = (id: string, parentId: string | null = null) => ({ id, name: id, parentId, report: { metadata: {} } }) as unknown as Model
const [source, build, served] = [model('source'), model('build', 'source'), model('served')]
const dataset = (labelled: boolean) =>
  ({ id: 'data', name: 'six', report: { labelled }, format: 'npz', preprocessing: {}, files: [] }) as unknown as Dataset

/** Services that know these models and this dataset, and how many evaluations were kept. */
function services(labelled = true) {
  const kept: string[] = []
  const known = new Map([source, build, served].map((one) => [one.id, one]))
  const made = {
    models: { get: (id: string) => known.get(id) ?? expect.fail(`no model ${id}`) },
    datasets: { get: () => dataset(labelled) },
    measurements: { addEvaluation: ({ modelId }: { modelId: string }) => kept.push(modelId) },
    emit: () => undefined,
  }
  return { services: made as unknown as Services, kept }
}

const context = {
  jobId: 'job',
  progress: () => undefined,
  log: () => undefined,
  signal: new AbortController().signal,
} as unknown as JobContext

/** A device on which models are as accurate as this says. */
const device = (accuracies: Record<string, number | undefined>): ReadyDevice =>
  ({
    modelPath: ({ id }: Model) => id,
    datasetSource: () => ({}),
    session: { runAgent: async ({ model: path }: { model: string }) => ({ metrics: { accuracy: accuracies[path] } }) },
  }) as unknown as ReadyDevice

describe('the limit on accuracy', () => {
  const decide = (wanted: Model, servedId: string | null, labelled = true) =>
    accuracyGate(services(labelled).services, wanted, { datasetId: 'data', maxDrop: 0.01, servedId })

  it('compares with the model that serves, otherwise with the source of the build', () => {
    expect(decide(build, 'served').baseline).toBe(served)
    expect(decide(build, null).baseline).toBe(source)
  })

  it('needs labels and something to compare with', () => {
    expect(() => decide(build, null, false)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    expect(() => decide(source, null)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    const without = () => accuracyGate(services().services, build, { datasetId: undefined, maxDrop: 0, servedId: null })
    expect(without).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  it.each([
    ['exactly the limit', 0.9, true],
    ['less than the limit', 0.95, true],
    ['more than the limit', 0.89, false],
  ])('lets a loss of %s pass: %s → %s', async (_what, found, passed) => {
    const { services: of, kept } = services()
    const gate = { baseline: source, dataset: dataset(true), maxDrop: 0.01 }
    const check = checkAccuracy(of, device({ build: found, source: 0.91 }), build, gate, 'local', context)
    if (passed) expect(await check).toMatchObject({ name: 'accuracy', passed: true, text: expect.stringContaining('91.00 %') })
    else await expect(check).rejects.toMatchObject({ code: 'GATE_FAILED', details: { checks: [{ name: 'accuracy', passed: false }] } })
    expect(kept).toEqual(['build', 'source'])
  })

  it('says so when the model is no classifier', async () => {
    const gate = { baseline: source, dataset: dataset(true), maxDrop: 0.01 }
    await expect(checkAccuracy(services().services, device({}), build, gate, 'local', context)).rejects.toMatchObject({ code: 'USAGE' })
  })
})
