import { afterEach, describe, expect, it } from 'vitest'
import { identityModel, linearModel, lookUpModel, multiInputModel, oneNodeModel } from '../engine/measure/small-models.ts'
import { type TestService, testService } from './service-fixture.ts'

const running: TestService[] = []

async function start(...options: Parameters<typeof testService>): Promise<TestService> {
  const service = await testService(...options)
  running.push(service)
  return service
}

afterEach(async () => {
  for (const { service } of running.splice(0)) await service.close()
})

/** Two inputs to three scores: y = [a + b, 2a, 2b]. */
const classifier = linearModel('N', [
  [1, 2, 0],
  [1, 0, 2],
])

describe('what a service says of itself', () => {
  it('answers health, readiness, model and statistics', async () => {
    const { send } = await start(classifier, {
      labels: ['sum', 'a', 'b'],
      accuracy: 0.91,
      latencyP50Ms: 0.25,
      preprocessing: { scale: 0.5 },
    })
    const health = await send('/health')
    expect(health.status).toBe(200)
    expect(health.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(health.body).toMatchObject({ status: 'ok', model_loaded: true, service: 'test', model: 'Test model', version: 'release-1' })
    expect(health.body.uptime_seconds).toBeGreaterThan(0)
    expect(await send('/ready')).toMatchObject({ status: 200, body: { ready: true } })
    expect((await send('/model_info')).body).toEqual({
      service: 'test',
      name: 'Test model',
      version: 'release-1',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      inputs: [{ name: 'x', type: 'float32', shape: ['N', 2], sample_shape: [2], sent_shape: [2] }],
      outputs: [{ name: 'y', type: 'float32', shape: ['N', 3] }],
      batching: 'open',
      labels: ['sum', 'a', 'b'],
      preprocessing: { scale: 0.5 },
      accuracy: 0.91,
      latency_ms: { p50: 0.25 },
      limits: { batch_samples: 1024, body_bytes: 16777216 },
      edgesmith_version: '0.0.0-source',
      onnxruntime_version: 'runtime of the tests',
    })
    await send('/predict', { body: { input: [1, 2] } })
    await send('/predict/batch', { body: { inputs: [{ x: [1, 2] }, { x: [1, 2] }] } })
    await send('/predict', { body: { input: 'wrong' } })
    await send('/nothing')
    const { body: stats } = await send('/stats')
    expect(stats).toMatchObject({ requests: 3, predictions: 3, errors: 0, rejected: 2 })
    expect(stats.latency_p50_ms).toBeGreaterThan(0)
    expect(stats.latency_p95_ms).toBeGreaterThanOrEqual(stats.latency_p50_ms)
    expect(stats.rss_bytes).toBeGreaterThan(1_000_000)
  })

  it('answers HEAD without a body', async () => {
    const { send } = await start(classifier)
    const head = await send('/health', { method: 'HEAD' })
    expect([head.status, head.body]).toEqual([200, undefined])
    expect(Number(head.headers['content-length'])).toBeGreaterThan(0)
  })

  it('is not ready until the model is loaded', async () => {
    let finishLoading: (() => void) | undefined
    let port = 0
    const { onnxRuntime } = await import('../../src/engine/runtimes/onnx-runtime.ts')
    const { createServer } = await import('node:net')
    // A port known before the service says it: one that was free a moment ago.
    port = await new Promise<number>((resolve) => {
      const probe = createServer().listen(0, '127.0.0.1', () => {
        const address = probe.address()
        probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
      })
    })
    const starting = start(
      classifier,
      { port },
      {},
      {
        ...onnxRuntime,
        load: async (...options) => {
          await new Promise<void>((resolve) => {
            finishLoading = resolve
          })
          return onnxRuntime.load(...options)
        },
      },
    )
    const { send } = await import('./service-fixture.ts')
    await expect.poll(() => finishLoading).toBeDefined()
    expect((await send(port, '/health')).body).toMatchObject({ status: 'loading', model_loaded: false })
    expect(await send(port, '/ready')).toMatchObject({ status: 503, body: { ready: false } })
    for (const reply of [await send(port, '/predict', { body: { input: [1, 2] } }), await send(port, '/model_info')]) {
      expect(reply).toMatchObject({ status: 503, body: { error: { code: 'NOT_READY' } } })
      expect(reply.headers['retry-after']).toBe('1')
    }
    finishLoading?.()
    await starting
    expect(await send(port, '/ready')).toMatchObject({ status: 200, body: { ready: true } })
  })
})

describe('POST /predict', () => {
  it('takes nested and flat values, with and without the batch dimension', async () => {
    const { send } = await start(identityModel('N', [2, 3]))
    const expected = [
      [1, 2, 3],
      [4, 5, 6],
    ]
    for (const input of [expected, [expected], [1, 2, 3, 4, 5, 6]]) {
      for (const body of [{ input }, { inputs: { x: input } }]) {
        const reply = await send('/predict', { body })
        expect(reply).toMatchObject({ status: 200, body: { version: 'release-1', outputs: { y: expected } } })
        expect(reply.body.latency_ms).toBeGreaterThan(0)
        expect(reply.body).not.toHaveProperty('prediction')
      }
    }
  })

  it('names the class where the model is a classifier', async () => {
    const { send } = await start(classifier, { labels: ['sum', 'a', 'b'] })
    const { body } = await send('/predict', { body: { input: [1, 3] } })
    expect(body.outputs).toEqual({ y: [4, 2, 6] })
    const softmax = Math.exp(6) / (Math.exp(4) + Math.exp(2) + Math.exp(6))
    expect(body.prediction).toEqual({ class: 2, label: 'b', confidence: expect.closeTo(softmax, 12) })
    // Probabilities are taken as they are.
    expect((await send('/predict', { body: { input: [0, 0.5] } })).body.prediction.confidence).toBeGreaterThan(0.4)
    const unlabelled = await start(identityModel('N', [3]), { accuracy: 0.8 })
    expect((await unlabelled.send('/predict', { body: { input: [0.1, 0.7, 0.2] } })).body.prediction).toEqual({
      class: 1,
      label: null,
      confidence: expect.closeTo(0.7, 6),
    })
  })

  it('does not call every vector a classification', async () => {
    for (const labels of [null, ['only', 'two']]) {
      const { send } = await start(classifier, { labels })
      expect((await send('/predict', { body: { input: [1, 3] } })).body).not.toHaveProperty('prediction')
    }
  })

  it('writes what is not a number as null and names no class then', async () => {
    const { send } = await start(oneNodeModel('Log', { type: 'float32', shape: ['N', 2] }, { type: 'float32', shape: ['N', 2] }), {
      labels: ['a', 'b'],
    })
    expect((await send('/predict', { body: { input: [0, -1] } })).body).toMatchObject({ outputs: { y: [null, null] }, prediction: null })
    expect((await send('/predict', { body: { input: [0, 1] } })).body).toMatchObject({
      outputs: { y: [null, 0] },
      prediction: { class: 1, confidence: 1 },
    })
  })

  it('feeds several inputs of several types', async () => {
    const { send } = await start(multiInputModel())
    const inputs = { a: [1.5, 2], ids: [1, 3, 0], flag: true }
    expect((await send('/predict', { body: { inputs } })).body.outputs).toEqual({ sum: 43.5, same: true })
    const batch = [inputs, { a: [0, 0], ids: [2], flag: 0 }]
    expect((await send('/predict/batch', { body: { inputs: batch } })).body.results).toEqual([
      { outputs: { sum: 43.5, same: true } },
      { outputs: { sum: 20, same: false } },
    ])
    const refused = await send('/predict', { body: { inputs: { ...inputs, ids: [9] } } })
    expect(refused).toMatchObject({ status: 422, body: { error: { code: 'MODEL_REFUSED_INPUT' } } })
    expect((await send('/predict', { body: { input: [1, 2] } })).body.error).toMatchObject({
      code: 'INVALID_REQUEST',
      message: '"input" is for models with one input; this one has 3.',
    })
  })

  it('keeps every element type exact', async () => {
    const limits: [Parameters<typeof identityModel>[2], unknown[]][] = [
      ['float32', [0.1, -3.4028234663852886e38]],
      ['float64', [0.1, 1.7976931348623157e308]],
      ['float16', [65504, -0.5]],
      ['int8', [-128, 127]],
      ['uint8', [0, 255]],
      ['int16', [-32768, 32767]],
      ['uint16', [0, 65535]],
      ['int32', [-2147483648, 2147483647]],
      ['uint32', [0, 4294967295]],
      ['int64', [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]],
      ['uint64', [0, Number.MAX_SAFE_INTEGER]],
      ['bool', [true, false]],
      ['string', ['é"\\', '']],
    ]
    for (const [type, values] of limits) {
      const { send } = await start(identityModel('N', [2], type))
      const { body } = await send('/predict', { body: { input: values } })
      expect(body.outputs?.y, type).toEqual(type === 'float32' ? values.map((value) => Math.fround(value as number)) : values)
    }
  })

  it('preprocesses as evaluation does, unless told that the values are ready', async () => {
    const { send } = await start(identityModel('N', [2, 2]), { preprocessing: { scale: 0.5, mean: [1, 2], std: [2, 4] } })
    const input = [
      [2, 4],
      [8, 12],
    ]
    // Channels are axis 1 of [N,2,2]: rows of the sample.
    expect((await send('/predict', { body: { input } })).body.outputs.y).toEqual([
      [0, 0.5],
      [0.5, 1],
    ])
    expect((await send('/predict', { body: { input, preprocessed: true } })).body.outputs.y).toEqual(input)
    expect((await send('/predict/batch', { body: { inputs: [{ x: input }], preprocessed: true } })).body.results[0].outputs.y).toEqual(
      input,
    )
    // Half precision is scaled before it is rounded: 100000 is beyond its range, half of it is not.
    const half = await start(identityModel('N', [1], 'float16'), { preprocessing: { scale: 0.5 } })
    expect((await half.send('/predict', { body: { input: [100000] } })).body.outputs.y).toEqual([49984])
  })

  it('takes images as a dataset stores them, and says in which shape', async () => {
    const preprocessing = { stored: 'channels-last', layout: 'channels-first', reverseChannels: true, scale: 0.5 } as const
    const { send } = await start(identityModel('N', [3, 1, 2]), { preprocessing })
    const image = [
      [
        [2, 4, 6],
        [8, 10, 12],
      ],
    ]
    const planes = [[[3, 6]], [[2, 5]], [[1, 4]]]
    const { body: about } = await send('/model_info')
    expect(about).toMatchObject({ inputs: [{ sample_shape: [3, 1, 2], sent_shape: [1, 2, 3] }], preprocessing })
    expect((await send('/predict', { body: { input: image } })).body.outputs.y).toEqual(planes)
    const batch = await send('/predict/batch', { body: { inputs: [{ x: image }, { x: image.flat(2) }] } })
    expect(batch.body.results.map(({ outputs }: { outputs: { y: unknown } }) => outputs.y)).toEqual([planes, planes])
    expect((await send('/predict', { body: { input: planes, preprocessed: true } })).body.outputs.y).toEqual(planes)
    expect(await send('/predict', { body: { input: planes } })).toMatchObject({
      status: 422,
      body: {
        error: {
          code: 'INVALID_INPUT',
          message:
            'input must be float32 values of shape [1,2,3] (channels-last), [1,1,2,3] or a flat list of 6, found a list of shape [3,1,2].',
        },
      },
    })
  })

  it('runs models with a fixed batch, with none, and without one in the outputs', async () => {
    const fixed = await start(identityModel(4, [2]))
    const samples = Array.from({ length: 6 }, (_, i) => ({ x: [i, -i - 1] }))
    expect((await fixed.send('/model_info')).body.batching).toBe('fixed')
    expect((await fixed.send('/predict', { body: { input: [7, 8] } })).body.outputs.y).toEqual([7, 8])
    expect(
      (await fixed.send('/predict/batch', { body: { inputs: samples } })).body.results.map((result: { outputs: object }) => result.outputs),
    ).toEqual(samples.map(({ x }) => ({ y: x })))
    const none = await start(oneNodeModel('Identity', { type: 'float32', shape: [2] }, { type: 'float32', shape: [2] }))
    expect((await none.send('/predict/batch', { body: { inputs: samples } })).body.results).toEqual(
      samples.map(({ x }) => ({ outputs: { y: x } })),
    )
    const summed = await start(oneNodeModel('ReduceSum', { type: 'float32', shape: ['N', 2] }, { type: 'float32', shape: [1, 1] }))
    expect((await summed.send('/model_info')).body.batching).toBe('single')
    expect((await summed.send('/predict/batch', { body: { inputs: samples } })).body.results).toEqual(
      samples.map(() => ({ outputs: { y: [[-1]] } })),
    )
  })
})

describe('POST /predict/batch', () => {
  it('answers in order, over several runs', async () => {
    const { send } = await start(classifier, { labels: ['sum', 'a', 'b'] })
    const inputs = Array.from({ length: 70 }, (_, i) => ({ x: [i, 1] }))
    const { status, body } = await send('/predict/batch', { body: { inputs } })
    expect([status, body.count, body.version]).toEqual([200, 70, 'release-1'])
    expect(body.results.map(({ outputs }: { outputs: { y: number[] } }) => outputs.y)).toEqual(
      inputs.map(({ x: [a = 0] }) => [a + 1, 2 * a, 2]),
    )
    expect(body.results[5].prediction).toMatchObject({ class: 1, label: 'a' })
  })

  it('has a limit, and names the sample that is wrong', async () => {
    const { send } = await start(classifier, {}, { batchSamples: 3 })
    const sample = { x: [1, 2] }
    const errorOf = async (body: unknown) => (await send('/predict/batch', { body })).body.error
    expect(await errorOf({ inputs: [sample, sample, sample, sample] })).toMatchObject({ code: 'TOO_MANY_SAMPLES' })
    expect(await errorOf({ inputs: [sample, { x: [1] }] })).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'inputs[1].x must be float32 values of shape [2], [1,2] or a flat list of 2, found a list of shape [1].',
    })
    expect(await errorOf({ inputs: [] })).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(await errorOf({ inputs: sample })).toMatchObject({
      code: 'INVALID_REQUEST',
      message: '"inputs" must be a list of samples, found an object.',
    })
    expect(await errorOf({ input: [1, 2] })).toMatchObject({ code: 'INVALID_REQUEST', message: 'The body has the unknown field "input".' })
  })
})

describe('validation', () => {
  it('names field, expected and found', async () => {
    const { send } = await start(identityModel('N', [2, 2]))
    const cases: [unknown, number, string, string][] = [
      [[1, 2], 400, 'INVALID_REQUEST', 'The body must be an object, found a list of shape [2].'],
      [null, 400, 'INVALID_REQUEST', 'The body must be an object, found null.'],
      [{}, 400, 'INVALID_REQUEST', 'The body must have either "inputs" or "input".'],
      [{ inputs: {}, input: [] }, 400, 'INVALID_REQUEST', 'The body must have either "inputs" or "input".'],
      [{ inputs: [[1, 2]] }, 400, 'INVALID_REQUEST', 'inputs must be an object, found a list of shape [1,2].'],
      [{ inputs: {} }, 422, 'INVALID_INPUT', 'inputs.x is missing.'],
      [{ inputs: { x: [1, 2, 3, 4], extra: 1 } }, 422, 'INVALID_INPUT', 'inputs has "extra", which is no input of the model.'],
      [{ input: [1, 2, 3, 4], more: true }, 400, 'INVALID_REQUEST', 'The body has the unknown field "more".'],
      [{ input: [1, 2, 3, 4], preprocessed: 1 }, 400, 'INVALID_REQUEST', '"preprocessed" must be true or false, found 1.'],
      [
        {
          input: [
            [1, 2],
            [3, 'x'],
          ],
        },
        422,
        'INVALID_INPUT',
        'input[1][1] must be a number, found the string "x".',
      ],
      [{ input: [[1, 2], [3]] }, 422, 'INVALID_INPUT', 'input[1] has 1 entries, the lists before it have 2.'],
      [{ input: [[1, 2], 3] }, 422, 'INVALID_INPUT', 'input[1] must be a list of 2, found 3.'],
      [
        {
          input: [
            [1, null],
            [3, 4],
          ],
        },
        422,
        'INVALID_INPUT',
        'input[0][1] must be a number, found null.',
      ],
      [
        {
          input: [
            [1, { a: 1 }],
            [3, 4],
          ],
        },
        422,
        'INVALID_INPUT',
        'input[0][1] must be a number, found an object.',
      ],
      [
        { input: [1, 2, 3] },
        422,
        'INVALID_INPUT',
        'input must be float32 values of shape [2,2], [1,2,2] or a flat list of 4, found a list of shape [3].',
      ],
      [{ input: 5 }, 422, 'INVALID_INPUT', 'input must be float32 values of shape [2,2], [1,2,2] or a flat list of 4, found 5.'],
      [
        { input: [] },
        422,
        'INVALID_INPUT',
        'input must be float32 values of shape [2,2], [1,2,2] or a flat list of 4, found a list of shape [0].',
      ],
      ['{"input":[[1,1e999],[3,4]]}', 422, 'INVALID_INPUT', 'input[0][1] must be a number, found Infinity.'],
      ['{"input":[[1,1e39],[3,4]]}', 422, 'INVALID_INPUT', 'input[0][1] must be a number, found 1e+39.'],
    ]
    for (const [body, status, code, message] of cases) {
      const reply = await send('/predict', { body: body === null ? 'null' : body })
      expect({ status: reply.status, ...reply.body.error }).toMatchObject({ status, code, message })
    }
  })

  it('checks the range of integer types', async () => {
    const cases: [Parameters<typeof identityModel>[2], unknown, string][] = [
      ['uint8', 256, 'input[0] must be a whole number from 0 to 255, found 256.'],
      ['int8', 1.5, 'input[0] must be a whole number from -128 to 127, found 1.5.'],
      ['int64', 2 ** 53, `input[0] must be a whole number from -9007199254740991 to 9007199254740991, found ${2 ** 53}.`],
      ['uint64', -1, 'input[0] must be a whole number from 0 to 9007199254740991, found -1.'],
      ['bool', 2, 'input[0] must be true or false, found 2.'],
      ['string', 1, 'input[0] must be a string, found 1.'],
      ['float16', 65520, 'input[0] must be a number, found 65520.'],
    ]
    for (const [type, value, message] of cases) {
      const { send } = await start(identityModel('N', [1], type))
      expect((await send('/predict', { body: { input: [value] } })).body.error).toMatchObject({ code: 'INVALID_INPUT', message })
    }
  })

  it('blames the client for indices the model cannot look up, and logs nothing', async () => {
    const { send, events } = await start(lookUpModel(3))
    expect((await send('/predict', { body: { input: 2 } })).body.outputs).toEqual({ y: 20 })
    expect(await send('/predict', { body: { input: 3 } })).toMatchObject({ status: 422, body: { error: { code: 'MODEL_REFUSED_INPUT' } } })
    expect(events.filter(({ level }) => level === 'error')).toEqual([])
  })
})

describe('starting', () => {
  it('refuses preprocessing that the model cannot take', async () => {
    await expect(testService(lookUpModel(3), { preprocessing: { scale: 2 } })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(testService(classifier, { preprocessing: { mean: [1, 2, 3] } })).rejects.toMatchObject({ code: 'DATASET_SHAPE' })
  })

  it('refuses a port that is taken, and frees its own when the model does not load', async () => {
    const first = await start(classifier)
    await expect(testService(classifier, { port: first.port })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
    const { port } = first
    await running.pop()?.service.close()
    await expect(testService(new Uint8Array([1, 2, 3]), { port })).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' })
    const again = await start(classifier, { port })
    expect((await again.send('/health')).status).toBe(200)
  })
})
