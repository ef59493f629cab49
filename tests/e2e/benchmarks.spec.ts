// The Benchmarks page on the real application: runs, a sweep, runs compared, evaluations with their samples, profiles. Every number that is
// checked comes from the database.
import { expect, type Page, test } from '@playwright/test'
import type { LatencyStatistics } from '../../src/contract/measurement.ts'
import { expectNoSeriousAxeProblems } from './accessibility.ts'
import { choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

const JOB_MS = 120_000

let bench: Workbench
let page: Page
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  bench = await openWorkbench()
  page = bench.page
})
test.afterAll(async () => bench?.close())

/** Takes a screenshot for the test report. */
async function screenshot(name: string): Promise<void> {
  const path = test.info().outputPath(`${name}.png`)
  await page.screenshot({ path, animations: 'disabled' })
  await test.info().attach(name, { path, contentType: 'image/png' })
}

interface StoredRun {
  readonly id: string
  readonly samples: number
  readonly result: { readonly latencyMs: LatencyStatistics; readonly samples: number }
}

/** Runs as they are stored, oldest first. */
function storedRuns(): StoredRun[] {
  return bench
    .query<{ id: string; result: string; bytes: number }>(
      'select id, result, length(latencies) as bytes from benchmarks order by created_at, rowid',
    )
    .map(({ id, result, bytes }) => ({ id, samples: bytes / 4, result: JSON.parse(result) as StoredRun['result'] }))
}

async function setNumber(name: string, value: number): Promise<void> {
  await page.getByRole('textbox', { name, exact: true }).fill(String(value))
}

/** The form of a new run, filled in to be short. */
async function fillRun(runs: number): Promise<void> {
  await goTo(page, 'benchmarks')
  await page.getByTestId('benchmarks-new').click()
  await choose(page, 'run-model', /^fashion-cnn/)
  await setNumber('Runs', runs)
  await setNumber('Warm-up runs', 5)
  await setNumber('Warm-up seconds', 0)
}

test('says what belongs here before anything was measured', async () => {
  await goTo(page, 'benchmarks')
  await expect(page.getByTestId('runs-empty')).toBeVisible()
  await page.getByTestId('tab-evaluations').click()
  await expect(page.getByTestId('evaluations-empty')).toBeVisible()
  await page.getByTestId('tab-profiles').click()
  await expect(page.getByTestId('profiles-empty')).toBeVisible()
  await expectNoSeriousAxeProblems(page)
  await page.evaluate(() => window.edgesmith.call('samples.import', {}))
})

test('explains scenarios and asks only for settings that apply', async () => {
  await goTo(page, 'benchmarks')
  await page.getByTestId('benchmarks-new').click()
  await expect(page.getByTestId('run-start')).toBeDisabled()
  await expect(page.getByTestId('run-batches')).toBeHidden()
  await page.getByTestId('run-scenario').getByText('Server').click()
  await expect(page.getByTestId('run-scenario-text')).toContainText('Latency counts from the moment a request was due')
  await expect(page.getByRole('textbox', { name: 'Rate' })).toBeVisible()
  await choose(page, 'run-model', /^fashion-cnn/)
  // A server run needs its rate.
  await expect(page.getByTestId('run-start')).toBeDisabled()
  await page.getByRole('textbox', { name: 'Rate' }).fill('50')
  await expect(page.getByTestId('run-start')).toBeEnabled()
  await page.getByTestId('run-scenario').getByText('Batch').click()
  await expect(page.getByTestId('run-batches')).toBeVisible()
  await page.getByTestId('run-batches').fill('1, 2, x')
  await expect(page.getByTestId('run-start')).toBeDisabled()
  await page.getByTestId('run-batches').fill('1')
  await page.getByTestId('run-scenario').getByText('Single').click()
})

test('measures a run and shows exactly what is stored', async () => {
  await fillRun(120)
  await page.getByTestId('run-start').click()
  await expect(page.getByTestId('run-detail')).toBeVisible({ timeout: JOB_MS })
  const [run] = storedRuns()
  expect(run?.samples).toBe(120)
  expect(Number(await page.getByTestId('run-detail').getAttribute('data-p50'))).toBe(run?.result.latencyMs.p50)
  await expect(page.getByTestId(`run-${run?.id}`)).toHaveAttribute('aria-selected', 'true')
  // 120 samples are enough for p95 and too few for p99.
  await expect(page.getByTestId('run-statistics')).toContainText('not enough samples for p99: 299 are needed')
  await expect(page.getByTestId('run-command')).toHaveText('edgesmith bench fashion-cnn --runs 120 --warmup-runs 5 --warmup-seconds 0')
  await expect(page.getByTestId('preflight')).toBeVisible()
  await expect(page.getByTestId('latency-series').getByRole('group').locator('path').first()).toHaveAttribute('d', /^M/)
  await screenshot('run')
  await expectNoSeriousAxeProblems(page)
})

test('charts are read by keyboard and as tables, and copied as CSV and as a picture', async () => {
  const series = page.getByTestId('latency-series')
  await series.getByRole('group').focus()
  await page.keyboard.press('ArrowRight')
  await expect(series.locator('[aria-live]')).toContainText('median')
  await series.getByTestId('copy-csv').click()
  await expect.poll(() => bench.app.evaluate(({ clipboard }) => clipboard.readText())).toMatch(/^offset_ms,min_ms,median_ms,max_ms\r?\n0,/)
  await bench.app.evaluate(({ clipboard }) => clipboard.clear())
  const distribution = page.getByTestId('distribution-chart')
  await distribution.getByTestId('copy-image').click()
  await expect.poll(() => bench.app.evaluate(({ clipboard }) => clipboard.has('image/png'))).toBe(true)
  await distribution.getByText('Cumulative').click()
  await distribution.getByTestId('show-table').click()
  await expect(distribution.getByRole('columnheader', { name: 'percent' })).toBeVisible()
})

test('cancels a run', async () => {
  await fillRun(1_000_000)
  await page.getByTestId('run-start').click()
  const job = page.getByTestId('measuring-job')
  await expect(job).toHaveAttribute('data-state', 'running', { timeout: JOB_MS })
  await job.getByRole('button', { name: 'Cancel' }).click()
  await expect(job).toHaveAttribute('data-state', 'cancelled', { timeout: 30_000 })
  expect(storedRuns()).toHaveLength(1)
})

test('sweeps batch sizes and threads', async () => {
  await fillRun(40)
  await page.getByTestId('run-scenario').getByText('Batch').click()
  await page.getByTestId('run-batches').fill('1,4')
  await page.getByTestId('run-threads').fill('1, 2')
  await expect(page.getByRole('form', { name: 'New run' })).toContainText('A sweep of 4 runs')
  await page.getByTestId('run-start').click()
  await expect(page.getByTestId('sweep-view')).toHaveAttribute('data-runs', '4', { timeout: JOB_MS })
  await expect(page.getByTestId('sweep-latency').locator('circle')).toHaveCount(4)
  await expect(page.getByTestId('sweep-throughput')).toBeVisible()
  expect(storedRuns()).toHaveLength(5)
  await screenshot('sweep')
})

test('compares stored runs, and filters the board', async () => {
  await page.getByRole('button', { name: 'Close the sweep' }).click()
  const runs = storedRuns()
  await page.getByRole('textbox', { name: 'Filter runs' }).fill('batch 4')
  await expect(page.getByTestId(`run-${runs[0]?.id}`)).toBeHidden()
  await page.getByRole('textbox', { name: 'Filter runs' }).fill('')
  for (const { id } of runs.slice(0, 3)) await page.getByTestId(`choose-${id}`).check()
  await page.getByTestId('compare-runs').click()
  await expect(page.getByTestId('compared-runs')).toHaveAttribute('data-same-machine', 'true', { timeout: JOB_MS })
  for (const { id } of runs.slice(0, 3)) await expect(page.getByTestId(`compared-run-${id}`)).toBeVisible()
  await screenshot('compared-runs')
  await expectNoSeriousAxeProblems(page)
})

test('evaluates a model and shows the samples it gets wrong', async () => {
  await page.getByTestId('tab-evaluations').click()
  await page.getByTestId('benchmarks-evaluate').click()
  await choose(page, 'evaluate-model', /^fashion-mobilenet/)
  await choose(page, 'evaluate-dataset', /test/)
  await choose(page, 'evaluate-baseline', /^fashion-cnn/)
  await page.getByTestId('evaluate-start').click()
  const detail = page.getByTestId('evaluation-detail')
  await expect(detail).toBeVisible({ timeout: JOB_MS })
  const [stored] = bench.query<{ result: string }>('select result from evaluations')
  const result = JSON.parse(stored?.result ?? 'null') as {
    samples: number
    metrics: { accuracy: number; sqnrDb: number }
    classification: { correct: number; confusion: number[] }
  }
  await expect(detail.locator('[data-metric=accuracy]')).toHaveAttribute('data-value', String(result.metrics.accuracy))
  await expect(detail.locator('[data-metric=sqnrDb]')).toHaveAttribute('data-value', String(result.metrics.sqnrDb))
  expect(result.metrics.accuracy).toBeGreaterThan(0.85)
  // Every wrong sample is on the list, with its picture.
  const wrong = result.samples - result.classification.correct
  await expect(page.getByTestId('worst-samples')).toHaveAttribute('data-total', String(wrong))
  await expect(page.getByTestId('worst-samples').getByRole('listitem')).toHaveCount(24)
  await expect(page.getByTestId('worst-samples').locator('canvas').first()).toBeVisible()
  // A cell of the confusion matrix leads to the samples of its class.
  await page.getByTestId('confusion').getByRole('group').focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  const ofClass = result.classification.confusion.slice(10, 20).reduce((sum, count, index) => sum + (index === 1 ? 0 : count), 0)
  await expect(page.getByTestId('worst-samples')).toHaveAttribute('data-total', String(ofClass))
  await page.getByTestId('worst-samples').scrollIntoViewIfNeeded()
  await screenshot('evaluation')
  await expectNoSeriousAxeProblems(page)
})

test('profiles a model: kernels, layers and the roofline share a selection', async () => {
  await page.getByTestId('tab-profiles').click()
  await page.getByTestId('benchmarks-profile').click()
  await choose(page, 'profile-model', /^fashion-mobilenet/)
  await page.getByTestId('profile-start').click()
  await expect(page.getByTestId('profile-detail')).toBeVisible({ timeout: JOB_MS })
  const [stored] = bench.query<{ result: string }>("select result from analyses where kind = 'profile'")
  const { byLayer } = JSON.parse(stored?.result ?? 'null') as { byLayer: { layer: string; ms: number }[] }
  const slowest = byLayer.reduce((a, b) => (b.ms > a.ms ? b : a))
  const table = page.getByRole('grid', { name: 'Layers' })
  await expect(table.getByRole('row').nth(1)).toContainText(slowest.layer)
  await table.focus()
  await page.keyboard.press('ArrowDown')
  await expect(table.getByRole('row', { selected: true })).toContainText(slowest.layer)
  await page.getByTestId('roofline').scrollIntoViewIfNeeded()
  await screenshot('profile')
  await expectNoSeriousAxeProblems(page)
  expect(bench.consoleErrors).toEqual([])
})
