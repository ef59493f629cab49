import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { agentRequestSchema } from '../../../src/contract/agent-protocol.ts'
import { loadRequestSchema, loadResultSchema } from '../../../src/contract/load.ts'
import { measureLoad } from '../../../src/engine/measure/load.ts'

const TOKEN = 'token-of-the-tests-0123456789'
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A service that answers its n-th prediction (from 0) with a status. */
async function service(status: (index: number) => number | null) {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const answer = (code: number, text: string) => response.writeHead(code, { 'content-length': text.length }).end(text)
      if (request.headers.authorization !== `Bearer ${TOKEN}`) return answer(401, '{}')
      if (request.url === '/stats') return answer(200, '{"rss_bytes":100,"peak_rss_bytes":200,"cpu_ms":3}')
      const code = status(bodies.push(body) - 1)
      if (code !== null) answer(code, `{"status":${code}}`)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, bodies }
}

const quiet = { reporter: { progress: () => {}, log: () => {} }, signal: new AbortController().signal }
const order = (port: number, changes: object = {}) =>
  loadRequestSchema.parse({
    command: 'load',
    port,
    token: TOKEN,
    path: '/predict',
    bodies: ['{"a":1}', '{"b":2}', '{"c":3}'],
    requestsPerSecond: 200,
    seconds: 0.5,
    arrivals: 'even',
    warmupRequests: 4,
    ...changes,
  })

describe('measureLoad', () => {
  it('sends bodies by turns at the rate, and counts every request once', async () => {
    const { port, bodies } = await service((index) => (index >= 4 && index % 10 === 0 ? 503 : 200))
    const found = await measureLoad(order(port), quiet)
    expect(loadResultSchema.parse(found)).toEqual(found)
    // 200 a second for half a second: due at 5 ms, 10 ms, … 495 ms.
    expect(found).toMatchObject({
      requests: 99,
      answered: 89,
      errors: [{ kind: 'status 503', count: 10 }],
      firstError: '503 {"status":503}',
      unanswered: 0,
      server: { rssBytes: 100, peakRssBytes: 200, cpuMs: 3 },
    })
    expect(bodies).toHaveLength(4 + 99)
    const counts = ['{"a":1}', '{"b":2}', '{"c":3}'].map((body) => bodies.slice(4).filter((sent) => sent === body).length)
    expect(counts).toEqual([33, 33, 33])
    const { p50, p95, p99, max, mean } = found.latencyMs ?? { p50: 9, p95: 0, p99: 0, max: 0, mean: -1 }
    expect(p50 <= p95 && p95 <= p99 && p99 <= max && mean > 0 && mean <= max).toBe(true)
    expect(found.achievedPerSecond).toBeGreaterThan(0)
    expect(found.generator.lateMs).not.toBeNull()
  })

  it('has random arrivals that are the same every time', async () => {
    const { port } = await service(() => 200)
    const random = { arrivals: 'random', seconds: 0.3, warmupRequests: 0 }
    const [first, again] = [await measureLoad(order(port, random), quiet), await measureLoad(order(port, random), quiet)]
    expect(first.requests).toBe(again.requests)
    expect(Math.abs(first.requests - 60)).toBeLessThan(30)
    expect(first.answered).toBe(first.requests)
  })

  it('opens a connection again that the server has ended, without an error', async () => {
    const { port } = await service(() => 200)
    const [server] = servers
    server?.on('request', (_, response) => response.on('finish', () => setImmediate(() => server.closeIdleConnections())))
    const found = await measureLoad(order(port, { requestsPerSecond: 20, warmupRequests: 0 }), quiet)
    expect(found.connections).toBe(1)
    expect(found).toMatchObject({ requests: 9, answered: 9, errors: [] })
  })

  it('says what happened where nobody answers, and stops when cancelled', async () => {
    const { port } = await service(() => 500)
    const refused = await measureLoad(order(port, { token: 'wrong' }), quiet)
    expect(refused).toMatchObject({ answered: 0, errors: [{ kind: 'status 401', count: 99 }], latencyMs: null, server: null })
    const cancel = new AbortController()
    const silent = await service(() => {
      cancel.abort()
      return null
    })
    await expect(measureLoad(order(silent.port), { ...quiet, signal: cancel.signal })).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
  })

  it('has limits', () => {
    const request = order(1)
    expect(agentRequestSchema.safeParse(request).success).toBe(true)
    const wrong = [
      { bodies: [] },
      { bodies: new Array(1001).fill('{}') },
      { bodies: new Array(9).fill('x'.repeat(2 ** 21)) },
      { token: 'a b' },
      { path: 'predict' },
      { path: '/predict HTTP/1.1\r\nHost: x' },
      { requestsPerSecond: 0 },
      { seconds: 3601 },
      { port: 0 },
    ]
    for (const changes of wrong)
      expect(agentRequestSchema.safeParse({ ...request, ...changes }).success, JSON.stringify(changes).slice(0, 80)).toBe(false)
  })
})
