// The page of a service as people open it: the bundled agent, a real browser window, Swagger UI under the page's own policy.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  expect as baseExpect,
  type ElectronApplication,
  _electron as electron,
  type Locator,
  type Page,
  type Request,
  test,
} from '@playwright/test'
import { electronFlags } from '../../scripts/setup/electron-flags.mjs'
import { imageStepsSchema } from '../../src/contract/dataset.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { AgentProcess } from '../agent/agent-process.ts'
import { serviceConfig, TOKEN } from '../agent/service-fixture.ts'

const expect = baseExpect.configure({ timeout: 60_000 })
const root = join(import.meta.dirname, '../..')
let folder: string
let agent: AgentProcess
let app: ElectronApplication
let page: Page
let address: string
test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-docs-e2e-'))
  agent = new AgentProcess({ folder, entry: join(root, 'out/agent/agent.cjs'), remove: async () => {} }, ['serve', writeRelease()])
  const started = () => JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')).port as number
  await expect(() => expect(started()).toBeGreaterThan(0)).toPass()
  // Another name than the one it listens on.
  address = `http://localhost:${started()}`
  writeFileSync(
    join(folder, 'window.cjs'),
    "const { app, BrowserWindow } = require('electron')\napp.whenReady().then(() => new BrowserWindow({ width: 1280, height: 900 }).loadURL('about:blank'))\n",
  )
  app = await electron.launch({
    args: [join(folder, 'window.cjs'), ...electronFlags(), `--user-data-dir=${join(folder, 'user')}`],
    cwd: root,
  })
  page = await app.firstWindow()
})
test.afterAll(async () => {
  await app?.close()
  agent?.child.kill('SIGTERM')
  await agent?.ended
  rmSync(folder, { recursive: true, force: true })
})

/** A model that takes image files, and pixels as values. Answers the path of its description. */
function writeRelease(): string {
  const model = encodeModel(
    makeModel({
      nodes: [makeNode('ReduceMean', ['x'], ['y'], { axes: [2, 3], keepdims: 0 })],
      inputs: [makeValueInfo('x', 'float32', ['n', 3, 6, 8])],
      outputs: [makeValueInfo('y', 'float32', ['n', 3])],
    }),
  )
  const config = serviceConfig(model, {
    modelName: 'Colours',
    modelPath: join(folder, 'model.onnx'),
    tokenPath: join(folder, 'token'),
    statePath: join(folder, 'state.json'),
    preprocessing: { image: imageStepsSchema.parse({ width: 8, height: 6 }), scale: 1 / 255, layout: 'channels-first' },
  })
  writeFileSync(config.modelPath, model)
  writeFileSync(config.tokenPath, `${TOKEN}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  return join(folder, 'config.json')
}

/** Opens an operation, and sends it as it then is. Answers its section. */
async function execute(id: string, prepare: (section: Locator) => Promise<unknown> = async () => {}): Promise<Locator> {
  const section = page.locator(`#operations-${id}`)
  if ((await section.locator('.execute').count()) === 0) await section.locator('.opblock-summary-control').click()
  await prepare(section)
  await section.locator('.execute').click()
  return section
}

const status = (section: Locator) => section.locator('.live-responses-table tbody .response-col_status')

test('shows what the service answers and sends what is tried, from its own origin and without a complaint', async () => {
  const requests: Request[] = []
  const complaints: string[] = []
  page.on('request', (request) => requests.push(request))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (!message.text().includes('Electron Security Warning')) complaints.push(message.text())
  })
  await page.goto(`${address}/docs`)
  await page.getByLabel('Access token').fill('a-wrong-token-0123456789')
  await page.getByRole('button', { name: 'Show' }).click()
  await expect(page.getByRole('alert')).toHaveText('The access token is wrong.')
  // The browser's own line about the refusal.
  await expect.poll(() => complaints.splice(0)).toEqual([expect.stringContaining('401')])

  await page.getByLabel('Access token').fill(TOKEN)
  await page.getByRole('button', { name: 'Show' }).click()
  await expect(page.locator('.info .title')).toContainText('Colours')
  await expect(page).toHaveTitle('Colours release-1')
  await expect(page.getByLabel('Access token')).toBeHidden()

  // Values and tensors, whose examples can be sent as they are, and an image file.
  const asJson = (section: Locator) => section.getByLabel('Request content type').selectOption('application/json')
  const image = join(root, 'tests/engine/images/fixtures/plain.jpg')
  const predict = await execute('Predictions-predict', asJson)
  await expect(status(predict)).toHaveText(/^200/)
  await expect(predict.locator('.live-responses-table')).toContainText('"version": "release-1"')
  await expect(status(await execute('Open_Inference_Protocol-modelInfer'))).toHaveText(/^200/)
  await predict.locator('.btn-clear').click()
  await execute('Predictions-predict', async (section) => {
    await section.getByLabel('Request content type').selectOption('image/jpeg')
    await section.locator('input[type=file]').setInputFiles(image)
  })
  await expect(status(predict)).toHaveText(/^200/)
  const sent = requests.filter((request) => request.method() === 'POST').map((request) => request.headers()['content-type'])
  expect(sent).toEqual(['application/json', 'application/json', 'image/jpeg'])

  // Styles apply, in both schemes.
  for (const [colorScheme, ground] of [
    ['dark', 'rgb(28, 32, 34)'],
    ['light', 'rgba(0, 0, 0, 0)'],
  ] as const) {
    await page.emulateMedia({ colorScheme })
    await expect(page.locator('html')).toHaveCSS('background-color', ground)
  }
  // Reloaded, the tab still knows the token; no address ever held it.
  await page.reload()
  await expect(page.locator('.info .title')).toContainText('Colours')
  await expect(page.locator('.btn.authorize')).toHaveClass(/\blocked\b/)
  expect(complaints).toEqual([])
  const addresses = requests.map((request) => request.url())
  expect(addresses.filter((url) => !url.startsWith(`${address}/`) && !url.startsWith('data:'))).toEqual([])
  expect(addresses.filter((url) => url.includes(TOKEN))).toEqual([])
})
