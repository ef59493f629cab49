import type { z } from 'zod'
import { recipeNames, recipeStepSchemas } from '../contract/recipe.ts'
import type { HelpSection } from './command.ts'
import { describeSetting } from './option.ts'

/** What each recipe does, in a line. */
const purposes = {
  'int8-static': 'weights and activations in 8 bits, with ranges measured on --calibration',
  'int8-dynamic': 'weights of matrix products in 8 bits; activation ranges are found anew at every inference',
  fp16: 'half precision',
  'int8-weights': 'weights of matrix products in 8 bits, activations in float',
  'int4-weights': 'weights of matrix products in 4 bits, activations in float',
  'prune-channels': 'removes whole channels: less to compute',
  'prune-magnitude': 'sets weights to zero: a smaller download, no speed',
  extract: 'keeps what lies between chosen tensors, or fixes inputs',
  'dynamic-batch': 'makes the batch size free',
  opset: 'raises the operator set',
} as const satisfies Record<keyof typeof recipeStepSchemas, string>

/** Every recipe with its settings, read from their schemas. */
export function recipeSections(): HelpSection[] {
  return recipeNames.map((name) => ({
    title: `Recipe ${name} (${purposes[name]})`,
    rows: Object.entries(recipeStepSchemas[name].shape as Readonly<Record<string, z.ZodType>>)
      .filter(([key]) => key !== 'recipe')
      .map(([key, schema]) => [key, describeSetting(schema)] as const),
  }))
}
