import { z } from 'zod'
import { errorReportSchema } from './job.ts'
import { comparisonSchema } from './measurement.ts'
import { idSchema } from './names.ts'
import { recipeSchema } from './recipe.ts'

/** What `compareAll` made: one entry for each recipe that was tried, and the comparison of those that became builds. */
export const compareAllResultSchema = z.object({
  comparison: comparisonSchema.nullable(),
  entries: z.array(
    z.object({
      title: z.string(),
      recipe: recipeSchema,
      /** The build; null when the recipe could not be applied. */
      modelId: idSchema.nullable(),
      error: errorReportSchema.nullable(),
    }),
  ),
  /** The build to take, and why; null when the source model is the best. */
  recommended: z.object({ modelId: idSchema, reason: z.string() }).nullable(),
})
export type CompareAllResult = z.infer<typeof compareAllResultSchema>
