import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Analysis } from '../../src/contract/analysis.ts'
import type { ModelReport } from '../../src/contract/model.ts'
import { AnalysisRepository } from '../../src/storage/analysis-repository.ts'
import { openDatabase, type WorkspaceDatabase } from '../../src/storage/database.ts'
import { ModelRepository } from '../../src/storage/model-repository.ts'

/** What `inspect` says of a model without anything in it. */
const REPORT = JSON.stringify({
  sizeBytes: 1,
  sha256: '0'.repeat(64),
  irVersion: 8,
  producer: '',
  opset: 17,
  domains: {},
  inputs: [],
  outputs: [],
  nodeCount: 0,
  opCounts: {},
  initializerCount: 0,
  parameters: 0,
  parameterBytes: 0,
  zeroFraction: 0,
  weightTypes: {},
  macs: 0,
  uncountedNodes: 0,
  metadata: {},
  labels: null,
  nodes: [],
  nodesTruncated: false,
} satisfies ModelReport)

let folder = ''
let database: WorkspaceDatabase
let analyses: AnalysisRepository

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-analyses-'))
  database = openDatabase(folder)
  analyses = new AnalysisRepository(database)
  const insert = database.prepare(
    `insert into models (id, name, kind, sha256, size_bytes, created_at, report) values (?, ?, 'model', ?, 1, '2026-01-01T00:00:00.000Z', ?)`,
  )
  for (const name of ['model', 'build', 'other']) insert.run(id(name), name, createHash('sha256').update(name).digest('hex'), REPORT)
})
afterEach(async () => {
  database.close()
  await rm(folder, { recursive: true })
})

/** A UUID for each name, always the same. */
const id = (name: string): string =>
  `${Buffer.from(name.padEnd(4)).toString('hex').slice(0, 8)}-0000-4000-8000-${Buffer.from(name.padEnd(6)).toString('hex').slice(0, 12)}`

function slowdown(name: string, baseline: string, model: string, createdAt: string): Analysis {
  return {
    id: id(name),
    kind: 'slowdown',
    jobId: id('job'),
    modelId: id(model),
    baselineId: id(baseline),
    datasetId: null,
    deviceId: 'local',
    createdAt,
    result: { baselineMs: 1, buildMs: 2, findings: [], nodes: [], kernels: [], cpuFeatures: ['avx2'], advice: 'so "that"' },
  }
}

describe('AnalysisRepository', () => {
  it('gives back what was stored, newest first, filtered by model, baseline and kind', () => {
    const first = slowdown('first', 'model', 'build', '2026-01-01T00:00:00.000Z')
    const second = slowdown('second', 'model', 'other', '2026-01-02T00:00:00.000Z')
    analyses.add(first)
    analyses.add(second)
    const entry = ({ result: _, ...subject }: Analysis) => ({ ...subject, profile: null })
    expect(analyses.list({})).toEqual([entry(second), entry(first)])
    expect(analyses.list({ modelId: id('build') })).toEqual([entry(first)])
    expect(analyses.list({ baselineId: id('model'), modelId: id('other') })).toEqual([entry(second)])
    expect(analyses.list({ kind: 'profile' })).toEqual([])
    expect(analyses.list({ kind: 'slowdown' })).toHaveLength(2)
    expect(analyses.get(first.id)).toEqual(first)
    expect(() => analyses.get(id('none'))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })

  it('lists what a profile found without reading all of it', () => {
    const profile = {
      ...slowdown('profile', 'model', 'build', '2026-01-01T00:00:00.000Z'),
      kind: 'profile',
      result: { batch: 4, threads: 2, plainMs: 1.25, kernels: [] },
    }
    analyses.add(profile as unknown as Analysis)
    expect(analyses.list({ kind: 'profile' })[0]?.profile).toEqual({ batch: 4, threads: 2, plainMs: 1.25 })
    database.prepare('update analyses set result = ?').run('{"batch":')
    expect(analyses.list({ kind: 'profile' })[0]?.profile).toBeNull()
  })

  it('goes with the models it is about', () => {
    analyses.add(slowdown('first', 'model', 'build', '2026-01-01T00:00:00.000Z'))
    analyses.add(slowdown('second', 'other', 'build', '2026-01-02T00:00:00.000Z'))
    const models = new ModelRepository(database)
    models.remove(id('other'))
    expect(analyses.list({}).map((analysis) => analysis.id)).toEqual([id('first')])
    models.remove(id('build'))
    expect(analyses.list({})).toEqual([])
  })

  it('names a damaged row', () => {
    analyses.add(slowdown('first', 'model', 'build', '2026-01-01T00:00:00.000Z'))
    database.prepare('update analyses set result = ?').run('{"baselineMs":')
    expect(analyses.list({})).toHaveLength(1)
    expect(() => analyses.get(id('first'))).toThrow(
      expect.objectContaining({ code: 'WORKSPACE_INVALID', message: expect.stringContaining(id('first')) }),
    )
  })
})
