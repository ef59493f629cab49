import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { callHttp, type HttpCall, jsonBody, jsonOf } from '../../src/platform/http-call.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

async function ask(listener: RequestListener, call: Partial<HttpCall> = {}) {
  server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return callHttp({ host: '127.0.0.1', port, path: '/a', token: 'secret', mostBytes: 1000, ...call })
}

test('sends what it is given and answers whatever comes', async () => {
  const reply = await ask(
    (request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => response.writeHead(418, { 'x-more': 'yes' }).end(JSON.stringify([request.method, request.headers, text])))
    },
    { body: jsonBody({ a: 'é' }), headers: { 'x-own': '1' } },
  )
  expect(reply).toMatchObject({ status: 418, headers: { 'x-more': 'yes' } })
  expect(jsonOf(reply)).toEqual([
    'POST',
    expect.objectContaining({ authorization: 'Bearer secret', 'content-type': 'application/json', 'content-length': '10', 'x-own': '1' }),
    '{"a":"é"}',
  ])
})

test('gets without a body, and an answer that is no JSON has none', async () => {
  const reply = await ask(({ method }, response) => response.end(method))
  expect([reply.bytes.toString(), jsonOf(reply)]).toEqual(['GET', undefined])
})

test('an answer that is too long is not read to its end', async () => {
  const endless: RequestListener = (_request, response) => {
    const more = () => void response.write('x'.repeat(500), more)
    response.on('error', () => undefined)
    more()
  }
  await expect(ask(endless)).rejects.toThrow('an answer of more than 1000 bytes')
})

test.each(['totalMs', 'silenceMs'] as const)(
  '%s: gives up on a server that says nothing, before its answer and within it',
  async (limit) => {
    await expect(ask(() => undefined, { [limit]: 30 })).rejects.toThrow('no answer within 0.03 s')
    server.closeAllConnections()
    server.close()
    await expect(ask((_request, response) => void response.write('{'), { [limit]: 30 })).rejects.toThrow('no answer within 0.03 s')
  },
)

test('is cut off by the total limit however often the server says something', async () => {
  const drips: RequestListener = (_request, response) => {
    const timer = setInterval(() => response.write('x'), 5)
    response.on('close', () => clearInterval(timer))
  }
  await expect(ask(drips, { totalMs: 60, silenceMs: 10_000, mostBytes: 1e6 })).rejects.toThrow('no answer within 0.06 s')
})

test('ends with its signal', async () => {
  const cancel = new AbortController()
  await expect(ask(() => cancel.abort(), { signal: cancel.signal })).rejects.toMatchObject({ name: 'AbortError' })
})
