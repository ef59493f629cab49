// Datasets that versions before this one kept as they came (.npz, IDX): everything works on them as well.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type DatasetSource, preparedSampleSchema, sampleViewSchema } from '../../../src/contract/dataset.ts'
import { writeNpz } from '../../../src/core/datasets/write-npz.ts'
import { findDuplicates } from '../../../src/engine/datasets/find-duplicates.ts'
import { previewSample } from '../../../src/engine/datasets/preview-sample.ts'
import { remakeImages } from '../../../src/engine/datasets/remake-images.ts'
import { viewSamples } from '../../../src/engine/datasets/view-samples.ts'
import { array } from '../../core/datasets/arrays.ts'

const quiet = { progress: () => {}, log: () => {} }
const folder = mkdtempSync(join(tmpdir(), 'edgesmith-stored-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Three pictures of 8 × 8 bytes; the last equals the first. */
function npz(): DatasetSource {
  const ramp = (down: boolean) => Array.from({ length: 64 }, (_, index) => (down ? 7 - (index % 8) : index % 8) * 36)
  const path = join(folder, 'old.npz')
  writeFileSync(
    path,
    writeNpz([array('x', 'uint8', [...ramp(false), ...ramp(true), ...ramp(false)], [3, 8, 8]), array('labels', 'int64', [4, 5, 4])]),
  )
  return { format: 'npz', name: 'old', files: [{ role: 'samples', path }], preprocessing: {} }
}
const all = { from: 0, count: 10 }

test('are looked at', async () => {
  const { total, samples } = await viewSamples({ command: 'view-samples', source: npz(), classNames: null, choice: all })
  expect(total).toBe(3)
  for (const sample of samples) expect(sampleViewSchema.parse(sample)).toEqual(sample)
  expect(samples.map(({ label }) => label)).toEqual([4, 5, 4])
  expect(samples[1]?.picture).toMatchObject({ width: 8, height: 8 })
  expect([...(samples[1]?.picture?.rgba.subarray(0, 8) ?? [])]).toEqual([252, 252, 252, 255, 216, 216, 216, 255])
  expect(samples[1]?.values).toEqual([
    { array: 'x', shape: [8, 8], first: [252, 216, 180, 144, 108, 72, 36, 0, 252, 216, 180, 144, 108, 72, 36, 0] },
  ])
  const fives = await viewSamples({
    command: 'view-samples',
    source: npz(),
    classNames: ['', '', '', '', 'four', 'five'],
    choice: { ...all, class: 5 },
  })
  expect(fives).toMatchObject({ total: 1, samples: [{ index: 1, labelName: 'five' }] })
  expect((await viewSamples({ command: 'view-samples', source: npz(), classNames: null, choice: { from: 3, count: 5 } })).samples).toEqual(
    [],
  )
})

test('are searched for equal samples', async () => {
  const [within, between] = await findDuplicates([npz(), npz()], quiet)
  expect(within).toEqual({ a: 0, b: 0, count: 1, similar: 0, examples: [{ indexA: 0, indexB: 2, kind: 'equal' }] })
  expect(between).toMatchObject({ a: 0, b: 1, count: 3 })
})

describe('are previewed', () => {
  const preview = (preprocessing: DatasetSource['preprocessing'], index = 1) =>
    previewSample({ command: 'preview-sample', source: npz(), preprocessing, index, modelPath: null }, null)

  test('as they are, and prepared', async () => {
    const plain = await preview({})
    expect(preparedSampleSchema.parse(plain)).toEqual(plain)
    expect(plain).toMatchObject({ inputs: [{ name: 'x', type: 'uint8', shape: [1, 8, 8], min: 0, max: 252, mean: 126 }], problems: [] })
    expect((await preview({ scale: 1 / 252, mean: [0.5] })).inputs).toMatchObject([
      { type: 'float32', min: -0.5, max: 0.5, mean: expect.closeTo(0, 6) },
    ])
  })

  test('with what does not fit told', async () => {
    expect(await preview({ mean: [1, 2, 3] })).toMatchObject({ prepared: null, inputs: [], problems: [{ code: 'DATASET_SHAPE' }] })
    await expect(preview({}, 3)).rejects.toMatchObject({ code: 'USAGE', message: 'old has no sample 3: it has 3 (0 to 2).' })
  })
})

test('have no image files to make other pixels of', async () => {
  const image = { width: 4, height: 4, resize: 'stretch', filter: 'linear', colour: 'rgb', pad: [0, 0, 0] } as const
  await expect(
    remakeImages({ command: 'remake-images', source: npz(), image: { ...image, pad: [0, 0, 0] }, outFolder: folder }, quiet),
  ).rejects.toMatchObject({ code: 'USAGE', message: expect.stringMatching(/was not made of image files/) })
})
