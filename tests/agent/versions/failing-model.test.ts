import { afterEach, expect, it } from 'vitest'
import { HttpError } from '../../../src/agent/serve/http-error.ts'
import type { Downtime } from '../../../src/agent/serve/workers/pooled-model.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { contractOf } from '../serve/openapi-contract.ts'
import { send } from '../service-fixture.ts'
import { ServedFolder, timesModel } from './served-folder.ts'

const served = new ServedFolder()
afterEach(() => served.remove())

it('a service whose threads die again and again says so, and that it answers again', async () => {
  await served.settings()
  const model = timesModel(2)
  const loaded = await onnxRuntime.load(model)
  const state: { downtime: Downtime | null; readyThreads: number; threadEnds: number } = { downtime: null, readyThreads: 2, threadEnds: 0 }
  // As the pool refuses runs while it is down.
  const run: typeof loaded.run = async (feeds) => {
    if (state.downtime) throw new HttpError('NOT_READY', 'The model cannot run.', { headers: { 'retry-after': '40' } })
    return loaded.run(feeds)
  }
  served.inWorkers = async () => ({ model: { ...loaded, run }, workers: 2, pool: state })
  await served.start(await served.release(model, { workers: 2 }))
  const { port } = served
  const contract = contractOf((await send(port, '/openapi.json')).body)
  const look = async () => {
    const [ready, health, prediction, metrics] = await Promise.all([
      send(port, '/ready'),
      send(port, '/health'),
      send(port, '/predict', { body: { input: [1] } }),
      send(port, '/metrics'),
    ])
    const replies = { '/ready': ready, '/health': health, '/predict': prediction }
    for (const operation of contract.operations) {
      const reply = Object.entries(replies).find(([path]) => path === operation.path)?.[1]
      if (reply) expect(contract.breach(operation, reply)).toBeNull()
    }
    return { ready, health, prediction, metrics: String(metrics.body).split('\n') }
  }
  const well = await look()
  expect([well.ready.status, well.health.body.status, well.prediction.status]).toEqual([200, 'ok', 200])

  Object.assign(state, { downtime: { reason: 'out of memory', retrySeconds: 40 }, readyThreads: 0, threadEnds: 6 })
  const down = await look()
  expect(down.ready).toMatchObject({
    status: 503,
    body: { ready: false, reason: 'The threads that run the model end again and again (out of memory); next attempt in 40 s.' },
  })
  expect(down.health).toMatchObject({ status: 200, body: { status: 'failing', model_loaded: true } })
  expect(down.prediction).toMatchObject({ status: 503, headers: { 'retry-after': '40' }, body: { error: { code: 'NOT_READY' } } })
  expect((await send(port, '/v2/health/ready')).status).toBe(503)
  expect((await served.live()).ready).toBe(false)
  expect(down.metrics).toContain('edgesmith_ready{model="test"} 0')
  expect(down.metrics.find((line) => line.startsWith('edgesmith_model_threads{'))).toMatch(/ 0$/)
  expect(down.metrics.find((line) => line.startsWith('edgesmith_model_thread_ends_total{'))).toMatch(/ 6$/)

  Object.assign(state, { downtime: null, readyThreads: 1 })
  const again = await look()
  expect([again.ready.status, again.prediction.status]).toEqual([200, 200])
})
