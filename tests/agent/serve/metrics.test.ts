import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Histogram } from '../../../src/agent/serve/metrics/histogram.ts'
import { metricText } from '../../../src/agent/serve/metrics/metric-text.ts'
import { linearModel } from '../../engine/measure/small-models.ts'
import { heldRuntime } from './held-runtime.ts'
import { readMetrics } from './metric-lines.ts'
import { runningServices } from './running-services.ts'

const start = runningServices()
const model = linearModel('N', [
  [1, 2],
  [3, 4],
])

describe('GET /metrics', () => {
  it('counts requests, samples, runs and answers, in a document that keeps all rules', async () => {
    const { runtime, held, release } = heldRuntime()
    const { send } = await start(model, { version: 'v "1"\\\n2' }, {}, runtime)
    const read = async () => readMetrics((await send('/metrics')).body)
    const first = send('/predict', { body: { input: [1, 2] } })
    await expect.poll(held).toBe(1)
    // These three share the next run.
    const shared = [
      send('/predict', { body: { input: [1, 2] } }),
      send('/predict/batch', { body: { inputs: [{ x: [1, 2] }, { x: [1, 2] }] } }),
    ]
    const valueIn = (families: Awaited<ReturnType<typeof read>>, name: string, labels: object = {}) =>
      families.get(name)?.samples.find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value
    await expect.poll(async () => valueIn(await read(), 'edgesmith_queue_depth')).toBe(4)
    const before = await read()
    expect(valueIn(before, 'edgesmith_predictions_in_flight')).toBe(3)
    expect(valueIn(before, 'edgesmith_open_connections')).toBeGreaterThanOrEqual(4)
    const timer = setInterval(release, 5)
    await Promise.all([first, ...shared])
    clearInterval(timer)
    await send('/predict', { body: { input: [1] } })
    await send('/nothing')
    const after = await read()
    const labels = { model: 'test', version: 'v "1"\\\n2' }
    for (const [name, value] of [
      ['nv_inference_request_success', 3],
      ['nv_inference_request_failure', 1],
      ['nv_inference_count', 4],
      ['nv_inference_exec_count', 2],
      ['edgesmith_predictions_in_flight', 0],
      ['edgesmith_queue_depth', 0],
    ] as const) {
      expect(after.get(name)?.samples, name).toEqual([{ name, labels, value }])
    }
    const micros = (name: string) => valueIn(after, `nv_inference_${name}_duration_us`) as number
    expect(micros('request')).toBeGreaterThanOrEqual(micros('compute_infer') * 0.9)
    expect(micros('queue')).toBeGreaterThan(0)
    const batches = after.get('edgesmith_batch_size')?.samples ?? []
    expect(batches.filter(({ labels: { le } }) => ['1', '2', '4'].includes(le ?? '')).map(({ value }) => value)).toEqual([1, 1, 2])
    const durations = after.get('edgesmith_request_duration_seconds')?.samples ?? []
    expect(durations[0]?.labels.le).toBe('0.00005')
    expect(durations.at(-1)).toMatchObject({ name: 'edgesmith_request_duration_seconds_count', value: 4 })
    expect(valueIn(after, 'edgesmith_http_responses_total', { class: '4xx' })).toBe(2)
    expect(valueIn(after, 'edgesmith_http_responses_total', { class: '2xx' })).toBeGreaterThanOrEqual(4)
    expect(valueIn(after, 'process_resident_memory_bytes')).toBeGreaterThan(1e7)
    expect(valueIn(after, 'process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(valueIn(after, 'process_start_time_seconds')).toBeGreaterThan(1.6e9)
    expect((await send('/metrics')).headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect((await send('/metrics', { anonymous: true })).status).toBe(401)
  })

  it('shows what others measure beside it', async () => {
    const family = {
      name: 'edgesmith_drift_psi',
      help: 'PSI',
      type: 'gauge',
      samples: [{ labels: { feature: 'age' }, value: 0.25 }],
    } as const
    const { send } = await start(model, {}, {}, undefined, { metrics: [() => [family]] })
    expect(readMetrics((await send('/metrics')).body).get('edgesmith_drift_psi')?.samples).toEqual([
      { name: 'edgesmith_drift_psi', labels: { feature: 'age' }, value: 0.25 },
    ])
  })
})

describe('the text format', () => {
  it('keeps any label and number', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary' })), fc.double(), fc.string(), (values, number, help) => {
        const samples = values.map((value) => ({ labels: { value }, value: number }))
        const family = { name: 'm', help: help.replaceAll('\r', ''), type: 'gauge', samples } as const
        fc.pre(values.length > 0)
        const read = readMetrics(metricText([family])).get('m')
        expect(read?.samples).toEqual(samples.map(({ labels, value }) => ({ name: 'm', labels, value: value === 0 ? 0 : value })))
      }),
    )
  })

  it('histograms count every value once, in the first bucket that holds it', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 12, noNaN: true })), (values) => {
        const histogram = new Histogram([1, 2, 5, 10])
        for (const value of values) histogram.observe(value)
        const samples =
          readMetrics(metricText([{ name: 'h', help: '', type: 'histogram', samples: histogram.samples({ a: 'b' }) }])).get('h')?.samples ??
          []
        const expected = [1, 2, 5, 10, Number.POSITIVE_INFINITY].map((bound) => values.filter((value) => value <= bound).length)
        expect(samples.slice(0, 5).map(({ value }) => value)).toEqual(expected)
        expect(samples.at(-1)?.value).toBe(values.length)
      }),
    )
  })
})
