// The Devices page on a real SSH server: add by password, accept the key, live values, log, a benchmark, a cut link, a changed host key,
// a question of the device, and no trace at the end.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { expectNoSeriousAxeProblems } from './accessibility.ts'
import { choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

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

const card = () => page.getByTestId('device-card-board')
const address = () => `${device.user}@${device.host}:${device.port}`

async function screenshot(name: string): Promise<void> {
  const path = test.info().outputPath(`${name}.png`)
  await page.screenshot({ path, animations: 'disabled' })
  await test.info().attach(name, { path, contentType: 'image/png' })
}

async function setColorScheme(scheme: 'light' | 'dark'): Promise<void> {
  const button = page.getByTestId('color-scheme')
  for (let clicks = 0; clicks < 3 && (await button.getAttribute('data-scheme')) !== scheme; clicks++) await button.click()
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', scheme)
}

/** Every state the card has shown since, in order: a link that comes back at once would be missed by looking now and then. */
async function recordStates(): Promise<() => Promise<string[]>> {
  await card().evaluate((element) => {
    const states: string[] = []
    Object.assign(window, { shownStates: states })
    new MutationObserver(() => states.push(element.getAttribute('data-state') ?? '')).observe(element, { attributeFilter: ['data-state'] })
  })
  return () => page.evaluate(() => (window as unknown as { shownStates: string[] }).shownStates)
}

/** Log in by password where the server can (as root), by key otherwise. */
async function fillLogin(): Promise<void> {
  if (device.password === null) {
    await page.getByTestId('device-key-path').fill(device.keyPath)
    return
  }
  await page.getByTestId('device-auth').getByText('Password', { exact: true }).click()
  await page.getByTestId('device-password').fill(device.password)
}

test('adds a device whose key was never seen', async () => {
  await goTo(page, 'devices')
  await expect(page.getByTestId('device-card-this-computer')).toHaveAttribute('data-state', 'Ready')
  await page.getByTestId('device-add').click()
  await expect(page.getByTestId('device-address')).toBeFocused()
  await page.getByTestId('device-address').fill(address())
  await expect(page.getByTestId('device-address-read')).toContainText(String(device.port))
  await page.getByTestId('device-name').fill('board')
  await fillLogin()
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('device-connect').click()
  await expect(page.getByTestId('host-key-fingerprint')).toHaveText(device.hostFingerprint)
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('host-key-accept').click()
  await expect(card()).toHaveAttribute('data-state', 'Ready', { timeout: 60_000 })
  expect(bench.query('select host_key from devices where name = ?', 'board')).toEqual([{ host_key: device.hostFingerprint }])
})

test('shows live values, what the probe read, and the log', async () => {
  await card().click()
  await expect(page.getByTestId('device-detail')).toHaveAttribute('data-state', 'Ready')
  await expect(page.getByTestId('telemetry-load')).toBeVisible({ timeout: 30_000 })
  await expect(page.getByTestId('telemetry-memory')).toContainText('GB')
  await expect(card().getByTestId('card-telemetry')).toContainText('Load')
  const live = page.getByTestId('device-live')
  const before = Number(await live.getAttribute('data-readings'))
  await expect.poll(async () => Number(await live.getAttribute('data-readings')), { timeout: 30_000 }).toBeGreaterThan(before)
  await expectNoSeriousAxeProblems(page)
  await screenshot('overview')
  await page.getByTestId('tab-device-probe').click()
  await expect(page.getByTestId('check-C library')).toHaveAttribute('data-ok', 'true')
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('tab-device-log').click()
  await expect(page.getByTestId('device-log')).toContainText(`Connected as ${address()}`)
  await setColorScheme('dark')
  await expectNoSeriousAxeProblems(page)
  await screenshot('log-dark')
  await setColorScheme('light')
})

test('measures on the device while its log follows', async () => {
  await page.evaluate(() => window.edgesmith.call('samples.import', {}))
  await page.getByTestId('device-benchmark').click()
  await choose(page, 'benchmark-model', /^fashion-cnn/)
  await page.getByTestId('benchmark-start').click()
  await expect.poll(() => bench.query('select id from benchmarks').length, { timeout: JOB_MS }).toBe(1)
  await expect(page.getByTestId('device-log')).toContainText('bench', { timeout: 30_000 })
  await page.getByTestId('tab-device-overview').click()
  const [stored] = bench.query<{ id: string }>('select id from benchmarks')
  await expect(page.getByTestId(`benchmark-${stored?.id}`)).toBeVisible()
  // What the machine did meanwhile stands under the samples of the run.
  await page.getByTestId(`benchmark-${stored?.id}`).getByRole('link').last().click()
  await expect(page.getByTestId('run-telemetry').getByTestId('telemetry-load')).toBeVisible()
  await expect(page.getByTestId('run-energy')).toBeVisible()
  await expectNoSeriousAxeProblems(page)
  await screenshot('run')
  await goTo(page, 'devices')
  await card().click()
  expect(bench.query('select agent_version from devices where name = ?', 'board')).not.toEqual([{ agent_version: null }])
})

test('connects again by itself after the link was cut', async () => {
  const states = await recordStates()
  device.cutConnections()
  await expect.poll(async () => (await states()).includes('Reconnecting'), { timeout: 30_000 }).toBe(true)
  await expect(card()).toHaveAttribute('data-state', 'Ready', { timeout: 60_000 })
  await page.getByTestId('tab-device-log').click()
  await expect(page.getByTestId('device-log')).toContainText('Link lost')
  await expect(page.getByTestId('device-log')).toContainText('Connected again')
  await page.getByTestId('tab-device-overview').click()
  await expect(page.getByTestId('telemetry-load')).toBeVisible({ timeout: 30_000 })
})

test('says at which address a forwarded port is reached, wherever the user is', async () => {
  await goTo(page, 'deployments')
  await page.getByTestId('deploy-new').first().click()
  await choose(page, 'deploy-model', /^fashion-cnn/)
  await choose(page, 'deploy-device', /^board/)
  await page.getByTestId('deploy-service').fill('fashion')
  await page.getByTestId('deploy-start').click()
  await expect(page.getByTestId('deployment-detail')).toHaveAttribute('data-state', 'running', { timeout: JOB_MS })
  await page.getByTestId('deployment-connect').click()
  const url = (await page.getByTestId('connect-url').textContent()) ?? ''
  await expect(page.getByTestId('forward-notice')).toContainText(url)
  await screenshot('forward')
  await page.getByTestId('ports-note').click()
  await expect(page.getByTestId('ports-list')).toContainText(url)
  await expectNoSeriousAxeProblems(page)
  await page.keyboard.press('Escape')
  await goTo(page, 'devices')
  await card().click()
  await expect(page.getByTestId('device-detail').getByRole('region', { name: 'Ports' })).toContainText(url)
})

test('is disconnected and connected by hand, and says so where a device is chosen', async () => {
  await page.getByTestId('device-link-disconnect').click()
  await expect(card()).toHaveAttribute('data-state', 'Idle')
  await goTo(page, 'benchmarks')
  await page.getByTestId('benchmarks-new').click()
  await page.getByTestId('run-device').click()
  await expect(page.getByRole('option', { name: /^board/ })).toContainText('Idle')
  await page.keyboard.press('Escape')
  await goTo(page, 'devices')
  await card().click()
  await page.getByTestId('device-link-connect').click()
  await expect(card()).toHaveAttribute('data-state', 'Ready', { timeout: 30_000 })
})

test('reviews a changed host key, which only a fingerprint read on the device gets past', async () => {
  const known = device.hostFingerprint
  const changed = await device.changeHostKey()
  device.cutConnections()
  await expect(card()).toHaveAttribute('data-state', 'Failed', { timeout: 60_000 })
  const review = page.getByTestId('device-review')
  await expect(review).toHaveAttribute('data-code', 'HOST_KEY_CHANGED')
  await expect(review).toContainText(known)
  await expect(review).toContainText(changed)
  await expectNoSeriousAxeProblems(page)
  await screenshot('review')
  await page.getByTestId('review-try-again').click()
  await expect(review).toHaveAttribute('data-code', 'HOST_KEY_CHANGED')
  await page.getByTestId('review-add-again').click()
  await page.getByTestId('confirm').click()
  // The form opens with what is known; without the new fingerprint there is no way on.
  await expect(page.getByTestId('device-address')).toHaveValue(address())
  await expect(page.getByTestId('device-name')).toHaveValue('board')
  await fillLogin()
  await page.getByTestId('device-connect').click()
  await expect(page.getByTestId('host-key-changed')).toContainText(known)
  await page.getByTestId('host-key-back').click()
  await page.getByTestId('device-advanced').click()
  await page.getByTestId('device-host-key').fill(changed)
  await page.getByTestId('device-connect').click()
  await expect(card()).toHaveAttribute('data-state', 'Ready', { timeout: 60_000 })
  expect(bench.query('select host_key from devices where name = ?', 'board')).toEqual([{ host_key: changed }])
})

test('removes the device and leaves no trace there', async () => {
  await card().click()
  await page.getByTestId('device-more').click()
  await page.getByTestId('device-remove').click()
  await page.getByTestId('confirm').click()
  await expect(card()).toBeHidden({ timeout: 60_000 })
  expect(existsSync(join(device.home, '.edgesmith'))).toBe(false)
  await expect.poll(() => device.processes().filter(({ command }) => command.includes('agent.cjs'))).toEqual([])
  expect(bench.consoleErrors).toEqual([])
})

test('asks what the device asks, wherever the user is', async () => {
  test.skip(device.password === null, 'only a server run by root takes passwords')
  await page.getByTestId('device-add').click()
  await page.getByTestId('device-address').fill(address())
  await page.getByTestId('device-name').fill('asked')
  await page.getByTestId('device-auth').getByText('As ssh does', { exact: true }).click()
  await page.getByTestId('device-connect').click()
  const question = page.getByTestId('question')
  await expect(question).toBeVisible({ timeout: 30_000 })
  await expectNoSeriousAxeProblems(page)
  await screenshot('question')
  // Nobody answers: the dialog below stays, and says so.
  await page.keyboard.press('Escape')
  await expect(question).toBeHidden()
  await expect(page.getByTestId('error-notice')).toHaveAttribute('data-code', /QUESTION_UNANSWERED|DEVICE_AUTH_FAILED/)
  await page.getByTestId('device-connect').click()
  await expect(page.getByTestId('question-answer-0')).toBeFocused({ timeout: 30_000 })
  await page.keyboard.type(device.password ?? '')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('device-card-asked')).toHaveAttribute('data-state', 'Ready', { timeout: 60_000 })
  expect(bench.consoleErrors).toEqual([])
})

test('goes through a jump host, with a confirmation and a question for each of the two', async () => {
  test.skip(device.password === null, 'only a server run by root takes passwords')
  const inner = await startSshDevice()
  try {
    await page.getByTestId('device-add').click()
    await page.getByTestId('device-address').fill(`${inner.user}@${inner.host}:${inner.port}`)
    await page.getByTestId('device-name').fill('inner')
    await page.getByTestId('device-key-path').fill(inner.keyPath)
    await page.getByTestId('device-advanced').click()
    await page.getByTestId('device-jump').fill(address())
    await page.getByTestId('device-connect').click()
    // The jump host was confirmed when it was a device itself; it asks for its password.
    await expect(page.getByTestId('question')).toContainText(device.user, { timeout: 30_000 })
    await page.getByTestId('question-answer-0').fill(device.password ?? '')
    await page.getByTestId('question-submit').click()
    await expect(page.getByTestId('host-key-fingerprint')).toHaveText(inner.hostFingerprint, { timeout: 30_000 })
    await page.getByTestId('host-key-accept').click()
    await page.getByTestId('question-answer-0').fill(device.password ?? '', { timeout: 30_000 })
    await page.getByTestId('question-submit').click()
    const innerCard = page.getByTestId('device-card-inner')
    await expect(innerCard).toHaveAttribute('data-state', 'Ready', { timeout: 60_000 })
    await expect(innerCard).toContainText(`through ${address()}`)
    // A jump host with a key nobody confirmed is asked about by its own name.
    const other = await startSshDevice()
    try {
      await page.getByTestId('device-add').click()
      await page.getByTestId('device-address').fill(`${inner.user}@${inner.host}:${inner.port}`)
      await page.getByTestId('device-name').fill('inner-again')
      await page.getByTestId('device-key-path').fill(inner.keyPath)
      await page.getByTestId('device-advanced').click()
      await page.getByTestId('device-jump').fill(`${other.user}@${other.host}:${other.port}`)
      await page.getByTestId('device-connect').click()
      await expect(page.getByTestId('host-key-confirm')).toHaveAttribute('data-jump', new RegExp(other.user), { timeout: 30_000 })
      await expect(page.getByTestId('host-key-fingerprint')).toHaveText(other.hostFingerprint)
      await expectNoSeriousAxeProblems(page)
      await screenshot('jump')
    } finally {
      await other.stop()
    }
  } finally {
    await inner.stop()
  }
})
