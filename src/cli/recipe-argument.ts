import type { z } from 'zod'
import { EdgesmithError } from '../contract/errors.ts'
import { type Recipe, type RecipeName, recipeNames, recipeSchema, recipeStepSchemas } from '../contract/recipe.ts'
import { describeIssue, readJsonFile } from './read-json-file.ts'
import { readSetting } from './schema-facts.ts'
import { didYouMean } from './suggestion.ts'

/** A step before its settings are checked and filled in. */
interface DraftStep {
  readonly recipe: RecipeName
  readonly settings: Record<string, unknown>
}

/**
 * The recipe of `--recipe NAME[,NAME…]|file.json` with every `--set [recipe.]key=value` applied.
 * A key without a recipe belongs to the one step that has it.
 *
 * @throws EdgesmithError `USAGE`, `RECIPE_INVALID`, and those of reading the file
 */
export async function readRecipe(folder: string, argument: string, assignments: readonly string[]): Promise<Recipe> {
  const steps = /\.json$/i.test(argument)
    ? (await readJsonFile(folder, argument, recipeSchema, 'RECIPE_INVALID')).map(({ recipe, ...settings }) => ({ recipe, settings }))
    : argument.split(',').map((name) => ({ recipe: recipeName(name.trim()), settings: {} }))
  for (const assignment of assignments) applyAssignment(steps, assignment)
  const parsed = recipeSchema.safeParse(steps.map(({ recipe, settings }) => ({ recipe, ...settings })))
  if (!parsed.success) throw new EdgesmithError('RECIPE_INVALID', `The recipe is not valid: ${describeIssue(parsed.error)}`)
  return parsed.data
}

function recipeName(name: string): RecipeName {
  const known = recipeNames.find((candidate) => candidate === name)
  if (known) return known
  throw new EdgesmithError('RECIPE_INVALID', `There is no recipe "${name}"`, {
    hint: `${didYouMean(name, recipeNames) ?? ''} Recipes: ${recipeNames.join(', ')}, or a .json file with a list of steps.`.trim(),
  })
}

function applyAssignment(steps: readonly DraftStep[], assignment: string): void {
  const match = /^(?:([a-z0-9-]+)\.)?([A-Za-z0-9]+)=(.*)$/s.exec(assignment)
  if (!match) throw new EdgesmithError('USAGE', `--set takes key=value or recipe.key=value, found "${assignment}"`)
  const [, recipe, key = '', value = ''] = match
  const addressed = steps.filter((step) => recipe === undefined || step.recipe === recipe)
  if (addressed.length === 0) {
    throw new EdgesmithError('USAGE', `--set ${assignment}: the recipe has no step ${recipe}`, {
      hint: `Its steps: ${steps.map((step) => step.recipe).join(', ')}.`,
    })
  }
  const owners = addressed.filter((step) => settingSchema(step.recipe, key) !== undefined)
  const names = [...new Set(owners.map((step) => step.recipe))]
  const [name] = names
  if (name === undefined) {
    const keys = [...new Set(addressed.flatMap((step) => settingNames(step.recipe)))]
    throw new EdgesmithError('USAGE', `--set ${assignment}: no step has a setting "${key}"`, {
      hint: `${didYouMean(key, keys) ?? ''} Settings: ${keys.join(', ')}.`.trim(),
    })
  }
  if (names.length > 1) {
    throw new EdgesmithError('USAGE', `--set ${assignment}: several steps have a setting "${key}"`, {
      hint: `Say which: ${names.map((owner) => `--set ${owner}.${key}=${value}`).join(' or ')}.`,
    })
  }
  const schema = settingSchema(name, key)
  if (!schema) throw new Error(`the setting ${key} of ${name} was there before`)
  let read: unknown
  try {
    read = readSetting(schema, value)
  } catch (error) {
    throw new EdgesmithError('RECIPE_INVALID', `--set ${assignment}: ${key} ${error instanceof Error ? error.message : String(error)}`)
  }
  for (const step of owners) step.settings[key] = read
}

/** Names of a recipe's settings. */
function settingNames(recipe: RecipeName): string[] {
  return Object.keys(recipeStepSchemas[recipe].shape).filter((key) => key !== 'recipe')
}

/** Schema of one setting, undefined when the recipe has none of that name. */
function settingSchema(recipe: RecipeName, key: string): z.ZodType | undefined {
  const shape: Readonly<Record<string, z.ZodType>> = recipeStepSchemas[recipe].shape
  return key !== 'recipe' && Object.hasOwn(shape, key) ? shape[key] : undefined
}
