import type { Model } from '../../../contract/model.ts'
import { recipeText } from '../../text/recipe-text.ts'

/** What tells models apart. */
export function modelKey(model: Model): string {
  return model.id
}

/** The key of what a build was made from. */
export function parentModelKey(model: Model): string | null {
  return model.parentId
}

/** How deep a build lies below the imported model: 0 for models, also for builds whose parent is gone. */
export function depthOf(model: Model, byId: ReadonlyMap<string, Model>): number {
  let depth = 0
  // A chain longer than the list would be a circle.
  for (let parent = parentOf(model, byId); parent && depth < byId.size; parent = parentOf(parent, byId)) depth++
  return depth
}

/** The model a build was made from, when it is still there. */
export function parentOf(model: Model, byId: ReadonlyMap<string, Model>): Model | undefined {
  return model.parentId === null ? undefined : byId.get(model.parentId)
}

/** From the imported model down to `model` itself. */
export function lineageOf(model: Model, byId: ReadonlyMap<string, Model>): Model[] {
  const chain = [model]
  for (let parent = parentOf(model, byId); parent && chain.length <= byId.size; parent = parentOf(parent, byId)) chain.unshift(parent)
  return chain
}

/** Models whose name, recipe, kind or hash contains every word of the filter. */
export function filterModels(models: readonly Model[], filter: string): Model[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return models.filter((model) => {
    const text =
      `${model.name} ${model.recipe ? recipeText(model.recipe) : ''} ${model.kind} ${model.target ?? ''} ${model.sha256}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** How many times smaller a build is than its parent; null without one. */
export function shrinkRatio(model: Model, byId: ReadonlyMap<string, Model>): number | null {
  const parent = parentOf(model, byId)
  return parent && model.sizeBytes > 0 ? parent.sizeBytes / model.sizeBytes : null
}
