import { createHash } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import type { RequestContext } from '../../../src/agent/serve/exchange.ts'
import type { Route } from '../../../src/agent/serve/service-http.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { identityModel } from '../../engine/measure/small-models.ts'
import { send, type TestService, TOKEN, testService } from '../service-fixture.ts'

const KEY = 'key-of-line-7-0123456789'
const running: TestService[] = []

afterEach(async () => {
  for (const { service } of running.splice(0)) await service.close()
})

const ownAddress = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address

describe('paths for the owner', () => {
  const seen: RequestContext[] = []
  const routes = new Map<string, Route>([
    [
      '/control/look',
      {
        method: 'GET',
        isControl: true,
        handle: (_body, context) => {
          seen.push(context)
          return { status: 200, body: {} }
        },
      },
    ],
    ['/control/do', { method: 'POST', isControl: true, bodyBytes: 100, handle: (body) => ({ status: 200, body }) }],
  ])

  async function start(host: string): Promise<TestService> {
    const apiKeys = [{ name: 'line-7', sha256: createHash('sha256').update(KEY).digest('hex') }]
    const network = host === '127.0.0.1' ? null : { hosts: [ownAddress as string] }
    const service = await testService(identityModel('N', [3]), { apiKeys, host, network }, {}, onnxRuntime, { routes })
    running.push(service)
    return service
  }

  it('answer the token, not a key, and count as nothing', async () => {
    const service = await start('127.0.0.1')
    expect((await service.send('/control/look', { headers: { 'x-a': 'b' } })).status).toBe(200)
    expect(seen.splice(0)).toMatchObject([{ clientName: 'token', isOwner: true, isLocal: true }])
    const byKey = await service.send('/control/look', { anonymous: true, headers: { 'x-api-key': KEY } })
    expect(byKey).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } })
    expect((await service.send('/control/look', { anonymous: true })).status).toBe(401)
    expect((await service.send('/control/look', { method: 'POST', body: {} })).status).toBe(405)
    expect((await service.send('/stats')).body).toMatchObject({ requests: 0, errors: 0 })
    expect(seen).toEqual([])
  })

  it('have limits of their own', async () => {
    const service = await start('127.0.0.1')
    expect((await service.send('/control/do', { body: { a: 1 } })).body).toEqual({ a: 1 })
    expect((await service.send('/control/do', { body: { a: 'x'.repeat(100) } })).status).toBe(413)
  })

  it.runIf(ownAddress !== undefined)('answer nobody who comes over the network', async () => {
    const { port } = await start('0.0.0.0')
    const response = await fetch(`http://${ownAddress}:${port}/control/look`, { headers: { authorization: `Bearer ${TOKEN}` } })
    expect([response.status, (await response.json()) as unknown]).toMatchObject([403, { error: { code: 'FORBIDDEN' } }])
    expect((await send(port, '/control/look')).status).toBe(200)
  })
})
