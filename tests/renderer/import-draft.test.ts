import { describe, expect, it } from 'vitest'
import { procedures } from '../../src/contract/procedures.ts'
import { parseClassMap } from '../../src/renderer/import/class-map.ts'
import { emptyImportDraft, type ImportDraft, importInput } from '../../src/renderer/import/import-draft.ts'
import type { DatasetPlan } from '../../src/renderer/import/import-plan.ts'

const { input: schema } = procedures['datasets.import']
const npz: DatasetPlan = { path: '/d/test.npz', format: 'npz' }
const make = (plan: DatasetPlan, change: Partial<ImportDraft> = {}) => importInput(plan, { ...emptyImportDraft(plan), ...change })
const refused = (plan: DatasetPlan, change: Partial<ImportDraft>) =>
  (schema.safeParse(make(plan, change)).error?.issues ?? []).map(({ path }) => path.map(String).join('.'))

describe('importInput', () => {
  it('says nothing about what was left alone', () => {
    expect(make(npz)).toEqual({ path: '/d/test.npz' })
  })

  it('reads scale, mean and standard deviation', () => {
    expect(make(npz, { scaleChoice: 'bytes', mean: '0.5, 0.4;0.3', std: ' 0.2 0.2 0.2 ' }).preprocessing).toEqual({
      scale: 1 / 255,
      mean: [0.5, 0.4, 0.3],
      std: [0.2, 0.2, 0.2],
    })
    expect(make(npz, { scaleChoice: 'custom', scale: 0.5 }).preprocessing).toEqual({ scale: 0.5 })
  })

  it('turns what is no number into something the schema refuses', () => {
    expect(refused(npz, { mean: 'a, b' })).toEqual(['preprocessing.mean.0', 'preprocessing.mean.1'])
    expect(refused(npz, { scaleChoice: 'custom', scale: '' })).toEqual(['preprocessing.scale'])
    expect(refused({ path: '/d/photos', format: 'images' }, { width: '' })).toContain('preprocessing.image.width')
    expect(refused({ path: '/d/photos', format: 'images' }, { classMap: 'cat\ndog = 1' })).toEqual(['classes.cat'])
  })

  it('keeps bytes of IDX as they came in the range 0 to 1, with the labels that were given', () => {
    expect(make({ path: '/d/x-images-idx3-ubyte', format: 'idx', labelsPath: '/d/x-labels-idx1-ubyte' })).toEqual({
      path: '/d/x-images-idx3-ubyte',
      labelsPath: '/d/x-labels-idx1-ubyte',
      preprocessing: { scale: 1 / 255 },
    })
  })

  it('makes 256 of 224 where the shorter side decides, as ImageNet networks are evaluated', () => {
    const input = make({ path: '/d/photos', format: 'images' }, { classMap: 'cat = 3' })
    expect(input).toEqual({
      path: '/d/photos',
      classes: { cat: 3 },
      preprocessing: {
        image: { width: 224, height: 224, resize: 'short-side', shortSide: 256, filter: 'linear', colour: 'rgb', pad: [0, 0, 0] },
        scale: 1 / 255,
      },
    })
    expect(schema.safeParse(input).success).toBe(true)
  })

  it('sends the choices of a table and leaves the others to the reader', () => {
    const table: DatasetPlan = { path: '/d/t.csv', format: 'csv' }
    expect(make(table)).toEqual({ path: '/d/t.csv', csv: { missing: 'refuse' } })
    const change = { label: 'price', task: 'regression', delimiter: ';', missing: 'mean', ignore: ['id'], splitColumn: 'part' } as const
    expect(make(table, change).csv).toEqual({ ...change, ignore: ['id'] })
    expect(schema.safeParse(make(table, change)).success).toBe(true)
  })
})

describe('parseClassMap', () => {
  it('reads lines and JSON', () => {
    expect(parseClassMap('  \n')).toBeUndefined()
    expect(parseClassMap('cat = 0\n\n big dog: 1\n b,2\n')).toEqual({ cat: 0, 'big dog': 1, b: 2 })
    expect(parseClassMap('{"cat": 0, "dog": 7}')).toEqual({ cat: 0, dog: 7 })
  })

  it('leaves nothing out: what has no index is not a number', () => {
    expect(parseClassMap('cat = -1\ndog')).toEqual({ 'cat = -1': Number.NaN, dog: Number.NaN })
    expect(parseClassMap('{"cat": "0"}')).toEqual({ cat: Number.NaN })
    expect(Object.values(parseClassMap('{cat') ?? {})).toEqual([Number.NaN])
    expect(Object.values(parseClassMap('{"a": 1} x') ?? {})).toEqual([Number.NaN])
  })
})
