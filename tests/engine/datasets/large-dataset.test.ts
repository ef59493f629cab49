import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DatasetSource } from '../../../src/contract/dataset.ts'
import { ArrayWriter } from '../../../src/engine/datasets/import/array-writer.ts'

const READER = fileURLToPath(new URL('./read-all-samples.ts', import.meta.url))
const SAMPLES = 1_000_000
const FEATURES = 52
/** Rows of the file that is written, at a time. */
const BLOCK = 10_000

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-large-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** One million rows of 52 numbers (208 MB); the first number of row i is i modulo 1000. */
function writeSamples(): string {
  const path = join(folder, 'x.npy')
  const writer = new ArrayWriter(path, 'x', 'float32', [FEATURES])
  const block = new Float32Array(BLOCK * FEATURES).fill(0.5)
  for (let row = 0; row < BLOCK; row++) block[row * FEATURES] = row % 1000
  for (let written = 0; written < SAMPLES; written += BLOCK) writer.write(block)
  writer.finish()
  return path
}

function writeWhole(name: string, entryAt: (index: number) => number, count: number): string {
  const path = join(folder, `${name}.npy`)
  const writer = new ArrayWriter(path, name, 'int32', [])
  writer.write(Int32Array.from({ length: count }, (_, index) => entryAt(index)))
  writer.finish()
  return path
}

async function readAll(source: DatasetSource): Promise<{ samples: number; sum: number; labels: number; grownBytes: number }> {
  const path = join(folder, 'source.json')
  await writeFile(path, JSON.stringify(source))
  const { stdout } = await promisify(execFile)(process.execPath, [READER, path])
  return JSON.parse(stdout)
}

test('a million samples do not need memory for a million samples, nor do those of a split', async () => {
  const x = writeSamples()
  const labels = writeWhole('labels', (index) => index % 10, SAMPLES)
  const source: DatasetSource = {
    format: 'arrays',
    name: 'large',
    files: [
      { role: 'array', name: 'x', path: x },
      { role: 'array', name: 'labels', path: labels },
    ],
    preprocessing: {},
  }
  const whole = await readAll(source)
  expect(whole).toMatchObject({ samples: SAMPLES, sum: (SAMPLES * 999) / 2, labels: SAMPLES * 4.5 })
  // Labels take 4 MB (twice while they are checked); the rest is batches that wait for the collector. The file has 208 MB.
  expect(whole.grownBytes).toBeLessThan(80 * 2 ** 20)

  // Every third sample.
  const rows = writeWhole('rows', (index) => 3 * index, Math.floor(SAMPLES / 3))
  const split = await readAll({ ...source, files: [...source.files, { role: 'rows', path: rows }] })
  expect(split.samples).toBe(Math.floor(SAMPLES / 3))
  expect(split.sum).toBe(Array.from({ length: split.samples }, (_, index) => (3 * index) % 1000).reduce((sum, value) => sum + value, 0))
  expect(split.grownBytes).toBeLessThan(80 * 2 ** 20)
}, 120_000)
