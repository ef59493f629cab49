// Builds on several devices in one matrix, and a build's parity with this computer, in the real application on real SSH servers, one of
// which is gone when it is measured.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import type { Matrix } from '../../src/contract/matrix.ts'
import { type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { expectNoSeriousAxeProblems } from './accessibility.ts'
import { answerDialogs, choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

const JOB_MS = 180_000

let bench: Workbench
let page: Page
let board: SshDevice
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  board = await startSshDevice()
  const gone = await startSshDevice()
  bench = await openWorkbench()
  page = bench.page
  for (const [name, device] of [
    ['board', board],
    ['gone', gone],
  ] as const) {
    // The user's own key, which stays when the device is gone.
    const keyPath = join(bench.workspace, `${name}.key`)
    copyFileSync(device.keyPath, keyPath)
    const { host, port, user, hostFingerprint: hostKey } = device
    const added = await page.evaluate((input) => window.edgesmith.call('devices.add', input), {
      name,
      host,
      port,
      user,
      auth: { method: 'key' as const, keyPath },
      hostKey,
    })
    expect(added).toMatchObject({ ok: true })
  }
  const listed = await page.evaluate(() => window.edgesmith.call('devices.list', {}))
  const id = listed.ok ? listed.output.find(({ name }) => name === 'gone')?.id : undefined
  await page.evaluate((deviceId) => window.edgesmith.call('devices.disconnect', { id: deviceId ?? '' }), id)
  await gone.stop()
})
test.afterAll(async () => {
  await bench?.close()
  await board?.stop()
})

async function screenshot(name: string): Promise<void> {
  const path = test.info().outputPath(`${name}.png`)
  await page.screenshot({ path, animations: 'disabled' })
  await test.info().attach(name, { path, contentType: 'image/png' })
}

test('says what belongs here before anything was measured', async () => {
  await goTo(page, 'benchmarks')
  await page.getByTestId('tab-matrices').click()
  await expect(page.getByTestId('matrices-empty')).toBeVisible()
  await page.getByTestId('tab-parities').click()
  await expect(page.getByTestId('parities-empty')).toBeVisible()
  await expectNoSeriousAxeProblems(page)
  await page.evaluate(() => window.edgesmith.call('samples.import', {}))
})

test('measures two builds on three devices, one of which is gone', async () => {
  await page.getByTestId('tab-matrices').click()
  await page.getByTestId('benchmarks-matrix').click()
  await expect(page.getByTestId('matrix-start')).toBeDisabled()
  await page.getByTestId('matrix-model-fashion-cnn').check()
  await page.getByTestId('matrix-model-fashion-mobilenet').check()
  await expect(page.getByRole('listitem').filter({ hasText: 'fashion-cnn' })).toContainText('the others against this')
  await page.getByTestId('matrix-device-board').check()
  await page.getByTestId('matrix-device-gone').check()
  const form = page.getByRole('form', { name: 'New matrix' })
  await expect(form).toContainText('6 cells')
  for (const [name, value] of [
    ['Runs', 120],
    ['Warm-up runs', 5],
    ['Warm-up seconds', 0],
  ] as const)
    await page.getByRole('textbox', { name, exact: true }).fill(String(value))
  await expectNoSeriousAxeProblems(page)
  await screenshot('matrix-form')
  await page.getByTestId('matrix-start').click()
  const detail = page.getByTestId('matrix-detail')
  await expect(detail).toBeVisible({ timeout: JOB_MS })
  const [stored] = bench.query<{ matrix: string }>('select matrix from matrices')
  const matrix = JSON.parse(stored?.matrix ?? 'null') as Matrix
  await expect(detail).toHaveAttribute('data-matrix-id', matrix.id)
  expect(matrix.cells.map(({ error }) => error?.code ?? 'measured').sort()).toEqual([
    'DEVICE_UNREACHABLE',
    'DEVICE_UNREACHABLE',
    'measured',
    'measured',
    'measured',
    'measured',
  ])
  const cells = page.getByTestId('matrix-cell')
  await expect(cells).toHaveCount(6)
  await expect(cells.filter({ hasText: 'DEVICE_UNREACHABLE' })).toHaveCount(2)
  await expect(page.getByTestId('matrix-failures').getByRole('listitem')).toHaveText(/^gone, all builds: .*refused/)
  await expectNoSeriousAxeProblems(page)
  await screenshot('matrix')
  await page.getByTestId('matrix-mode').getByText('×').click()
  await expect(cells.filter({ hasText: /^1×/ })).toHaveCount(2)
  await screenshot('matrix-relative')
  await cells.first().getByRole('button').click()
  await expect(page.getByTestId('run-detail')).toBeVisible()
})

test('checks the parity of a build on a device', async () => {
  await page.getByTestId('tab-parities').click()
  await page.getByTestId('benchmarks-parity').click()
  await choose(page, 'parity-model', /^fashion-cnn/)
  await choose(page, 'parity-device', /^board/)
  await choose(page, 'parity-dataset', /test/)
  await page.getByTestId('parity-start').click()
  const detail = page.getByTestId('parity-detail')
  await expect(detail).toBeVisible({ timeout: JOB_MS })
  // The device shares this computer's processor.
  await expect(page.getByTestId('parity-verdict')).toContainText('identical')
  await expect(detail).toContainText('100.00% of the samples')
  await expect(page.getByTestId('parity-chart').locator('circle').first()).toBeVisible()
  await expectNoSeriousAxeProblems(page)
  await screenshot('parity')
})

test('puts both into one report', async () => {
  const path = join(bench.workspace, 'devices.md')
  await answerDialogs(bench.app, path)
  await page.getByRole('button', { name: 'Export report' }).click()
  await expect(page.getByTestId('open-report')).toBeVisible()
  await goTo(page, 'reports')
  await expect(page.getByText('1 analysis').first()).toBeVisible()
  expect(bench.consoleErrors).toEqual([])
})
