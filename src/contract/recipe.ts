import { z } from 'zod'
import { sha256Schema, targetSchema } from './names.ts'

/** Nodes a step leaves alone: exact node names, or op types. */
const excludeSchema = z
  .array(z.string().min(1))
  .max(10_000)
  .default([])
  .describe('nodes (by name) or operators (by type) to leave as they are')

export const fp16StepSchema = z.object({
  recipe: z.literal('fp16'),
  keepIoTypes: z.boolean().default(true).describe('keep float32 at inputs and outputs'),
  exclude: excludeSchema,
})

export const int8DynamicStepSchema = z.object({
  recipe: z.literal('int8-dynamic'),
  perChannel: z.boolean().default(true).describe('one weight scale for each output channel'),
  exclude: excludeSchema,
})

export const int8StaticStepSchema = z.object({
  recipe: z.literal('int8-static'),
  calibrator: z.enum(['minmax']).default('minmax').describe('how activation ranges are chosen'),
  perChannel: z.boolean().default(true).describe('one weight scale for each output channel'),
  exclude: excludeSchema,
})

export const pruneMagnitudeStepSchema = z.object({
  recipe: z.literal('prune-magnitude'),
  sparsity: z.number().gt(0).lt(1).default(0.5).describe('share of weights set to zero'),
  scope: z.enum(['global', 'layer']).default('global').describe('one threshold for the whole model, or one for each layer'),
  exclude: excludeSchema,
})

/** One step of a recipe, told apart by its name. */
export const recipeStepSchema = z.discriminatedUnion('recipe', [
  fp16StepSchema,
  int8DynamicStepSchema,
  int8StaticStepSchema,
  pruneMagnitudeStepSchema,
])
export type RecipeStep = z.infer<typeof recipeStepSchema>
export type RecipeName = RecipeStep['recipe']

/** Recipe steps in the order they are applied. */
export const recipeSchema = z.array(recipeStepSchema).min(1).max(8)
export type Recipe = z.infer<typeof recipeSchema>

/** The schema of each recipe's settings by name: one table for the CLI's `--set`, the window's forms and the documentation. */
export const recipeStepSchemas = {
  'prune-magnitude': pruneMagnitudeStepSchema,
  fp16: fp16StepSchema,
  'int8-dynamic': int8DynamicStepSchema,
  'int8-static': int8StaticStepSchema,
} as const satisfies Record<RecipeName, z.ZodObject>

export const recipeNames = Object.keys(recipeStepSchemas) as RecipeName[]

/** Recipes that need calibration samples. */
export function needsCalibration(recipe: readonly RecipeStep[]): boolean {
  return recipe.some((step) => step.recipe === 'int8-static')
}

/** A node that a step could have changed and did not, with the reason in words. */
export const skippedNodeSchema = z.object({ node: z.string(), op: z.string(), reason: z.string() })
export type SkippedNode = z.infer<typeof skippedNodeSchema>

/** How far a build's outputs are from its source's on the same inputs (worst output). */
export const fidelitySchema = z.object({
  /** 20·log10(‖reference‖ / ‖reference − build‖); null when the outputs are identical. */
  sqnrDb: z.number().nullable(),
  cosine: z.number(),
  maxAbsDiff: z.number(),
  samples: z.number(),
  /** `calibration` data, or `generated` inputs when no data was given. */
  inputs: z.enum(['calibration', 'generated']),
})
export type Fidelity = z.infer<typeof fidelitySchema>

/** What `optimize` reports (SPEC.md fixes the names), without the paths. */
export const optimizeSummarySchema = z.object({
  input: z.object({ sizeBytes: z.number(), sha256: sha256Schema }),
  output: z.object({ sizeBytes: z.number(), sha256: sha256Schema }),
  steps: z.array(z.object({ recipe: z.string(), durationMs: z.number() })),
  target: targetSchema,
  /** Nodes the steps changed to a lower precision or pruned. */
  quantizedNodes: z.number(),
  /** Nodes that ONNX Runtime really runs with int8 kernels after loading; 0 for other recipes. */
  fusedNodes: z.number(),
  skipped: z.array(skippedNodeSchema),
  /** Share of weights that are zero after pruning; null without a pruning step. */
  sparsity: z.number().nullable(),
  fidelity: fidelitySchema,
  calibrationSamples: z.number(),
  warnings: z.array(z.string()),
  peakRssBytes: z.number(),
  durationMs: z.number(),
})
export type OptimizeSummary = z.infer<typeof optimizeSummarySchema>
