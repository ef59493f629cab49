import { z } from 'zod'
import { displayNameSchema, idSchema, momentSchema, pathSchema, sha256Schema } from './names.ts'

/**
 * How stored samples become model inputs: value × scale, then (value − mean[c]) ÷ std[c] on the channel axis.
 * Absent fields do nothing. Travels with builds to the device, so evaluation and server cannot disagree.
 */
export const preprocessingSchema = z
  .object({
    /** Factor on every value; 1/255 for bytes. */
    scale: z.number().optional(),
    mean: z.array(z.number()).max(4096).optional(),
    std: z.array(z.number().positive()).max(4096).optional(),
  })
  .strict()
export type Preprocessing = z.infer<typeof preprocessingSchema>

/** A file of a dataset and what it holds. `samples` of an .npz holds the labels too. */
export const datasetFileSchema = z.object({ role: z.enum(['samples', 'labels']), path: pathSchema })

/** Where samples are read from: the same description on this computer and on a device. */
export const datasetSourceSchema = z.object({
  format: z.enum(['npz', 'idx']),
  /** How messages call the dataset. */
  name: z.string(),
  files: z.array(datasetFileSchema).min(1).max(2),
  preprocessing: preprocessingSchema,
})
export type DatasetSource = z.infer<typeof datasetSourceSchema>

/** An array of a dataset. */
export const datasetArraySchema = z.object({ name: z.string(), type: z.string(), shape: z.array(z.number()) })

/** What reading a dataset once found out. */
export const datasetReportSchema = z.object({
  samples: z.number(),
  arrays: z.array(datasetArraySchema),
  labelled: z.boolean(),
  /** Number of samples of each class label; null without labels. */
  classCounts: z.record(z.string(), z.number()).nullable(),
  sizeBytes: z.number(),
})
export type DatasetReport = z.infer<typeof datasetReportSchema>

/** A dataset in the workspace. */
export const datasetSchema = z.object({
  id: idSchema,
  name: displayNameSchema,
  format: z.enum(['npz', 'idx']),
  files: z.array(z.object({ role: z.enum(['samples', 'labels']), sha256: sha256Schema, name: z.string() })),
  preprocessing: preprocessingSchema,
  report: datasetReportSchema,
  createdAt: momentSchema,
  source: z.string().nullable(),
})
export type Dataset = z.infer<typeof datasetSchema>
