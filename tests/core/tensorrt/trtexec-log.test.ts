import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import '../../fuzz-seed.ts'
import { TrtexecLogReader } from '../../../src/core/tensorrt/trtexec-log.ts'
import { namedOperators } from '../../../src/core/tensorrt/unsupported-ops.ts'
import { fixtureText, readLog } from './fixture-text.ts'

describe('TrtexecLogReader', () => {
  it('reads a whole log of a Jetson Nano (8.0.1)', () => {
    const log = readLog(fixtureText('log-8.0.1-nano.txt'))
    expect(log).toMatchObject({
      version: { major: 8, minor: 0, patch: 1 },
      outcome: 'passed',
      gpu: 'NVIDIA Tegra X1',
      computeCapability: '5.3',
      engineBytes: 10 * 2 ** 20,
      buildSeconds: undefined,
      loadSeconds: 3.86437,
      warmUpQueries: 1,
      timedQueries: 100,
      throughputPerSecond: 24.5583,
      errors: [],
      unknown: [],
    })
    expect(log.summaries.latency).toEqual({ min: 40.5005, max: 40.8591, mean: 40.6326, median: 40.6337, percentiles: { 99: 40.8591 } })
    expect(log.summaries.endToEnd?.median).toBe(40.6718)
    expect(log.summaries.enqueue?.median).toBe(40.4176)
    expect(log.summaries.h2d?.median).toBe(0.543213)
    expect(log.summaries.compute?.median).toBe(39.9982)
    expect(log.summaries.d2h?.median).toBe(0.079834)
    expect(log.warnings).toEqual([
      'Throughput may be bound by Enqueue Time rather than GPU Compute and the GPU may be under-utilized. If not already in use, --useCudaGraph (utilize CUDA graphs where possible) may increase the throughput.',
    ])
  })

  it('reads the summary of TensorRT 7, a line for each number', () => {
    const log = readLog(fixtureText('log-7-xavier.txt'))
    expect(log).toMatchObject({
      version: undefined,
      outcome: 'passed',
      warmUpQueries: 4,
      timedQueries: 56,
      throughputPerSecond: 18.0758,
      errors: [],
    })
    expect(log.summaries.latency).toEqual({ min: 55.1414, max: 57.542, mean: 55.3094, median: 55.2737, percentiles: { 99: 57.542 } })
    expect(log.summaries.endToEnd).toEqual({ min: 55.1486, max: 57.561, mean: 55.3221, median: 55.2913, percentiles: { 99: 57.561 } })
    expect(log.summaries.enqueue).toEqual({ min: 3.87885, max: 5.10864, median: 4.06059, percentiles: {} })
    expect(log.summaries.compute?.percentiles).toEqual({ 99: 57.4766 })
    expect(readLog(fixtureText('log-7-throughput-0.txt'))).toMatchObject({
      throughputPerSecond: 0,
      summaries: { latency: { median: 1.65601 } },
    })
  })

  it('reads lines without dates and without marks', () => {
    const old = readLog(fixtureText('log-7-no-dates.txt'))
    expect(old).toMatchObject({ warmUpQueries: 1, timedQueries: 204, unknown: ['(...)'] })
    expect(old.summaries.compute).toEqual({ min: 12.241, max: 15.0692, mean: 13.1447, percentiles: {} })
    const thor = readLog(fixtureText('log-10-thor.txt'))
    expect(thor.throughputPerSecond).toBe(1.55139)
    expect(thor.summaries.latency?.percentiles).toEqual({ 90: 664.195, 95: 666.219, 99: 684.747 })
  })

  it('reads summaries with one and with several percentiles', () => {
    const xavier = readLog(fixtureText('log-8.4.0-agx-xavier.txt'))
    expect(xavier.summaries.latency?.percentiles).toEqual({ 99: 0.420288 })
    expect(xavier).toMatchObject({ outcome: 'passed', version: { major: 8, minor: 4, patch: 0 } })
    // What came after trtexec is kept.
    expect(xavier.unknown).toContain('Tests passed:  11')
    const orin = readLog(fixtureText('log-8.6-orin.txt'))
    expect(orin.summaries.latency?.percentiles).toEqual({ 90: 4.84772, 95: 4.85034, 99: 4.85547 })
    expect(readLog(fixtureText('log-10.16-orin.txt'))).toMatchObject({ gpu: 'Orin', computeCapability: '8.7' })
  })

  it('joins a warning that goes on in the next line', () => {
    expect(readLog(fixtureText('log-8.4.1-unstable.txt')).warnings).toEqual([
      'GPU compute time is unstable, with coefficient of variance = 12.3891%. If not already in use, locking GPU clock frequency or adding --useSpinWait may improve the stability.',
    ])
  })

  it('keeps the errors of a call that failed, and the lines between them', () => {
    const missing = readLog(fixtureText('log-10.13-failed.txt'))
    expect(missing.outcome).toBe('failed')
    expect(missing.errors).toHaveLength(5)
    expect(missing.errors.at(-1)).toBe('Engine set up failed')
    const conv = readLog(fixtureText('log-conv-failed-orin.txt'))
    expect(conv.errors[0]).toMatch(/^parsers\/onnx\/ModelImporter\.cpp:961: While parsing node number 267 \[Conv/)
    expect(conv.unknown).toContain('op_type: "Conv"')
    expect(namedOperators(conv.errors)).toEqual(['Conv'])
    expect(readLog('ERROR: could not parse input engine.').errors).toEqual(['ERROR: could not parse input engine.'])
  })

  it('reads how long building took and how large the engine is', () => {
    const built = readLog(
      '[01/01/2025-10:00:00] [I] Engine built in 480.55 sec.\n[01/01/2025-10:00:00] [I] Created engine with size: 26.18 MiB',
    )
    expect(built).toMatchObject({ buildSeconds: 480.55, engineBytes: Math.round(26.18 * 2 ** 20) })
    const recent = readLog(
      '[I] [TRT] Engine generation completed in 12.5 seconds.\n[I] Engine loaded in 0.01 sec.\n[I] Engine deserialized in 0.05 sec.',
    )
    expect(recent).toMatchObject({ buildSeconds: 12.5, loadSeconds: 0.01, deserializeSeconds: 0.05 })
  })

  it('says when inference starts and ends', () => {
    const reader = new TrtexecLogReader()
    const events = [
      '[I] Starting inference threads',
      '[01/01/2025-10:00:00] [I] Starting inference',
      '[I] Warmup completed 12 queries over 200 ms',
      '[I] x',
    ]
    expect(events.map((line) => reader.read(line).event)).toEqual(['inference started', 'inference started', 'inference ended', undefined])
  })

  it('takes any text, and keeps only so much of it', () => {
    const line = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.constantFrom(
        '[W] * a',
        '[W]   b',
        '[E] c',
        '[V] d',
        '[I] Latency: min = ',
        '[I] percentile: 1 ms at',
        '[I] GPU Compute',
        '&&&& FAILED',
        '[I] Throughput: 1e999 qps',
      ),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
        const log = readLog(lines.join('\n'))
        for (const text of [...log.warnings, ...log.errors, ...log.unknown]) expect(text.length).toBeLessThanOrEqual(1000)
      }),
    )
    const flood = readLog(
      Array.from({ length: 5000 }, (_, i) => `[W] warning ${i}\nunknown ${i}\n[E] error ${i} ${'x'.repeat(5000)}`).join('\n'),
    )
    expect([flood.warnings.length, flood.errors.length, flood.unknown.length]).toEqual([100, 100, 200])
  })
})

describe('namedOperators', () => {
  it.each([
    ['In node 1 (parseGraph): UNSUPPORTED_NODE: No importer registered for op: QLinearConv', ['QLinearConv']],
    ['ModelImporter.cpp:720: While parsing node number 0 [Identity -> "onnx::QuantizeLinear_872"]:', ['Identity']],
    ['Error Code: 6: In node 3 with name: a and operator: DCNv2 (checkFallbackPluginImporter): INVALID_NODE: creator', ['DCNv2']],
    ['getPluginCreator could not find plugin: DCNv2_TRT version: 1', ['DCNv2_TRT']],
    ['nothing of that kind', []],
  ])('%s', (line, names) => {
    expect(namedOperators([line, line])).toEqual(names)
  })
})
