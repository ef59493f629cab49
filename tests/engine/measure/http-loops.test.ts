import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { poissonArrivals } from '../../../src/core/statistics/poisson-arrivals.ts'
import { HttpConnection } from '../../../src/engine/measure/http-connection.ts'
import type { HttpTarget } from '../../../src/engine/measure/http-lanes.ts'
import { closedLoop, openLoop } from '../../../src/engine/measure/http-loops.ts'
import { realPacer } from '../../../src/engine/measure/pacing.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A server that answers its n-th request (from 0) as it is told. */
function http(answer: (index: number, response: ServerResponse, request: IncomingMessage) => void): Promise<number> {
  let requests = 0
  return listen(createHttpServer((request, response) => void request.resume().on('end', () => answer(requests++, response, request))))
}

function ok(response: ServerResponse, body = '{}'): void {
  response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body)
}

function target(port: number): HttpTarget {
  return {
    port,
    requests: [Buffer.from('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}')],
    serviceMs: (body) => (body.length > 2 ? Number(body) : undefined),
  }
}

const never = new AbortController().signal
const closed = (signal = never) => ({ now: () => performance.now(), onTick: () => {}, signal })
const open = (runs: number, rate: number, signal = never) => ({
  arrivals: poissonArrivals(rate, 1),
  wanted: (index: number) => index < runs,
  limitMs: 60_000,
  pacer: realPacer(true),
  onTick: () => {},
  signal,
})

describe('closedLoop', () => {
  it('sends one request after another on each connection', async () => {
    const connections = new Set<number | undefined>()
    const port = await http((index, response, request) => {
      connections.add(request.socket.remotePort)
      ok(response, index === 0 ? '4.5' : '{}')
    })
    const found = await closedLoop(target(port), 3, (sent) => sent >= 50, closed())
    expect(found).toMatchObject({ errors: 0, unanswered: 0, longestQueue: 3, firstError: undefined })
    expect(found.latenciesMs).toHaveLength(50)
    expect([...found.serviceMs]).toEqual([4.5])
    expect(connections.size).toBe(3)
    expect([...found.offsetsMs]).toEqual([...found.offsetsMs].sort((a, b) => a - b))
  })

  it('counts what is not answered with 200, and goes on', async () => {
    const port = await http((index, response) => {
      if (index % 3 === 1) response.writeHead(503, { 'content-length': 4 }).end('busy')
      else if (index % 3 === 2) response.destroy()
      else ok(response)
    })
    const found = await closedLoop(target(port), 1, (sent) => sent >= 30, closed())
    expect(found).toMatchObject({ errors: 20, firstError: '503 busy' })
    expect([...found.errorKinds].sort()).toEqual([
      ['connection', 10],
      ['status 503', 10],
    ])
    expect(found.latenciesMs).toHaveLength(10)
  })

  it('stops when cancelled, with requests under way', async () => {
    const cancel = new AbortController()
    const port = await http(() => cancel.abort())
    await expect(closedLoop(target(port), 2, () => false, closed(cancel.signal))).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
  })
})

describe('openLoop', () => {
  it('shows a stall in the latencies of all requests that came meanwhile', async () => {
    // The first request stalls the whole server for 400 ms; at 200 a second some 80 of 100 requests come meanwhile.
    const port = await http((index, response) => {
      if (index === 0) for (const end = performance.now() + 400; performance.now() < end; );
      ok(response)
    })
    // The server shares this thread, so requests are late by the stall as well: their moments count.
    const found = await openLoop(target(port), open(100, 200))
    expect(found.errors).toBe(0)
    expect(found.latenciesMs).toHaveLength(100)
    expect(found.latenciesMs.filter((latency) => latency > 100).length).toBeGreaterThan(30)
    expect(found.longestQueue).toBeGreaterThan(30)
  })

  it('opens connections as it needs them, and makes requests wait beyond that', async () => {
    const waiting: (() => void)[] = []
    let connections = 0
    const server = createHttpServer((request, response) => void request.resume().on('end', () => waiting.push(() => ok(response))))
    server.on('connection', () => connections++)
    const port = await listen(server)
    const run = openLoop(target(port), open(600, 100_000))
    await expect.poll(() => waiting.length, { timeout: 20_000 }).toBe(256)
    await sleep(20)
    expect(waiting).toHaveLength(256)
    const release = setInterval(() => {
      for (const answer of waiting.splice(0)) answer()
    }, 1)
    const found = await run
    clearInterval(release)
    expect(connections).toBe(256)
    expect(found.latenciesMs).toHaveLength(600)
    expect(found.longestQueue).toBe(600)
  })

  it('gives up on a server that does not answer in time', async () => {
    const port = await http(() => {})
    const found = await openLoop(target(port), { ...open(20, 1000), limitMs: 300 })
    expect(found).toMatchObject({ unanswered: 20, errors: 0 })
    expect(found.latenciesMs).toHaveLength(0)
  })

  it('asks nothing more once it has given up', async () => {
    let asked = 0
    const port = await http(() => asked++)
    // More requests than connections: the others still wait when measuring stops.
    const found = await openLoop(target(port), { ...open(600, 100_000), limitMs: 2000 })
    expect(found.unanswered).toBe(600)
    await sleep(600)
    expect(asked).toBeLessThanOrEqual(256)
  })

  it('counts refused connections as errors, and stops when cancelled', async () => {
    const port = await http(() => {})
    for (const server of servers.splice(0)) server.close()
    const refused = await openLoop(target(port), open(5, 1000))
    expect(refused).toMatchObject({ errors: 5, firstError: expect.stringContaining('ECONNREFUSED') })
    expect([...refused.errorKinds]).toEqual([['ECONNREFUSED', 5]])
    const cancel = new AbortController()
    const silent = await http(() => cancel.abort())
    await expect(openLoop(target(silent), open(1000, 10, cancel.signal))).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
  })
})

describe('HttpConnection', () => {
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const raw = (answer: string, pieces = 1) =>
    listen(
      createServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', async () => {
          const size = Math.ceil(answer.length / pieces)
          for (let at = 0; at < answer.length; at += size) {
            socket.write(answer.slice(at, at + size))
            await sleep(1)
          }
        })
      }),
    )

  it('reads answers that come in pieces', async () => {
    const answer = 'HTTP/1.1 201 Created\r\nX: y\r\nContent-Length: 5\r\n\r\nhello'
    for (const pieces of [1, 3, answer.length]) {
      const connection = await HttpConnection.open(await raw(answer, pieces))
      const { status, body } = await connection.send(request)
      expect([status, body.toString()]).toEqual([201, 'hello'])
      connection.close()
      await expect(connection.send(request)).rejects.toThrow('closed')
    }
  })

  it.each([
    ['something else', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\nhello'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n'],
    ['more than was asked for', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab'],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`],
  ])('refuses %s', async (_, answer) => {
    const connection = await HttpConnection.open(await raw(answer))
    await expect(connection.send(request)).rejects.toThrow(/answer/)
    expect(connection.closed).toBe(true)
  })
})
