// The whole main job through the window, on real input: import, quantize, prune, compare here, add a device over real SSH, compare
// there, serve there, ask the service, write the report. Every number on the screen is checked against the database.
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import type { Comparison } from '../../src/contract/measurement.ts'
import { type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { answerDialogs, choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

const root = join(import.meta.dirname, '../..')
const documentation = join(root, 'docs/screenshots')
/** Screenshots the README shows. */
const documented: ReadonlySet<string> = new Set(['compare', 'compare-dark', 'optimize', 'devices', 'deployments'])
const JOB_MS = 120_000

let bench: Workbench
let device: SshDevice
let page: Page
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  device = await startSshDevice()
  bench = await openWorkbench()
  page = bench.page
})
test.afterAll(async () => {
  await bench?.close()
  await device?.stop()
})

/** Takes a screenshot for the test report, and for the documentation when asked to. */
async function screenshot(name: string): Promise<void> {
  const path = test.info().outputPath(`${name}.png`)
  await page.screenshot({ path, animations: 'disabled' })
  await test.info().attach(name, { path, contentType: 'image/png' })
  if (process.env.EDGESMITH_UPDATE_SCREENSHOTS !== '1' || !documented.has(name)) return
  mkdirSync(documentation, { recursive: true })
  copyFileSync(path, join(documentation, `${name}.png`))
}

/** The button goes through light, dark and as the system. */
async function setColorScheme(scheme: 'light' | 'dark'): Promise<void> {
  const button = page.getByTestId('color-scheme')
  for (let clicks = 0; clicks < 3 && (await button.getAttribute('data-scheme')) !== scheme; clicks++) await button.click()
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', scheme)
}

/** The newest comparison as stored. */
function storedComparison(): Comparison {
  const [row] = bench.query<{ comparison: string }>('select comparison from comparisons order by rowid desc limit 1')
  return JSON.parse(row?.comparison ?? 'null') as Comparison
}

/** Checks that the table shows exactly the stored numbers. */
async function expectTableShows(comparison: Comparison): Promise<void> {
  for (const row of comparison.rows) {
    const shown = page.getByTestId(`comparison-row-${row.model}`)
    await expect(shown).toBeVisible()
    expect(Number(await shown.getAttribute('data-p50'))).toBe(row.latencyMs.p50)
    expect(Number(await shown.getAttribute('data-accuracy'))).toBe(row.metrics?.accuracy)
    expect(await shown.getAttribute('data-verdict')).toBe(row.speedup?.verdict ?? 'baseline')
    await expect(shown).toContainText(`${((row.metrics?.accuracy ?? 0) * 100).toFixed(2)}`)
  }
}

test('imports a model by the dialog and the bundled samples', async () => {
  await expect(page.getByTestId('models-empty')).toBeVisible()
  await screenshot('empty')
  await answerDialogs(bench.app, join(root, 'models/fashion-cnn.onnx'))
  await page.getByRole('button', { name: 'Import a model' }).first().click()
  await expect(page.getByTestId('model-row-fashion-cnn')).toBeVisible()
  // The samples hold the same file: the same bytes are one model.
  await page.evaluate(() => window.edgesmith.call('samples.import', {}))
  await expect(page.getByTestId('model-row-fashion-mobilenet')).toBeVisible()
  expect(bench.query('select name from models order by name')).toEqual([{ name: 'fashion-cnn' }, { name: 'fashion-mobilenet' }])
  await page.getByTestId('model-row-fashion-mobilenet').click()
  await expect(page.getByTestId('model-detail')).toContainText('BatchNormalization')
  await screenshot('models')
})

test('makes an INT8 build and a pruned INT8 build', async () => {
  for (const steps of [['int8-static'], ['prune-magnitude', 'int8-static']]) {
    await goTo(page, 'optimize')
    await choose(page, 'optimize-model', /^fashion-cnn ?1\.12/)
    for (const step of steps) await page.getByTestId(`recipe-add-${step}`).click()
    await choose(page, 'optimize-calibration', /calibration/)
    await page.getByTestId('optimize-start').click()
    const result = page.getByTestId('optimize-result')
    await expect(result).toBeVisible({ timeout: JOB_MS })
    const modelId = await result.getAttribute('data-model-id')
    const [stored] = bench.query<{ size_bytes: number; summary: string; sparsity: number }>(
      'select size_bytes, summary from models where id = ?',
      modelId,
    )
    const summary = JSON.parse(stored?.summary ?? 'null')
    expect(summary.output.sizeBytes).toBe(stored?.size_bytes)
    expect(summary.fusedNodes).toBeGreaterThan(0)
    if (steps.length > 1) expect(summary.sparsity).toBeCloseTo(0.5, 2)
    if (steps.length > 1) await screenshot('optimize')
    await result.getByRole('button', { name: 'Close' }).click()
    await page.evaluate(() => sessionStorage.clear())
    // The form keeps its draft on purpose; a fresh one starts with a reload.
    await page.reload()
  }
  expect(bench.query('select id from models where kind = ?', 'build')).toHaveLength(2)
})

test('compares accuracy and latency on this computer', async () => {
  await goTo(page, 'compare')
  await page.getByTestId('compare-new').first().click()
  await choose(page, 'compare-baseline', /^fashion-cnn ?1\.12/)
  for (const { name } of bench.query<{ name: string }>('select name from models where kind = ?', 'build')) {
    await page.getByTestId(`compare-model-${name}`).check()
  }
  await page.getByTestId('compare-start').click()
  await expect(page.getByTestId('comparison-row-fashion-cnn')).toBeVisible({ timeout: JOB_MS })
  const comparison = storedComparison()
  expect(comparison.rows).toHaveLength(3)
  await expectTableShows(comparison)
  const [baseline, ...builds] = comparison.rows
  expect(baseline?.metrics?.accuracy).toBeGreaterThan(0.89)
  for (const build of builds) expect(build.sizeBytes).toBeLessThan((baseline?.sizeBytes ?? 0) * 0.5)
  const int8 = builds.find(({ recipe }) => recipe === 'int8-static')
  expect(Math.abs(int8?.accuracyDifference?.difference ?? 1)).toBeLessThanOrEqual(0.01)
  // Every sample was kept.
  for (const row of comparison.rows) {
    const [stored] = bench.query<{ bytes: number }>('select length(latencies) as bytes from benchmarks where id = ?', row.benchmarkId)
    expect(stored?.bytes).toBe(row.samples * 4)
  }
  await screenshot('compare')
  await setColorScheme('dark')
  await screenshot('compare-dark')
  await setColorScheme('light')
})

test('adds a device after its host key was confirmed, and refuses a wrong one', async () => {
  await goTo(page, 'devices')
  await page.getByTestId('device-add').first().click()
  await page.getByTestId('device-address').fill(`${device.user}@${device.host}:${device.port}`)
  await page.getByTestId('device-name').fill('test-board')
  await page.getByTestId('device-key-path').fill(device.keyPath)
  await page.getByTestId('device-connect').click()
  await expect(page.getByTestId('host-key-fingerprint')).toHaveText(device.hostFingerprint)
  await screenshot('host-key')
  expect(bench.query('select id from devices')).toHaveLength(1)
  await page.getByTestId('host-key-accept').click()
  await expect(page.getByTestId('device-card-test-board')).toBeVisible({ timeout: 60_000 })
  expect(bench.query('select host_key from devices where name = ?', 'test-board')).toEqual([{ host_key: device.hostFingerprint }])
  await page.getByTestId('device-card-test-board').click()
  await page.getByTestId('device-prepare').click()
  await expect
    .poll(() => bench.query('select agent_version from devices where name = ?', 'test-board'), { timeout: JOB_MS })
    .not.toEqual([{ agent_version: null }])
  await screenshot('devices')
})

test('measures the same models on the device, with the same accuracy', async () => {
  const here = storedComparison()
  await goTo(page, 'compare')
  await page.getByTestId('compare-new').first().click()
  await choose(page, 'compare-device', /test-board/)
  await page.getByTestId('compare-start').click()
  // Every block warms up until its times are steady, which takes long where others use the machine.
  await expect.poll(() => storedComparison().device, { timeout: 2 * JOB_MS }).toBe('test-board')
  const there = storedComparison()
  await expectTableShows(there)
  // The same bytes, the same runtime, the same kind of processor: the same answers.
  expect(there.rows.map(({ metrics }) => metrics?.accuracy)).toEqual(here.rows.map(({ metrics }) => metrics?.accuracy))
  expect(there.environment.onnxRuntimeVersion).toBe(here.environment.onnxRuntimeVersion)
})

test('serves the INT8 build on the device and asks it', async () => {
  await goTo(page, 'deployments')
  await page
    .getByRole('button', { name: /Deploy/ })
    .first()
    .click()
  await choose(page, 'deploy-model', /^fashion-cnn int8-static/)
  await choose(page, 'deploy-device', /test-board/)
  await page.getByTestId('deploy-service').fill('fashion')
  await page.getByTestId('deploy-start').click()
  await expect(page.getByTestId('deployment-detail')).toHaveAttribute('data-state', 'running', { timeout: JOB_MS })
  await page.getByTestId('deployment-connect').click()
  const url = (await page.getByTestId('connect-url').textContent()) ?? ''
  await page.getByTestId('tab-service-try').click()
  await choose(page, 'try-dataset', /test/)
  await page.getByTestId('try-send').click()
  await expect(page.getByTestId('try-answer')).toHaveAttribute('data-status', '200')
  await page.getByTestId('tab-service-overview').click()
  await expect(page.getByTestId('chart-latency')).toContainText('ms')
  await screenshot('deployments')

  await page.getByRole('button', { name: 'Show the token' }).click()
  const token = (await page.getByTestId('connect-token').textContent()) ?? ''
  expect(await status(`${url}/health`, token)).toBe(200)
  expect(await status(`${url}/model_info`, token)).toBe(200)
  expect(await status(`${url}/health`, '')).toBe(401)
  expect(await status(`${url}/health`, `${token.slice(0, -1)}x`)).toBe(401)
  // Nothing the service started listens anywhere but on loopback.
  expect(device.processes().some(({ command }) => command.includes('serve'))).toBe(true)
})

test('writes a report that holds the numbers', async () => {
  const path = join(bench.workspace, 'report.html')
  await answerDialogs(bench.app, path)
  await goTo(page, 'compare')
  await page.getByTestId(`comparison-${storedComparison().id}`).click()
  await page.getByTestId('export-report').click()
  await expect.poll(() => existsSync(path)).toBe(true)
  const text = readFileSync(path, 'utf8')
  for (const row of storedComparison().rows) expect(text).toContain(((row.metrics?.accuracy ?? 0) * 100).toFixed(2))
  expect(text).not.toMatch(/(src|href)="https?:/)
})

test('removes the device and leaves no trace there', async () => {
  await goTo(page, 'devices')
  await page.getByTestId('device-card-test-board').click()
  await page.getByTestId('device-more').click()
  await page.getByTestId('device-remove').click()
  await page.getByTestId('confirm').click()
  await expect(page.getByTestId('device-card-test-board')).toBeHidden({ timeout: 60_000 })
  expect(existsSync(join(device.home, '.edgesmith'))).toBe(false)
  await expect.poll(() => device.processes().filter(({ command }) => command.includes('agent.cjs'))).toEqual([])
  expect(bench.consoleErrors).toEqual([])
})

function status(url: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers: token ? { authorization: `Bearer ${token}` } : {} }, (incoming) => {
      incoming.resume()
      resolve(incoming.statusCode ?? 0)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}
