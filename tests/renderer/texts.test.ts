import { describe, expect, it } from 'vitest'
import { recipeSchema } from '../../src/contract/recipe.ts'
import { preprocessingText } from '../../src/renderer/text/preprocessing-text.ts'
import { recipeText } from '../../src/renderer/text/recipe-text.ts'
import { nextColorScheme } from '../../src/renderer/theme/next-color-scheme.ts'

describe('preprocessingText', () => {
  it.each([
    [{}, 'none: values are used as they are'],
    [{ scale: 1 / 255 }, 'value × 1/255'],
    [{ scale: 0.5, mean: [0.5], std: [0.25] }, 'value × 0.500, then − mean (0.500), then ÷ std (0.250)'],
    [{ mean: [1, 2, 3, 4, 5] }, '− mean (1.00, 2.00, 3.00, 4.00, … 5 channels)'],
  ])('%j is “%s”', (preprocessing, text) => expect(preprocessingText(preprocessing)).toBe(text))
})

describe('recipeText', () => {
  it('names the steps in their order', () => {
    expect(recipeText(recipeSchema.parse([{ recipe: 'prune-magnitude' }, { recipe: 'fp16' }]))).toBe('prune-magnitude + fp16')
  })
})

describe('nextColorScheme', () => {
  it('changes the look with the first click and comes back to the system after three', () => {
    for (const system of ['light', 'dark'] as const) {
      const other = system === 'light' ? 'dark' : 'light'
      expect(nextColorScheme('auto', system)).toBe(other)
      expect(nextColorScheme(other, system)).toBe(system)
      expect(nextColorScheme(system, system)).toBe('auto')
    }
  })
})
