import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { datasetSchema, duplicatesReportSchema } from '../../src/contract/dataset.ts'
import { callCli } from './cli-call.ts'
import { errorDocument, evaluateDocument } from './documents.ts'
import { writeSmallFiles } from './small-model.ts'

const added = z.object({ dataset: datasetSchema, splits: z.array(datasetSchema) })
const listed = z.object({ datasets: z.array(datasetSchema) })

let folder: string
const edgesmith = (...args: string[]) => callCli(args, { workspace: join(folder, 'workspace'), folder })
const names = async () => (await edgesmith('datasets', '--json')).json(listed).datasets.map(({ name }) => name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-cli-datasets-'))
  await writeSmallFiles(folder)
  const rows = Array.from({ length: 40 }, (_, row) => `${row};${row % 7},5;${row === 3 ? '' : row % 2};${row % 2 === 0 ? 'cat' : 'dog'};x`)
  await writeFile(join(folder, 'pets.csv'), `size;weight;flag;kind;note\n${rows.join('\n')}\n`)
  for (const [at, kind] of ['cat', 'dog'].entries()) {
    await mkdir(join(folder, 'photos', kind), { recursive: true })
    const create = { width: 6, height: 6, channels: 3 as const, background: { r: 200 * at, g: 90, b: 30 } }
    await sharp({ create })
      .png()
      .toFile(join(folder, 'photos', kind, '1.png'))
  }
  await writeFile(join(folder, 'classes.json'), '{"cat": 1, "dog": 0}')
  await writeFile(join(folder, 'steps.json'), '{"image": {"width": 2, "height": 2}, "scale": 0.5}')
}, 60_000)
afterAll(() => rm(folder, { recursive: true }))

describe('dataset add', () => {
  it('reads a table with its options, and says what it found', async () => {
    const args = ['dataset', 'add', 'pets.csv', '--label-column', 'kind', '--missing', 'mean', '--ignore', 'note', '--delimiter', ';']
    const result = await edgesmith(...args, '--name', 'animals', '--json')
    expect(result.code).toBe(0)
    expect(result.json(added)).toMatchObject({
      dataset: {
        name: 'animals',
        format: 'csv',
        classNames: ['cat', 'dog'],
        columns: [{ name: 'size' }, { name: 'weight' }, { name: 'flag', missing: 1 }],
        report: { samples: 40, classCounts: { 0: 20, 1: 20 } },
      },
      splits: [],
    })
    const people = await edgesmith(...args, '--name', 'beasts')
    expect(people.stderr).toContain(
      'are in the workspace already as "animals": nothing was added. It keeps its name: edgesmith dataset rename',
    )
    expect(people.stdout).toMatch(/^answers +2 classes$/m)
    expect(people.stdout).toMatch(/^ +0 +cat +20 +50\.0 %$/m)
    expect(people.stdout).toMatch(/^size +19\.5/m)
    expect(people.stdout).toContain('Column "weight" is read with decimal commas.')
    expect(await names()).toEqual(['animals'])
  })

  it('reads a folder of images with a list of classes and a geometry', async () => {
    const result = await edgesmith('dataset', 'add', 'photos', '--classes', 'classes.json', '--preprocess', 'steps.json', '--json')
    expect(result.json(added).dataset).toMatchObject({
      name: 'photos',
      classNames: ['dog', 'cat'],
      preprocessing: { image: { width: 2, height: 2, resize: 'stretch' }, scale: 0.5 },
      report: { arrays: [{ name: 'images', shape: [2, 2, 2, 3] }, { name: 'labels' }] },
    })
  })

  it('refuses bad data and bad options with a code', async () => {
    const refused = await edgesmith('dataset', 'add', 'pets.csv', '--ignore', 'note', '--json')
    expect(refused.code).toBe(2)
    expect(refused.json(errorDocument).error).toMatchObject({
      code: 'DATASET_INVALID',
      message: 'pets.csv, line 5, column "flag": expected a number, found an empty cell.',
    })
    expect((await edgesmith('dataset', 'add', 'pets.csv', '--missing', 'guess', '--json')).json(errorDocument).error.code).toBe('USAGE')
    expect((await edgesmith('dataset', 'add', 'pets.csv', '--delimiter', 'x', '--json')).json(errorDocument).error.code).toBe('USAGE')
    expect((await edgesmith('dataset', 'add', 'none.csv', '--json')).json(errorDocument).error.code).toBe('FILE_NOT_FOUND')
  })
})

describe('dataset split, show, duplicates, rename, remove', () => {
  it('divide a dataset and take it away again', async () => {
    const split = await edgesmith('dataset', 'split', 'animals', '--parts', 'train=0.75,test=0.25', '--seed', '3')
    expect(split.stdout).toMatch(/^animals train +30 +2 classes/m)
    const list = (await edgesmith('datasets')).stdout
    expect(list).toMatch(/^animals .*\n└ animals train .*\n└ animals test /m)
    const shown = await edgesmith('dataset', 'show', 'animals')
    expect(shown.stdout).toMatch(/^splits +animals train \(30\), animals test \(10\)$/m)
    const found = await edgesmith('dataset', 'duplicates', 'animals train', 'animals test', '--json')
    expect(found.json(duplicatesReportSchema).pairs.map(({ count }) => count)).toEqual([0, 0, 0])
    expect((await edgesmith('dataset', 'duplicates', 'animals train', 'animals test')).stdout).toMatch(
      /^animals test also in animals train +0 +0/m,
    )
    const inUse = await edgesmith('dataset', 'remove', 'animals', '--json')
    expect(inUse.json(errorDocument).error.code).toBe('IN_USE')
    for (const name of ['animals test', 'animals train'])
      expect((await edgesmith('dataset', 'remove', name)).stdout).toBe(`Removed ${name}\n`)
    expect((await edgesmith('dataset', 'rename', 'animals', 'pets')).stdout).toBe('animals is called pets now\n')
    await edgesmith('dataset', 'remove', 'pets')
    expect(await names()).toEqual(['photos'])
  }, 120_000)

  it('refuse parts that are none', async () => {
    for (const parts of ['train', 'train=2', 'Train=0.5', 'train=0.5,test=x']) {
      const refused = await edgesmith('dataset', 'split', 'photos', '--parts', parts, '--json')
      expect(refused.json(errorDocument).error).toMatchObject({ code: 'USAGE', message: expect.stringContaining('needs parts such as') })
    }
  })
})

it('every command that takes a dataset takes the path of any kind', async () => {
  const header = Array.from({ length: 16 }, (_, index) => `f${index}`)
  const row = (seed: number) => [...header.map((_, index) => ((seed * (index + 3)) % 11) / 10), seed % 4].join(',')
  await writeFile(
    join(folder, 'rows.csv'),
    `${[...header, 'label'].join(',')}\n${Array.from({ length: 24 }, (_, seed) => row(seed)).join('\n')}\n`,
  )
  const evaluated = await edgesmith('evaluate', 'small.onnx', '--data', 'rows.csv', '--json')
  expect(evaluated.code).toBe(0)
  expect(evaluated.json(evaluateDocument)).toMatchObject({ samples: 24 })
  expect(await names()).toEqual(['rows', 'photos'])
}, 60_000)
