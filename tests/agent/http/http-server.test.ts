import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { answerWith, client, sendPieces, type TestServer, testServer } from './http-fixture.ts'

const running: TestServer[] = []

async function start(...options: Parameters<typeof testServer>): Promise<TestServer> {
  const server = await testServer(...options)
  running.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ server }) => server.close()))
})

const bytes = (text: string) => Buffer.from(text, 'latin1')
const get = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`
const post = (more: string, body: string) => `POST /p HTTP/1.1\r\nHost: localhost\r\n${more}\r\n${body}`
const statuses = (received: string) => [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))

describe('what two programs could read in two ways', () => {
  it.each([
    ['a bare LF behind the request line', 'GET / HTTP/1.1\nHost: localhost\r\n\r\n'],
    ['a bare LF behind a header', 'GET / HTTP/1.1\r\nHost: localhost\nX: 1\r\n\r\n'],
    ['a bare CR in a value', get('/', 'X: a\rb\r\n')],
    ['obsolete folding', get('/', 'X: a\r\n b\r\n')],
    ['folding of the first header', 'GET / HTTP/1.1\r\n Host: localhost\r\n\r\n'],
    ['a space before the colon', get('/', 'X : a\r\n')],
    ['a header without colon', get('/', 'X\r\n')],
    ['a header without name', get('/', ': x\r\n')],
    ['a name with other characters', get('/', 'X(a): x\r\n')],
    ['a NUL in a value', get('/', 'X: a\0b\r\n')],
    ['a DEL in a value', get('/', 'X: a\x7fb\r\n')],
    ['two spaces in the request line', 'GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a fragment', get('/a#b')],
    ['a target that is no path', get('a')],
    ['bytes beyond ASCII in the target', get('/\xe9')],
    ['a method in small letters', 'get / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['CONNECT', 'CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['no version', 'GET /\r\nHost: localhost\r\n\r\n'],
    ['another version', 'GET / HTTP/2.0\r\nHost: localhost\r\n\r\n'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', get('/', 'Host: localhost\r\n')],
    ['two lengths', post('Content-Length: 1\r\nContent-Length: 2\r\n', 'ab')],
    ['the same length twice', post('Content-Length: 1\r\nContent-Length: 1\r\n', 'a')],
    ['a list of lengths', post('Content-Length: 1, 1\r\n', 'a')],
    ['a signed length', post('Content-Length: +1\r\n', 'a')],
    ['a hexadecimal length', post('Content-Length: 0x1\r\n', 'a')],
    ['an empty length', post('Content-Length: \r\n', '')],
    ['a huge length', post(`Content-Length: ${'9'.repeat(30)}\r\n`, 'a')],
    ['a length beside chunks', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['chunks beside a length', post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n')],
    ['another coding', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
    ['identity', post('Transfer-Encoding: identity\r\n', '')],
    ['chunked twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['a hidden coding', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')],
    ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a chunk size with a sign', post('Transfer-Encoding: chunked\r\n', '+1\r\na\r\n0\r\n\r\n')],
    ['a chunk size with 0x', post('Transfer-Encoding: chunked\r\n', '0x1\r\na\r\n0\r\n\r\n')],
    ['a space behind a chunk size', post('Transfer-Encoding: chunked\r\n', '1 \r\na\r\n0\r\n\r\n')],
    ['an empty chunk size', post('Transfer-Encoding: chunked\r\n', '\r\na\r\n0\r\n\r\n')],
    ['a chunk that ends in LF', post('Transfer-Encoding: chunked\r\n', '1\r\na\n0\r\n\r\n')],
    ['a chunk size that ends in LF', post('Transfer-Encoding: chunked\r\n', '1\na\r\n0\r\n\r\n')],
    ['a chunk longer than its size', post('Transfer-Encoding: chunked\r\n', '1\r\nab\r\n0\r\n\r\n')],
    ['a chunk size of nine digits', post('Transfer-Encoding: chunked\r\n', '100000001\r\na\r\n0\r\n\r\n')],
    ['a trailer without name', post('Transfer-Encoding: chunked\r\n', '0\r\nx\r\n\r\n')],
  ])('refuses %s, and whatever follows it', async (_what, text) => {
    const { port, requests, failures } = await start()
    const received = await sendPieces(port, [bytes(text + get('/smuggled'))])
    expect(statuses(received)).toEqual([400])
    expect(received).toContain('connection: close\r\n')
    expect(failures).toEqual(['malformed'])
    expect(requests).toEqual([])
  })
})

describe('requests of one connection', () => {
  it('are answered in order, however many come at once and however long each takes', async () => {
    const { port, requests } = await start({}, (request) => {
      const delay = Number(request.head.target.slice(1)) % 3
      if (delay === 0) answerWith(request, request.head.target)
      else setTimeout(() => answerWith(request, request.head.target), delay)
    })
    const { socket, received } = client(port)
    const targets = Array.from({ length: 60 }, (_, index) => `/${index}`)
    socket.write(
      targets
        .slice(0, 40)
        .map((target) => get(target))
        .join(''),
    )
    await sleep(2)
    socket.write(
      targets
        .slice(40)
        .map((target) => get(target))
        .join(''),
    )
    await expect.poll(() => statuses(received()).length, { timeout: 5000 }).toBe(60)
    expect([...received().matchAll(/\r\n\r\n(\/\d+)/g)].map(([, body]) => body)).toEqual(targets)
    expect(new Set(requests.map(({ connection }) => connection)).size).toBe(1)
    socket.destroy()
  })

  it('are told apart though their heads are the same', async () => {
    const { port, requests } = await start()
    const { socket, received } = client(port)
    for (const [index, body] of ['abc', 'xyz', '123', 'ab\r'].entries()) {
      socket.write(post('Content-Length: 3\r\n', body))
      await expect.poll(() => statuses(received()).length).toBe(index + 1)
    }
    socket.write(post('Content-Length: 4\r\n', 'four'))
    await expect.poll(() => requests.map(({ body }) => body)).toEqual(['abc', 'xyz', '123', 'ab\r', 'four'])
    socket.destroy()
  })

  it('end where either side says so', async () => {
    const { port } = await start()
    const last = await sendPieces(port, [bytes(get('/a') + get('/b', 'Connection: close\r\n') + get('/c'))])
    expect(statuses(last)).toEqual([200, 200])
    expect(last.match(/connection: (?:close|keep-alive)/g)).toEqual(['connection: keep-alive', 'connection: close'])
    const old = client(port)
    old.socket.write('GET /a HTTP/1.0\r\n\r\n')
    await old.closed
    expect(old.received()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n/s)
    const kept = client(port)
    kept.socket.write('GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n')
    await expect.poll(kept.received).toMatch(/connection: keep-alive\r\nkeep-alive: timeout=5\r\n/)
    kept.socket.destroy()
  })

  it('may have a body that is not for us, and an empty line before them', async () => {
    const { port, requests } = await start()
    const received = await sendPieces(port, [bytes(`${get('/a', 'Content-Length: 2\r\n')}xx\r\n${get('/b')}`)])
    expect(statuses(received)).toEqual([200, 200])
    expect(requests.map(({ target }) => target)).toEqual(['/a', '/b'])
  })

  it('with HEAD get the length and no body', async () => {
    const { port } = await start()
    const received = await sendPieces(port, [bytes('HEAD /abc HTTP/1.1\r\nHost: localhost\r\n\r\n')])
    expect(received).toMatch(/content-length: 4\r\n.*\r\n\r\n$/s)
  })

  it('get bodies of any characters and sizes whole', async () => {
    const large = Buffer.alloc(3_000_000, 'abcdefg')
    const answers = new Map<string, string | Uint8Array>([
      ['/ascii', 'plain'],
      ['/latin', 'é'],
      ['/unicode', '日本 é'],
      ['/bytes', Uint8Array.of(0, 255, 10)],
      ['/large', large],
    ])
    const { port } = await start({}, (request) => answerWith(request, answers.get(request.head.target) ?? ''))
    const { socket, received } = client(port)
    socket.write([...answers.keys()].map((target) => get(target)).join(''))
    const wanted = [...answers.values()].map((body) => Buffer.from(body as string))
    await expect.poll(() => received().length, { timeout: 5000 }).toBeGreaterThan(large.length)
    for (const body of wanted.slice(0, 4)) expect(received()).toContain(`content-length: ${body.length}\r\n`)
    for (const body of wanted) expect(received().includes(`\r\n\r\n${body.toString('latin1')}`)).toBe(true)
    socket.destroy()
  })
})

describe('clients that', () => {
  it('wait to be asked for a body are asked once', async () => {
    const { port, requests } = await start()
    const { socket, received } = client(port)
    socket.write(post('Content-Length: 2\r\nExpect: 100-Continue\r\n', ''))
    await expect.poll(received).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('ab')
    await expect.poll(() => statuses(received())).toEqual([100, 200])
    expect(requests[0]?.body).toBe('ab')
    socket.destroy()
  })

  it('close their side behind a request get what can be answered at once', async () => {
    const { port } = await start()
    const { socket, received, closed } = client(port)
    socket.end(get('/a'))
    await closed
    expect(statuses(received())).toEqual([200])
  })

  it('leave while they wait are noticed', async () => {
    const gone: boolean[] = []
    const { server, port, requests } = await start({}, (request) => {
      const timer = setInterval(() => {
        if (!request.isGone) return
        gone.push(true)
        clearInterval(timer)
      }, 1)
    })
    for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
      const { socket } = client(port)
      socket.write(get('/a'))
      await expect.poll(() => requests.splice(0).length).toBe(1)
      socket[leave]()
      await expect.poll(() => gone.splice(0)).toEqual([true])
    }
    expect(server.openConnections).toBe(0)
  })

  it('send a head that never ends, or too many headers, are cut off', async () => {
    const { port, failures } = await start()
    for (const bomb of [
      get('/', `X: ${'a'.repeat(20_000)}\r\n`),
      `GET /${'a'.repeat(100_000)}`,
      get('/', Array.from({ length: 200 }, (_, index) => `X-${index}: 1\r\n`).join('')),
      post('Transfer-Encoding: chunked\r\n', `0\r\n${'X: 1\r\n'.repeat(2000)}\r\n`),
    ]) {
      expect(statuses(await sendPieces(port, [bytes(bomb)]))).toEqual([400])
      expect(failures.splice(0)).toEqual(['head-too-large'])
    }
  })

  it('speak something else are refused before their time is over', async () => {
    const { port, failures } = await start()
    for (const start_ of ['\x16\x03\x01\x02\0\x01', '\0', '\r\n\r\nGET', ' GET / HTTP/1.1', '{"a":1}']) {
      const { socket, closed } = client(port)
      socket.write(bytes(start_))
      await closed
      expect(failures.splice(0)).toEqual(['malformed'])
    }
  })

  it('send a body in chunks of one byte cost no more than one in large chunks', async () => {
    let parts = 0
    const { port, requests } = await start()
    const count = 200_000
    const { socket, received } = client(port)
    socket.write(post('Transfer-Encoding: chunked\r\n', ''))
    const one = Buffer.from('1\r\na\r\n')
    socket.write(Buffer.concat([...Array.from({ length: count }, () => one), Buffer.from('0\r\n\r\n')]))
    await expect.poll(() => statuses(received()), { timeout: 10_000 }).toEqual([200])
    parts += requests[0]?.body.length ?? 0
    expect(parts).toBe(count)
    socket.destroy()
  })

  it('are slow at anything are cut off, with an answer where one is due', async () => {
    const { server, port, failures } = await start({
      headersTimeoutMs: 100,
      requestTimeoutMs: 200,
      keepAliveMs: 100,
      timeoutCheckMs: 20,
      lingerMs: 100,
    })
    const drip = async (text: string) => {
      const { socket, received, closed } = client(port)
      const timer = setInterval(() => socket.write(text.slice(0, 1)), 10)
      socket.write(text)
      await closed
      clearInterval(timer)
      return statuses(received())
    }
    expect(await drip('G')).toEqual([400])
    expect(await drip(get('/').slice(0, -2))).toEqual([400])
    expect(await drip(post('Content-Length: 1000\r\n', 'P'))).toEqual([400])
    expect(failures).toEqual(['timeout', 'timeout', 'timeout'])
    const silent = client(port)
    await silent.closed
    expect(statuses(silent.received())).toEqual([400])
    const idle = client(port)
    idle.socket.write(get('/a'))
    await idle.closed
    expect(statuses(idle.received())).toEqual([200])
    await expect.poll(() => server.openConnections).toBe(0)
  })

  it('do not read their answers are not answered on, and cut off', async () => {
    const large = 'x'.repeat(500_000)
    const { server, port, requests } = await start({ stalledMs: 150 }, (request) => answerWith(request, large))
    const { socket } = client(port)
    socket.pause()
    const many = get('/a').repeat(2000)
    socket.write(many)
    await expect.poll(() => requests.length).toBeGreaterThan(0)
    await expect.poll(() => server.openConnections, { timeout: 5000 }).toBe(0)
    // What the system buffers, not more.
    expect(requests.length).toBeLessThan(100)
    socket.destroy()
  })
})

describe('a server', () => {
  it('takes no more connections than it may', async () => {
    const { port } = await start({ connections: 2 })
    const held = [client(port), client(port)]
    for (const { socket } of held) socket.write(get('/a'))
    await expect.poll(() => held.every(({ received }) => statuses(received()).length === 1)).toBe(true)
    const third = client(port)
    third.socket.write(get('/a'))
    await third.closed
    expect(third.received()).toBe('')
    for (const { socket } of held) socket.destroy()
  })

  it('that stops answers what it has begun, says so, and closes who is quiet', async () => {
    const waiting: (() => void)[] = []
    const { server, port } = await testServer({}, (request) => {
      if (request.head.target === '/slow') waiting.push(() => answerWith(request, 'slow'))
      else answerWith(request, 'fast')
    })
    const [slow, kept, fresh] = [client(port), client(port), client(port)]
    slow.socket.write(get('/slow'))
    kept.socket.write(get('/a'))
    await expect.poll(() => waiting.length === 1 && statuses(kept.received()).length === 1).toBe(true)
    const closed = server.close()
    // One that was just about to ask is still answered, and told.
    kept.socket.write(get('/b'))
    await kept.closed
    expect(kept.received().match(/connection: (?:close|keep-alive)/g)).toEqual(['connection: keep-alive', 'connection: close'])
    await fresh.closed
    expect(fresh.received()).toBe('')
    for (const answer of waiting) answer()
    await closed
    await slow.closed
    expect(slow.received()).toMatch(/connection: close\r\n.*slow$/s)
  })

  it.runIf(process.platform === 'linux')('listens on a socket it was given', async () => {
    const listener = createServer()
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    const { fd } = (listener as unknown as { _handle: { fd: number } })._handle
    const heir = spawn(process.execPath, [fileURLToPath(new URL('inherited-server.ts', import.meta.url))], {
      stdio: ['pipe', 'pipe', 'inherit', fd],
    })
    try {
      const [line] = await once(heir.stdout as Readable, 'data')
      expect(String(line)).toBe(`${port}\n`)
      // The process that opened it closes its own; the one that inherited it serves on.
      listener.close()
      expect(await sendPieces(port, [bytes(get('/a'))])).toMatch(/\r\n\r\ninherited$/)
      const [code] = await Promise.all([once(heir, 'exit'), heir.stdin?.end()])
      expect(code).toEqual([0, null])
    } finally {
      heir.kill('SIGKILL')
    }
  })
})

it('a client of node:http keeps its connection and gets every answer', async () => {
  const { Agent, request } = await import('node:http')
  const { port, requests } = await start()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let index = 0; index < 20; index++) {
    const outgoing = request({ port, host: '127.0.0.1', path: `/${index}`, agent, method: index % 2 ? 'POST' : 'GET' })
    outgoing.end(index % 2 ? 'body' : undefined)
    const [incoming] = await once(outgoing, 'response')
    let text = ''
    for await (const chunk of incoming) text += chunk
    expect(text).toBe(`/${index}`)
  }
  agent.destroy()
  expect(new Set(requests.map(({ connection }) => connection)).size).toBe(1)
})
