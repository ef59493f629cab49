import type { Recipe } from '../../contract/recipe.ts'

/** A recipe by the names of its steps in their order: `prune-magnitude + int8-static`. */
export function recipeText(recipe: Recipe): string {
  return recipe.map((step) => step.recipe).join(' + ')
}
