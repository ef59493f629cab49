import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linearModel } from '../engine/measure/small-models.ts'
import { type AgentBundle, bundleAgent } from './agent-bundle.ts'
import { AgentProcess } from './agent-process.ts'
import { send, serviceConfig, TOKEN } from './service-fixture.ts'

// The server as it runs on a board, with its own limits, under everything at once. `service-hostile.test.ts` has each case by itself.

let bundle: AgentBundle
let agent: AgentProcess
let port = 0
let log = ''
const model = linearModel('N', [
  [1, 2],
  [3, 4],
])

beforeAll(async () => {
  bundle = await bundleAgent()
  const folder = join(bundle.folder, 'service')
  await mkdir(folder)
  const at = (name: string) => join(folder, name)
  const config = serviceConfig(model, { modelPath: at('model.onnx'), tokenPath: at('token'), statePath: at('state.json') })
  await writeFile(at('model.onnx'), model)
  await writeFile(at('token'), TOKEN, { mode: 0o600 })
  await writeFile(at('config.json'), JSON.stringify(config))
  agent = new AgentProcess(bundle, ['serve', at('config.json')])
  port = await new Promise<number>((resolve) => {
    agent.child.stdout?.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8')
      const found = /"event":"started".*?"port":(\d+)/.exec(log)?.[1]
      if (found !== undefined) resolve(Number(found))
    })
  })
})
afterAll(async () => {
  agent.child.kill('SIGKILL')
  await agent.ended
  await bundle.remove()
})

const HEAD = `Host: localhost\r\nX-API-Key: ${TOKEN}\r\n`
const post = (path: string, body: string, more = '') =>
  `POST ${path} HTTP/1.1\r\n${HEAD}Connection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`
const get = (path: string) => `GET ${path} HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`

/** Writes to a connection of its own; answers everything that came until the server closed it, or this side did after `patienceMs`. */
function raw(bytes: string | Uint8Array, patienceMs = 20_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let received = ''
    socket.on('data', (chunk) => {
      if (received.length < 10_000) received += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    const timer = setTimeout(() => socket.destroy(), patienceMs)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(received)
    })
  })
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0)

async function isWell(): Promise<void> {
  expect(await send(port, '/predict', { body: { input: [1, 1] } })).toMatchObject({ status: 200, body: { outputs: { y: [4, 6] } } })
}

async function stats(): Promise<{ rss_bytes: number; peak_rss_bytes: number }> {
  return (await send(port, '/stats')).body
}

describe('the server process', () => {
  it('answers whatever is in a body with the right status', async () => {
    const digits = '1'.repeat(1_000_000)
    const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index]))
    const cases: [string, string, number[]][] = [
      ['/predict', '{"input":[NaN,1]}', [400]],
      ['/predict', '{"input":[Infinity,1]}', [400]],
      ['/predict', '{"input":[1e999,1]}', [422]],
      ['/predict', '{"input":[-1e999,1]}', [422]],
      ['/predict', `{"input":[${digits},1]}`, [422]],
      ['/predict', `{"input":[0.${digits},1]}`, [200]],
      ['/predict', '{"input":[-0,1E-400]}', [200]],
      ['/predict', '{"input":[01,1]}', [400]],
      ['/predict', '{"input":[1,2],"input":[1]}', [400, 422]],
      ['/predict', '\ufeff{"input":[1,2]}', [200, 400]],
      ['/predict', '{"input":[1,2]}\u0000', [400]],
      ['/predict', JSON.stringify(keys), [400]],
      ['/predict', JSON.stringify({ inputs: keys }), [400, 422]],
      ['/predict', `{"input":${'['.repeat(3_000_000)}`, [400]],
      ['/predict', `{"input":${'{"a":'.repeat(1_000_000)}1${'}'.repeat(1_000_000)}}`, [400]],
      ['/predict', `{"input":"${'\\u0000'.repeat(500_000)}"}`, [400, 422]],
      ['/predict', `{"input":[${'1,'.repeat(4_000_000)}1]}`, [422]],
      ['/predict', '{"input":[[[[[[1,2]]]]]]}', [422]],
      ['/predict/batch', `{"inputs":[${'{},'.repeat(1_000_000)}{}]}`, [400, 413, 422]],
      ['/predict/batch', '{"inputs":[]}', [400, 422]],
      ['/v2/models/test/infer', '{"inputs":[{"name":"x","shape":[9007199254740991,2],"datatype":"FP32","data":[]}]}', [413, 422]],
      ['/v2/models/test/infer', '{"inputs":[{"name":"x","shape":[1e308,2],"datatype":"FP32","data":[1,2]}]}', [400, 413, 422]],
      [
        '/v2/models/test/infer',
        '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":9007199254740991}}]}',
        [400],
      ],
    ]
    for (const [path, body, statuses] of cases) {
      const answer = await raw(post(path, body))
      expect(statuses, `${path} ${body.slice(0, 60)} ${answer.slice(0, 300)}`).toContain(statusOf(answer))
      if (statusOf(answer) !== 200) expect(answer).toContain('"error"')
    }
    for (const length of ['-1', '1e3', '0x10', '99999999999999999999', '1 1', '+5', '']) {
      const lying = `POST /predict HTTP/1.1\r\n${HEAD}Connection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{"input":[1,2]}`
      expect([400, 413], length).toContain(statusOf(await raw(lying)))
    }
    await isWell()
  })

  it('is not tricked by paths', async () => {
    const paths = [
      '/../../../../etc/passwd',
      '/docs/../../../etc/passwd',
      '/docs/..%2f..%2fetc%2fpasswd',
      '/docs/%2e%2e/%2e%2e/etc/passwd',
      '/docs/page.js%00.html',
      '//etc/passwd',
      '/control/live/../../health',
      '/predict;x=1',
      '/%70redict',
      '/PREDICT',
      'http://evil.example/../../etc/passwd',
      '*',
      `/${'a'.repeat(8000)}`,
      '/v2/models/__proto__/infer',
      '/v2/models/test/versions/..%2f..%2f/infer',
    ]
    for (const path of paths) {
      const answer = await raw(get(path))
      expect([400, 403, 404, 405], `${path.slice(0, 60)} ${answer.slice(0, 200)}`).toContain(statusOf(answer))
      expect(answer, path).not.toContain('root:')
    }
    // What is no request line at all.
    for (const line of [
      'GET /a b HTTP/1.1',
      'GET',
      '',
      ' / ',
      'GET\t/\tHTTP/1.1',
      'CONNECT evil:80 HTTP/1.1',
      'PRI * HTTP/2.0',
      'GET /\u00e9 HTTP/1.1',
    ]) {
      const answer = await raw(`${line}\r\n${HEAD}Connection: close\r\n\r\n`, 3000)
      expect([0, 400, 404, 405, 505], line).toContain(statusOf(answer))
    }
    await isWell()
  })

  it('stays within its memory under large bodies, header bombs, floods and slow clients at once, and answers others meanwhile', async () => {
    const before = await stats()
    const slow: Socket[] = []
    for (let index = 0; index < 300; index++) {
      const socket = connect(port, '127.0.0.1')
      // One that does not read would never see that it was cut off.
      socket.resume().on('error', () => {})
      slow.push(socket)
    }
    // Each sends a byte of its head now and then, and never comes to an end.
    const dripping = setInterval(() => {
      for (const socket of slow) if (!socket.destroyed) socket.write('G')
    }, 100)
    const large = `{"input":[${'1.5,'.repeat(3_700_000)}1]}`
    const floods = Promise.all([
      ...Array.from({ length: 4 }, () => raw(post('/predict', large))),
      ...Array.from({ length: 10 }, () => raw(post('/predict', '', '').replace('Content-Length: 0', 'Content-Length: 99999999'))),
      ...Array.from({ length: 30 }, () => raw(`GET /health HTTP/1.1\r\n${HEAD}X-Bomb: ${'b'.repeat(1_000_000)}\r\n\r\n`)),
      ...Array.from({ length: 10 }, () => raw(`GET /health HTTP/1.1\r\n${'X: y\r\n'.repeat(50_000)}\r\n`)),
      // Thousands of requests on one connection whose answers nobody reads before the end.
      ...Array.from({ length: 4 }, () => raw(`GET /health HTTP/1.1\r\n${HEAD}\r\n`.repeat(5000), 3000)),
      // Chunks of one byte, without end.
      ...Array.from({ length: 4 }, () =>
        raw(
          `POST /predict HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(500_000)}`,
          5000,
        ),
      ),
    ])
    for (let index = 0; index < 20; index++) {
      await isWell()
      await sleep(50)
    }
    const answers = (await floods).map(statusOf)
    // A client that is cut off while it still sends may lose its answer (0). Four bodies of 15 MB are more than is held together.
    expect(answers.slice(0, 4).filter((status) => ![0, 422, 503].includes(status))).toEqual([])
    expect(new Set(answers.slice(4, 14))).toEqual(new Set([413]))
    expect([...new Set(answers.slice(14, 54))].filter((status) => ![0, 400, 431].includes(status))).toEqual([])
    clearInterval(dripping)
    // Heads must be whole within ten seconds, however busily they drip.
    await expect.poll(() => slow.filter((socket) => !socket.destroyed && !socket.readableEnded).length, { timeout: 20_000 }).toBe(0)
    const after = await stats()
    // 48 MB of bodies are held at most, and each becomes text and numbers before it is refused.
    expect((after.peak_rss_bytes - before.rss_bytes) / 1e6).toBeLessThan(600)
    await isWell()
  }, 90_000)

  it('lives through bytes that are no HTTP, and says nothing about itself', async () => {
    const pieces = fc.constantFrom(
      'GET ',
      'POST ',
      '/predict',
      ' HTTP/1.1\r\n',
      '\r\n',
      '\n',
      ': ',
      'Content-Length: 10',
      'Transfer-Encoding: chunked',
      HEAD,
      '{"input":[1,2]}',
      '0\r\n\r\n',
      'ffffffff\r\n',
    )
    const junk = fc.array(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 20 })), { minLength: 1, maxLength: 12 })
    const samples = fc.sample(junk, 200)
    const answers = await Promise.all(samples.map((parts) => raw(parts.join(''), 1500)))
    for (const [index, answer] of answers.entries()) {
      if (answer === '') continue
      expect(answer, JSON.stringify(samples[index])).toMatch(/^HTTP\/1\.1 (200|400|401|404|405|408|411|413|415|417|421|422|431|501|505) /)
      expect(answer).not.toMatch(/node_modules|at Object|\.cjs/)
    }
    expect(log).not.toContain('"level":"error"')
    await isWell()
    expect(agent.stderr).toBe('')
    if (process.platform === 'linux') expect(readFileSync(`/proc/${agent.child.pid}/status`, 'utf8')).toMatch(/State:\s+[SR]/)
  })
})
