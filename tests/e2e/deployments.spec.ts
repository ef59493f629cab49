// A service through the window, on this computer: two versions of a small table model are deployed, watched, weighed against each other,
// rolled back, asked, validated, handed over and removed. What is shown is checked against what the service itself answers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import sharp from 'sharp'
import type { ServiceLive } from '../../src/contract/service-protocol.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { seededRandom } from '../../src/core/statistics/seeded-random.ts'
import { expectNoSeriousAxeProblems } from './accessibility.ts'
import { answerDialogs, choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

const JOB_MS = 180_000
/** For what is changed on the machine by a program of its own, and then read again. */
const WAIT = { timeout: 30_000 }
const FEATURES = ['age', 'income', 'debt', 'tenure'] as const
const CLASSES = 3
/** Enough for a reference of drift. */
const ROWS = 1200

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

/** Four numbers to three classes. */
function riskModel(seed: number): Uint8Array {
  const random = seededRandom(seed)
  const weights = Float32Array.from({ length: FEATURES.length * CLASSES }, () => (random.uniform() - 0.5) / 20)
  return encodeModel(
    makeModel({
      nodes: [makeNode('Gemm', ['x', 'w', 'b'], ['scores']), makeNode('Softmax', ['scores'], ['risk'], { axis: 1 })],
      initializers: [
        makeTensor('w', 'float32', [FEATURES.length, CLASSES], weights),
        makeTensor('b', 'float32', [CLASSES], Float32Array.of(0.1, 0, -0.1)),
      ],
      inputs: [makeValueInfo('x', 'float32', ['N', FEATURES.length])],
      outputs: [makeValueInfo('risk', 'float32', ['N', CLASSES])],
    }),
  )
}

/** The mean of each channel of an 8×8 image. */
function colourModel(): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [makeNode('ReduceMean', ['image'], ['means'], { axes: [2, 3], keepdims: 0 })],
      inputs: [makeValueInfo('image', 'float32', ['N', 3, 8, 8])],
      outputs: [makeValueInfo('means', 'float32', ['N', 3])],
      opset: 17,
    }),
  )
}

function clients(): string {
  const random = seededRandom(3)
  const row = (index: number) => [...FEATURES.map((_, column) => (20 + column * 10 + random.uniform() * 50).toFixed(2)), index % CLASSES]
  return [[...FEATURES, 'label'], ...Array.from({ length: ROWS }, (_, index) => row(index))].map((cells) => cells.join(',')).join('\n')
}

async function screenshot(name: string): Promise<void> {
  const path = test.info().outputPath(`${name}.png`)
  await page.screenshot({ path, animations: 'disabled' })
  await test.info().attach(name, { path, contentType: 'image/png' })
}

async function showTab(name: 'overview' | 'versions' | 'drift' | 'try' | 'validation' | 'log'): Promise<void> {
  await page.getByTestId(`tab-service-${name}`).click()
}

/** What the service answers of itself, asked beside the window. */
function live(): Promise<ServiceLive> {
  const [row] = bench.query<{ id: string }>('select id from deployments')
  return page.evaluate(async (id) => {
    const answer = await window.edgesmith.call('deployments.live', { id })
    if (!answer.ok) throw new Error(answer.error.message)
    return answer.output
  }, row?.id ?? '')
}

/** Sends predictions, one after another. */
function predict(count: number): Promise<void> {
  const [row] = bench.query<{ id: string }>('select id from deployments')
  return page.evaluate(
    async ({ id, requests }) => {
      for (let index = 0; index < requests; index++) {
        const body = { fields: { age: 30 + (index % 30), income: 45, debt: 60, tenure: 70 } }
        const answer = await window.edgesmith.call('deployments.ask', { id, body })
        if (!answer.ok || answer.output.httpStatus !== 200) throw new Error(JSON.stringify(answer))
      }
    },
    { id: row?.id ?? '', requests: count },
  )
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
  const before = (await live()).requests
  await predict(40)
  expect((await live()).requests).toBe(before + 40)
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
  const { drift } = await live()
  await expect(page.getByTestId('drift-table')).toHaveAttribute('data-features', String(drift?.features.length))
  await screenshot('drift')
  await expectNoSeriousAxeProblems(page)
})

test('splits requests with a second version, changes its share and rolls back', async () => {
  const [current] = (await live()).versions
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
  expect((await live()).versions.find((version) => version.release === release)?.weight).toBe(21)
  await predict(30)
  await screenshot('versions')
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('deployment-rollback').click()
  await expect(tried).toBeHidden(WAIT)
  await expect(page.getByTestId('version-current')).toHaveAttribute('data-release', current?.release ?? '', WAIT)
  expect((await live()).versions.filter(({ role }) => role === 'beside')).toEqual([])
  await expect(page.getByTestId('service-events').locator('[data-kind="rolled-back"]').first()).toBeVisible(WAIT)
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
