// The Compare page on the real application: budgets on the trade-off chart, the noise floor, and builds looked into layer by layer.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import Database from 'better-sqlite3'
import type { DrawnGraph, LayerComparison } from '../../src/contract/analysis.ts'
import type { Comparison } from '../../src/contract/measurement.ts'
import { expectNoSeriousAxeProblems } from './accessibility.ts'
import { choose, goTo, openWorkbench, type Workbench } from './workbench.ts'

const JOB_MS = 240_000

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

/** The newest comparison as stored. */
function storedComparison(): Comparison {
  const [row] = bench.query<{ comparison: string }>('select comparison from comparisons order by rowid desc limit 1')
  return JSON.parse(row?.comparison ?? 'null') as Comparison
}

/** Opens what can be looked into from a row. */
async function lookInto(model: string, action: 'layers' | 'accuracy' | 'slowdown'): Promise<void> {
  await page.getByTestId(`row-actions-${model}`).click()
  await page.getByTestId(`action-${action}`).click()
}

test('compares a build with its baseline and publishes the noise floor', async () => {
  await goTo(page, 'optimize')
  await choose(page, 'optimize-model', /^fashion-mobilenet/)
  await page.getByTestId('recipe-add-int8-static').click()
  await choose(page, 'optimize-calibration', /calibration/)
  await page.getByTestId('optimize-samples').fill('32')
  await page.getByTestId('optimize-start').click()
  await expect(page.getByTestId('optimize-result')).toBeVisible({ timeout: JOB_MS })
  await goTo(page, 'compare')
  await page.getByTestId('compare-new').first().click()
  await choose(page, 'compare-baseline', /^fashion-mobilenet ?\d/)
  await page.getByTestId('compare-model-fashion-mobilenet int8-static').check()
  await page.getByTestId('compare-model-fashion-cnn').check()
  await page.getByRole('textbox', { name: 'Runs', exact: true }).fill('40')
  await page.getByRole('textbox', { name: 'Blocks' }).fill('3')
  await page.getByRole('textbox', { name: 'Warm-up runs' }).fill('5')
  await page.getByRole('textbox', { name: 'Warm-up seconds' }).fill('0')
  await page.getByRole('switch', { name: 'Control' }).check({ force: true })
  await page.getByTestId('compare-start').click()
  await expect(page.getByTestId('comparison-view')).toBeVisible({ timeout: JOB_MS })
  const { noiseFloor, rows } = storedComparison()
  expect(rows).toHaveLength(3)
  expect(noiseFloor).not.toBeNull()
  await expect(page.getByTestId('noise-floor')).toContainText(`${noiseFloor?.estimate.toFixed(2)}×`)
  await screenshot('compare')
  await expectNoSeriousAxeProblems(page)
})

test('names the best build within budgets that are dragged or moved by keys', async () => {
  const { rows } = storedComparison()
  const text = page.getByTestId('budget-text')
  await expect(text).toHaveAttribute('data-best', '')
  const cost = page.getByTestId('budget-cost')
  await cost.focus()
  await page.keyboard.press('End')
  // Nothing is faster than the fast end of the axis.
  await expect(text).toContainText('No build has')
  await page.keyboard.press('Home')
  await expect(cost).toHaveAttribute('aria-valuetext', 'no limit')
  await page.keyboard.press('ArrowRight')
  const limit = Number(await cost.getAttribute('data-value'))
  const within = rows.filter(({ latencyMs }) => latencyMs.p50 <= limit)
  const best = within.reduce((a, b) => ((b.metrics?.accuracy ?? 0) > (a.metrics?.accuracy ?? 0) ? b : a))
  await expect(text).toHaveAttribute('data-best', best.model)
  const gain = page.getByTestId('budget-gain')
  const grip = await gain.locator('rect').boundingBox()
  if (!grip) throw new Error('the budget line has no grip')
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2)
  await page.mouse.down()
  await page.mouse.move(grip.x + grip.width / 2, grip.y - 60, { steps: 5 })
  await page.mouse.up()
  const least = Number(await gain.getAttribute('data-value'))
  expect(least).toBeGreaterThan(0.5)
  // With a limit on accuracy it is the fastest that keeps it.
  const kept = within.filter(({ metrics }) => (metrics?.accuracy ?? 0) >= least)
  const fastest = kept.reduce<(typeof kept)[number] | undefined>((a, b) => (a && a.latencyMs.p50 <= b.latencyMs.p50 ? a : b), undefined)
  await expect(text).toHaveAttribute('data-best', fastest?.model ?? '')
  await screenshot('budgets')
  await choose(page, 'axis-cost', 'File size')
  await expect(page.getByTestId('trade-off-chart')).toContainText('Accuracy and file size')
})

test('sets two builds side by side, layer by layer', async () => {
  await lookInto('fashion-mobilenet int8-static', 'layers')
  await page.getByTestId('analysis-samples').fill('2')
  await page.getByTestId('analysis-start').click()
  await expect(page.getByTestId('graph-build')).toBeVisible({ timeout: JOB_MS })
  const [stored] = bench.query<{ result: string }>("select result from analyses where kind = 'layers'")
  const { layers, buildGraph } = JSON.parse(stored?.result ?? 'null') as LayerComparison
  await expect(page.getByTestId('graph-build')).toHaveAttribute('data-nodes', String(buildGraph.nodes.length))
  const matched = layers.find(({ baseline, build, sqnrDb }) => baseline && build && sqnrDb !== null)
  if (!matched) throw new Error('no layer was matched')
  // A row selects its nodes in both graphs, and a node its row.
  await page.getByTestId(`layer-${matched.layer}`).click()
  for (const side of ['baseline', 'build']) {
    await expect(page.getByTestId(`graph-${side}`).locator(`[data-selected][data-layer="${matched.layer}"]`).first()).toBeVisible()
  }
  await page.getByTestId('graph-coloring').getByText('SQNR').click()
  await screenshot('layers')
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('analysis-back').click()
})

test('says why answers differ, with the evidence a click away', async () => {
  await lookInto('fashion-mobilenet int8-static', 'accuracy')
  await page.getByTestId('analysis-samples').fill('8')
  await page.getByTestId('analysis-start').click()
  const findings = page.getByTestId('accuracy-findings')
  await expect(findings).toBeVisible({ timeout: JOB_MS })
  const [stored] = bench.query<{ result: string }>("select result from analyses where kind = 'accuracy'")
  const result = JSON.parse(stored?.result ?? 'null') as { findings: { layers: string[] }[]; layers: unknown[] }
  await expect(findings).toHaveAttribute('data-findings', String(result.findings.length))
  const named = result.findings.find(({ layers }) => layers.length > 0)
  if (named) {
    await page.getByTestId('show-evidence').first().click()
    await expect(page.getByRole('grid', { name: 'Layers' })).toBeVisible()
  }
  await screenshot('accuracy')
  await expectNoSeriousAxeProblems(page)
  await page.getByTestId('analysis-back').click()
})

test('draws a graph of 10,000 nodes with only what is in view', async () => {
  const { baselineId, rows } = storedComparison()
  const other = rows.find(({ model }) => model === 'fashion-cnn')
  const graph: DrawnGraph = {
    nodes: Array.from({ length: 10_000 }, (_, id) => ({
      id,
      name: `node${id}`,
      op: id % 3 === 0 ? 'Conv' : 'Relu',
      layer: `node${id}`,
      ms: (id % 17) / 100,
      precision: id % 2 === 0 ? 'float32' : 'int8',
      sqnrDb: id % 40,
    })),
    edges: Array.from({ length: 9999 }, (_, id) => [id % 4 === 0 && id > 3 ? id - 3 : id, id + 1] as [number, number]),
    truncated: false,
  }
  const { environment } = storedComparison()
  const side = { ms: 0.1, kernels: ['Conv'], precision: 'float32' }
  const result: LayerComparison = {
    baselineMs: 1,
    buildMs: 1,
    layers: graph.nodes.map(({ name, op, sqnrDb }) => ({
      layer: name,
      op,
      baseline: side,
      build: side,
      lostMs: 0,
      sqnrDb,
      maxAbsDiff: 0.1,
    })),
    baselineGraph: graph,
    buildGraph: graph,
    samples: 1,
    inputs: 'made-up inputs',
    environment,
    warnings: [],
  }
  const database = new Database(join(bench.workspace, 'workspace.sqlite'))
  database
    .prepare(
      "insert into analyses (id, kind, job_id, model_id, baseline_id, dataset_id, device_id, created_at, result) values (?, 'layers', ?, ?, ?, null, 'local', ?, ?)",
    )
    .run(randomUUID(), randomUUID(), other?.modelId, baselineId, new Date().toISOString(), JSON.stringify(result))
  database.close()
  await lookInto('fashion-cnn', 'layers')
  const drawn = page.getByTestId('graph-build')
  await expect(drawn).toHaveAttribute('data-nodes', '10000', { timeout: JOB_MS })
  await expect(drawn.locator('.react-flow__node').first()).toBeVisible()
  expect(await drawn.locator('.react-flow__node').count()).toBeLessThan(200)
  const box = await drawn.locator('.react-flow__pane').boundingBox()
  if (!box) throw new Error('the graph is not drawn')
  const before = await drawn.locator('.react-flow__viewport').getAttribute('style')
  await page.mouse.move(box.x + box.width - 30, box.y + box.height - 30)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width - 30, box.y + 20, { steps: 30 })
  await page.mouse.up()
  expect(await drawn.locator('.react-flow__viewport').getAttribute('style')).not.toBe(before)
  // A row far down brings its node into view.
  await page.getByRole('grid', { name: 'Layers of both builds' }).focus()
  await page.keyboard.press('End')
  await expect(drawn.locator('[data-layer="node9999"]')).toBeVisible()
  expect(await drawn.locator('.react-flow__node').count()).toBeLessThan(200)
  await screenshot('large-graph')
  expect(bench.consoleErrors).toEqual([])
})
