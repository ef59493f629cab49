import { z } from 'zod'
import { datasetReportSchema, datasetSourceSchema } from './dataset.ts'
import { errorReportSchema, progressSchema } from './job.ts'
import { modelReportSchema } from './model.ts'
import { pathSchema, targetSchema } from './names.ts'
import { optimizeSummarySchema, recipeSchema, sensitivityReportSchema } from './recipe.ts'

/**
 * Backend → engine, over the IPC channel of a forked child: one request per process. The engine answers with progress, log lines,
 * then exactly one result or error, and exits. Killing it cancels; output files are written under a temporary name until whole.
 */
export const engineRequestSchema = z.discriminatedUnion('command', [
  /** Reads and checks an .onnx file, loads it in ONNX Runtime, and writes one self-contained file (external data embedded) to `outPath`. */
  z.object({ command: z.literal('import-model'), path: pathSchema, outPath: pathSchema }),
  /** Everything about a stored model. */
  z.object({ command: z.literal('inspect-model'), path: pathSchema, name: z.string() }),
  /** Reads a dataset once, whole. */
  z.object({ command: z.literal('describe-dataset'), source: datasetSourceSchema }),
  /** One sample as the model's named inputs in JSON form (nested arrays), for trying a service; `raw` leaves the preprocessing to the service. */
  z.object({
    command: z.literal('read-sample'),
    source: datasetSourceSchema,
    modelPath: pathSchema,
    index: z.int().min(0),
    raw: z.boolean(),
  }),
  z.object({
    command: z.literal('optimize'),
    modelPath: pathSchema,
    modelName: z.string(),
    recipe: recipeSchema,
    target: targetSchema,
    calibration: datasetSourceSchema.nullable(),
    samples: z.int().min(1),
    /** Search the fastest build whose accuracy on `labelled` is at most this far below the source's. */
    budget: z.object({ maxAccuracyDrop: z.number().min(0).max(1), labelled: datasetSourceSchema }).nullable(),
    outPath: pathSchema,
    edgesmithVersion: z.string(),
    /** Recipes that made the source, oldest first: they are written into the lineage. */
    lineage: z.array(z.unknown()),
  }),
  /** Quantizes one unit at a time and measures what each costs and gains. */
  z.object({
    command: z.literal('sensitivity'),
    modelPath: pathSchema,
    modelName: z.string(),
    target: targetSchema,
    calibration: datasetSourceSchema,
    samples: z.int().min(1),
    labelled: datasetSourceSchema.nullable(),
  }),
])
export type EngineRequest = z.infer<typeof engineRequestSchema>
export type EngineCommand = EngineRequest['command']

export const engineResultSchemas = {
  'import-model': modelReportSchema,
  'inspect-model': modelReportSchema,
  'describe-dataset': datasetReportSchema,
  'read-sample': z.object({ inputs: z.record(z.string(), z.unknown()), label: z.number().nullable() }),
  optimize: optimizeSummarySchema,
  sensitivity: sensitivityReportSchema,
} as const
export type EngineResult<C extends EngineCommand> = z.infer<(typeof engineResultSchemas)[C]>

export const engineMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: progressSchema }),
  z.object({ type: z.literal('log'), text: z.string() }),
  z.object({ type: z.literal('result'), value: z.unknown() }),
  z.object({ type: z.literal('error'), error: errorReportSchema }),
])
export type EngineMessage = z.infer<typeof engineMessageSchema>
