import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, it } from 'vitest'
import { PredictionLogFile } from '../../../src/agent/monitor/prediction-log-file.ts'
import { loggedPredictions } from './logged-predictions.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgesmith-predictions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const MEBIBYTE = 2 ** 20
let files = 0
const newPath = () => join(folder, `log-${files++}.db`)
const readRows = (path: string) =>
  [...loggedPredictions(path, 'jsonl')]
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
const AT = Date.UTC(2026, 5, 1, 12)

describe('retention', () => {
  const row = (atMs: number, bytes = 40) => ({
    atMs,
    layout: JSON.stringify({ version: 'v1', inputs: [['x', bytes / 4]], outputs: [] }),
    requestId: 'r',
    latencyMs: 1,
    class: null,
    confidence: null,
    numbers: new Uint8Array(bytes),
    texts: null,
  })
  const DAY_MS = 86_400_000

  it('deletes rows that are too old, also when the clock was wrong in between', () => {
    const path = newPath()
    const file = new PredictionLogFile(path, { days: 2, bytes: 16 * MEBIBYTE })
    file.append([row(AT - 3 * DAY_MS), row(AT - DAY_MS), row(0), row(AT)])
    expect(file.tidy(AT)).toBe(false)
    file.close()
    expect(readRows(path).map(({ time }) => Date.parse(time))).toEqual([AT - DAY_MS, AT])
  })

  it('deletes many old rows in parts', () => {
    const file = new PredictionLogFile(newPath(), { days: 2, bytes: 16 * MEBIBYTE })
    file.append(Array.from({ length: 4500 }, () => row(AT - 3 * DAY_MS)))
    expect([file.tidy(AT), file.tidy(AT), file.tidy(AT)]).toEqual([true, true, false])
    file.close()
  })

  it('keeps the file under its size, and the newest rows in it', () => {
    const path = newPath()
    const file = new PredictionLogFile(path, { days: 30, bytes: 16 * MEBIBYTE })
    let greatest = 0
    for (let batch = 0; batch < 160; batch++) {
      // 250 kB each: 40 MB in all.
      file.append(Array.from({ length: 50 }, (_, index) => row(AT + batch * 50 + index, 5000)))
      file.tidy(AT)
      greatest = Math.max(greatest, statSync(path).size + statSync(`${path}-wal`).size)
    }
    expect(greatest).toBeLessThanOrEqual(16 * MEBIBYTE)
    file.close()
    const rows = readRows(path)
    expect(rows.length).toBeGreaterThan(1500)
    expect(Date.parse(rows.at(-1).time)).toBe(AT + 7999)
    expect(Date.parse(rows[0].time)).toBe(AT + 8000 - rows.length)
  })

  it('shrinks the file when the limit was lowered', () => {
    const path = newPath()
    const large = new PredictionLogFile(path, { days: 30, bytes: 64 * MEBIBYTE })
    for (let batch = 0; batch < 120; batch++) large.append(Array.from({ length: 50 }, () => row(AT, 5000)))
    large.close()
    expect(statSync(path).size).toBeGreaterThan(25 * MEBIBYTE)
    const small = new PredictionLogFile(path, { days: 30, bytes: 16 * MEBIBYTE })
    while (small.tidy(AT)) expect(small.usedBytes).toBeGreaterThan(5 * MEBIBYTE)
    small.append([row(AT)])
    small.close()
    expect(statSync(path).size).toBeLessThan(16 * MEBIBYTE)
  })

  it('forgets layouts that no row has any more', () => {
    const path = newPath()
    const file = new PredictionLogFile(path, { days: 1, bytes: 16 * MEBIBYTE })
    file.append(Array.from({ length: 300 }, (_, index) => row(AT - 2 * DAY_MS, 4 * index)))
    file.append([row(AT)])
    file.tidy(AT)
    file.append([row(AT), row(AT, 80)])
    file.close()
    const database = new Database(path, { readonly: true })
    expect(database.prepare('SELECT count(*) AS n FROM layouts').get()).toEqual({ n: 2 })
    database.close()
    expect(readRows(path)).toHaveLength(3)
  })
})
