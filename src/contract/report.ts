import { z } from 'zod'
import { analysisSchema } from './analysis.ts'
import { validationSchema } from './deployment.ts'
import { evaluationSchema } from './evaluation.ts'
import { matrixSchema } from './matrix.ts'
import { benchmarkSchema, comparisonSchema, histogramSchema } from './measurement.ts'
import { modelSchema } from './model.ts'
import { idSchema, momentSchema } from './names.ts'

/** The latency samples of one benchmark, summed up so that a reader can check every number and draw every chart again. */
export const sampleSummarySchema = z.object({
  benchmarkId: idSchema,
  samples: z.number(),
  /** Latency at each half percent, 0 to 100 (201 values), milliseconds. */
  quantilesMs: z.array(z.number()),
  histogram: histogramSchema,
  /** Samples in the order they were taken, cut into at most 400 pieces: their offsets and medians. */
  offsetsMs: z.array(z.number()),
  mediansMs: z.array(z.number()),
})
export type SampleSummary = z.infer<typeof sampleSummarySchema>

/** How an imported file says it was made, when it is a build that Edgesmith wrote somewhere. */
export const statedLineageSchema = z.object({
  source: z.object({ name: z.string() }),
  recipe: z.array(z.looseObject({ recipe: z.string() })).max(8),
  target: z.string(),
  calibration: z.object({ dataset: z.string(), samples: z.number() }).nullable(),
})
export type StatedLineage = z.infer<typeof statedLineageSchema>

/** A model or build as far as a report needs it. */
export const reportedModelSchema = modelSchema
  .pick({
    id: true,
    name: true,
    kind: true,
    sha256: true,
    sizeBytes: true,
    parentId: true,
    recipe: true,
    target: true,
    summary: true,
  })
  .extend({
    opset: z.number().nullable().default(null),
    parameters: z.number().nullable().default(null),
    producer: z.string().default(''),
    statedLineage: statedLineageSchema.nullable().default(null),
  })
export type ReportedModel = z.infer<typeof reportedModelSchema>

/** A dataset as far as a report needs it. */
export const reportedDatasetSchema = z.object({
  id: idSchema,
  name: z.string(),
  samples: z.number(),
  /** Hashes of its files, so that the same data can be recognized. */
  sha256: z.array(z.string()),
  classNames: z.array(z.string()).nullable(),
  split: z.string().nullable(),
})
export type ReportedDataset = z.infer<typeof reportedDatasetSchema>

/**
 * A whole report as data: what `.json` holds, what every other format is drawn from, and what importing reads back. Its JSON schema is
 * `docs/report.schema.json`.
 */
export const reportDocumentSchema = z.object({
  format: z.literal('edgesmith-report'),
  version: z.literal(1),
  title: z.string(),
  createdAt: momentSchema,
  edgesmithVersion: z.string(),
  devices: z.array(z.object({ id: z.string(), name: z.string() })),
  models: z.array(reportedModelSchema),
  datasets: z.array(reportedDatasetSchema),
  comparisons: z.array(comparisonSchema),
  benchmarks: z.array(benchmarkSchema),
  evaluations: z.array(evaluationSchema),
  analyses: z.array(analysisSchema),
  /** Missing in reports of older versions. */
  matrices: z.array(matrixSchema).default([]),
  /** Missing in reports of older versions. */
  validations: z.array(validationSchema).default([]),
  samples: z.array(sampleSummarySchema),
})
export type ReportDocument = z.infer<typeof reportDocumentSchema>

/** A report in the workspace: one that was written here, or read from a .json. */
export const reportEntrySchema = z.object({
  id: idSchema,
  title: z.string(),
  origin: z.enum(['written', 'imported']),
  /** Where it was written to or read from last. */
  path: z.string().nullable(),
  createdAt: momentSchema,
  comparisons: z.number(),
  benchmarks: z.number(),
  evaluations: z.number(),
  analyses: z.number(),
  matrices: z.number(),
  validations: z.number(),
})
export type ReportEntry = z.infer<typeof reportEntrySchema>

/** Formats of a report, by the ending of its file. */
export const reportFormatSchema = z.enum(['html', 'pdf', 'md', 'json', 'csv'])
export type ReportFormat = z.infer<typeof reportFormatSchema>
