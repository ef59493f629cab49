import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { HttpError } from '../../src/agent/serve/http-error.ts'
import { modelSignature } from '../../src/agent/serve/model-signature.ts'
import { readBatchRequest, readPredictRequest } from '../../src/agent/serve/predict-request.ts'
import { identityModel, linearModel, multiInputModel } from '../engine/measure/small-models.ts'
import { heldRuntime } from './serve/held-runtime.ts'
import { type TestService, TOKEN, testService } from './service-fixture.ts'

const running: TestService[] = []

async function start(...options: Parameters<typeof testService>): Promise<TestService> {
  const service = await testService(...options)
  running.push(service)
  return service
}

afterEach(async () => {
  for (const { service } of running.splice(0)) await service.close()
})

const model = identityModel('N', [3])
const good = { input: [1, 2, 3] }

describe('who may ask', () => {
  it('answers nobody without the token, at no path', async () => {
    const { send } = await start(model)
    for (const path of ['/health', '/ready', '/model_info', '/stats', '/predict', '/predict/batch', '/', '/secret']) {
      const reply = await send(path, { anonymous: true })
      expect(reply).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED', message: 'An access token is needed.' } } })
      expect(reply.headers['www-authenticate']).toBe('Bearer realm="edgesmith"')
    }
    const wrong = [
      'Bearer',
      'Bearer ',
      'Bearer x',
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
      TOKEN,
      `Bearer ${TOKEN} ${TOKEN}`,
    ]
    for (const authorization of wrong) {
      expect((await send('/health', { anonymous: true, headers: { authorization } })).status, authorization).toBe(401)
    }
    for (const key of ['', 'x', `${TOKEN}, ${TOKEN}`]) {
      expect((await send('/health', { anonymous: true, headers: { 'x-api-key': key } })).status).toBe(401)
    }
    expect((await send('/stats')).body).toMatchObject({ rejected: 8 + wrong.length + 3, errors: 0 })
  })

  it('takes the token in either header', async () => {
    const { send } = await start(model)
    expect((await send('/health', { anonymous: true, headers: { 'x-api-key': TOKEN } })).status).toBe(200)
    expect((await send('/health', { anonymous: true, headers: { authorization: `bearer  ${TOKEN} ` } })).status).toBe(200)
  })

  it('answers only under loopback names', async () => {
    const { send, raw, port } = await start(model)
    for (const host of ['localhost', `localhost:${port}`, '127.0.0.1:80', '[::1]:8080', 'LOCALHOST']) {
      expect((await send('/health', { headers: { host } })).status, host).toBe(200)
    }
    const strangers = [
      'example.org',
      'localhost.example.org',
      '127.0.0.1.example.org',
      '127.0.0.2',
      '0.0.0.0',
      '::1',
      'localhost:99999999',
      'localhost@evil',
    ]
    for (const host of strangers) {
      expect((await send('/health', { headers: { host } })).body.error.code, host).toBe('HOST_NOT_ALLOWED')
    }
    const token = `Authorization: Bearer ${TOKEN}\r\n`
    expect(await raw(`GET /health HTTP/1.1\r\nConnection: close\r\n${token}\r\n`)).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw(`GET /health HTTP/1.1\r\nHost: \r\nConnection: close\r\n${token}\r\n`)).toMatch(/^HTTP\/1.1 421 /)
    expect(await raw(`GET /health HTTP/1.0\r\n${token}\r\n`)).toMatch(/^HTTP\/1.1 421 /)
    expect(await raw(`GET /health HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nHost: evil\r\n${token}\r\n`)).toMatch(
      /^HTTP\/1.1 4(00|21) /,
    )
  })
})

describe('what may be asked', () => {
  it('knows its paths and their methods', async () => {
    const { send, raw } = await start(model)
    for (const path of ['/', '/health/', '/Health', '/predict%2Fbatch', '/../health', '//health', '/model_info/x']) {
      expect(await send(path), path).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } })
    }
    expect((await send('/health?verbose=1')).status).toBe(200)
    for (const [method, path, allow] of [
      ['POST', '/health', 'GET, HEAD'],
      ['DELETE', '/model_info', 'GET, HEAD'],
      ['GET', '/predict', 'POST'],
      ['OPTIONS', '/predict', 'POST'],
      ['PUT', '/predict/batch', 'POST'],
    ] as const) {
      const reply = await send(path, { method })
      expect([reply.status, reply.headers.allow], `${method} ${path}`).toEqual([405, allow])
    }
    expect(await raw(`GET http://evil/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: ${TOKEN}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 404 /,
    )
  })

  it('wants JSON, declared as such', async () => {
    const { send } = await start(model)
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json-patch+json',
      'application/json; charset=latin1',
      'json',
      '',
    ]) {
      const reply = await send('/predict', { body: good, headers: { 'content-type': type } })
      expect([reply.status, reply.body.error.code], type).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
    }
    for (const type of ['application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf-8"']) {
      expect((await send('/predict', { body: good, headers: { 'content-type': type } })).status, type).toBe(200)
    }
    expect((await send('/predict', { body: good, headers: { 'content-encoding': 'gzip' } })).status).toBe(415)
    for (const text of ['', '{', '{"input":[1,2,3]', "{'input':1}", '{"input":[1,2,3]}}', 'NaN', '\u0000', '{"input":[1,2,NaN]}']) {
      const reply = await send('/predict', { body: text })
      expect([reply.status, reply.body.error.code], text).toEqual([400, 'INVALID_JSON'])
    }
  })

  it('refuses text that is not UTF-8', async () => {
    const { raw } = await start(model)
    const head = `POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n`
    const answer = await raw(Buffer.concat([Buffer.from(head), Buffer.from([0x22, 0xff, 0xfe, 0x22])]))
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).toContain('The body is not UTF-8 text.')
  })

  it('is not confused by prototype names and deep nesting', async () => {
    const { send } = await start(model)
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
      expect((await send('/predict', { body: `{"inputs":{"${name}":[1,2,3]}}` })).body.error.code, name).toBe('INVALID_INPUT')
      expect((await send('/predict', { body: `{"${name}":{},"input":[1,2,3]}` })).body.error.code, name).toBe('INVALID_REQUEST')
    }
    expect((await send('/predict', { body: `{"inputs":{"x":[1,2,3],"__proto__":{"x":1}}}` })).body.error.code).toBe('INVALID_INPUT')
    const levels = 5_000_000
    expect(await send('/predict', { body: `{"input":${'['.repeat(levels)}${']'.repeat(levels)}}` })).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_REQUEST', message: 'The body is nested deeper than 32 levels.' } },
    })
    expect((await send('/predict', { body: good })).status).toBe(200)
  })

  it('lets a model have inputs with such names', async () => {
    const { makeModel, makeNode, makeValueInfo } = await import('../../src/core/onnx/builders.ts')
    const { encodeModel } = await import('../../src/core/onnx/model-file.ts')
    const odd = encodeModel(
      makeModel({
        nodes: [makeNode('Add', ['__proto__', 'constructor'], ['toString'])],
        inputs: [makeValueInfo('__proto__', 'float32', ['N', 1]), makeValueInfo('constructor', 'float32', ['N', 1])],
        outputs: [makeValueInfo('toString', 'float32', ['N', 1])],
      }),
    )
    const { send } = await start(odd)
    const reply = await send('/predict', { body: '{"inputs":{"__proto__":[1],"constructor":[2]}}' })
    expect(reply).toMatchObject({ status: 200, body: { outputs: { toString: [3] } } })
  })
})

describe('how much may be asked', () => {
  it('refuses large bodies, declared or not, and goes on', async () => {
    const { send, port } = await start(model, {}, { bodyBytes: 10_000, lingerMs: 100 })
    const large = JSON.stringify({ input: new Array(10_000).fill(1) })
    expect(await send('/predict', { body: large })).toMatchObject({ status: 413, body: { error: { code: 'BODY_TOO_LARGE' } } })
    // Chunked, without end: the answer comes while the client still sends, then the connection is cut.
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path: '/predict',
      method: 'POST',
      headers: { 'x-api-key': TOKEN, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    })
    outgoing.on('error', () => {})
    const timer = setInterval(() => outgoing.write('1,'.repeat(4000)), 5)
    const [reply] = await once(outgoing, 'response')
    expect(reply.statusCode).toBe(413)
    // Being cut off is an error to the client or not, depending on what it was just doing.
    const closed = new Promise((resolve) => outgoing.once('close', resolve))
    reply.on('error', () => {})
    reply.resume()
    await closed
    clearInterval(timer)
    expect((await send('/predict', { body: good })).status).toBe(200)
  })

  it('asks for a body only when it wants it', async () => {
    const { port } = await start(model, {}, { bodyBytes: 10_000 })
    const ask = (headers: Record<string, string>, body: string) =>
      new Promise<[number, boolean]>((resolve, reject) => {
        let continued = false
        const outgoing = request({
          host: '127.0.0.1',
          port,
          path: '/predict',
          method: 'POST',
          headers: { 'x-api-key': TOKEN, 'content-type': 'application/json', expect: '100-continue', ...headers },
        })
        outgoing.on('continue', () => {
          continued = true
          outgoing.end(body)
        })
        outgoing.on('response', (incoming) => {
          incoming.resume()
          resolve([incoming.statusCode ?? 0, continued])
          outgoing.destroy()
        })
        outgoing.on('error', reject)
        outgoing.flushHeaders()
      })
    expect(await ask({ 'content-length': '17' }, '{"input":[1,2,3]}')).toEqual([200, true])
    expect(await ask({ 'content-length': '20000' }, '')).toEqual([413, false])
    expect(await ask({ 'content-length': '17', 'x-api-key': 'wrong' }, '')).toEqual([401, false])
  })

  it('limits what is in flight together, and counts it back', async () => {
    const { runtime, held, release } = heldRuntime()
    const { send } = await start(model, {}, { allBodiesBytes: 100, bodyBytes: 90 }, runtime)
    const padded = (bytes: number) => `{"input":[1,2,3]${' '.repeat(bytes - 17)}}`
    const first = send('/predict', { body: padded(60) })
    await expect.poll(held).toBe(1)
    const refused = await send('/predict', { body: padded(60) })
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'OVERLOADED' } } })
    expect(refused.headers['retry-after']).toBe('1')
    release()
    expect((await first).status).toBe(200)
    const again = send('/predict', { body: padded(60) })
    await expect.poll(held).toBe(1)
    release()
    expect((await again).status).toBe(200)
  })

  it('survives clients that leave in the middle of a body', async () => {
    const { send, port } = await start(model, {}, { allBodiesBytes: 1000 })
    for (let i = 0; i < 20; i++) {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write(
        `POST /predict HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"input":[${'1,'.repeat(300)}`,
      )
      socket.resetAndDestroy()
      await once(socket, 'close')
    }
    // All their bytes were counted back, or this would be refused.
    await expect.poll(async () => (await send('/predict', { body: good })).status).toBe(200)
    expect((await send('/stats')).body.errors).toBe(0)
  })

  it('cuts off who sends too slowly, with an answer', async () => {
    const limits = { headersTimeoutMs: 200, requestTimeoutMs: 300, timeoutCheckMs: 50 }
    const { raw, send } = await start(model, {}, limits)
    const slow = [
      '',
      'GET /health HT',
      `POST /predict HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"inp`,
    ]
    const answers = await Promise.all(slow.map((text) => raw(text)))
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1.1 408 /)
      expect(answer).toContain('"code":"REQUEST_TIMEOUT"')
    }
    expect((await send('/health')).status).toBe(200)
  })

  it('refuses header bombs and what is not HTTP', async () => {
    const { raw, send } = await start(model)
    const start_ = `GET /health HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${TOKEN}\r\n`
    expect(await raw(`${start_}X-Long: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 .*"code":"HEADERS_TOO_LARGE"/s)
    expect(await raw('\u0016\u0003\u0001 hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"code":"BAD_REQUEST"/s)
    expect(await raw('GET / HTTP/9.9\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    // Smuggling: two lengths, or a length beside chunks.
    expect(await raw(`POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`)).toMatch(
      /^HTTP\/1.1 400 /,
    )
    expect(
      await raw(`POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    ).toMatch(/^HTTP\/1.1 400 /)
    expect((await send('/health')).status).toBe(200)
  })

  it('answers health checks between the runs of a long request', async () => {
    const { runtime, held, release } = heldRuntime()
    const { send } = await start(model, {}, {}, runtime)
    const long = send('/predict/batch', { body: { inputs: Array.from({ length: 64 }, () => ({ x: [1, 2, 3] })) } })
    for (let run = 0; run < 2; run++) {
      await expect.poll(held).toBe(1)
      expect((await send('/health')).status).toBe(200)
      release()
    }
    expect((await long).body.count).toBe(64)
  })
})

describe('stopping', () => {
  it('finishes what is in flight, takes nothing new, and closes kept connections', async () => {
    const { runtime, held, release } = heldRuntime()
    const service = await testService(model, {}, {}, runtime)
    const { send, port } = service
    const agent = new Agent({ keepAlive: true })
    const kept = request({ host: '127.0.0.1', port, path: '/health', agent, headers: { 'x-api-key': TOKEN } })
    kept.end()
    const [first] = await once(kept, 'response')
    first.resume()
    await once(first, 'end')
    const inFlight = send('/predict', { body: good })
    await expect.poll(held).toBe(1)
    const closed = service.service.close()
    await expect(send('/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    release()
    const reply = await inFlight
    expect(reply).toMatchObject({ status: 200, body: { outputs: { y: [1, 2, 3] } } })
    expect(reply.headers.connection).toBe('close')
    await closed
    agent.destroy()
  })

  it('cuts what does not finish in time', async () => {
    const { runtime, held, release } = heldRuntime()
    const service = await testService(model, {}, { drainMs: 100 }, runtime)
    const inFlight = service.send('/predict', { body: good })
    const cut = expect(inFlight).rejects.toThrow(/socket hang up|ECONNRESET/)
    await expect.poll(held).toBe(1)
    const closing = service.service.close()
    await cut
    release()
    await closing
  })
})

describe('the request parser', () => {
  const signatures = [
    modelSignature([{ name: 'x', type: 'float32', shape: ['N', 2, 2] }], { scale: 2, mean: [1] }),
    modelSignature(
      [
        { name: 'a', type: 'float32', shape: ['N', 2] },
        { name: 'ids', type: 'int64', shape: ['N', 'S'] },
        { name: 'flag', type: 'bool', shape: ['N'] },
      ],
      {},
    ),
    modelSignature([{ name: 'text', type: 'string', shape: [undefined, undefined] }], {}),
  ]
  const key = fc.constantFrom('inputs', 'input', 'preprocessed', 'x', 'a', 'ids', 'flag', 'text', '__proto__', 'length')
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.string({ maxLength: 5 })),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value

  it('refuses values that preprocessing carries beyond the range of the type', () => {
    const signature = signatures.find(({ inputs }) => inputs.some(({ steps }) => steps.scale === 2))
    if (!signature) throw new Error('no signature with a scale')
    const request = (value: number) =>
      readPredictRequest(
        {
          input: [
            [value, 0],
            [0, 0],
          ],
        },
        { signature, hasEmbedding: false },
      ).samples
    expect(() => request(3e38)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining('value 0') }))
    expect(request(1e38)).toHaveLength(1)
  })

  it('answers any JSON with samples the model can take, or with a refusal', () => {
    let accepted = 0
    const number = fc.oneof(fc.integer(), fc.double())
    const body = fc.oneof(
      anything,
      fc.record({
        inputs: fc.record({
          a: fc.array(number, { minLength: 2, maxLength: 2 }),
          ids: fc.array(fc.nat(3), { maxLength: 3 }),
          flag: fc.oneof(fc.boolean(), anything),
        }),
      }),
      fc.record({ input: fc.array(fc.array(number, { minLength: 2, maxLength: 2 }), { minLength: 2, maxLength: 2 }) }),
      fc.record({ inputs: fc.array(fc.record({ text: fc.array(fc.array(fc.string(), { minLength: 1 }), { minLength: 1 }) })) }),
    )
    fc.assert(
      fc.property(body, fc.constantFrom(...signatures), fc.boolean(), (value, signature, batch) => {
        const parsed: unknown = JSON.parse(JSON.stringify(value))
        try {
          const form = { signature, hasEmbedding: false }
          const { samples } = batch ? readBatchRequest(parsed, form, 3) : readPredictRequest(parsed, form)
          accepted++
          for (const sample of samples) {
            for (const { port, sampleShape } of signature.inputs) {
              const tensor = sample[port.name]
              expect(tensor?.type).toBe(port.type)
              expect(tensor?.dims).toHaveLength(sampleShape.length)
              expect(tensor?.values).toHaveLength((tensor?.dims ?? []).reduce((product, dim) => product * dim, 1))
              sampleShape.forEach((dim, axis) => {
                if (dim !== undefined) expect(tensor?.dims[axis]).toBe(dim)
              })
              if (tensor?.values instanceof Float32Array) expect(tensor.values.every(Number.isFinite)).toBe(true)
            }
          }
        } catch (error) {
          if (!(error instanceof HttpError)) throw error
          expect([400, 422]).toContain(error.status)
        }
      }),
      { numRuns: 3000 },
    )
    expect(accepted).toBeGreaterThan(50)
  })

  it('keeps a real server alive under mutilated requests', async () => {
    const { raw, send } = await start(
      multiInputModel(),
      {},
      { headersTimeoutMs: 300, requestTimeoutMs: 400, timeoutCheckMs: 50, keepAliveMs: 100 },
    )
    const body = JSON.stringify({ inputs: { a: [1, 2], ids: [1], flag: true } })
    const whole = `POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-API-Key: ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    expect(await raw(whole)).toMatch(/^HTTP\/1.1 200 /)
    const edit = fc.tuple(fc.nat(whole.length), fc.constantFrom('', '\r\n', ':', '"', '\u0000', '9', '{', '[', ' ', 'é'))
    const allowed = /^HTTP\/1.1 (200|400|401|404|405|408|413|415|421|422|431) /
    const requests = fc
      .sample(fc.array(edit, { minLength: 1, maxLength: 4 }), { numRuns: 150, seed: 11 })
      .map((edits) => edits.reduce((text, [at, insert]) => text.slice(0, at) + insert + text.slice(at + 1), whole))
    const answers = await Promise.all(requests.map((text) => raw(Buffer.from(text, 'latin1'))))
    answers.forEach((answer, i) => {
      expect(answer, JSON.stringify(requests[i])).toMatch(allowed)
    })
    expect((await send('/stats')).body.errors).toBe(0)
  })
})

it('every answer to a linear model equals the product computed here', async () => {
  const { send } = await start(
    linearModel('N', [
      [1, -2],
      [0.5, 3],
    ]),
  )
  const values = fc.sample(fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -1000, max: 1000 })), { numRuns: 50, seed: 3 })
  const { body } = await send('/predict/batch', { body: { inputs: values.map((x) => ({ x })) } })
  expect(body.results.map((result: { outputs: { y: number[] } }) => result.outputs.y)).toEqual(
    values.map(([a, b]) => [a + 0.5 * b, -2 * a + 3 * b]),
  )
})
