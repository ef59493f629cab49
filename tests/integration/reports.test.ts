// Reports of real measurements through the backend: made, kept, shown, written in every format, read back.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BackendEvent } from '../../src/contract/backend-event.ts'
import { LOCAL_DEVICE_ID } from '../../src/contract/device.ts'
import type { ReportDocument } from '../../src/contract/report.ts'
import { writeSmallFiles } from '../cli/small-model.ts'
import { openWorkspace, type TestWorkspace } from './workspace.ts'

const settings = { runs: 60, warmupRuns: 3, warmupSeconds: 0 }

let folder: string
let workspace: TestWorkspace
let comparisonId: string
let benchmarkId: string
let evaluationId: string
let analysisId: string
let modelId: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-reports-'))
  workspace = await openWorkspace()
  const { backend } = workspace
  const files = await writeSmallFiles(folder)
  modelId = (await backend.call('models.import', { path: files.model })).id
  const dataset = (await workspace.result('datasets.import', { path: files.labelled })).dataset
  const build = (await workspace.result('optimize.start', { modelId, recipe: [{ recipe: 'int8-dynamic' }] })).model
  const deviceId = LOCAL_DEVICE_ID
  const input = { baselineId: modelId, modelIds: [build.id], datasetId: dataset.id, deviceId, settings, blocks: 3 }
  comparisonId = (await workspace.result('compare.start', input)).id
  benchmarkId = (await workspace.result('bench.start', { modelId, deviceId, settings })).id
  evaluationId = (await workspace.result('evaluate.start', { modelId: build.id, datasetId: dataset.id, deviceId })).id
  analysisId = (await workspace.result('profile.start', { modelId, deviceId })).id
}, 180_000)
afterAll(async () => {
  await workspace.close()
  rmSync(folder, { recursive: true })
})

const path = (name: string) => join(folder, name)
const everything = () => ({
  comparisonIds: [comparisonId],
  benchmarkIds: [benchmarkId],
  evaluationIds: [evaluationId],
  analysisIds: [analysisId],
})

describe('reports', () => {
  it('are written, listed, shown and kept whole', async () => {
    const { backend } = workspace
    const events: BackendEvent[] = []
    const stop = backend.onEvent((event) => events.push(event))
    const written = await backend.call('report.write', { ...everything(), title: 'All of it', path: path('all.html') })
    stop()
    expect(events).toContainEqual({ type: 'changed', what: 'reports' })
    const page = readFileSync(path('all.html'), 'utf8')
    expect(written).toMatchObject({ path: path('all.html'), sizeBytes: Buffer.byteLength(page) })
    const [entry] = await backend.call('reports.list', {})
    // The comparison's own two benchmarks and evaluations came along.
    expect(entry).toMatchObject({
      id: written.id,
      title: 'All of it',
      origin: 'written',
      path: path('all.html'),
      comparisons: 1,
      benchmarks: 3,
      evaluations: 3,
      analyses: 1,
    })
    const document = await backend.call('reports.get', { id: written.id })
    const embedded = /id="edgesmith-report">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? ''
    expect(JSON.parse(embedded)).toEqual(JSON.parse(JSON.stringify(document)))
    // Every sample is in the summary.
    for (const { benchmarkId: id, samples, histogram } of document.samples) {
      expect(samples).toBe(document.benchmarks.find((run) => run.id === id)?.samples)
      expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(samples)
    }
    const { html } = await backend.call('reports.render', { id: written.id, theme: 'dark' })
    expect(html).toContain('data-theme="dark"')
    expect(html).toContain('<h1>All of it</h1>')
    expect(html).not.toContain('<script')
  })

  it('go out as .json, come back elsewhere, and show the same there', async () => {
    const { backend } = workspace
    await backend.call('report.write', { ...everything(), path: path('all.json') })
    const text = readFileSync(path('all.json'), 'utf8')
    const other = await openWorkspace()
    try {
      const entry = await other.backend.call('reports.import', { path: path('all.json') })
      expect(entry).toMatchObject({
        origin: 'imported',
        path: path('all.json'),
        comparisons: 1,
        benchmarks: 3,
        evaluations: 3,
        analyses: 1,
      })
      for (const format of ['html', 'md', 'csv', 'json']) {
        await other.backend.call('reports.export', { id: entry.id, path: path(`there.${format}`) })
        await backend.call('reports.export', { id: (await newest()).id, path: path(`here.${format}`) })
        expect(readFileSync(path(`there.${format}`), 'utf8')).toBe(readFileSync(path(`here.${format}`), 'utf8'))
      }
      expect(readFileSync(path('there.json'), 'utf8')).toBe(text)
      expect((await other.backend.call('reports.list', {}))[0]?.path).toBe(path('there.json'))
      expect(JSON.parse(text) as ReportDocument).toMatchObject({ format: 'edgesmith-report', version: 1 })
    } finally {
      await other.close()
    }
  })

  it('are forgotten without touching files', async () => {
    const { backend } = workspace
    const { id } = await backend.call('report.write', { evaluationIds: [evaluationId], path: path('gone.csv') })
    await backend.call('reports.remove', { id })
    expect((await backend.call('reports.list', {})).map((entry) => entry.id)).not.toContain(id)
    expect(readFileSync(path('gone.csv'), 'utf8')).toMatch(/^kind,run,model/)
    for (const name of ['reports.get', 'reports.render', 'reports.remove'] as const)
      await expect(backend.call(name, { id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(backend.call('reports.export', { id, path: path('gone.md') })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('refuse what is no report, and keep nothing of it', async () => {
    const { backend } = workspace
    const before = await backend.call('reports.list', {})
    const import_ = (name: string) => backend.call('reports.import', { path: path(name) })
    writeFileSync(path('text.json'), 'hello')
    await expect(import_('text.json')).rejects.toMatchObject({ code: 'REPORT_INVALID' })
    await expect(import_('missing.json')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    await expect(backend.call('reports.import', { path: folder })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    expect(await backend.call('reports.list', {})).toEqual(before)
  })

  it('are not kept when they cannot be written, and nothing half-written stays', async () => {
    const { backend } = workspace
    const before = await backend.call('reports.list', {})
    await expect(backend.call('report.write', { ...everything(), path: path('missing/all.html') })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    })
    await expect(backend.call('report.write', { path: path('none.html') })).rejects.toMatchObject({ code: 'USAGE' })
    expect(await backend.call('reports.list', {})).toEqual(before)
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([])
  })
})

async function newest() {
  const [entry] = await workspace.backend.call('reports.list', {})
  if (!entry) throw new Error('no report was written')
  return entry
}
