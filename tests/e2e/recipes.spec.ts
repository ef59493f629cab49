// What the window does beyond one build: every recipe tried and compared, the sensitivity of a model's nodes, and why a build is slower.
import { expect, type Page, test } from '@playwright/test'
import { compareAllResultSchema } from '../../src/contract/compare-all.ts'
import type { OptimizeSummary } from '../../src/contract/recipe.ts'
import { choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

const JOB_MS = 400_000

let bench: Workbench
let page: Page
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  bench = await openWorkbench()
  page = bench.page
  await page.evaluate(() => window.edgesmith.call('samples.import', {}))
})
test.afterAll(async () => bench?.close())

/** Takes a screenshot for the test report. */
async function screenshot(name: string): Promise<void> {
  const path = test.info().outputPath(`${name}.png`)
  await page.screenshot({ path, animations: 'disabled' })
  await test.info().attach(name, { path, contentType: 'image/png' })
}

/** The result of the newest job of a kind, as stored. */
function storedResult(kind: string): unknown {
  const [row] = bench.query<{ result: string | null }>('select result from jobs where kind = ? order by rowid desc limit 1', kind)
  return JSON.parse(row?.result ?? 'null')
}

test('shows settings by importance, opens changed ones, and asks for data only where it is used', async () => {
  await goTo(page, 'optimize')
  await choose(page, 'optimize-model', /^fashion-mobilenet/)
  await screenshot('recipes')
  await page.getByTestId('recipe-add-dynamic-batch').click()
  await expect(page.getByTestId('optimize-calibration')).toBeHidden()
  await page.getByTestId('recipe-add-prune-channels').click()
  // Better with samples, and possible without.
  await expect(page.getByTestId('optimize-calibration')).toBeVisible()
  await expect(page.getByTestId('optimize-start')).toBeEnabled()
  await page.getByTestId('recipe-add-int8-static').click()
  await expect(page.getByTestId('optimize-start')).toBeDisabled()
  const step = page.getByTestId('recipe-step-2')
  await expect(step.getByLabel('Bias correction')).toBeHidden()
  await step.locator('summary').click()
  await expect(step.getByLabel('Bias correction')).toBeVisible()
  await page.getByTestId('optimize-budget').fill('0.5')
  await expect(page.getByTestId('optimize-labelled')).toBeVisible()
  await screenshot('recipe-settings')
})

test('keeps an accuracy budget and shows what every tensor lost', async () => {
  await page.reload()
  await goTo(page, 'optimize')
  await choose(page, 'optimize-model', /^fashion-cnn/)
  await page.getByTestId('recipe-add-int8-static').click()
  await choose(page, 'optimize-calibration', /calibration/)
  await page.getByTestId('optimize-samples').fill('64')
  await page.getByTestId('optimize-budget').fill('1')
  await choose(page, 'optimize-labelled', /test/)
  await page.getByTestId('optimize-start').click()
  const shown = page.getByTestId('optimize-result')
  await expect(shown).toBeVisible({ timeout: JOB_MS })
  const { summary } = storedResult('optimize.start') as { summary: OptimizeSummary }
  expect(summary.mixedPrecision).toMatchObject({ maxDrop: 0.01, met: true })
  await expect(page.getByTestId('accuracy-budget')).toHaveAttribute('data-met', 'true')
  expect(summary.calibratorTrials.length).toBeGreaterThan(1)
  for (const { calibrator } of summary.calibratorTrials) await expect(shown.getByTitle(calibrator).first()).toBeVisible()
  await expect(shown.getByText(summary.tensors[0]?.tensor ?? 'no tensor').first()).toBeVisible()
  await screenshot('budget')
  await shown.getByText('Weights, worst first').scrollIntoViewIfNeeded()
  await screenshot('budget-details')
  await shown.getByRole('button', { name: 'Close' }).click()
})

test('tries all recipes, names the one to take, and opens the comparison', async () => {
  await page.reload()
  await goTo(page, 'optimize')
  await choose(page, 'optimize-model', /^fashion-mobilenet/)
  await page.getByTestId('compare-all').click()
  await expect(page.getByTestId('compare-all-calibration')).toHaveValue(/calibration/)
  await expect(page.getByTestId('compare-all-dataset')).toHaveValue(/test/)
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Runs', { exact: true }).fill('60')
  await dialog.getByLabel('Warm-up seconds').fill('0')
  await dialog.getByLabel('Blocks').fill('2')
  await screenshot('compare-all-dialog')
  await page.getByTestId('compare-all-start').click()
  await expect(page.getByTestId('job-progress')).toBeVisible()
  const shown = page.getByTestId('compare-all-result')
  await expect(shown).toBeVisible({ timeout: JOB_MS })
  await screenshot('compare-all')
  const result = compareAllResultSchema.parse(storedResult('compareAll.start'))
  expect(await shown.getAttribute('data-recommended')).toBe(result.recommended?.modelId ?? '')
  for (const { title, modelId, error } of result.entries) {
    const row = page.getByTestId(`compare-all-row-${title}`)
    expect(await row.getAttribute('data-error')).toBe(error?.code ?? '')
    const measured = result.comparison?.rows.find((entry) => entry.modelId === modelId)
    expect(await row.getAttribute('data-p50')).toBe(measured ? String(measured.latencyMs.p50) : '')
  }
  await page.getByTestId('compare-all-open').click()
  await expect(page.getByTestId('comparison-view')).toHaveAttribute('data-comparison-id', result.comparison?.id ?? '')
  const explained = (result.comparison?.rows ?? []).filter(({ explanation }) => explanation !== null)
  for (const row of explained) expect(row.speedup?.verdict).toBe('slower')
  const [first] = explained
  if (first) {
    await page.getByRole('button', { name: `Why ${first.model} is slower` }).click()
    await expect(page.getByTestId(`explanation-${first.model}`)).toHaveAttribute('open', '')
  }
  await screenshot('comparison-explained')
})

test('ranks the nodes of a model by what quantizing them costs', async () => {
  await goTo(page, 'models')
  await page.getByTestId('model-row-fashion-mobilenet').click()
  await page.getByTestId('tab-sensitivity').click()
  await choose(page, 'sensitivity-calibration', /calibration/)
  await page.getByTestId('sensitivity-start').click()
  const shown = page.getByTestId('sensitivity-result')
  await expect(shown).toBeVisible({ timeout: JOB_MS })
  const { units } = storedResult('sensitivity.start') as { units: { node: string }[] }
  expect(Number(await shown.getAttribute('data-units'))).toBe(units.length)
  const names = await shown.locator('tbody tr td:first-child .es-mono').allTextContents()
  expect(names.slice(0, 5)).toEqual(units.slice(0, 5).map(({ node }) => node))
  await screenshot('sensitivity')
  expect(bench.consoleErrors).toEqual([])
})
