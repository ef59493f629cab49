import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { ObservedPrediction } from '../../../src/agent/serve/prediction-observer.ts'
import type { InferenceRuntime } from '../../../src/core/inference-runtime.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { identityModel } from '../../engine/measure/small-models.ts'
import { TOKEN } from '../service-fixture.ts'
import { runningServices } from './running-services.ts'

const start = runningServices()
const INFER = '/v2/models/test/infer'
const sample = Array.from({ length: 100 }, (_, index) => index)
const batch = (rows: number) => ({ inputs: Array.from({ length: rows }, () => ({ x: sample })) })
const tensor = (rows: number, isBinary: boolean) => ({
  inputs: [{ name: 'x', shape: [rows, 100], datatype: 'FP32', data: Array.from({ length: rows }, () => sample) }],
  outputs: [{ name: 'y', parameters: { binary_data: isBinary } }],
})
/** 5 samples of 100 float32 are about 10 kB of JSON; 25 are 10 kB of binary data. */
const limits = { answerBytes: 10_000 }

/** Counts the runs of a model. */
function counting(): { runtime: InferenceRuntime; runs: () => number } {
  let count = 0
  const runtime: InferenceRuntime = {
    ...onnxRuntime,
    load: async (...given) => {
      const model = await onnxRuntime.load(...given)
      return {
        ...model,
        run: (feeds) => {
          count++
          return model.run(feeds)
        },
      }
    },
  }
  return { runtime, runs: () => count }
}

describe('an answer that is too large', () => {
  it('is refused before it is written, in JSON sooner than as binary data', async () => {
    const seen: ObservedPrediction[] = []
    const observers = [{ predicted: (prediction: ObservedPrediction) => void seen.push(prediction) }]
    const { send } = await start(identityModel('N', [100]), {}, limits, undefined, { observers })
    expect((await send('/predict/batch', { body: batch(5) })).status).toBe(200)
    const refused = await send('/predict/batch', { body: batch(6) })
    expect(refused.status).toBe(413)
    expect(refused.body.error).toEqual({
      code: 'RESPONSE_TOO_LARGE',
      message: 'The answer in JSON, with the outputs y, would take about 0.0120 MB, at most 0.0100 MB are sent.',
      hint: 'Send fewer samples in one request, or ask for binary data (4 bytes a float32) at /v2/models/NAME/infer.',
    })
    expect((await send(INFER, { body: tensor(5, false) })).status).toBe(200)
    const inText = await send(INFER, { body: tensor(6, false) })
    expect([inText.status, inText.body.error]).toEqual([413, expect.stringContaining('ask for binary data')])
    const inBytes = await send(INFER, { body: tensor(25, true) })
    expect([inBytes.status, inBytes.bytes.length - Number(inBytes.headers['inference-header-content-length'])]).toEqual([200, 10_000])
    expect((await send(INFER, { body: tensor(26, true) })).status).toBe(413)
    // The binary one is too large for those who watch what was answered.
    await expect.poll(() => seen.length).toBe(2)
    const { paths, components } = (await send('/openapi.json')).body
    expect(components.responses.Error413.description).toContain('RESPONSE_TOO_LARGE')
    expect(Object.keys(paths['/predict/batch'].post.responses)).toContain('413')
  })

  it('is not sent beside others that nobody reads', async () => {
    // 16 MB, more than the system takes by itself.
    const large = { type: 'float32' as const, dims: [1, 4_000_000], values: new Float32Array(4_000_000) }
    const runtime: InferenceRuntime = {
      ...onnxRuntime,
      load: async (...given) => ({ ...(await onnxRuntime.load(...given)), run: async () => ({ y: large }) }),
    }
    const { send, port } = await start(identityModel(1, [1]), {}, { allAnswersBytes: 20_000_000 }, runtime)
    const body = JSON.stringify({
      inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [1] }],
      parameters: { binary_data_output: true },
    })
    const slow = connect(port, '127.0.0.1')
    const head = [`POST ${INFER} HTTP/1.1`, 'host: localhost', `authorization: Bearer ${TOKEN}`, 'content-type: application/json']
    slow.write([...head, `content-length: ${body.length}`, '', body].join('\r\n'))
    await once(slow, 'readable')
    expect(String(slow.read(12))).toBe('HTTP/1.1 200')
    const refused = await send(INFER, { body })
    expect([refused.status, refused.body.error]).toEqual([503, 'Too much is being sent at once.'])
    slow.destroy()
    await expect.poll(async () => (await send(INFER, { body })).status, { timeout: 10_000 }).toBe(200)
  })

  it('is not gathered to its end from many runs', async () => {
    const { runtime, runs } = counting()
    // One sample a run.
    const { send } = await start(identityModel(1, [100]), {}, limits, runtime)
    const before = runs()
    const refused = await send('/predict/batch', { body: batch(200) })
    expect([refused.status, refused.body.error.code]).toEqual([413, 'RESPONSE_TOO_LARGE'])
    expect(runs() - before).toBe(26)
    expect((await send('/predict', { body: { input: sample } })).status).toBe(200)
  })
})
