import { afterEach, describe, expect, it } from 'vitest'
import { checkAnswers } from '../../../src/backend/validation/answers-check.ts'
import { checkGolden } from '../../../src/backend/validation/golden-check.ts'
import { checkRestart } from '../../../src/backend/validation/restart-check.ts'
import { checkSchema } from '../../../src/backend/validation/schema-check.ts'
import type { GoldenAnswers } from '../../../src/contract/service.ts'
import type { Services } from '../../../src/remote/device-session.ts'
import { type Lie, LyingService } from './lying-service.ts'

const running: LyingService[] = []
afterEach(() => {
  for (const service of running.splice(0)) service.close()
})

async function start(answers: Parameters<typeof LyingService.start>[0]): Promise<LyingService> {
  const service = await LyingService.start(answers)
  running.push(service)
  return service
}

const healthy: Record<string, Lie> = {
  '/health': { body: { status: 'ok', model_loaded: true } },
  '/ready': { body: { ready: true } },
  '/model_info': { body: { version: '0123456789abcdef' } },
}

describe('answers', () => {
  it('wants a service that is alive, ready, and serves the release it should', async () => {
    const passed = await checkAnswers((await start(healthy)).client(), '0123456789abcdef')
    expect(passed).toMatchObject({ name: 'answers', passed: true, measured: 'ok, ready, release 0123456789abcdef' })
    const wrong: [Record<string, Lie>, string | null, string][] = [
      [{ ...healthy, '/health': { body: { status: 'loading', model_loaded: false } } }, null, '/health answered 200 {"status":"loading"'],
      [{ ...healthy, '/ready': { status: 503, body: { ready: false } } }, null, '/ready answered 503'],
      [{ ...healthy, '/model_info': { body: {} } }, null, '/model_info answered 200 {}'],
      [healthy, 'fedcba9876543210', 'names the release 0123456789abcdef, expected fedcba9876543210'],
    ]
    for (const [answers, release, measured] of wrong) {
      const found = await checkAnswers((await start(answers)).client(), release)
      expect(found).toMatchObject({ passed: false, measured: expect.stringContaining(measured) })
    }
  })

  it('says that nobody answers, and is cancelled', async () => {
    const service = await start(healthy)
    const client = service.client()
    service.close()
    expect(await checkAnswers(client, null)).toMatchObject({
      passed: false,
      measured: expect.stringContaining('GET /health was not answered'),
    })
    const cancel = new AbortController()
    const silent = await start({
      '/health': () => {
        setTimeout(() => cancel.abort())
        return null
      },
    })
    await expect(checkAnswers(silent.client(cancel.signal), null)).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
  })
})

describe('schema', () => {
  const answer = {
    type: 'object',
    properties: { y: { type: 'array', items: { type: 'number' }, minItems: 2 } },
    required: ['y'],
    additionalProperties: false,
  }
  const document = {
    paths: {
      '/health': { get: { responses: { 200: { $ref: '#/components/responses/Text' } } } },
      '/predict': {
        post: {
          requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Request' } } } },
          responses: {
            200: { content: { 'application/json': { schema: answer } } },
            422: { content: { 'application/json': { schema: {} } } },
          },
        },
      },
      '/items/{id}': { get: { responses: {} } },
    },
    components: {
      responses: { Text: { content: { 'text/plain': { schema: { type: 'string' } } } } },
      schemas: { Request: { type: 'object', properties: { x: { type: 'number', minimum: 0, maximum: 120 } }, required: ['x'] } },
    },
  }
  const health = { '/health': { type: 'text/plain; charset=utf-8', body: Buffer.from('fine') } }
  const good = { '/openapi.json': { body: document }, ...health, '/predict': { body: { y: [1, 2] } } }

  it('asks what the document describes, and passes where all answers fit', async () => {
    const service = await start(good)
    const { check, bodies } = await checkSchema(service.client())
    expect(check).toMatchObject({ passed: true, measured: '13 requests made from it to 2 paths, 13 answered with 200, all as described' })
    expect(bodies).toHaveLength(12)
    for (const body of bodies) {
      const { x } = JSON.parse(body)
      expect(x >= 0 && x <= 120).toBe(true)
    }
    expect(new Set(service.asked.map(({ path }) => path))).toEqual(new Set(['/openapi.json', '/health', '/predict']))
  })

  it('takes documented refusals, and gives no body of them', async () => {
    const { check, bodies } = await checkSchema((await start({ ...good, '/predict': { status: 422, body: { any: 1 } } })).client())
    expect(check).toMatchObject({ passed: true, measured: expect.stringContaining('1 answered with 200') })
    expect(bodies).toEqual([])
  })

  it.each<[string, Record<string, Lie>, string]>([
    ['a wrong form', { '/predict': { body: { y: [1] } } }, 'POST /predict: its 200 does not fit: y must have 2 items at least, found 1'],
    ['more than is described', { '/predict': { body: { y: [1, 2], z: 1 } } }, 'the value has "z", which is not known'],
    ['an unknown status', { '/predict': { status: 500, body: {} } }, 'POST /predict: the status 500 is not described'],
    [
      'another media type',
      { '/health': { type: 'text/html', body: Buffer.from('x') } },
      'the media type "text/html" of 200 is not described',
    ],
    ['what is no JSON', { '/predict': { body: Buffer.from('{') } }, 'its 200 is not JSON'],
    ['no document', { '/openapi.json': { status: 503, body: {} } }, '/openapi.json answered 503'],
    [
      'a schema that is not understood',
      {
        '/openapi.json': {
          body: { paths: { '/health': { get: { responses: { 200: { content: { 'text/plain': { schema: { not: {} } } } } } } } } },
        },
      },
      'the keyword "not" is not known',
    ],
  ])('finds %s', async (_what, lie, measured) => {
    const { check } = await checkSchema((await start({ ...good, ...lie })).client())
    expect(check).toMatchObject({ passed: false, measured: expect.stringContaining(measured) })
  })
})

describe('golden answers', () => {
  const text = (name: string, values: readonly number[]) => ({
    name,
    type: 'float32',
    dims: [1, values.length],
    values: Buffer.from(Float32Array.from(values).buffer).toString('base64'),
  })
  const golden: GoldenAnswers = {
    tolerance: 0.01,
    samples: [
      { inputs: [text('x', [1, 2])], outputs: [text('y', [0, 10])] },
      { inputs: [text('x', [3, 4])], outputs: [text('y', [5, 2])] },
    ],
  }
  /** Answers as the protocol has it, with something added to each value. */
  const answering = (change: number) => {
    let sample = 0
    return (): Lie => {
      const values = [
        [0, 10],
        [5, 2],
      ][sample++ % 2] as number[]
      const json = Buffer.from(
        JSON.stringify({ outputs: [{ name: 'y', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } }] }),
      )
      const body = Buffer.concat([json, Buffer.from(Float32Array.from(values, (value) => value + change).buffer)])
      return { type: 'application/octet-stream', headers: { 'inference-header-content-length': String(json.length) }, body }
    }
  }
  const ask = async (answer: Lie | (() => Lie), inputs: 'data' | 'made up' = 'data', of = golden) => {
    const service = await start({ '/v2/models/test/infer': answer })
    return { check: await checkGolden(service.client(), 'test', of, inputs), service }
  }

  it('sends the inputs in binary, and compares every value with the range of the output', async () => {
    const { check, service } = await ask(answering(0))
    expect(check).toMatchObject({
      passed: true,
      measured: '2 samples, of the dataset: all values equal',
      limit: "within 1 % of the output's range",
    })
    const [first] = service.asked
    expect([...new Float32Array(new Uint8Array(first?.body.subarray(-8) ?? []).buffer)]).toEqual([1, 2])
    // The range is 10: a tenth is a hundredth of it.
    expect((await ask(answering(0.09))).check).toMatchObject({
      passed: true,
      measured: expect.stringContaining('largest difference 0.90 % ("y")'),
    })
    expect((await ask(answering(0.2))).check).toMatchObject({ passed: false, measured: expect.stringContaining('2.0 %') })
    expect((await ask(answering(Number.NaN))).check).toMatchObject({ passed: false })
  })

  it('says what cannot be compared', async () => {
    expect((await ask({ status: 422, body: { error: 'out of range' } }, 'made up')).check).toMatchObject({
      passed: null,
      measured: expect.stringContaining('give a dataset'),
    })
    expect((await ask({ status: 422, body: { error: 'out of range' } })).check).toMatchObject({
      passed: false,
      measured: expect.stringContaining('sample 1 of 2: answered 422'),
    })
    expect((await ask({ body: { outputs: [] } })).check).toMatchObject({
      passed: false,
      measured: expect.stringContaining('Inference-Header-Content-Length'),
    })
    const words: GoldenAnswers = {
      tolerance: 0.01,
      samples: [{ inputs: [{ name: 'x', type: 'string', dims: [1], values: '' }], outputs: [] }],
    }
    expect((await ask({}, 'data', words)).check).toMatchObject({
      passed: null,
      measured: expect.stringContaining('"x" holds string values'),
    })
  })
})

describe('restart', () => {
  const context = { progress: () => {}, log: () => {}, signal: new AbortController().signal }
  const device = (report: object) => ({ crash: async () => report }) as unknown as Services
  const running = { state: 'running', message: 'It answered again 812 ms after its process was killed.' }
  const body = '{"input":[1,2]}'

  it('wants the same answer from a process that came back', async () => {
    const service = await start({ ...healthy, '/predict': { body: { outputs: { y: [3] } } } })
    expect(await checkRestart(device(running), 'test', service.client(), body, context)).toMatchObject({
      passed: true,
      measured: running.message,
    })
    expect(service.asked.map(({ path }) => path)).toEqual(['/predict', '/ready', '/predict'])
    const failed = await checkRestart(device({ state: 'failed', message: 'it gave up' }), 'test', service.client(), body, context)
    expect(failed).toMatchObject({ passed: false, measured: 'the service is failed after it: it gave up' })
    let answers = 0
    const other = await start({ ...healthy, '/predict': () => ({ body: { outputs: { y: [answers++] } } }) })
    const changed = await checkRestart(device(running), 'test', other.client(), body, context)
    expect(changed).toMatchObject({ passed: false, measured: 'it answers {"y":[1]} after it, {"y":[0]} before' })
  })
})
