import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../../src/agent/serve/rate-limit.ts'
import { serviceConfigSchema } from '../../../src/contract/service.ts'
import { identityModel } from '../../engine/measure/small-models.ts'
import { serviceConfig, TOKEN } from '../service-fixture.ts'
import { heldRuntime } from './held-runtime.ts'
import { runningServices } from './running-services.ts'

const start = runningServices()
const model = identityModel('N', [3])
const body = { input: [1, 2, 3] }
const KEY = 'key-of-the-line-7-abcdefghijkl'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('API keys', () => {
  const apiKeys = [
    { name: 'line-7', sha256: sha256(KEY) },
    { name: 'line-8', sha256: sha256('another-key-0123456789') },
  ]

  it('are taken beside the token, in either header, on old and new connections', async () => {
    const { send, port } = await start(model, { apiKeys })
    const statusOf = async (headers: Record<string, string>) => (await send('/predict', { body, anonymous: true, headers })).status
    expect(await statusOf({ 'x-api-key': KEY })).toBe(200)
    expect(await statusOf({ authorization: `Bearer ${KEY}` })).toBe(200)
    expect(await statusOf({ authorization: `Bearer ${TOKEN}` })).toBe(200)
    for (const wrong of [`${KEY}x`, KEY.slice(1), sha256(KEY), '', 'line-7'])
      expect(await statusOf({ 'x-api-key': wrong }), wrong).toBe(401)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const statuses: (number | undefined)[] = []
    for (const key of [KEY, KEY, 'wrong-key-0123456789', KEY, 'another-key-0123456789', TOKEN]) {
      const outgoing = request({ host: '127.0.0.1', port, path: '/health', agent, headers: { 'x-api-key': key } }).end()
      const [incoming] = await once(outgoing, 'response')
      incoming.resume()
      await once(incoming, 'end')
      statuses.push(incoming.statusCode)
    }
    agent.destroy()
    expect(statuses).toEqual([200, 200, 401, 200, 200, 200])
  })

  it('have names in the log, and never show the key', async () => {
    const { send, events } = await start(model, { apiKeys, accessLogShare: 1 })
    await send('/predict', { body, anonymous: true, headers: { 'x-api-key': KEY, 'x-request-id': 'abc' } })
    await send('/health?token=secret')
    await send('/health', { anonymous: true })
    const lines = events.filter(({ event }) => event === 'request')
    expect(lines).toEqual([
      {
        level: 'info',
        event: 'request',
        requestId: 'abc',
        client: 'line-7',
        method: 'POST',
        path: '/predict',
        status: 200,
        durationMs: expect.any(Number),
        bytes: expect.any(Number),
      },
      expect.objectContaining({ client: 'token', method: 'GET', path: '/health', status: 200 }),
      expect.objectContaining({ client: null, status: 401 }),
    ])
    expect(JSON.stringify(events)).not.toMatch(/secret|key-of-the-line/)
  })
})

describe('rate limit', () => {
  it('is a token bucket', () => {
    const bucket = new TokenBucket({ requestsPerSecond: 10, burst: 3 }, 1000)
    const waits = [1000, 1000, 1000, 1000, 1050, 1100, 1100, 9000, 9000, 9000, 9000].map((now) => bucket.take(now))
    expect(waits.map((wait) => Number(wait.toFixed(3)))).toEqual([0, 0, 0, 0.1, 0.05, 0, 0.1, 0, 0, 0, 0.1])
  })

  it('holds for each client by itself, and only for predictions', async () => {
    const apiKeys = [{ name: 'fast', sha256: sha256(KEY), rateLimit: { requestsPerSecond: 1000, burst: 100 } }]
    const { send } = await start(model, { apiKeys, rateLimit: { requestsPerSecond: 0.01, burst: 2 } })
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) statuses.push((await send('/predict', { body })).status)
    expect(statuses).toEqual([200, 200, 429, 429])
    const refused = await send('/predict', { body })
    expect(refused.body.error.code).toBe('RATE_LIMITED')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(90)
    expect((await send('/v2/models/test/infer', { body: {} })).status).toBe(429)
    expect((await send('/health')).status).toBe(200)
    expect((await send('/predict', { body, anonymous: true, headers: { 'x-api-key': KEY } })).status).toBe(200)
  })
})

describe('concurrency and deadlines', () => {
  it('takes so many predictions together, and refuses more', async () => {
    const { runtime, held, release } = heldRuntime()
    const { send } = await start(model, { concurrency: 3 }, {}, runtime)
    const first = [1, 2, 3].map(() => send('/predict', { body }))
    await expect.poll(held).toBe(1)
    await expect.poll(async () => (await send('/metrics')).body).toMatch(/^edgesmith_predictions_in_flight\{.*\} 3$/m)
    const refused = await send('/predict', { body })
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'OVERLOADED' } } })
    expect(refused.headers['retry-after']).toBe('1')
    await expect
      .poll(() => {
        release()
        return held()
      })
      .toBe(0)
    const replies = Promise.all(first)
    const timer = setInterval(release, 5)
    expect((await replies).map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await send('/predict', { body })).status).toBe(200)
    clearInterval(timer)
  })

  it('gives up what is not answered in time, and does not run what nobody waits for', async () => {
    const { runtime, held, runs, release } = heldRuntime()
    const { send } = await start(model, { deadlineMs: 60_000 }, {}, runtime)
    const first = send('/predict', { body })
    await expect.poll(held).toBe(1)
    const late = await Promise.all([
      send('/predict', { body, headers: { 'x-request-timeout-ms': '30' } }),
      send('/v2/models/test/infer', {
        body: { inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }] },
        headers: { 'x-request-timeout-ms': '30' },
      }),
    ])
    expect(late[0]).toMatchObject({ status: 504, body: { error: { code: 'DEADLINE_EXCEEDED' } } })
    expect(late[1]).toMatchObject({ status: 504, body: { error: 'The answer was not ready in time.' } })
    release()
    expect((await first).status).toBe(200)
    expect(runs()).toBe(1)
    // All of it was given back.
    expect((await send('/metrics')).body).toMatch(/^edgesmith_predictions_in_flight\{.*\} 0$/m)
    expect((await send('/metrics')).body).toMatch(/^edgesmith_queue_depth\{.*\} 0$/m)
  })

  it('lets a client ask for less time than the service gives, not for more', async () => {
    const { runtime, held, release } = heldRuntime()
    const { send } = await start(model, { deadlineMs: 40 }, {}, runtime)
    const without: Record<string, string> = {}
    for (const headers of [without, { 'x-request-timeout-ms': '999999' }]) {
      const reply = send('/predict', { body, headers })
      await expect.poll(held).toBe(1)
      expect((await reply).status).toBe(504)
      release()
      await expect.poll(async () => (await send('/metrics')).body).toMatch(/^edgesmith_queue_depth\{.*\} 0$/m)
    }
    for (const wrong of ['0', '-5', '1.5', 'soon', '9999999999', '']) {
      const reply = await send('/predict', { body, headers: { 'x-request-timeout-ms': wrong } })
      expect([reply.status, reply.body.error.code], wrong).toEqual([400, 'INVALID_REQUEST'])
    }
  })

  it('does not run requests whose clients have left', async () => {
    const { runtime, held, runs, release } = heldRuntime()
    const { send, port } = await start(model, {}, {}, runtime)
    const first = send('/predict', { body })
    await expect.poll(held).toBe(1)
    const text = JSON.stringify(body)
    const leaving = request({
      host: '127.0.0.1',
      port,
      path: '/predict',
      method: 'POST',
      headers: { 'x-api-key': TOKEN, 'content-type': 'application/json', 'content-length': text.length },
    })
    leaving.on('error', () => {})
    leaving.end(text)
    const depth = async () => Number(/^edgesmith_queue_depth\{.*\} (\d+)$/m.exec((await send('/metrics')).body)?.[1])
    await expect.poll(depth).toBe(2)
    leaving.destroy()
    await expect.poll(async () => (await send('/metrics')).body).toMatch(/^edgesmith_open_connections\{.*\} 2$/m)
    release()
    expect((await first).status).toBe(200)
    await expect.poll(depth).toBe(0)
    expect(runs()).toBe(1)
  })
})

describe('request ids and the access log', () => {
  it('keeps sane ids and makes up others', async () => {
    const { send } = await start(model)
    for (const id of ['abc', '0af7651916cd43dd8448eb211c80319c', 'a/b:c.d_e-f@g=+', 'x'.repeat(128)]) {
      expect((await send('/health', { headers: { 'x-request-id': id } })).headers['x-request-id']).toBe(id)
    }
    const made = new Set<unknown>()
    for (const id of ['', 'with space', 'x'.repeat(129), '"quoted"', 'é']) {
      const answered = (await send('/predict', { body, headers: { 'x-request-id': id } })).headers['x-request-id']
      expect(answered).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/)
      made.add(answered)
    }
    expect(made.size).toBe(5)
    expect((await send('/nothing')).headers['x-request-id']).toMatch(/^[0-9a-f]{12}-/)
  })

  it('writes a share of the requests, none where not asked to', async () => {
    const quiet = await start(model)
    await quiet.send('/health')
    expect(quiet.events.filter(({ event }) => event === 'request')).toEqual([])
    const { send, events } = await start(model, { accessLogShare: 0.1 })
    for (let i = 0; i < 40; i++) await send(i % 2 ? '/health' : `/${'long'.repeat(100)}`)
    const lines = events.filter(({ event }) => event === 'request')
    expect(lines).toHaveLength(4)
    expect(JSON.stringify(lines).length).toBeLessThan(4 * 450)
  })
})

describe('open to the network', () => {
  it('only on purpose, and then only under its names', async () => {
    const config = serviceConfig(model)
    const parse = (changes: object) => serviceConfigSchema.safeParse({ ...config, ...changes })
    expect(parse({ host: '0.0.0.0' }).error?.message).toContain('is open to the network')
    expect(parse({ host: 'example.org', network: { hosts: ['example.org'] } }).success).toBe(false)
    expect(parse({ host: '0.0.0.0', network: { hosts: [] } }).success).toBe(false)
    expect(parse({ host: '0.0.0.0', network: { hosts: ['a b'] } }).success).toBe(false)
    expect(parse({ host: '::1' }).success).toBe(true)
    const { send } = await start(model, { host: '0.0.0.0', network: { hosts: ['Box.local', '192.168.1.20', '[fe80::1]'] } })
    for (const host of ['box.local', 'BOX.LOCAL:8080', '192.168.1.20:80', '[fe80::1]:80', 'localhost', '127.0.0.1:1']) {
      expect((await send('/health', { headers: { host } })).status, host).toBe(200)
    }
    for (const host of ['box.local.evil.org', 'evil', 'box.local:999999', '192.168.1.21', '0.0.0.0']) {
      expect((await send('/health', { headers: { host } })).body.error, host).toMatchObject({
        code: 'HOST_NOT_ALLOWED',
        message: 'The Host header must be localhost, 127.0.0.1, [::1], Box.local, 192.168.1.20 or [fe80::1].',
      })
    }
  })

  it('configurations of before stand for what they stood for', () => {
    const written = serviceConfig(model)
    const { apiKeys, network, fields, embedding, rateLimit, concurrency, deadlineMs, accessLogShare, ...old } = written
    expect([apiKeys, network, fields, embedding, rateLimit, concurrency, deadlineMs, accessLogShare]).toEqual([
      [],
      null,
      [],
      null,
      null,
      512,
      60_000,
      0,
    ])
    expect(serviceConfigSchema.parse(old)).toEqual(written)
  })
})
