import { describe, expect, it } from 'vitest'
import { DriftMonitor, type DriftTrigger } from '../../../src/agent/monitor/drift-monitor.ts'
import { driftMetrics, driftReport } from '../../../src/agent/monitor/drift-report.ts'
import { valueReader } from '../../../src/agent/monitor/watched-values.ts'
import { metricText } from '../../../src/agent/serve/metrics/metric-text.ts'
import { floatToHalf } from '../../../src/core/float16.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { normal, normalReference, observed, observedRows, until } from './observed.ts'

const FEATURES = 8
const START = Date.UTC(2026, 0, 1)

/** Feeds rows one after the other; every `spacingMs` one. */
function feeder(monitor: DriftMonitor, spacingMs = 20) {
  const random = seededRandom(99)
  let at = START
  let row = 0
  return {
    feed: (rows: number, shift = 0) => {
      for (let count = 0; count < rows; count++) {
        at += spacingMs
        monitor.predicted(
          observed(
            Array.from({ length: FEATURES }, (_, index) => normal(random) + (index === 2 ? shift : 0)),
            at,
            row++ % 2,
          ),
        )
      }
    },
    wait: (ms: number) => {
      at += ms
    },
  }
}

const judged = (monitor: DriftMonitor, windows: number) => until(() => monitor.state.judgedWindows === windows, `${windows} judged windows`)

describe('the drift monitor', () => {
  it('finds nothing where nothing drifts, and says what it sees', async () => {
    const triggers: DriftTrigger[] = []
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES), onTrigger: (trigger) => triggers.push(trigger) })
    const { feed } = feeder(monitor)
    expect(driftReport(monitor.state)).toMatchObject({ status: 'collecting', judged_windows: 0, window: null, triggered: false })
    feed(999)
    expect(monitor.state).toMatchObject({ filledRows: 999, judgedWindows: 0 })
    feed(1)
    await judged(monitor, 1)
    feed(1000)
    await judged(monitor, 2)
    const report = driftReport(monitor.state)
    expect(report).toMatchObject({
      status: 'none',
      triggered: false,
      reference_rows: 3000,
      window_rows: 1000,
      filled_rows: 0,
      judged_windows: 2,
    })
    expect(report.window).toEqual({ rows: 1000, from: '2026-01-01T00:00:20.020Z', to: '2026-01-01T00:00:40.000Z' })
    expect(report.features).toHaveLength(FEATURES + 1)
    expect(report.features.at(-1)).toMatchObject({ name: 'class', kind: 'categorical', watches: 'prediction', level: 'none' })
    expect(triggers).toEqual([])
  })

  it('tells a shift of half a standard deviation after two windows, and again while it lasts, and stops when it is over', async () => {
    const triggers: DriftTrigger[] = []
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES), onTrigger: (trigger) => triggers.push(trigger) })
    const { feed } = feeder(monitor)
    feed(1000, 0.5)
    await judged(monitor, 1)
    expect(driftReport(monitor.state)).toMatchObject({ triggered: false })
    expect(driftReport(monitor.state).status).not.toBe('none')
    expect(triggers).toEqual([])
    feed(1000, 0.5)
    await judged(monitor, 2)
    expect(triggers.map(({ features }) => features.map(({ sketch, inARow }) => [sketch.name, inARow]))).toEqual([[['f2', 2]]])
    expect(monitor.state.triggered).toEqual(['f2'])
    feed(1000, 0.5)
    await judged(monitor, 3)
    expect(triggers.at(-1)?.features[0]?.inARow).toBe(3)
    feed(1000)
    await judged(monitor, 4)
    expect(triggers).toHaveLength(2)
    expect(driftReport(monitor.state)).toMatchObject({ status: 'none', triggered: false })
  })

  it('watches the predicted class too', async () => {
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES) })
    const random = seededRandom(5)
    for (let row = 0; row < 1000; row++) {
      monitor.predicted(
        observed(
          Array.from({ length: FEATURES }, () => normal(random)),
          START + 20 * row,
          row % 10 === 0 ? 1 : 0,
        ),
      )
    }
    await judged(monitor, 1)
    expect(driftReport(monitor.state).features.filter(({ level }) => level !== 'none')).toMatchObject([{ name: 'class', level: 'severe' }])
  })

  it('judges a slow window of 500 rows after a day, and not one of 499', async () => {
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES) })
    const { feed, wait } = feeder(monitor)
    feed(499)
    wait(30 * 3_600_000)
    expect(monitor.state).toMatchObject({ filledRows: 499 })
    feed(1)
    await judged(monitor, 1)
    expect(monitor.state.last?.rows).toBe(500)
  })

  it('looks at a hundred rows a second at most in the long run, and judges the first two windows at once', async () => {
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES) })
    // 10,000 a second.
    const { feed } = feeder(monitor, 0.1)
    feed(2000)
    await judged(monitor, 2)
    for (let part = 0; part < 10; part++) {
      feed(10_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    // Ten seconds: a thousand rows.
    const { filledRows } = monitor.state
    await until(() => monitor.state.judgedWindows === 3 || filledRows > 900, 'the third window')
    expect(monitor.state.judgedWindows * 1000 + monitor.state.filledRows).toBeGreaterThan(2900)
    expect(monitor.state.judgedWindows * 1000 + monitor.state.filledRows).toBeLessThan(3100)
  })

  it('lets what does not fit go by while both windows are full, and goes on after that', async () => {
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES) })
    const { feed } = feeder(monitor)
    // Nothing is judged before this turn ends.
    feed(3500)
    expect(monitor.state).toMatchObject({ filledRows: 1000, judgedWindows: 0 })
    await judged(monitor, 2)
    feed(1000)
    await judged(monitor, 3)
  })

  it('takes the rows of a batch, one by one', async () => {
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES) })
    const random = seededRandom(6)
    const rows = Array.from({ length: 1024 }, () => Array.from({ length: FEATURES }, () => normal(random)))
    monitor.predicted(observedRows(rows, START))
    await judged(monitor, 1)
    expect(monitor.state).toMatchObject({ filledRows: 24 })
  })

  it('gives the event loop back while it judges many features', async () => {
    const monitor = new DriftMonitor({ reference: normalReference(300), windowRows: 1000 })
    const random = seededRandom(6)
    const row = Array.from({ length: 300 }, () => normal(random))
    for (let count = 0; count < 1000; count++) monitor.predicted(observed(row, START + count))
    let turns = 0
    while (monitor.state.judgedWindows === 0) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
    }
    expect(turns).toBeGreaterThan(5)
  })

  it('sees inputs that are missing, and survives them', async () => {
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES) })
    for (let row = 0; row < 1000; row++) monitor.predicted(observed([1, 2, 3], START + 20 * row, null))
    await judged(monitor, 1)
    expect(driftReport(monitor.state).features.at(-2)).toMatchObject({ name: 'f7', level: 'severe' })
  })

  it('does nothing after it was closed', async () => {
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES) })
    const { feed } = feeder(monitor)
    feed(1000)
    monitor.close()
    feed(10)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(monitor.state).toMatchObject({ filledRows: 0, judgedWindows: 0 })
  })

  it('has metrics for Prometheus: none of a feature before the first window', async () => {
    const monitor = new DriftMonitor({ reference: normalReference(FEATURES) })
    const labels = { model: 'm', version: 'v1' }
    expect(metricText(driftMetrics(monitor.state, labels))).not.toContain('feature=')
    const { feed } = feeder(monitor)
    feed(1000, 3)
    await judged(monitor, 1)
    const text = metricText(driftMetrics(monitor.state, labels))
    expect(text).toMatch(/^edgesmith_drift_psi\{model="m",version="v1",feature="f2"\} \d+\.\d+$/m)
    expect(text).toMatch(/^edgesmith_drift_level\{model="m",version="v1",feature="f2"\} 2$/m)
    expect(text).toMatch(/^edgesmith_drift_level\{model="m",version="v1",feature="f1"\} 0$/m)
    expect(text).toMatch(/^edgesmith_drift_windows_total\{model="m",version="v1"\} 1$/m)
    expect(text).toMatch(/^edgesmith_drift_triggered\{model="m",version="v1"\} 0$/m)
    expect(text).not.toContain('NaN')
  })
})

describe('watched values', () => {
  it('come from any type of input, from class and outputs, at the place of their feature', () => {
    const reader = valueReader([
      { name: 'a', source: { kind: 'output', name: 'grid', index: 3 } },
      { name: 'b', source: { kind: 'input', name: 'half', index: 1 } },
      { name: 'c', source: { kind: 'class' } },
      { name: 'd', source: { kind: 'input', name: 'ids', index: 0 } },
      { name: 'e', source: { kind: 'input', name: 'words', index: 0 } },
      { name: 'f', source: { kind: 'output', name: 'value', index: 0 } },
      { name: 'g', source: { kind: 'output', name: 'grid', index: 6 } },
      { name: 'h', source: { kind: 'input', name: 'nowhere', index: 0 } },
      { name: 'i', source: { kind: 'output', name: 'flag', index: 0 } },
      { name: 'j', source: { kind: 'output', name: 'value', index: 1 } },
      { name: 'k', source: { kind: 'output', name: 'unknown', index: 0 } },
    ])
    const rows = new Float32Array(13).fill(-1)
    reader.read(
      {
        half: { type: 'float16', dims: [2], values: Uint16Array.of(0, floatToHalf(1.5)) },
        ids: { type: 'int64', dims: [1], values: BigInt64Array.of(7n) },
        words: { type: 'string', dims: [1], values: ['word'] },
      },
      {
        outputs: {
          grid: [
            [0, 1, 2],
            [3, 4, 5],
          ],
          value: 0.5,
          flag: [true],
          unknown: null,
        },
        prediction: { class: 4, label: 'four', confidence: 1 },
      },
      rows,
      1,
    )
    expect([...rows]).toEqual([-1, 3, 1.5, 4, 7, Number.NaN, 0.5, Number.NaN, Number.NaN, 1, Number.NaN, Number.NaN, -1])
  })

  it('of a whole float32 input are copied, of a part picked', () => {
    const features = (indexes: number[]) =>
      indexes.map((index) => ({ name: `${index}`, source: { kind: 'input', name: 'x', index } as const }))
    const sample = { x: { type: 'float32', dims: [3], values: Float32Array.of(1, 2, 3) } } as const
    const read = (indexes: number[]) => {
      const rows = new Float32Array(indexes.length)
      valueReader(features(indexes)).read(sample, { outputs: {} }, rows, 0)
      return [...rows]
    }
    expect(read([0, 1, 2])).toEqual([1, 2, 3])
    expect(read([2, 0])).toEqual([3, 1])
    expect(read([0, 1])).toEqual([1, 2])
    expect(read([0, 1, 2, 3])).toEqual([1, 2, 3, Number.NaN])
  })
})
