import { writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { driftReferenceSchema } from '../../../src/contract/monitoring.ts'
import { ReferenceSketcher } from '../../../src/core/drift/reference-sketcher.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { loggedPredictions } from '../monitor/logged-predictions.ts'
import { normal } from '../monitor/observed.ts'
import { contractOf } from '../serve/openapi-contract.ts'
import { send } from '../service-fixture.ts'
import { ServedFolder, timesModel } from './served-folder.ts'

const running: ServedFolder[] = []
afterEach(async () => {
  for (const served of running.splice(0)) await served.remove()
})

async function newFolder(settings: Parameters<ServedFolder['settings']>[0] = {}): Promise<ServedFolder> {
  const service = new ServedFolder()
  running.push(service)
  await service.settings(settings)
  return service
}

const limits = { maxErrorRate: 0.01, maxP95Ratio: 1.5, maxDivergence: null, minRequests: 50 }
const ask = async (service: ServedFolder, x = 1) => (await send(service.port, '/predict', { body: { input: [x] } })).body

describe('a service that starts', () => {
  it('falls back to what served before when the current release cannot be loaded', async () => {
    const service = await newFolder()
    const [good, bad] = [await service.release(timesModel(2)), await service.release(new Uint8Array([1, 2, 3]))]
    await service.folder.writeRouting({ version: 1, current: bad, previous: good, beside: [], watch: null })
    await service.start()
    expect(await ask(service)).toMatchObject({ version: good, outputs: { y: [2] } })
    expect(await service.folder.readRouting()).toMatchObject({ current: good, previous: null })
    expect(await service.folder.readFailure(bad)).toMatchObject({
      reason: expect.stringMatching(/^It could not be loaded: /),
      checks: [{ name: 'load', passed: false }],
    })
    expect((await service.live()).events).toMatchObject([{ kind: 'fell-back', release: bad }])
  })

  it('says why when nothing can be loaded, and frees its port', async () => {
    const service = await newFolder()
    const bad = await service.release(new Uint8Array([1, 2, 3]))
    await expect(service.start(bad)).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' })
    const good = await service.release(timesModel(2))
    await service.start(good)
    expect(await ask(service)).toMatchObject({ version: good })
  })

  it('brings back what was beside the current release, and takes away what cannot be loaded', async () => {
    const service = await newFolder()
    const [two, three, bad] = [
      await service.release(timesModel(2)),
      await service.release(timesModel(3)),
      await service.release(new Uint8Array([4, 5, 6])),
    ]
    const since = new Date().toISOString()
    const beside = (release: string) => ({ release, kind: 'split', weight: 40, since, limits }) as const
    await service.folder.writeRouting({ version: 1, current: two, previous: null, beside: [beside(bad), beside(three)], watch: null })
    await service.start()
    await expect
      .poll(async () => (await service.live()).versions.map(({ release, runsOn }) => [release, runsOn]), { timeout: 10_000 })
      .toEqual([
        [two, 'answering thread'],
        [three, 'answering thread'],
      ])
    const versions = await Promise.all(Array.from({ length: 50 }, async () => (await ask(service)).version))
    expect(new Set(versions)).toEqual(new Set([two, three]))
    expect((await service.folder.readFailure(bad))?.reason).toContain('cannot serve')
  })

  it('leaves alone what an orderly stop or another boot of the machine left, and takes back what a crash left', async () => {
    const service = await newFolder()
    const [two, three] = [await service.release(timesModel(2)), await service.release(timesModel(3))]
    await service.start(two)
    await service.bring(three, { watchSeconds: 3600 })
    await service.close()
    await service.start()
    expect((await service.live()).watch).toMatchObject({ release: three, secondsLeft: expect.any(Number) })
    const { bootId = '' } = (await service.folder.readRouting())?.watch ?? {}
    await service.close()
    // As a process leaves it that was killed: in the boot before this one, then in this one.
    for (const [boot, serves] of [
      ['another boot', three],
      [bootId, two],
    ] as const) {
      await writeFile(service.folder.at('serving.json'), JSON.stringify({ pid: process.pid, bootId: boot }))
      await service.start()
      expect((await ask(service)).version).toBe(serves)
      await service.close()
    }
  })
})

describe('a watch that a restart interrupts', () => {
  it('begins anew, against what the release before had shown', async () => {
    const service = await newFolder()
    const [two, three] = [await service.release(timesModel(2)), await service.release(timesModel(3))]
    await service.start(two)
    for (let request = 0; request < 60; request++) await ask(service)
    await service.bring(three, { watchSeconds: 3600, limits: { ...limits, maxP95Ratio: 1000 } })
    // As an hour without power leaves it.
    await service.close()
    const routing = await service.folder.readRouting()
    if (!routing?.watch) throw new Error('not watched')
    const old = { since: new Date(Date.now() - 7_200_000).toISOString(), bootId: 'the boot before' }
    await service.folder.writeRouting({ ...routing, watch: { ...routing.watch, ...old } })
    await service.start()
    for (let request = 0; request < 60; request++) await ask(service)
    const { watch } = await service.live()
    expect(watch).toMatchObject({ release: three, found: expect.stringMatching(/p95 .* times the .* of the other release/) })
    expect(watch?.secondsLeft).toBeGreaterThan(3000)
    // A crash from now on is one in this boot of the machine.
    await expect.poll(async () => (await service.folder.readRouting())?.watch?.bootId, { timeout: 10_000 }).toBe(routing.watch.bootId)
  })

  it('goes on comparing answers with the release before, where they are limited', async () => {
    const service = await newFolder()
    const [two, three] = [await service.release(timesModel(2)), await service.release(timesModel(3))]
    await service.start(two)
    await service.bring(three, { watchSeconds: 3600, limits: { ...limits, maxP95Ratio: null, maxDivergence: 0.1, minRequests: 5 } })
    await service.close()
    await service.start()
    const versionAfterMore = async () => {
      for (let request = 0; request < 10; request++) await ask(service)
      return (await ask(service)).version
    }
    await expect.poll(versionAfterMore, { timeout: 30_000 }).toBe(two)
    await expect
      .poll(async () => (await service.live()).events.at(-1), { timeout: 10_000 })
      .toMatchObject({ kind: 'rolled-back', release: three, text: expect.stringMatching(/compared answers differ/) })
  })
})

/** Inputs and outputs of y = 2x with x a standard normal number. */
function reference() {
  const sketcher = new ReferenceSketcher([{ name: 'the input', source: { kind: 'input', name: 'x', index: 0 } }], seededRandom(1))
  const random = seededRandom(2)
  for (let row = 0; row < 2000; row++) sketcher.add([normal(random)])
  return driftReferenceSchema.parse(sketcher.finish())
}

describe('a service that watches', () => {
  it('shows drift of the current release, logs every answer with its version, and compares a candidate', async () => {
    const service = await newFolder({ predictionLog: { share: 1 } })
    const [two, three] = [await service.release(timesModel(2), { driftReference: reference() }), await service.release(timesModel(3))]
    await service.start(two)
    const random = seededRandom(3)
    for (let batch = 0; batch < 3; batch++) {
      const inputs = Array.from({ length: 1000 }, () => ({ x: [normal(random) + 1] }))
      expect((await send(service.port, '/predict/batch', { body: { inputs } })).status).toBe(200)
      await expect.poll(async () => (await service.live()).drift?.judgedWindows, { timeout: 10_000 }).toBe(Math.min(batch + 1, 2))
    }
    const live = await service.live()
    expect(live.drift).toMatchObject({
      triggered: ['the input'],
      features: [{ name: 'the input', watches: 'input', level: 'severe', windowsInARow: 2 }],
    })
    expect(live.events).toMatchObject([{ kind: 'drift', release: two, text: 'Drift in two windows in a row: the input.' }])
    const drift = await send(service.port, '/drift')
    const { operations, breach } = contractOf((await send(service.port, '/openapi.json')).body)
    const operation = operations.find(({ path }) => path === '/drift')
    expect(operation && breach(operation, drift)).toBeNull()
    const metrics = String((await send(service.port, '/metrics')).body)
    expect(metrics).toContain(`edgesmith_drift_triggered{model="test",version="${two}"} 1`)
    expect(metrics).toContain('edgesmith_prediction_log_writing{model="test"} 1')
    expect(metrics).toMatch(/^edgesmith_device_throttled [01]$/m)

    await service.bring(three, { kind: 'split', weight: 50 })
    for (let x = 1; x <= 40; x++) await ask(service, x)
    await expect.poll(async () => (await service.live()).versions[1]?.compared ?? 0, { timeout: 10_000 }).toBeGreaterThan(5)
    const [, split] = (await service.live()).versions
    expect(split).toMatchObject({ release: three, differing: split?.compared, dropped: null })
    await service.traffic({ action: 'promote', release: three })
    expect((await send(service.port, '/drift')).status).toBe(404)
    await expect.poll(async () => (await service.live()).predictionLog?.writtenRows, { timeout: 10_000 }).toBe(3040)
    await service.close()
    const rows = [...loggedPredictions(service.folder.predictionsPath, 'jsonl')].join('').trimEnd().split('\n')
    const lines = rows.map((row) => JSON.parse(row) as { version: string; inputs: { x: number[] }; outputs: { y: number[] } })
    for (const { version, inputs, outputs } of lines) {
      expect(outputs.y[0]).toBeCloseTo((version === two ? 2 : 3) * (inputs.x[0] ?? 0), 4)
    }
    expect(lines.filter(({ version }) => version === three).length).toBeGreaterThan(5)
  })
})
