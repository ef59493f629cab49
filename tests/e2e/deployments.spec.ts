// A service through the window, on this computer: two versions of a small table model are deployed, watched, weighed against each other,
// tried as a canary, rolled back, asked, validated, handed over and removed. What is shown is checked against what the service itself answers.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import sharp from 'sharp'
import { expectNoSeriousAxeProblems } from './accessibility.ts'
import { clients, colourModel, FEATURES, live, predict, riskModel } from './risk-service.ts'
import { answerDialogs, choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

const JOB_MS = 180_000
/** For what is changed on the machine by a program of its own, and then read again. */
const WAIT = { timeout: 30_000 }

let bench: Workbench
let page: Page
let folder: string
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-deployments-'))
  writeFileSync(join(folder, 'risk-1.onnx'), riskModel(1))
  writeFileSync(join(folder, 'risk-2.onnx'), riskModel(2))
  writeFileSync(join(folder, 'clients.csv'), clients())
  writeFileSync(join(folder, 'colours.onnx'), colourModel())
  bench = await openWorkbench()
  page = bench.page
})
test.afterAll(async () => {
  await bench?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function screenshot(name: string): Promise<void> {
  const path = test.info().outputPath(`${name}.png`)
  await page.screenshot({ path, animations: 'disabled' })
  await test.info().attach(name, { path, contentType: 'image/png' })
}

async function showTab(name: 'overview' | 'versions' | 'drift' | 'try' | 'validation' | 'log'): Promise<void> {
  await page.getByTestId(`tab-service-${name}`).click()
}

test('deploys a model with data and a key of its own, and shows the key once', async () => {
  await page.evaluate(async (path) => {
    for (const name of ['risk-1', 'risk-2']) await window.edgesmith.call('models.import', { path: `${path}/${name}.onnx`, name })
    await window.edgesmith.call('datasets.import', { path: `${path}/clients.csv`, name: 'clients', csv: { label: 'label' } })
  }, folder)
  await expect.poll(() => bench.query('select id from datasets'), { timeout: JOB_MS }).toHaveLength(1)
  await goTo(page, 'deployments')
  await page.getByTestId('deploy-new').first().click()
  await choose(page, 'deploy-model', /^risk-1/)
  await page.getByTestId('deploy-service').fill('risk')
  await choose(page, 'deploy-dataset', /^clients/)
  await page.getByTestId('deploy-max-latency').fill('500')
  await page.getByTestId('deploy-advanced').click()
  await page.getByTestId('deploy-key-name').fill('kiosk')
  await page.getByTestId('deploy-key-add').click()
  await page.getByTestId('deploy-log').check()
  await expect(page.getByRole('dialog')).toContainText('gets a key with this deployment')
  await screenshot('deploy')
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('deploy-start').click()
  await expect(page.getByTestId('made-secret')).toHaveText(/^[\w-]{43}$/, { timeout: JOB_MS })
  await page.getByTestId('secrets-close').click()
  await expect(page.getByTestId('made-secret')).toBeHidden()
  await expect(page.getByTestId('deployment-detail')).toHaveAttribute('data-state', 'running')
})

test('shows live numbers that move', async () => {
  await expect(page.getByTestId('chart-requests')).toBeVisible()
  const before = (await live(bench)).requests
  await predict(bench, 40)
  expect((await live(bench)).requests).toBe(before + 40)
  await expect(page.getByTestId('service-requests')).toHaveText(String(before + 40), WAIT)
  await expect(page.getByTestId('chart-latency')).toContainText('ms')
  await expect.poll(async () => Number(await page.getByTestId('service-charts').getAttribute('data-readings'))).toBeGreaterThan(2)
  await expect(page.getByTestId('service-supervision')).toContainText(/systemd|cron|process/)
  await screenshot('live')
  await expectNoSeriousAxeProblems(page)
})

test('asks the service by a form made from its schema', async () => {
  await showTab('try')
  for (const name of FEATURES) await expect(page.getByTestId(`try-field-${name}`)).toBeVisible()
  await page.getByTestId('try-field-age').fill('41')
  await page.getByTestId('try-ask').click()
  await expect(page.getByTestId('try-answer')).toHaveAttribute('data-status', '200')
  await page.getByTestId('try-field-age').fill('5000')
  await page.getByTestId('try-ask').click()
  await expect(page.getByTestId('try-answer')).toHaveAttribute('data-code', 'OUT_OF_RANGE')
  await expect(page.getByTestId('try-answer')).toContainText('fields.age must be at most')
  await expect(page.getByTestId('try-field-age')).toHaveAttribute('aria-invalid', 'true')
  await screenshot('try')
  await expectNoSeriousAxeProblems(page)
})

test('shows what is watched for drift', async () => {
  await showTab('drift')
  await expect(page.getByTestId('drift-table')).toContainText('income')
  await expect(page.getByTestId('drift-filled')).toContainText('of')
  const { drift } = await live(bench)
  await expect(page.getByTestId('drift-table')).toHaveAttribute('data-features', String(drift?.features.length))
  await screenshot('drift')
  await expectNoSeriousAxeProblems(page)
})

test('saves the logged predictions as a file', async () => {
  const path = join(folder, 'predictions.csv')
  await answerDialogs(bench.app, path)
  const { predictions } = await live(bench)
  await expect.poll(async () => (await live(bench)).predictionLog?.writtenRows, WAIT).toBe(predictions)
  await page.getByTestId('predictions-save').click()
  await expect(page.getByTestId('predictions-saved')).toContainText(`${predictions} predictions`, WAIT)
  const [header = '', first = '', ...rest] = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(header).toMatch(/^time,request_id,version,latency_ms,class,confidence,input\.x\[0\],.*,input\.x\[3\],output\.risk\[0\],/)
  expect(first.split(',')).toHaveLength(header.split(',').length)
  expect(first).toContain(',30,45,60,70,')
  expect(rest).toHaveLength(predictions - 1)
})

test('splits requests with a second version, changes its share and rolls back', async () => {
  const [current] = (await live(bench)).versions
  await page.getByTestId('deployment-new-release').click()
  await choose(page, 'deploy-model', /^risk-2/)
  // The data of the release before.
  await expect(page.getByTestId('deploy-dataset')).toHaveValue(/^clients/)
  await page.getByTestId('deploy-rollout-split').check()
  await page.getByTestId('deploy-weight').fill('20')
  await screenshot('release')
  await page.getByTestId('deploy-start').click()
  await showTab('versions')
  const beside = page.getByTestId('version-beside')
  await expect(beside).toBeVisible({ timeout: JOB_MS })
  const release = await beside.getAttribute('data-release')
  const tried = page.getByTestId(`tried-${release}`)
  await expect(tried).toHaveAttribute('data-weight', '20')
  await tried.getByRole('slider').press('ArrowRight')
  await expect(tried).toHaveAttribute('data-weight', '21', WAIT)
  expect((await live(bench)).versions.find((version) => version.release === release)?.weight).toBe(21)
  await predict(bench, 30)
  await screenshot('versions')
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('deployment-rollback').click()
  await expect(tried).toBeHidden(WAIT)
  await expect(page.getByTestId('version-current')).toHaveAttribute('data-release', current?.release ?? '', WAIT)
  expect((await live(bench)).versions.filter(({ role }) => role === 'beside')).toEqual([])
  await expect(page.getByTestId('service-events').locator('[data-kind="rolled-back"]').first()).toBeVisible(WAIT)
})

test('withdraws a canary by hand, promotes another and takes it back in one click', async () => {
  const before = (await live(bench)).versions.find(({ role }) => role === 'current')?.release ?? ''
  const bring = async () => {
    await page.getByTestId('deployment-new-release').click()
    await choose(page, 'deploy-model', /^risk-2/)
    await page.getByTestId('deploy-rollout-canary').check()
    await page.getByTestId('deploy-steps').fill('50')
    await page.getByTestId('deploy-start').click()
    await expect(page.getByTestId('canary-progress')).toContainText('50% → 100%', { timeout: JOB_MS })
    return (await live(bench)).canary?.release ?? ''
  }
  const release = await bring()
  await predict(bench, 20)
  await expect(page.getByTestId('canary-progress')).toContainText('more of 50 requests', WAIT)
  await expect(page.getByTestId(`found-${release}`)).toContainText(/\d+ requests? answered, 0 failed, .* compared answers differ/, WAIT)
  await screenshot('canary')
  await page.getByTestId(`withdraw-${release}`).click()
  await expect(page.getByTestId('canary-progress')).toBeHidden(WAIT)
  expect(await bring()).toBe(release)
  await page.getByTestId(`promote-${release}`).click()
  await page.getByTestId('confirm').click()
  await expect(page.getByTestId('version-current')).toHaveAttribute('data-release', release, WAIT)
  await expect(page.getByTestId('watch-progress')).toBeVisible(WAIT)
  await page.getByTestId('deployment-rollback').click()
  await expect(page.getByTestId('version-current')).toHaveAttribute('data-release', before, WAIT)
})

test('shows why a release failed, until that is removed', async () => {
  await page.getByTestId('deployment-new-release').click()
  await choose(page, 'deploy-model', /^risk-2/)
  await page.getByTestId('deploy-max-latency').fill('0.0001')
  await page.getByTestId('deploy-start').click()
  const failed = page.locator('[data-testid^=failed-]')
  await expect(failed).toContainText('at most 0.0001 ms are allowed', { timeout: JOB_MS })
  await failed.getByText('Log at that time').click()
  await expect(failed.getByTestId('failure-log')).toContainText('loaded')
  await screenshot('failed-release')
  await expectNoSeriousAxeProblems(page)
  await failed.getByRole('button', { name: 'Remove…' }).click()
  await page.getByTestId('confirm').click()
  await expect(failed).toBeHidden(WAIT)
})

test('is validated, with a table of what was checked', async () => {
  await showTab('validation')
  await page.getByTestId('validate-load').fill('50')
  await page.getByTestId('validate-seconds').fill('2')
  await page.getByTestId('validate-latency').fill('1000')
  await page.getByTestId('validate-start').click()
  const result = page.getByTestId('validation-result')
  await expect(result).toBeVisible({ timeout: JOB_MS })
  await expect(result).toContainText('answers')
  await screenshot('validation')
  await expectNoSeriousAxeProblems(page)
})

test('shows its log, and is readable in the dark and in a narrow window', async () => {
  await showTab('log')
  await expect(page.getByTestId('deployment-log')).toContainText('started')
  await screenshot('log')
  await showTab('versions')
  const scheme = page.getByTestId('color-scheme')
  for (let clicks = 0; clicks < 3 && (await scheme.getAttribute('data-scheme')) !== 'dark'; clicks++) await scheme.click()
  await bench.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(900, 760))
  await screenshot('narrow-versions')
  await expectNoSeriousAxeProblems(page)
  await showTab('overview')
  await screenshot('narrow-live')
  await expectNoSeriousAxeProblems(page)
})

test('asks a model that takes images with an image file', async () => {
  const path = join(folder, 'red.png')
  await sharp({ create: { width: 40, height: 30, channels: 3, background: { r: 255, g: 0, b: 0 } } })
    .png()
    .toFile(path)
  await page.evaluate(
    async (modelPath) => {
      const model = await window.edgesmith.call('models.import', { path: modelPath })
      if (!model.ok) throw new Error(model.error.message)
      const image = { width: 8, height: 8 }
      const preprocessing = { image, scale: 1 / 255, layout: 'channels-first' as const }
      await window.edgesmith.call('deploy.start', { modelId: model.output.id, deviceId: 'local', service: 'colours', preprocessing })
    },
    join(folder, 'colours.onnx'),
  )
  await page.getByTestId('deployment-row-colours').click({ timeout: JOB_MS })
  await showTab('try')
  await page.getByTestId('try-mode').getByText('Image file').click()
  await page.getByTestId('deployment-detail').locator('input[type=file]').setInputFiles(path)
  await page.getByTestId('try-ask').click()
  await expect(page.getByTestId('try-answer')).toHaveAttribute('data-status', '200', WAIT)
  // The mean of each channel of a red image.
  await expect(page.getByTestId('try-response')).toContainText('"means": [1, 0, 0]')
  await screenshot('image')
  await expectNoSeriousAxeProblems(page)
  await remove()
})

test('is handed over as files for another server', async () => {
  const target = join(folder, 'handed-over')
  mkdirSync(target)
  await answerDialogs(bench.app, target)
  await goTo(page, 'models')
  await page.getByTestId('model-row-risk-1').click()
  await page.getByTestId('model-more').click()
  await page.getByTestId('model-export').click()
  await page.getByTestId('export-triton').check()
  await page.getByTestId('export-choose').click()
  await expect(page.getByTestId('export-folder')).toHaveValue(join(target, 'risk-1-triton'))
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('export-start').click()
  const result = page.getByTestId('export-result')
  await expect(result).toBeVisible({ timeout: JOB_MS })
  expect(Number(await result.getAttribute('data-files'))).toBeGreaterThan(1)
  await expect(result).toContainText('config.pbtxt')
  await screenshot('export')
  await result.getByRole('button', { name: 'Close' }).click()
  await goTo(page, 'deployments')
})

test('is removed', async () => {
  await page.getByTestId('deployment-row-risk').click()
  await remove()
  await expect(page.getByTestId('deployments-empty')).toBeVisible(WAIT)
  expect(bench.query('select id from deployments')).toEqual([])
  expect(bench.consoleErrors).toEqual([])
})

/** Removes the service that is shown. */
async function remove(): Promise<void> {
  await page.getByTestId('deployment-more').click()
  await page.getByTestId('deployment-remove').click()
  await page.getByTestId('confirm').click()
  await expect(page.getByTestId('confirm')).toBeHidden({ timeout: JOB_MS })
}
