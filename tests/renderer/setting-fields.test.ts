import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { benchSettingsSchema } from '../../src/contract/measurement.ts'
import { type RecipeName, recipeNames, recipeStepSchemas } from '../../src/contract/recipe.ts'
import { fieldErrors } from '../../src/renderer/forms/field-errors.ts'
import { recordText, recordValue } from '../../src/renderer/forms/record-text.ts'
import { settingFields, settingLabel } from '../../src/renderer/forms/setting-fields.ts'
import { mainSettings, recipeGroups, recipeGuides } from '../../src/renderer/text/recipe-guide.ts'

describe('settingFields', () => {
  it('makes a control of every setting of a recipe step', () => {
    expect(settingFields(recipeStepSchemas['prune-magnitude'])).toEqual([
      {
        key: 'sparsity',
        kind: 'number',
        integer: false,
        min: 0,
        max: 1,
        label: 'Sparsity',
        description: 'share of weights set to zero',
        defaultValue: 0.5,
      },
      {
        key: 'scope',
        kind: 'choice',
        options: ['global', 'layer'],
        label: 'Scope',
        description: 'one threshold for the whole model, or one for each layer',
        defaultValue: 'global',
      },
      expect.objectContaining({ key: 'method', kind: 'choice', defaultValue: 'auto' }),
      expect.objectContaining({ key: 'exclude', kind: 'names', defaultValue: [] }),
    ])
    expect(settingFields(recipeStepSchemas.fp16)[1]).toMatchObject({
      key: 'keepIoTypes',
      kind: 'switch',
      label: 'Keep IO types',
      defaultValue: true,
    })
  })

  it('leaves the name of the recipe out and explains every recipe and setting', () => {
    for (const name of recipeNames) {
      const fields = settingFields(recipeStepSchemas[name])
      expect(fields.map(({ key }) => key)).not.toContain('recipe')
      for (const field of fields) expect(field.description, `${name}.${field.key}`).toBeTruthy()
      expect(recipeGuides[name].what).toBeTruthy()
    }
  })

  it('gives defaults that the schema itself accepts', () => {
    for (const name of recipeNames) {
      const settings = Object.fromEntries(settingFields(recipeStepSchemas[name]).map(({ key, defaultValue }) => [key, defaultValue]))
      expect(fieldErrors(recipeStepSchemas[name], { recipe: name, ...settings })).toEqual({})
    }
  })

  it('knows lists of numbers, values by name, and the settings that are not folded away', () => {
    const field = (name: RecipeName, key: string) => settingFields(recipeStepSchemas[name]).find((entry) => entry.key === key)
    expect(field('int8-weights', 'blockSize')).toMatchObject({ kind: 'number-choice', options: [0, 16, 32, 64, 128, 256], defaultValue: 0 })
    expect(field('extract', 'fixed')).toMatchObject({ kind: 'record', defaultValue: {} })
    expect(field('int8-static', 'overrides')).toMatchObject({ kind: 'record' })
    for (const name of recipeNames) for (const key of mainSettings[name]) expect(field(name, key), `${name}.${key}`).toBeDefined()
    expect(recipeGroups.flatMap(({ recipes }) => recipes).sort()).toEqual([...recipeNames].sort())
  })

  it('knows whole numbers and settings without a default', () => {
    const fields = new Map(settingFields(benchSettingsSchema).map((field) => [field.key, field]))
    expect(fields.get('runs')).toMatchObject({ kind: 'number', integer: true, min: 1, max: 1_000_000, defaultValue: 1000 })
    expect(fields.get('seconds')?.defaultValue).toBeUndefined()
    expect(fields.get('warmupRuns')?.label).toBe('Warm-up runs')
  })

  it('shows anything else as text', () => {
    expect(settingFields(z.object({ note: z.string().optional() }))).toEqual([
      { key: 'note', kind: 'text', label: 'Note', description: null, defaultValue: undefined },
    ])
  })
})

describe('records as text', () => {
  it('reads what it writes, leaves an empty one out, and passes on what is no JSON', () => {
    expect(recordValue(recordText({ sr: 16000 }))).toEqual({ sr: 16000 })
    expect([recordText({}), recordValue(' ')]).toEqual(['', undefined])
    expect(fieldErrors(recipeStepSchemas.extract, { recipe: 'extract', fixed: recordValue('{"sr"') })).toHaveProperty('fixed')
  })
})

describe('settingLabel', () => {
  it.each([
    ['perChannel', 'Per channel'],
    ['keepIoTypes', 'Keep IO types'],
    ['int8Weights', 'INT8 weights'],
  ])('%s becomes %s', (key, label) => expect(settingLabel(key)).toBe(label))
})

describe('fieldErrors', () => {
  const schema = z.object({ name: z.string().min(1), auth: z.object({ port: z.int().max(9) }), items: z.array(z.number()) })

  it('keys the first message of each field by its path', () => {
    expect(Object.keys(fieldErrors(schema, { name: '', auth: { port: 20 }, items: [1, 'x', 'y'] }))).toEqual(['name', 'auth.port', 'items'])
  })

  it('writes messages as sentences', () => {
    expect(fieldErrors(schema, { name: 'a', auth: { port: 'x' }, items: [] })['auth.port']).toBe('Expected number, received string')
    expect(fieldErrors(schema, { name: 'a', auth: { port: 20 }, items: [] })['auth.port']).toBe('Expected number to be <=9')
  })

  it('is empty for valid values', () => {
    expect(fieldErrors(schema, { name: 'a', auth: { port: 2 }, items: [] })).toEqual({})
  })
})
