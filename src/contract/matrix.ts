import { z } from 'zod'
import { intervalSchema } from './environment.ts'
import { errorReportSchema } from './job.ts'
import { benchSettingsSchema, noiseSchema } from './measurement.ts'
import { idSchema, momentSchema } from './names.ts'
import { energySchema } from './telemetry.ts'

/** One build on one device. */
export const matrixCellSchema = z.object({
  modelId: idSchema,
  deviceId: z.string(),
  /** Null when it could not be measured. */
  benchmarkId: idSchema.nullable(),
  p50Ms: z.number().nullable(),
  p50Ci: intervalSchema.nullable(),
  p95Ms: z.number().nullable(),
  throughputPerSecond: z.number().nullable(),
  peakRssBytes: z.number().nullable(),
  energy: energySchema.nullable(),
  noise: noiseSchema.nullable(),
  /** Accuracy (or the headline metric) on the dataset of the matrix; null without one. */
  evaluationId: idSchema.nullable(),
  metric: z.object({ name: z.string(), value: z.number() }).nullable(),
  error: errorReportSchema.nullable(),
})
export type MatrixCell = z.infer<typeof matrixCellSchema>

/** Several builds on several devices, made by one job: devices are measured at the same time, builds of one device in turns. */
export const matrixSchema = z.object({
  id: idSchema,
  jobId: idSchema,
  createdAt: momentSchema,
  settings: benchSettingsSchema,
  models: z.array(z.object({ id: idSchema, name: z.string(), sizeBytes: z.number() })),
  devices: z.array(z.object({ id: z.string(), name: z.string(), board: z.string().nullable() })),
  dataset: z.object({ id: idSchema, name: z.string() }).nullable(),
  /** One for each model and device. */
  cells: z.array(matrixCellSchema),
})
export type Matrix = z.infer<typeof matrixSchema>
