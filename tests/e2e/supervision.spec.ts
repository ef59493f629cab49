// What happens when processes die, and what the application must never do.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { goTo, openWorkbench, type Workbench } from './workbench.ts'

let bench: Workbench
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  bench = await openWorkbench()
})
test.afterAll(() => bench?.close())

interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

/** Every process below the application, the application included. */
function processTree(): ProcessRow[] {
  const all: ProcessRow[] = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((match) => (match ? [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3] ?? '' }] : []))
  const inside = new Set([bench.app.process().pid])
  for (let grown = true; grown; ) {
    grown = false
    for (const { pid, parent } of all) if (inside.has(parent) && !inside.has(pid)) grown = Boolean(inside.add(pid))
  }
  return all.filter(({ pid }) => inside.has(pid))
}

const backendPid = () => processTree().find(({ command }) => command.includes(join('out', 'main', 'backend.js')))?.pid

test('no native module is loaded in Electron, and nothing listens beyond loopback', async () => {
  const electrons = processTree().filter(({ command }) => /(^|\/)electron( |$)/.test(command))
  expect(electrons.length).toBeGreaterThan(1)
  for (const { pid } of electrons) {
    const loaded = readFileSync(`/proc/${pid}/maps`, 'utf8')
    expect(loaded).not.toMatch(/\.node$|better_sqlite3|onnxruntime/m)
  }
  const sockets = new Set(processTree().flatMap(({ pid }) => socketsOf(pid)))
  const listening = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      // Column 3 is the state (0A: listening), column 9 the inode (proc(5)).
      .filter((columns) => columns[3] === '0A' && sockets.has(columns[9] ?? '')),
  )
  // Playwright itself opens a debugging port in the application it drives; like everything else it must be on loopback.
  for (const columns of listening) expect(columns[1]).toMatch(/^(0100007F|0{24}01000000|0000000000000000FFFF00000100007F):/)
})

test('the page is sandboxed: no Node, no way out of its origin, no inline script', async () => {
  const { page } = bench
  expect(
    await page.evaluate(() => [
      typeof (globalThis as Record<string, unknown>).require,
      typeof (globalThis as Record<string, unknown>).process,
    ]),
  ).toEqual(['undefined', 'undefined'])
  expect(await page.evaluate(() => Object.keys(window.edgesmith).sort())).toEqual([
    'call',
    'chooseFile',
    'onEvent',
    'openFile',
    'pathOfFile',
  ])
  const blocked = await page.evaluate(async () => {
    const script = document.createElement('script')
    script.textContent = 'globalThis.escaped = true'
    document.head.append(script)
    const fetched = await fetch('http://127.0.0.1:1/').then(
      () => 'reached',
      () => 'refused',
    )
    return { escaped: 'escaped' in globalThis, fetched, opened: window.open('https://example.org') === null }
  })
  expect(blocked).toEqual({ escaped: false, fetched: 'refused', opened: true })
  bench.consoleErrors.length = 0
  await page.evaluate(() => {
    location.href = 'https://example.org/'
  })
  await expect.poll(() => page.url()).toMatch(/^app:\/\/edgesmith\//)
  // Playwright still waits for the navigation that was refused.
  await page.reload()
})

test('a message that is not of the contract is refused with a code', async () => {
  const answers = await bench.page.evaluate(async () => [
    await window.edgesmith.call('models.import', { path: 7 } as never),
    await window.edgesmith.call('no.such' as never, {} as never),
    await window.edgesmith.call('models.import', { path: '/etc/hostname' }),
  ])
  expect(answers.map((answer) => (answer.ok ? 'ok' : answer.error.code))).toEqual(['USAGE', 'USAGE', 'MODEL_NOT_ONNX'])
})

test('a killed backend is started again: the job failed clearly, the window says so, the next job works', async () => {
  const { page } = bench
  const started = await page.evaluate(async () => {
    const samples = await window.edgesmith.call('samples.import', {})
    if (!samples.ok) throw new Error(samples.error.message)
    const model = samples.output.models[0]
    const job = await window.edgesmith.call('bench.start', { modelId: model?.id ?? '', deviceId: 'local', settings: { runs: 500_000 } })
    if (!job.ok) throw new Error(job.error.message)
    return { jobId: job.output.jobId, modelId: model?.id ?? '' }
  })
  await expect.poll(() => bench.query<{ state: string }>('select state from jobs where id = ?', started.jobId)[0]?.state).toBe('running')
  const first = backendPid()
  expect(first).toBeDefined()
  process.kill(first as number, 'SIGKILL')
  await expect(page.getByTestId('backend-banner')).toHaveAttribute('data-state', 'restarted', { timeout: 20_000 })
  expect(backendPid()).not.toBe(first)
  const [job] = bench.query<{ state: string; error: string }>('select state, error from jobs where id = ?', started.jobId)
  expect(job?.state).toBe('failed')
  expect(JSON.parse(job?.error ?? '{}').code).toBe('JOB_INTERRUPTED')
  // The agent the dead backend had started is gone too.
  await expect.poll(() => processesNamed('agent.cjs')).toEqual([])
  expect(bench.query('select id from benchmarks')).toEqual([])
  const next = await page.evaluate(async (modelId) => {
    const answer = await window.edgesmith.call('bench.start', {
      modelId,
      deviceId: 'local',
      settings: { runs: 50, warmupRuns: 5, warmupSeconds: 0 },
    })
    if (!answer.ok) throw new Error(answer.error.message)
    const ended = await window.edgesmith.call('jobs.wait', { id: answer.output.jobId })
    return ended.ok ? ended.output.state : ended.error.code
  }, started.modelId)
  expect(next).toBe('succeeded')
  await goTo(page, 'models')
  await expect(page.getByTestId('model-row-fashion-cnn')).toBeVisible()
})

/** Pids of this workspace's processes whose command line holds a word, wherever their parent is now. */
function processesNamed(word: string): number[] {
  return execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(word) && line.includes(join(import.meta.dirname, '../..')))
    .map((line) => Number(line.trim().split(/\s+/)[0]))
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? []
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}
