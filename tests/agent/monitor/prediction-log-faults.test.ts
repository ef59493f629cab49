import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, it } from 'vitest'
import { loggedPredictions } from './logged-predictions.ts'
import { until } from './observed.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgesmith-predictions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const MEBIBYTE = 2 ** 20
const readRows = (path: string) =>
  [...loggedPredictions(path, 'jsonl')]
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

/** Lines of the program that logs until it is killed. */
function startLogger(args: string[], command: [string, ...string[]] = [process.execPath]) {
  const [program, ...before] = command
  const child: ChildProcess = spawn(program, [...before, fileURLToPath(new URL('./log-until-killed.ts', import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: Record<string, unknown>[] = []
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const last = () =>
    lines.findLast((line) => typeof line.writtenRows === 'number') as
      | { writtenRows: number; droppedRows: number; isStopped: boolean }
      | undefined
  return { lines, last, kill }
}

describe('a process that is killed', () => {
  it('leaves every row that it said was written, and a sound file', async () => {
    const path = join(folder, 'killed.db')
    let expected = 0
    for (let round = 0; round < 3; round++) {
      const logger = startLogger([path, String(64 * MEBIBYTE), '52'])
      await until(() => (logger.last()?.writtenRows ?? 0) > 1500, 'rows')
      await logger.kill()
      expected += logger.last()?.writtenRows ?? 0
      const database = new Database(path)
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
      const { n } = database.prepare('SELECT count(*) AS n FROM predictions').get() as { n: number }
      database.close()
      expect(n).toBeGreaterThanOrEqual(expected)
      // Written between the last line and the end.
      expected = n
    }
  })
})

describe.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')('a disk that becomes full', () => {
  it('stops the log with one line; the process goes on, and the file is sound', async () => {
    const place = join(folder, 'full')
    mkdirSync(place)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', place])
    try {
      const path = join(place, 'log.db')
      const logger = startLogger([path, String(64 * MEBIBYTE), '1000'])
      await until(() => logger.lines.some(({ event }) => event === 'prediction-log-stopped'), 'the line')
      const dropped = () => logger.lines.filter(({ event }) => event === 'prediction-log-stopped')
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(dropped()).toHaveLength(1)
      expect(dropped()[0]).toMatchObject({ code: 'NO_SPACE', message: expect.stringContaining(path) })
      await logger.kill()
      const rows = readRows(path)
      expect(rows.length).toBeGreaterThanOrEqual(logger.last()?.writtenRows ?? 0)
    } finally {
      execFileSync('umount', ['-l', place])
    }
  })
})
