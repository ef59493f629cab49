import { z } from 'zod'
import { compareAllResultSchema } from '../compare-all.ts'
import { deviceIdSchema } from '../device.ts'
import { benchSettingsSchema } from '../measurement.ts'
import { modelSchema } from '../model.ts'
import { displayNameSchema, idSchema, targetSchema } from '../names.ts'
import { optimizeSummarySchema, recipeSchema, sensitivityReportSchema } from '../recipe.ts'
import { start } from './procedure.ts'

/** Making builds. */
export const buildProcedures = {
  'optimize.start': start(
    'Make a build from a model by a recipe',
    z.object({
      modelId: idSchema,
      recipe: recipeSchema,
      target: targetSchema.optional().describe('default: what this computer is'),
      calibrationId: idSchema.optional(),
      samples: z.int().min(1).max(100_000).default(256).describe('calibration samples to use'),
      name: displayNameSchema.optional(),
      budget: z
        .object({ maxAccuracyDrop: z.number().min(0).max(1), datasetId: idSchema })
        .optional()
        .describe('search the fastest int8-static build that loses at most this much accuracy on a labelled dataset'),
    }),
    z.object({ model: modelSchema, summary: optimizeSummarySchema }),
  ),
  'sensitivity.start': start(
    'Which units of a model suffer most from int8 quantization, and what each gains',
    z.object({
      modelId: idSchema,
      target: targetSchema.optional().describe('default: what this computer is'),
      calibrationId: idSchema,
      samples: z.int().min(1).max(100_000).default(64).describe('calibration samples to use'),
      datasetId: idSchema.optional().describe('labelled data: units are then ranked by accuracy'),
    }),
    sensitivityReportSchema,
  ),
  'compareAll.start': start(
    'Make a build by every recipe that makes sense for a model and target, and compare them all',
    z.object({
      modelId: idSchema,
      target: targetSchema.optional().describe('default: what this computer is'),
      calibrationId: idSchema.optional(),
      samples: z.int().min(1).max(100_000).default(256).describe('calibration samples to use'),
      datasetId: idSchema.optional().describe('labelled data to measure accuracy on'),
      deviceId: deviceIdSchema,
      settings: benchSettingsSchema,
      blocks: z.int().min(2).max(100).default(10).describe('interleaved blocks for each model'),
    }),
    compareAllResultSchema,
  ),
} as const
