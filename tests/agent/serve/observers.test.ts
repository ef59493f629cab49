import { describe, expect, it } from 'vitest'
import type { ObservedPrediction } from '../../../src/agent/serve/prediction-observer.ts'
import type { Route } from '../../../src/agent/serve/service-http.ts'
import { identityModel, linearModel } from '../../engine/measure/small-models.ts'
import { runningServices } from './running-services.ts'

const start = runningServices()
const model = linearModel('N', [
  [1, 2, 0],
  [1, 0, 2],
])

describe('observers', () => {
  it('see every prediction once, as the model took and answered it', async () => {
    const seen: ObservedPrediction[] = []
    const before = Date.now()
    const observers = [{ predicted: (prediction: ObservedPrediction) => void seen.push(prediction) }]
    const { send } = await start(model, { preprocessing: { scale: 2 }, labels: ['a', 'b', 'c'] }, {}, undefined, { observers })
    await send('/predict', { body: { input: [1, 2] }, headers: { 'x-request-id': 'one' } })
    await send('/predict/batch', { body: { inputs: [{ x: [1, 2] }, { x: [3, 4] }] } })
    await send('/predict', { body: { input: [1] } })
    const tensor = { name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] }
    await send('/v2/models/test/infer', { body: { inputs: [tensor] }, headers: { 'x-request-id': 'v2' } })
    await expect.poll(() => seen.length).toBe(3)
    const values = seen.map(({ samples }) => samples.map(({ x }) => [x?.dims, Array.from(x?.values as Float32Array)]))
    expect(values).toEqual([
      [[[2], [2, 4]]],
      [
        [[2], [2, 4]],
        [[2], [6, 8]],
      ],
      [
        [[2], [1, 2]],
        [[2], [3, 4]],
      ],
    ])
    expect(seen.map(({ answers }) => answers.map(({ outputs }) => outputs.y))).toEqual([
      [[6, 4, 8]],
      [
        [6, 4, 8],
        [14, 12, 16],
      ],
      [
        [3, 2, 4],
        [7, 6, 8],
      ],
    ])
    expect(seen.map(({ answers }) => answers[0]?.prediction?.label)).toEqual(['c', 'c', 'c'])
    expect([seen[0]?.requestId, seen[2]?.requestId]).toEqual(['one', 'v2'])
    for (const { at, latencyMs } of seen) {
      expect(at).toBeGreaterThanOrEqual(before)
      expect(latencyMs).toBeGreaterThan(0)
    }
  })

  it('never delay or spoil an answer', async () => {
    const order: string[] = []
    const seen: string[] = []
    const observers = [
      {
        predicted: () => {
          order.push('observed')
          throw new Error('the observer is broken')
        },
      },
      { predicted: ({ requestId }: ObservedPrediction) => void seen.push(requestId) },
    ]
    const { send, events } = await start(identityModel('N', [1]), {}, {}, undefined, { observers })
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => send('/predict', { body: { input: [i] }, headers: { 'x-request-id': `r${i}` } })),
    )
    expect(replies.map(({ status, body }) => [status, body.outputs.y[0]])).toEqual(replies.map((_, i) => [200, i]))
    await expect.poll(() => seen.length).toBe(20)
    expect(new Set(seen).size).toBe(20)
    expect(order).toHaveLength(20)
    expect(events.filter(({ event }) => event === 'observer-failed')).toHaveLength(20)
  })

  it('have paths of their own beside those of the service', async () => {
    const routes = new Map([['/drift', { method: 'GET', handle: () => ({ status: 200, body: { drifted: false } }) } as const]])
    const { send } = await start(identityModel('N', [1]), {}, {}, undefined, { routes })
    expect(await send('/drift')).toMatchObject({ status: 200, body: { drifted: false } })
    expect((await send('/drift', { anonymous: true })).status).toBe(401)
  })

  it('an answer that cannot be written, or work behind it that fails, is told in the log and costs nobody else anything', async () => {
    const broken = { status: 200, body: 1n }
    const sent = () => {
      throw new Error('too late')
    }
    const routes = new Map<string, Route>([
      ['/at-once', { method: 'GET', handle: () => broken }],
      ['/later', { method: 'GET', handle: async () => broken }],
      ['/sent', { method: 'GET', handle: async () => ({ status: 200, body: 1, sent }) }],
    ])
    const { send, events } = await start(identityModel('N', [1]), {}, {}, undefined, { routes })
    expect(await Promise.all(['/at-once', '/later', '/sent'].map(async (path) => (await send(path)).status))).toEqual([500, 500, 200])
    expect(events.filter(({ event }) => event === 'internal')).toHaveLength(3)
    expect((await send('/predict', { body: { input: [1] } })).status).toBe(200)
  })
})
