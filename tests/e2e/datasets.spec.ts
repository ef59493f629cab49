// Datasets through the window, on files made here: import of a folder of images and of a table, samples, preprocessing with its live
// preview, splits, duplicates. What is shown is checked against the pixels that were written and against the database.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import sharp from 'sharp'
import type { DatasetReport, Preprocessing } from '../../src/contract/dataset.ts'
import { expectNoSeriousAxeProblems } from './accessibility.ts'
import { answerDialogs, choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

const JOB_MS = 60_000
const SIDE = 16
/** Samples of each class. */
const PER_CLASS = 12

let bench: Workbench
let page: Page
let folder: string
test.describe.configure({ mode: 'serial' })
test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-datasets-'))
  await writeImages(join(folder, 'colours'))
  bench = await openWorkbench()
  page = bench.page
})
test.afterAll(async () => {
  await bench?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Shade of the sample at that place in its class. The last one repeats the first: a duplicate. */
function shadeOf(place: number): number {
  return place === PER_CLASS - 1 ? 40 : 40 + 15 * place
}

/** Two classes of PNG files, each of one colour in different shades. */
async function writeImages(path: string): Promise<void> {
  for (const [name, channel] of [
    ['blue', 2],
    ['red', 0],
  ] as const) {
    mkdirSync(join(path, name), { recursive: true })
    for (let place = 0; place < PER_CLASS; place++) {
      const pixels = Buffer.alloc(SIDE * SIDE * 3)
      for (let pixel = 0; pixel < SIDE * SIDE; pixel++) pixels[pixel * 3 + channel] = shadeOf(place)
      await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
        .png()
        .toFile(join(path, name, `${String(place).padStart(2, '0')}.png`))
    }
  }
}

interface StoredDataset {
  readonly id: string
  readonly parent_id: string | null
  readonly split: string | null
  readonly preprocessing: string
  readonly report: string
}

function stored(name: string): StoredDataset {
  const [row] = bench.query<StoredDataset>('select id, parent_id, split, preprocessing, report from datasets where name = ?', name)
  if (!row) throw new Error(`no dataset ${name} is stored`)
  return row
}

/** Colour of the pixel in the middle of a canvas. */
async function middleOf(testId: string): Promise<number[]> {
  return page
    .getByTestId(testId)
    .locator('canvas')
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      const data = canvas.getContext('2d')?.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data
      return data ? Array.from(data) : []
    })
}

test('imports a folder of images with class indices of the user', async () => {
  await goTo(page, 'datasets')
  await expect(page.getByTestId('datasets-empty')).toBeVisible()
  await expectNoSeriousAxeProblems(page)
  await answerDialogs(bench.app, join(folder, 'colours'))
  await page.getByTestId('import-more').click()
  await page.getByTestId('import-folder').click()
  await page.getByTestId('image-width').fill(String(SIDE))
  await page.getByTestId('image-height').fill('0')
  await expect(page.getByTestId('dataset-import')).toBeDisabled()
  await page.getByTestId('image-height').fill(String(SIDE))
  await page.getByTestId('class-map').fill('red = 0\nblue = 1')
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('dataset-import').click()
  await expect(page.getByTestId('dataset-row-colours')).toBeVisible({ timeout: JOB_MS })
  const report = JSON.parse(stored('colours').report) as DatasetReport
  expect(report.classCounts).toEqual({ 0: PER_CLASS, 1: PER_CLASS })
  expect(report.arrays.find(({ type }) => type === 'uint8')?.shape).toEqual([2 * PER_CLASS, SIDE, SIDE, 3])
  await expect(page.getByTestId('dataset-detail')).toContainText('2 classes')
  await expect(page.getByTestId('class-balance')).toContainText('red')
})

test('shows the samples as they are, by class, and moves through them by keys', async () => {
  await page.getByTestId('tab-samples').click()
  await expect(page.getByTestId('samples-tab')).toHaveAttribute('data-total', String(2 * PER_CLASS))
  await choose(page, 'class-filter', /^red/)
  await expect(page.getByTestId('samples-tab')).toHaveAttribute('data-total', String(PER_CLASS), { timeout: 20_000 })
  const shown = page.getByTestId('sample-grid').getByRole('option')
  await expect(shown).toHaveCount(PER_CLASS, { timeout: 20_000 })
  const first = shown.first()
  await expect(first).toContainText('red', { timeout: 20_000 })
  expect(await middleOf((await first.getAttribute('data-testid')) ?? '')).toEqual([shadeOf(0), 0, 0, 255])
  await first.click()
  await page.keyboard.press('ArrowRight')
  await expect(shown.nth(1)).toBeFocused()
  await expect(shown.nth(1)).toHaveAttribute('aria-selected', 'true')
  expect(await middleOf('sample-inspector')).toEqual([shadeOf(1), 0, 0, 255])
  await page.keyboard.press('End')
  await expect(shown.last()).toBeFocused()
  await expectNoSeriousAxeProblems(page)
})

test('edits preprocessing with a live preview, takes it back, and stores it', async () => {
  await page.getByTestId('tab-preprocessing').click()
  const preview = page.getByTestId('preprocessing-preview')
  await expect(preview).toHaveAttribute('data-stale', 'false', { timeout: 20_000 })
  await expect(page.getByTestId('preprocessing-save')).toBeDisabled()
  // Sample 0 is the first of red or of blue; both have one channel at 40 ÷ 255 and two at 0.
  await expect(preview).toContainText((40 / 255).toPrecision(3))
  await page.getByTestId('fit-imagenet').click()
  await expect(page.getByTestId('preprocessing-mean')).toHaveValue('0.485, 0.456, 0.406')
  await expect(preview).toHaveAttribute('data-stale', 'false', { timeout: 20_000 })
  await expect(preview).toContainText('−2.12')
  await page.getByTestId('preprocessing-mean').fill('0.485, x')
  await expect(page.getByTestId('preprocessing-save')).toBeDisabled()
  await page.getByTestId('preprocessing-undo').click()
  await expect(page.getByTestId('preprocessing-mean')).toHaveValue('0.485, 0.456, 0.406')
  await page.getByTestId('preprocessing-mean').press('Control+z')
  await expect(page.getByTestId('preprocessing-mean')).toHaveValue('')
  await page.getByTestId('preprocessing-redo').click()
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('steps-width').fill('8')
  await page.getByTestId('steps-height').fill('8')
  await expect(preview).toHaveAttribute('data-stale', 'false', { timeout: 20_000 })
  await expect(preview).toContainText('8×8')
  await page.getByTestId('preprocessing-save').click()
  await expect
    .poll(() => (JSON.parse(stored('colours').preprocessing) as Preprocessing).mean, { timeout: JOB_MS })
    .toEqual([0.485, 0.456, 0.406])
  const { image, std, scale } = JSON.parse(stored('colours').preprocessing) as Preprocessing
  expect(image).toMatchObject({ width: 8, height: 8 })
  expect([std, scale]).toEqual([[0.229, 0.224, 0.225], 1 / 255])
  await expect(page.getByTestId('preprocessing-save')).toBeDisabled({ timeout: JOB_MS })
})

test('splits by class and finds what the parts share', async () => {
  await page.getByTestId('dataset-split').click()
  await page.getByTestId('split-name-1').fill('train')
  await page.getByTestId('split-percent-1').fill('50')
  await page.getByTestId('split-percent-2').fill('60')
  await expect(page.getByTestId('split-start')).toBeDisabled()
  await page.getByTestId('split-percent-2').fill('50')
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('split-start').click()
  const parent = stored('colours').id
  await expect
    .poll(() => bench.query<StoredDataset>('select split, report from datasets where parent_id = ? order by split', parent), {
      timeout: JOB_MS,
    })
    .toHaveLength(2)
  for (const part of bench.query<StoredDataset>('select split, report from datasets where parent_id = ?', parent)) {
    expect((JSON.parse(part.report) as DatasetReport).classCounts).toEqual({ 0: PER_CLASS / 2, 1: PER_CLASS / 2 })
  }
  await page.getByTestId('dataset-row-colours').click()
  await page.getByTestId('tab-duplicates').click()
  await page.getByTestId('duplicates-start').click()
  await expect(page.getByTestId('duplicate-pair').first()).toHaveAttribute('data-count', '2', { timeout: JOB_MS })
  await expect(page.getByTestId('duplicates-result')).toContainText('equal')
  await expectNoSeriousAxeProblems(page)
})

test('says what is wrong with a table, and imports it when told what to do', async () => {
  const path = join(folder, 'houses.csv')
  const rows = Array.from({ length: 60 }, (_, index) => `${index},${index % 7},${index === 41 ? '' : index * 2.5},${100 + index * 3.25}`)
  writeFileSync(path, ['id,rooms,area,price', ...rows].join('\n'))
  await answerDialogs(bench.app, path)
  await page.getByTestId('import-dataset').click()
  await choose(page, 'csv-label', /^price$/)
  await expect(page.getByTestId('csv-beginning')).toContainText('rooms')
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('dataset-import').click()
  const problem = page.getByRole('dialog').getByTestId('error-notice')
  await expect(problem).toContainText('area', { timeout: JOB_MS })
  await expect(problem).toContainText('43')
  await choose(page, 'csv-missing', /Leave the row out/)
  await page.getByTestId('dataset-import').click()
  await expect(page.getByTestId('dataset-row-houses')).toBeVisible({ timeout: JOB_MS })
  const report = JSON.parse(stored('houses').report) as DatasetReport
  expect(report.samples).toBe(59)
  expect(report.targets).toMatchObject({ width: 1, min: 100, max: 100 + 59 * 3.25 })
  const counts = report.targets?.histogram?.counts ?? []
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(59)
  await page.getByTestId('tab-overview').click()
  await expect(page.getByTestId('target-histogram')).toBeVisible()
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('tab-samples').click()
  await expect(page.getByTestId('sample-table')).toContainText('rooms', { timeout: 20_000 })
  await expectNoSeriousAxeProblems(page)
})

test('renames and removes, and never what other datasets need', async () => {
  await page.getByTestId('dataset-more').click()
  await page.getByTestId('dataset-rename').click()
  await page.getByTestId('new-name').fill('homes')
  await page.getByTestId('confirm').click()
  await expect(page.getByTestId('dataset-row-homes')).toBeVisible()
  await page.getByTestId('dataset-row-homes').click()
  await page.getByTestId('dataset-more').click()
  await page.getByTestId('dataset-remove').click()
  await page.getByTestId('confirm').click()
  await expect(page.getByTestId('dataset-row-homes')).toBeHidden()
  expect(bench.query('select id from datasets where name = ?', 'homes')).toEqual([])
  expect(bench.consoleErrors).toEqual([])
})
