import { describe, expect, it } from 'vitest'
import type { Device, DeviceReport } from '../../src/contract/device.ts'
import { type Benchmark, benchSettingsSchema, type LatencyStatistics } from '../../src/contract/measurement.ts'
import { procedures } from '../../src/contract/procedures.ts'
import { benchCommand, shellWord } from '../../src/renderer/pages/benchmarks/bench-command.ts'
import { intervalText, statisticLines } from '../../src/renderer/pages/benchmarks/percentile-text.ts'
import { emptyRunDraft, readCounts, runDraftErrors, runRequest } from '../../src/renderer/pages/benchmarks/run-draft.ts'
import { hasOrigin, matchesWords, runText } from '../../src/renderer/pages/benchmarks/run-filter.ts'
import { scenarioLabel } from '../../src/renderer/pages/benchmarks/scenario-guide.ts'
import { emptyCompareDraft, withoutTensorRt } from '../../src/renderer/pages/compare/compare-draft.ts'
import { tensorRtRefusal } from '../../src/renderer/text/tensorrt-refusal.ts'

const modelId = '11111111-1111-4111-8111-111111111111'

describe('readCounts', () => {
  it('takes commas, spaces and semicolons, each number once', () => {
    expect(readCounts('1, 2 4;8,4')).toEqual([1, 2, 4, 8])
  })

  it('refuses what is no whole number of at least 1', () => {
    for (const text of ['', ' ', '1,x', '0', '-1', '1.5', '1e']) expect(readCounts(text), text).toBeNull()
  })
})

describe('runRequest', () => {
  const draft = { ...emptyRunDraft(), modelId }

  it('is one run where there is one combination, with only the settings that apply', () => {
    const request = runRequest({ ...draft, settings: { seconds: 5, rate: 100, connections: 4, streams: 3, runs: 50 } })
    expect(request).toEqual({
      kind: 'bench',
      input: { modelId, deviceId: 'local', settings: { scenario: 'single', runs: 50, batch: 1, threads: 1 } },
    })
    expect(procedures['bench.start'].input.safeParse(request.input).success).toBe(true)
  })

  it('is a sweep over batch sizes and threads', () => {
    const request = runRequest({ ...draft, scenario: 'batch', batches: '1,2,4', threads: '1,2', length: 'seconds' })
    expect(request).toEqual({
      kind: 'sweep',
      input: { modelId, deviceId: 'local', settings: { scenario: 'batch', seconds: 5 }, batches: [1, 2, 4], threadCounts: [1, 2] },
    })
    expect(procedures['sweep.start'].input.safeParse(request.input).success).toBe(true)
  })

  it('ignores batch sizes where a scenario has none', () => {
    expect(runRequest({ ...draft, batches: '1,2,4' }).kind).toBe('bench')
  })

  it('takes connections only without a rate', () => {
    const http = { ...draft, scenario: 'http' as const }
    expect(runRequest({ ...http, settings: { connections: 8 } }).input.settings).toMatchObject({ connections: 8 })
    expect(runRequest({ ...http, settings: { connections: 8, rate: 50 } }).input.settings).not.toHaveProperty('connections')
  })
})

describe('a run with TensorRT', () => {
  const draft = { ...emptyRunDraft(), modelId, runtime: 'tensorrt' as const, settings: { fp16: false } }

  it('is asked for without threads, with its precision', () => {
    const request = runRequest({ ...draft, threads: '1,2,4' })
    expect(request).toEqual({
      kind: 'bench',
      input: { modelId, deviceId: 'local', settings: { scenario: 'single', runtime: 'tensorrt', fp16: false, batch: 1, threads: 1 } },
    })
    expect(runDraftErrors({ ...draft, threads: 'none' })).toEqual({})
    const sweep = runRequest({ ...draft, scenario: 'batch', batches: '1,8' })
    expect(sweep).toMatchObject({ kind: 'sweep', input: { settings: { runtime: 'tensorrt' }, threadCounts: [1] } })
    expect(procedures['sweep.start'].input.safeParse(sweep.input).success).toBe(true)
  })

  it('is one of ONNX Runtime where the scenario cannot be measured with it', () => {
    for (const scenario of ['offline', 'server', 'http'] as const) {
      expect(runRequest({ ...draft, scenario }).input.settings).not.toHaveProperty('runtime')
      expect(runRequest({ ...draft, scenario }).input.settings).not.toHaveProperty('fp16')
    }
  })

  it('is refused with the reason where the device has no trtexec', () => {
    const device = (id: string, report: Partial<DeviceReport> | null) => ({ id, report }) as unknown as Device
    expect(tensorRtRefusal(device('orin', { trtexec: '/usr/src/tensorrt/bin/trtexec' }))).toBeNull()
    expect(tensorRtRefusal(device('pi5', { trtexec: null }))).toMatch(/no trtexec/)
    expect(tensorRtRefusal(device('pi5', null))).toMatch(/not probed/)
    expect(tensorRtRefusal(device('local', { trtexec: null }))).toMatch(/a Jetson/)
    expect(tensorRtRefusal(undefined)).toMatch(/Choose a device/)
    const comparison = { ...emptyCompareDraft(), settings: { runtime: 'tensorrt', fp16: false, runs: 50 } }
    expect(withoutTensorRt(comparison).settings).toEqual({ runs: 50 })
  })

  it('is called so, and repeated by its command', () => {
    const settings = benchSettingsSchema.parse({ runtime: 'tensorrt', fp16: false, scenario: 'batch', batch: 4 })
    expect(scenarioLabel(settings)).toBe('Batch, TensorRT')
    expect(scenarioLabel(benchSettingsSchema.parse({}))).toBe('Single')
    expect(benchCommand('cnn', { id: modelId, name: 'orin' }, settings)).toBe(
      'edgesmith bench cnn --scenario batch --batch 4 --runtime tensorrt --no-fp16 --device orin',
    )
  })
})

describe('runDraftErrors', () => {
  const draft = { ...emptyRunDraft(), modelId }

  it('has none for a form that can be started', () => {
    expect(runDraftErrors(draft)).toEqual({})
  })

  it('names the field', () => {
    expect(runDraftErrors({ ...draft, modelId: null })).toHaveProperty('modelId')
    expect(runDraftErrors({ ...draft, threads: 'two' })).toHaveProperty('threads')
    expect(runDraftErrors({ ...draft, threads: '9999' })).toHaveProperty('threads')
    expect(runDraftErrors({ ...draft, scenario: 'batch', batches: '0' })).toHaveProperty('batches')
    expect(runDraftErrors({ ...draft, scenario: 'batch', batches: '1,9999' })).toHaveProperty('batches')
    expect(runDraftErrors({ ...draft, settings: { runs: 0 } })).toHaveProperty('runs')
  })

  it('asks a server run for its rate', () => {
    expect(runDraftErrors({ ...draft, scenario: 'server' })).toHaveProperty('rate')
    expect(runDraftErrors({ ...draft, scenario: 'server', settings: { rate: 20 } })).toEqual({})
  })
})

describe('benchCommand', () => {
  const settings = benchSettingsSchema.parse({})

  it('leaves defaults out', () => {
    expect(benchCommand('fashion-cnn', { id: 'local', name: 'this-computer' }, settings)).toBe('edgesmith bench fashion-cnn')
  })

  it('names what differs, and the device', () => {
    const changed = benchSettingsSchema.parse({ scenario: 'server', rate: 120, threads: 2, seconds: 5, warmupSeconds: 1 })
    expect(benchCommand('my model', { id: modelId, name: 'pi5' }, changed)).toBe(
      "edgesmith bench 'my model' --scenario server --rate 120 --threads 2 --seconds 5 --warmup-seconds 1 --device pi5",
    )
  })

  it('quotes names so that a shell takes them unchanged', () => {
    expect(shellWord("it's $(x)")).toBe(`'it'\\''s $(x)'`)
    expect(shellWord('-rf')).toBe("'-rf'")
    expect(shellWord('a/b_c-1.onnx')).toBe('a/b_c-1.onnx')
  })
})

describe('statisticLines', () => {
  const statistics: LatencyStatistics = {
    mean: 2,
    std: 0.5,
    min: 1,
    max: 9,
    p50: 1.9,
    p90: 2.5,
    p95: 3,
    p99: null,
    p999: null,
    ci: { p50: [1.8, 2] },
  }

  it('says that there are not enough samples instead of a number', () => {
    const lines = new Map(statisticLines(statistics).map((line) => [line.name, line]))
    expect(lines.get('p99')).toMatchObject({ ms: null, missing: 'not enough samples for p99: 299 are needed' })
    expect(lines.get('p99.9')?.missing).toBe('not enough samples for p99.9: 2,995 are needed')
    expect(lines.get('p50')).toMatchObject({ ms: 1.9, interval: [1.8, 2], missing: '' })
    expect(lines.get('p95')).toMatchObject({ ms: 3, interval: null })
  })

  it('writes an interval with its unit once', () => {
    expect(intervalText([1.2, 1.31])).toBe('[1.20, 1.31 ms]')
    expect(intervalText(undefined)).toBe('')
  })
})

describe('the filter of the board', () => {
  const run = {
    settings: benchSettingsSchema.parse({ scenario: 'server', rate: 1, batch: 1, threads: 2 }),
    noise: { label: 'noisy', reasons: [] },
    warnings: ['busy'],
    comparisonId: null,
  } as unknown as Benchmark

  it('takes words in any order and any case', () => {
    const text = runText(run, 'fashion-cnn', 'pi5')
    expect(matchesWords(text, 'SERVER cnn')).toBe(true)
    expect(matchesWords(text, '1×2 noisy warnings')).toBe(true)
    expect(matchesWords(text, 'cnn quiet')).toBe(false)
    expect(matchesWords(text, '  ')).toBe(true)
  })

  it('tells runs of comparisons from those measured on their own', () => {
    expect(hasOrigin(run, 'own')).toBe(true)
    expect(hasOrigin(run, 'comparison')).toBe(false)
    expect(hasOrigin({ ...run, comparisonId: modelId }, 'comparison')).toBe(true)
    expect(hasOrigin(run, 'all')).toBe(true)
  })
})
