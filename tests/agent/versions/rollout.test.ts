import { afterEach, describe, expect, it } from 'vitest'
import { serviceLiveSchema } from '../../../src/contract/service-protocol.ts'
import { send } from '../service-fixture.ts'
import { ServedFolder, timesModel } from './served-folder.ts'

const running: ServedFolder[] = []
afterEach(async () => {
  for (const served of running.splice(0)) await served.remove()
})

async function served(): Promise<ServedFolder> {
  const folder = new ServedFolder()
  running.push(folder)
  await folder.settings()
  return folder
}

const ask = (port: number, headers = {}) => send(port, '/predict', { body: { input: [1] }, headers })

describe('a service of several releases', () => {
  it('switches, says who answers, watches, keeps and goes back', async () => {
    const service = await served()
    const [two, three] = [await service.release(timesModel(2)), await service.release(timesModel(3))]
    await service.start(two)
    const first = await ask(service.port)
    expect(first).toMatchObject({ status: 200, body: { version: two, outputs: { y: [2] } } })
    expect(first.headers['x-model-version']).toBe(two)

    const early = await service.traffic({ action: 'roll-out', release: three, rollout: {} })
    expect(early).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT', message: expect.stringContaining('not prepared') } } })
    const prepared = await service.prepare(three)
    expect(prepared).toMatchObject({ status: 200, body: { passed: true } })
    expect(prepared.body.checks.map(({ name }: { name: string }) => name)).toEqual([
      'files',
      'load',
      'warm-up',
      'golden answers',
      'latency',
    ])
    expect((await ask(service.port)).body.version).toBe(two)

    const switched = await service.traffic({ action: 'roll-out', release: three, rollout: { watchSeconds: 1 } })
    expect(serviceLiveSchema.parse(switched.body)).toMatchObject({
      versions: [
        { release: three, role: 'current', weight: 100, runsOn: 'answering thread' },
        { release: two, role: 'previous', weight: 0, requests: 2 },
      ],
      watch: { release: three },
    })
    expect((await ask(service.port)).body).toMatchObject({ version: three, outputs: { y: [3] } })
    expect((await send(service.port, '/model_info')).body.version).toBe(three)
    expect((await send(service.port, '/health')).body.version).toBe(three)
    await expect.poll(async () => (await service.live()).watch, { timeout: 10_000 }).toBeNull()
    const live = await service.live()
    expect(live.events.map(({ kind }) => kind)).toEqual(['switched', 'kept'])
    expect(live.versions[1]).toMatchObject({ release: two, runsOn: 'not loaded' })
    expect(await service.folder.readRouting()).toMatchObject({ current: three, previous: two, watch: null })

    const back = await service.traffic({ action: 'rollback' })
    expect(back).toMatchObject({
      status: 200,
      body: {
        versions: [
          { release: two, role: 'current' },
          { release: three, role: 'previous' },
        ],
      },
    })
    expect((await ask(service.port)).body).toMatchObject({ version: two, outputs: { y: [2] } })
    expect(await service.folder.readRouting()).toMatchObject({ current: two, previous: three })
  })
})
