// Reports as people open them: the written file from disk, the stored one in a frame of the window, and PDF beside an open window.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, type Page, test } from '@playwright/test'
import { renderReport } from '../../src/backend/report/render-report.ts'
import { fullDocument, withHostileText } from '../backend/report-document-fixture.ts'
import { openWorkbench, type Workbench } from './workbench.ts'

let bench: Workbench
let folder: string
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-report-e2e-'))
  bench = await openWorkbench()
})
test.afterAll(async () => {
  await bench?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Calls the backend as the window does. @throws Error with the code of a refusal */
async function call<T>(name: string, input: unknown): Promise<T> {
  const answer = await bench.page.evaluate(([procedure, argument]) => window.edgesmith.call(procedure as never, argument as never), [
    name,
    input,
  ] as const)
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`)
  return answer.output as T
}

/** Opens a file in a window of its own and answers what it asked for and complained of. */
async function openFromDisk(path: string): Promise<{ page: Page; requests: string[]; complaints: string[] }> {
  const opened = bench.app.waitForEvent('window')
  await bench.app.evaluate(({ BrowserWindow }) => void new BrowserWindow({ show: false, width: 1280, height: 800 }).loadURL('about:blank'))
  const page = await opened
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  // Electron's development build finds fault with the empty page that the window begins with.
  page.on('console', (message) => {
    if (!message.text().includes('Electron Security Warning')) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(pathToFileURL(path).href)
  return { page, requests, complaints }
}

for (const [name, document] of [
  ['honest', fullDocument()],
  ['hostile', withHostileText(fullDocument())],
] as const) {
  test(`the HTML of an ${name} report opens from disk without a request or a complaint`, async () => {
    const path = join(folder, `${name}.html`)
    writeFileSync(path, renderReport(document, 'html'))
    const { page, requests, complaints } = await openFromDisk(path)
    await expect(page.locator('h1')).toBeVisible()
    expect(await page.locator('svg.chart').count()).toBeGreaterThan(15)
    // Styles apply under the page's own policy, and nothing of the document became an element.
    await expect(page.locator('.headline').first()).toHaveCSS('font-weight', '600')
    expect(await page.locator('img, iframe, link, [onerror]').count()).toBe(0)
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme })
      const ground = await page.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor)
      expect(ground).toBe(scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(21, 24, 27)')
    }
    await page.setViewportSize({ width: 1280, height: 800 })
    expect(await page.evaluate(() => globalThis.document.documentElement.scrollWidth)).toBeLessThanOrEqual(1280)
    expect(requests).toEqual([pathToFileURL(path).href])
    expect(complaints).toEqual([])
    await page.close()
  })
}

test('a stored report is shown in a sandboxed frame of the window, in both themes', async () => {
  writeFileSync(join(folder, 'report.json'), renderReport(fullDocument(), 'json'))
  const { id } = await call<{ id: string }>('reports.import', { path: join(folder, 'report.json') })
  const { page } = bench
  for (const theme of ['light', 'dark'] as const) {
    await page.evaluate((address) => {
      const frame = globalThis.document.createElement('iframe')
      frame.setAttribute('sandbox', '')
      frame.src = address
      frame.title = 'report under test'
      globalThis.document.body.append(frame)
    }, `app://edgesmith/report/${id}?theme=${theme}`)
    const report = page.frameLocator('iframe[title="report under test"]')
    await expect(report.locator('h1')).toHaveText('Everything there is')
    await expect(report.locator('html')).toHaveAttribute('data-theme', theme)
    await expect(report.locator('svg.chart').first()).toBeAttached()
    await page.evaluate(() => globalThis.document.querySelector('iframe[title="report under test"]')?.remove())
  }
  expect(bench.consoleErrors).toEqual([])
})

test('an unknown report says so, and no frame shows anything but reports', async () => {
  const { page } = bench
  const shown = async (address: string) => {
    await page.evaluate((source) => {
      const frame = globalThis.document.createElement('iframe')
      frame.setAttribute('sandbox', '')
      frame.src = source
      frame.title = 'frame under test'
      globalThis.document.body.append(frame)
    }, address)
    const text = await page
      .frameLocator('iframe[title="frame under test"]')
      .locator('body')
      .textContent({ timeout: 5000 })
      .catch(() => '')
    await page.evaluate(() => globalThis.document.querySelector('iframe[title="frame under test"]')?.remove())
    return text
  }
  expect(await shown('app://edgesmith/report/00000000-0000-4000-8000-000000000000')).toContain('There is no report')
  expect(await shown('app://edgesmith/index.html')).toBe('')
  expect(await shown(pathToFileURL(join(folder, 'honest.html')).href)).toBe('')
})

test('PDF is printed beside the open window', async () => {
  const [entry] = await call<{ id: string }[]>('reports.list', {})
  const path = join(folder, 'report.pdf')
  await call('reports.export', { id: entry?.id, path })
  const bytes = readFileSync(path).toString('latin1')
  expect(bytes.startsWith('%PDF-')).toBe(true)
  expect(bytes.match(/\/Type\s*\/Page\b/g)?.length).toBeGreaterThan(10)
  // The window is the only one, and still there.
  expect(await bench.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
  await expect(bench.page.getByTestId('nav-models')).toBeVisible()
})
