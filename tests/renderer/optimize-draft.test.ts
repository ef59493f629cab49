import { describe, expect, it } from 'vitest'
import { procedures } from '../../src/contract/procedures.ts'
import { recipeSchema } from '../../src/contract/recipe.ts'
import {
  emptyDraft,
  MAX_STEPS,
  optimizeInput,
  withMovedStep,
  withSetting,
  withStep,
} from '../../src/renderer/pages/optimize/optimize-draft.ts'

const modelId = '11111111-1111-4111-8111-111111111111'
const calibrationId = '22222222-2222-4222-8222-222222222222'
const recipes = (draft: ReturnType<typeof emptyDraft>) => draft.steps.map(({ recipe }) => recipe)

describe('optimize draft', () => {
  const two = withStep(withStep({ ...emptyDraft(), modelId }, 'prune-magnitude'), 'int8-static')

  it('adds and moves steps, and keeps their controls apart', () => {
    expect(recipes(two)).toEqual(['prune-magnitude', 'int8-static'])
    expect(recipes(withMovedStep(two, 1, -1))).toEqual(['int8-static', 'prune-magnitude'])
    expect(withMovedStep(two, 0, -1)).toEqual(two)
    expect(withMovedStep(two, 1, 1)).toEqual(two)
    expect(new Set(withStep(two, 'fp16').steps.map(({ key }) => key)).size).toBe(3)
  })

  it('keeps a setting until it goes back to the default', () => {
    const key = two.steps[0]?.key ?? 0
    const set = withSetting(two, key, 'sparsity', 0.7)
    expect(optimizeInput(set, false).recipe[0]).toEqual({ recipe: 'prune-magnitude', sparsity: 0.7 })
    expect(withSetting(set, key, 'sparsity', undefined)).toEqual(two)
  })

  it('makes what the contract takes', () => {
    const input = optimizeInput({ ...two, calibrationId, target: 'arm64', name: 'mine' }, true)
    expect(procedures['optimize.start'].input.parse(input)).toMatchObject({
      modelId,
      calibrationId,
      samples: 256,
      target: 'arm64',
      name: 'mine',
    })
  })

  it('sends calibration only along with steps that use it', () => {
    expect(optimizeInput({ ...two, calibrationId }, false)).not.toHaveProperty('calibrationId')
    expect(optimizeInput({ ...two, name: '  ' }, true)).not.toHaveProperty('name')
  })

  it('sends an accuracy budget as a share, only along with int8-static, and not without labels', () => {
    const labelledId = calibrationId
    const input = optimizeInput({ ...two, calibrationId, maxDropPoints: 0.5, labelledId }, true)
    expect(procedures['optimize.start'].input.parse(input).budget).toEqual({ maxAccuracyDrop: 0.005, datasetId: labelledId })
    const half = withStep({ ...emptyDraft(), modelId, maxDropPoints: 0.5, labelledId }, 'fp16')
    expect(optimizeInput(half, false)).not.toHaveProperty('budget')
    const unlabelled = optimizeInput({ ...two, calibrationId, maxDropPoints: 0.5 }, true)
    expect(procedures['optimize.start'].input.safeParse(unlabelled).success).toBe(false)
  })

  it('knows the limit of the contract', () => {
    const step = { recipe: 'fp16' }
    expect(recipeSchema.safeParse(Array.from({ length: MAX_STEPS }, () => step)).success).toBe(true)
    expect(recipeSchema.safeParse(Array.from({ length: MAX_STEPS + 1 }, () => step)).success).toBe(false)
  })
})
