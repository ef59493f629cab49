import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, it } from 'vitest'
import { PredictionLog, predictionLogMetrics } from '../../../src/agent/monitor/prediction-log.ts'
import { metricText } from '../../../src/agent/serve/metrics/metric-text.ts'
import { predictionLogSettingsSchema } from '../../../src/contract/monitoring.ts'
import { floatToHalf } from '../../../src/core/float16.ts'
import { loggedPredictions } from './logged-predictions.ts'
import { observed, observedRows, recordingLog, until } from './observed.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgesmith-predictions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const newPath = () => join(folder, `log-${files++}.db`)

function openLog(path: string, options: { share?: number; random?: () => number; bytes?: number; days?: number } = {}) {
  const { log, lines } = recordingLog()
  const { random, ...settings } = options
  const predictions = new PredictionLog({
    settings: predictionLogSettingsSchema.parse({ path, ...settings }),
    log,
    startThread: (threadOptions) => new Worker(new URL('./prediction-log-worker.ts', import.meta.url), threadOptions),
    ...(random ? { random } : {}),
  })
  return { predictions, lines }
}

const read = (path: string, format: 'csv' | 'jsonl') => [...loggedPredictions(path, format)].join('')
const readRows = (path: string) =>
  read(path, 'jsonl')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

/** Never too old. */
const AT = Date.UTC(2126, 5, 1, 12)

describe('the prediction log', () => {
  it('keeps what was predicted, and gives it back as JSON lines and CSV', async () => {
    const path = newPath()
    const { predictions, lines } = openLog(path)
    predictions.predicted(observed([1.5, -2, 0.1], AT, 1))
    predictions.predicted(
      observedRows(
        [
          [0, 0, 1],
          [3.4028234663852886e38, 1e-45, Number.NaN],
        ],
        AT + 1000,
        null,
      ),
    )
    await predictions.close()
    expect(predictions.state).toEqual({ isWriting: false, writtenRows: 3, droppedRows: 0, error: null })
    expect(readRows(path)).toEqual([
      {
        time: '2126-06-01T12:00:00.000Z',
        request_id: 'r1',
        version: 'v1',
        latency_ms: 0.5,
        class: 1,
        confidence: 0.75,
        inputs: { x: [1.5, -2, 0.1] },
        outputs: { scores: [0.25, 0.75] },
      },
      expect.objectContaining({ class: null, confidence: null, inputs: { x: [0, 0, 1] } }),
      expect.objectContaining({ inputs: { x: [3.4028235e38, 1.4013e-45, null] } }),
    ])
    expect(read(path, 'csv').split('\n')).toEqual([
      'time,request_id,version,latency_ms,class,confidence,input.x[0],input.x[1],input.x[2],output.scores[0],output.scores[1]',
      '2126-06-01T12:00:00.000Z,r1,v1,0.5,1,0.75,1.5,-2,0.1,0.25,0.75',
      '2126-06-01T12:00:01.000Z,r1,v1,0.5,,,0,0,1,0.25,0.75',
      '2126-06-01T12:00:01.000Z,r1,v1,0.5,,,3.4028235e+38,1.4013e-45,,0.25,0.75',
      '',
    ])
    expect(lines).toEqual([])
    // Private: nobody else may read it.
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o077).toBe(0)
  })

  it('keeps texts, whole numbers, halves, nested outputs and several sizes', async () => {
    const path = newPath()
    const { predictions } = openLog(path)
    const row = (words: string[], request: string) => ({
      samples: [
        {
          words: { type: 'string', dims: [words.length], values: words },
          ids: { type: 'int64', dims: [2], values: BigInt64Array.of(5n, -6n) },
          half: { type: 'float16', dims: [1], values: Uint16Array.of(floatToHalf(0.5)) },
        } as const,
      ],
      answers: [
        {
          outputs: {
            grid: [
              [1, 2],
              [3, null],
            ],
            name: ['=1+1'],
            flag: [true],
          },
        },
      ],
      latencyMs: 1,
      requestId: request,
      at: AT,
      version: 'v1',
    })
    predictions.predicted(row(['a, "b"'], '=cmd'))
    predictions.predicted(row(['c', 'd'], 'r2'))
    await predictions.close()
    const values = { ids: [5, -6], half: [0.5] }
    const outputs = { grid: [1, 2, 3, null], name: ['=1+1'], flag: [1] }
    expect(readRows(path)).toMatchObject([
      { inputs: { words: ['a, "b"'], ...values }, outputs },
      { inputs: { words: ['c', 'd'], ...values }, outputs },
    ])
    expect(read(path, 'csv').split('\n')).toEqual([
      expect.stringContaining('input.words,input.ids[0],input.ids[1],input.half,output.grid[0]'),
      `2126-06-01T12:00:00.000Z,'=cmd,v1,1,,,"a, ""b""",5,-6,0.5,1,2,3,,'=1+1,1`,
      `2126-06-01T12:00:00.000Z,r2,v1,1,,,"[""c"",""d""]",5,-6,0.5,1,2,3,,'=1+1,1`,
      '',
    ])
  })

  it('leaves out what is as long as an image', async () => {
    const path = newPath()
    const { predictions } = openLog(path)
    for (const count of [16_384, 16_385, 3]) predictions.predicted(observed(new Float32Array(count), AT))
    await predictions.close()
    expect(readRows(path).map(({ inputs }) => inputs.x?.length ?? null)).toEqual([16_384, null, 3])
    expect(readRows(path).every(({ outputs }) => outputs.scores.length === 2)).toBe(true)
    expect(read(path, 'csv').split('\n')[2]).toMatch(/^2126-06-01T12:00:00.000Z,r1,v1,0.5,0,0.75(,){16384},0.25,0.75$/)
  })

  it('writes a batch when it has 500 rows, and when it is a second old', async () => {
    const { predictions } = openLog(newPath())
    for (let row = 0; row < 500; row++) predictions.predicted(observed([row], AT))
    await until(() => predictions.state.writtenRows === 500, '500 rows')
    predictions.predicted(observed([1], AT))
    expect(predictions.state.writtenRows).toBe(500)
    await until(() => predictions.state.writtenRows === 501, 'the second')
    await predictions.close()
  })

  it('takes a share of predictions', async () => {
    const path = newPath()
    let draw = 0
    const { predictions } = openLog(path, { share: 0.25, random: () => (draw++ % 4) / 4 })
    for (let row = 0; row < 400; row++) predictions.predicted(observed([row], AT))
    await predictions.close()
    expect(readRows(path).map(({ inputs }) => inputs.x[0])).toEqual(Array.from({ length: 100 }, (_, index) => 4 * index))
  })

  it('drops rows and counts them while the disk cannot follow', async () => {
    const path = newPath()
    const { predictions } = openLog(path)
    // The thread gets no turn before this one ends.
    for (let row = 0; row < 5100; row++) predictions.predicted(observed([row], AT))
    await predictions.close()
    expect(predictions.state).toMatchObject({ writtenRows: 5000, droppedRows: 100, error: null })
    expect(readRows(path)).toHaveLength(5000)
    const text = metricText(predictionLogMetrics(predictions.state, { model: 'm' }))
    expect(text).toContain('edgesmith_prediction_log_rows_total{model="m"} 5000')
    expect(text).toContain('edgesmith_prediction_log_dropped_total{model="m"} 100')
  })

  it('goes on in the same file after a restart, and with a new version beside the old one', async () => {
    const path = newPath()
    for (const value of [1, 2]) {
      const { predictions } = openLog(path)
      predictions.predicted(observed([value], AT))
      await predictions.close()
    }
    expect(readRows(path).map(({ inputs }) => inputs.x)).toEqual([[1], [2]])
  })

  it('is read while it is written', async () => {
    const path = newPath()
    const { predictions } = openLog(path)
    // Long rows: half of them fill a page.
    for (let row = 0; row < 1000; row++) predictions.predicted(observed(new Array(400).fill(row + 0.125), AT))
    await until(() => predictions.state.writtenRows === 1000, 'rows')
    const reading = loggedPredictions(path, 'jsonl')
    expect(reading.next().value?.split('\n')).toHaveLength(501)
    for (let row = 0; row < 500; row++) predictions.predicted(observed([row], AT))
    await until(() => predictions.state.writtenRows === 1500, 'more rows')
    // Those that were there when reading began.
    expect([...reading].join('').split('\n')).toHaveLength(501)
    expect(readRows(path)).toHaveLength(1500)
    await predictions.close()
  })

  it.each<[string, (path: string) => void, string, RegExp]>([
    ['a file that is no database', (path) => writeFileSync(path, 'x'.repeat(5000)), 'WORKSPACE_INVALID', /damaged or no database/],
    [
      'the database of another program',
      (path) => new Database(path).exec('CREATE TABLE t (a)').close(),
      'WORKSPACE_INVALID',
      /another program/,
    ],
    ['a folder', (path) => mkdirSync(path), 'FILE_UNREADABLE', /EISDIR/],
  ])('stops with one line at %s, and serving goes on', async (_, spoil, code, message) => {
    const path = newPath()
    spoil(path)
    const { predictions, lines } = openLog(path)
    predictions.predicted(observed([1], AT))
    await until(() => predictions.state.error !== null, 'the error')
    for (let row = 0; row < 1000; row++) predictions.predicted(observed([1], AT))
    await predictions.close()
    expect(lines).toEqual([
      {
        level: 'error',
        event: 'prediction-log-stopped',
        fields: expect.objectContaining({ code, message: expect.stringMatching(message) }),
      },
    ])
    expect(predictions.state.writtenRows).toBe(0)
    if (code === 'WORKSPACE_INVALID') expect(() => read(path, 'csv')).toThrow(expect.objectContaining({ code }))
  })

  it('has no file to read before there is one', () => {
    expect(() => read(newPath(), 'csv')).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }))
  })

  it('says nothing about SQLite being experimental', () => {
    const path = newPath()
    const module = JSON.stringify(new URL('../../../src/agent/monitor/prediction-log-file.ts', import.meta.url).href)
    const script = `import(${module}).then(({ PredictionLogFile }) => new PredictionLogFile(${JSON.stringify(path)}, { days: 1, bytes: 2 ** 24 }).close())`
    const { stderr } = spawnSyncText(['-e', script])
    expect(stderr).toBe('')
    expect(statSync(path).size).toBeGreaterThan(0)
  })
})

function spawnSyncText(args: string[]) {
  const stderr = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', process.execPath, ...args], { encoding: 'utf8' })
  return { stderr }
}
