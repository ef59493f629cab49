import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readRecipe } from '../../src/cli/recipe-argument.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-recipe-'))
  await writeFile(join(folder, 'good.json'), JSON.stringify([{ recipe: 'prune-magnitude', sparsity: 0.7 }, { recipe: 'int8-static' }]))
  await writeFile(join(folder, 'bad.json'), JSON.stringify([{ recipe: 'prune-magnitude', sparsity: 7 }]))
  await writeFile(join(folder, 'broken.json'), '[{')
})
afterAll(() => rm(folder, { recursive: true }))

describe('readRecipe', () => {
  it('makes steps of names, in order, with the contract’s defaults', async () => {
    expect(await readRecipe(folder, 'prune-magnitude, int8-dynamic', [])).toEqual([
      { recipe: 'prune-magnitude', sparsity: 0.5, scope: 'global', method: 'auto', exclude: [] },
      { recipe: 'int8-dynamic', perChannel: true, tables: true, convolutions: false, include: [], exclude: [] },
    ])
  })

  it('reads lists of numbers and values by name', async () => {
    expect(await readRecipe(folder, 'int4-weights', ['blockSize=64'])).toMatchObject([{ blockSize: 64 }])
    const [extract] = await readRecipe(folder, 'extract', ['fixed={"sr": 16000}', 'outputs=a,b'])
    expect(extract).toMatchObject({ fixed: { sr: 16000 }, outputs: ['a', 'b'] })
    const [quantize] = await readRecipe(folder, 'int8-static', ['overrides={"x": {"min": -1, "max": 1}}'])
    expect(quantize).toMatchObject({ overrides: { x: { min: -1, max: 1 } } })
  })

  it('reads a file, and settings on top of it', async () => {
    const recipe = await readRecipe(folder, 'good.json', ['scope=layer', 'int8-static.exclude=Softmax, conv_1'])
    expect(recipe).toMatchObject([
      { sparsity: 0.7, scope: 'layer', exclude: [] },
      { perChannel: true, exclude: ['Softmax', 'conv_1'] },
    ])
  })

  it.each<[string, readonly string[], object]>([
    [
      'int8-statc',
      [],
      { code: 'RECIPE_INVALID', message: 'There is no recipe "int8-statc"', hint: expect.stringContaining('Did you mean "int8-static"?') },
    ],
    ['', [], { code: 'RECIPE_INVALID' }],
    ['missing.json', [], { code: 'FILE_NOT_FOUND' }],
    ['broken.json', [], { code: 'RECIPE_INVALID', message: expect.stringContaining('is not JSON') }],
    ['bad.json', [], { code: 'RECIPE_INVALID', message: expect.stringContaining('[0].sparsity') }],
    [
      'fp16',
      ['sparsity=0.5'],
      {
        code: 'USAGE',
        message: '--set sparsity=0.5: no step has a setting "sparsity"',
        hint: 'Settings: weightsOnly, keepIoTypes, include, exclude.',
      },
    ],
    ['prune-magnitude', ['sparsty=0.5'], { code: 'USAGE', hint: 'Did you mean "sparsity"? Settings: sparsity, scope, method, exclude.' }],
    [
      'prune-magnitude',
      ['sparsity=1'],
      { code: 'RECIPE_INVALID', message: '--set sparsity=1: sparsity must be a number above 0 and below 1, found "1"' },
    ],
    [
      'prune-magnitude',
      ['scope=galaxy'],
      { code: 'RECIPE_INVALID', message: '--set scope=galaxy: scope must be one of global, layer, found "galaxy"' },
    ],
    [
      'fp16',
      ['keepIoTypes=yes'],
      { code: 'RECIPE_INVALID', message: '--set keepIoTypes=yes: keepIoTypes must be true or false, found "yes"' },
    ],
    [
      'int4-weights',
      ['blockSize=33'],
      { code: 'RECIPE_INVALID', message: '--set blockSize=33: blockSize must be one of 16, 32, 64, 128, 256, found "33"' },
    ],
    ['extract', ['fixed=sr:16000'], { code: 'RECIPE_INVALID', message: expect.stringContaining('fixed is not usable') }],
    ['extract', ['fixed={"sr": "fast"}'], { code: 'RECIPE_INVALID', message: expect.stringContaining('fixed is not usable') }],
    ['fp16', ['recipe=int8-static'], { code: 'USAGE', message: '--set recipe=int8-static: no step has a setting "recipe"' }],
    ['fp16', ['toString=1'], { code: 'USAGE' }],
    ['fp16', ['sparsity'], { code: 'USAGE', message: '--set takes key=value or recipe.key=value, found "sparsity"' }],
    [
      'fp16',
      ['int8-static.perChannel=false'],
      { code: 'USAGE', message: '--set int8-static.perChannel=false: the recipe has no step int8-static' },
    ],
    [
      'prune-magnitude,fp16',
      ['exclude=a'],
      {
        code: 'USAGE',
        message: '--set exclude=a: several steps have a setting "exclude"',
        hint: 'Say which: --set prune-magnitude.exclude=a or --set fp16.exclude=a.',
      },
    ],
  ])('refuses %s with %j', async (argument, assignments, error) => {
    await expect(readRecipe(folder, argument, assignments)).rejects.toMatchObject(error)
  })
})
