import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { encodeNpz } from '../../../scripts/training/npz.ts'
import type { ExportFormat, ExportResult } from '../../../src/contract/export.ts'
import type { Model } from '../../../src/contract/model.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { writeSmallFiles } from '../../cli/small-model.ts'
import { openWorkspace, type TestWorkspace } from '../../integration/workspace.ts'

/** Assembling the server takes seconds on a quiet computer, the first time. */
export const PATIENCE_MS = 300_000
/** Enough for a reference of drift. */
const ROWS = 1200
const FEATURES = 16

/** A workspace with a small classifier, and exports of it with samples. */
export interface Exports {
  readonly workspace: TestWorkspace
  readonly folder: string
  readonly model: Model
  readonly samples: Float32Array
  /** Exports for x64 with the samples, as the service `small`; answers the folder too. */
  write(format: ExportFormat): Promise<ExportResult>
  close(): Promise<void>
}

export async function openExports(): Promise<Exports> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-exports-'))
  const workspace = await openWorkspace()
  const { model: path } = await writeSmallFiles(folder)
  const model = await workspace.backend.call('models.import', { path, name: 'Small <model> | v1' })
  const random = seededRandom(5)
  const samples = Float32Array.from({ length: ROWS * FEATURES }, () => random.uniform() * 2 - 1)
  writeFileSync(join(folder, 'samples.npz'), encodeNpz({ x: { shape: [ROWS, FEATURES], values: samples } }))
  const { dataset } = await workspace.result('datasets.import', { path: join(folder, 'samples.npz') })
  return {
    workspace,
    folder,
    model,
    samples,
    write: (format) =>
      workspace.result('export.start', {
        modelId: model.id,
        format,
        folder: join(folder, format),
        service: 'small',
        datasetId: dataset.id,
        architectures: ['x64'],
      }),
    async close() {
      await workspace.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Every file is listed with its size and hash, in the result and in SHA256SUMS, and nothing else is there. */
export function expectWhole({ folder, files }: ExportResult): void {
  const found = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => statSync(join(folder, path)).isFile())
  expect(files.map(({ path }) => path)).toEqual(found.sort())
  for (const { path, sizeBytes, sha256 } of files) {
    const bytes = readFileSync(join(folder, path))
    expect([path, bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([path, sizeBytes, sha256])
  }
  const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
  expect(sums).toBe(
    files
      .filter(({ path }) => path !== 'SHA256SUMS')
      .map(({ path, sha256 }) => `${sha256}  ${path}\n`)
      .join(''),
  )
}
