import { describe, expect, it } from 'vitest'
import type { Model } from '../../src/contract/model.ts'
import { recipeSchema } from '../../src/contract/recipe.ts'
import { depthOf, filterModels, lineageOf, shrinkRatio } from '../../src/renderer/pages/models/model-tree.ts'

function model(id: string, parentId: string | null, change: Partial<Model> = {}): Model {
  return {
    id,
    name: id,
    kind: parentId ? 'build' : 'model',
    sha256: `${id}hash`,
    sizeBytes: 1000,
    parentId,
    recipe: null,
    target: null,
    ...change,
  } as Model
}

describe('model tree', () => {
  const models = [model('net', null), model('pruned', 'net'), model('int8', 'pruned', { sizeBytes: 250 }), model('orphan', 'gone')]
  const byId = new Map(models.map((entry) => [entry.id, entry]))
  const get = (id: string) => byId.get(id) as Model

  it('knows depth and lineage, also where the parent is gone', () => {
    expect(['net', 'pruned', 'int8', 'orphan'].map((id) => depthOf(get(id), byId))).toEqual([0, 1, 2, 0])
    expect(lineageOf(get('int8'), byId).map(({ id }) => id)).toEqual(['net', 'pruned', 'int8'])
  })

  it('ends where parents form a circle', () => {
    const circle = new Map([model('a', 'b'), model('b', 'a')].map((entry) => [entry.id, entry]))
    expect(depthOf(circle.get('a') as Model, circle)).toBe(2)
    expect(lineageOf(circle.get('a') as Model, circle).length).toBeLessThanOrEqual(4)
  })

  it('compares a size with the parent', () => {
    expect(shrinkRatio(get('int8'), byId)).toBe(4)
    expect(shrinkRatio(get('net'), byId)).toBeNull()
  })

  it('filters by every word, over names, recipes and hashes', () => {
    const recipe = recipeSchema.parse([{ recipe: 'int8-static' }])
    const list = [...models, model('other', null, { recipe })]
    expect(filterModels(list, ' int8  ').map(({ id }) => id)).toEqual(['int8', 'other'])
    expect(filterModels(list, 'int8 static').map(({ id }) => id)).toEqual(['other'])
    expect(filterModels(list, 'nethash').map(({ id }) => id)).toEqual(['net'])
    expect(filterModels(list, '')).toHaveLength(5)
  })
})
