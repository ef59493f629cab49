// Reports through the window: written from what was measured, shown as their readers see them, exported, imported again, removed.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import type { Benchmark } from '../../src/contract/measurement.ts'
import type { ReportDocument } from '../../src/contract/report.ts'
import { expectNoSeriousAxeProblems } from './accessibility.ts'
import { answerDialogs, choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

const JOB_MS = 120_000

let bench: Workbench
let page: Page
let run: Benchmark
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  bench = await openWorkbench()
  page = bench.page
  await page.evaluate(() => window.edgesmith.call('samples.import', {}))
  run = await measure()
})
test.afterAll(async () => bench?.close())

/** A short benchmark of the sample model. */
async function measure(): Promise<Benchmark> {
  return page.evaluate(async () => {
    const models = await window.edgesmith.call('models.list', {})
    const model = models.ok ? models.output.find(({ name }) => name === 'fashion-cnn') : undefined
    if (!model) throw new Error('the sample model is missing')
    const settings = { runs: 80, warmupRuns: 5, warmupSeconds: 0 }
    const started = await window.edgesmith.call('bench.start', { modelId: model.id, deviceId: 'local', settings })
    if (!started.ok) throw new Error(started.error.message)
    const job = await window.edgesmith.call('jobs.wait', { id: started.output.jobId })
    const benchmarks = await window.edgesmith.call('benchmarks.list', {})
    const newest = benchmarks.ok ? benchmarks.output[0] : undefined
    if (!newest) throw new Error(job.ok ? (job.output.error?.message ?? 'no benchmark was stored') : job.error.message)
    return newest
  })
}

/** The number as the report writes it: three digits. */
const median = () => run.latencyMs.p50.toPrecision(3)

test('writes a report of what was chosen, and shows it', async () => {
  await goTo(page, 'reports')
  await expect(page.getByTestId('reports-empty')).toBeVisible()
  await page.getByTestId('report-new').click()
  await expect(page.getByTestId('report-write')).toBeDisabled()
  await page.getByTestId('report-title').fill('One run')
  await choose(page, 'report-format', /^JSON/)
  await page.getByLabel('Filter what was measured').fill('benchmark fashion')
  await page.getByTestId(`report-choice-${run.id}`).check()
  await expectNoSeriousAxeProblems(page)
  const path = join(bench.workspace, 'one-run')
  await answerDialogs(bench.app, path)
  await page.getByTestId('report-write').click()
  await expect(page.getByTestId('report-detail')).toContainText('1 benchmark', { timeout: JOB_MS })
  // The dialog's answer had no ending: the chosen format gives it one.
  const document = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as ReportDocument
  expect(document.title).toBe('One run')
  expect(document.benchmarks.map(({ id, latencyMs }) => [id, latencyMs.p50])).toEqual([[run.id, run.latencyMs.p50]])
  const shown = page.frameLocator('[data-testid=report-page]')
  await expect(shown.locator('body')).toContainText('One run')
  await expect(shown.locator('body')).toContainText(median())
  await expect(shown.locator('svg').first()).toBeVisible()
  await expectNoSeriousAxeProblems(page, { iframes: false })
})

test('exports in other formats', async () => {
  for (const format of ['html', 'md', 'csv', 'pdf'] as const) {
    const path = join(bench.workspace, `one-run.${format}`)
    await answerDialogs(bench.app, path)
    await page.getByTestId('report-export').click()
    await page.getByTestId(`report-export-${format}`).click()
    await expect.poll(() => existsSync(path) && statSync(path).size > 0, { timeout: JOB_MS }).toBe(true)
    expect(readFileSync(path, 'latin1')).toContain(format === 'pdf' ? '%PDF-' : 'fashion-cnn')
  }
})

test('imports what was written elsewhere, and forgets it again', async () => {
  const document = JSON.parse(readFileSync(join(bench.workspace, 'one-run.json'), 'utf8')) as ReportDocument
  await answerDialogs(bench.app, join(bench.workspace, 'one-run.csv'))
  await page.getByTestId('report-import').click()
  await expect(page.getByText('REPORT_INVALID')).toBeVisible()
  await answerDialogs(bench.app, join(bench.workspace, 'one-run.json'))
  await page.getByTestId('report-import').click()
  await expect(page.getByTestId('report-detail')).toContainText('imported', { timeout: JOB_MS })
  await expect(page.frameLocator('[data-testid=report-page]').locator('body')).toContainText(document.title)
  await expect(page.frameLocator('[data-testid=report-page]').locator('body')).toContainText(median())
  const id = (await page.getByTestId('report-detail').getAttribute('data-id')) ?? ''
  await page.getByTestId('report-more').click()
  await page.getByTestId('report-remove').click()
  await page.getByTestId('confirm').click()
  await expect(page.getByTestId(`report-row-${id}`)).toBeHidden()
  await expect(page.getByTestId('report-detail')).toContainText('written')
})

test('is readable in both colour schemes', async () => {
  const button = page.getByTestId('color-scheme')
  for (const scheme of ['light', 'dark'] as const) {
    for (let clicks = 0; clicks < 3 && (await button.getAttribute('data-scheme')) !== scheme; clicks++) await button.click()
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', scheme)
    for (const section of ['models', 'datasets', 'reports'] as const) {
      await goTo(page, section)
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(new RegExp(section, 'i'))
      await expectNoSeriousAxeProblems(page, { iframes: false })
    }
  }
  expect(bench.consoleErrors).toEqual([])
})
