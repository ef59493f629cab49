import { z } from 'zod'
import {
  csvOptionsSchema,
  datasetSchema,
  duplicatesReportSchema,
  preparedSampleSchema,
  preprocessingSchema,
  sampleViewSchema,
} from '../dataset.ts'
import { displayNameSchema, idSchema, pathSchema, serviceNameSchema } from '../names.ts'
import { byId, call, nothing, start } from './procedure.ts'

/** Datasets. */
export const datasetProcedures = {
  'datasets.list': call('All datasets, newest first', nothing, z.array(datasetSchema)),
  'datasets.import': start(
    'Read, check and keep a dataset: .npz, .npy, IDX (labels file found beside it when left out), .csv, or a folder of images',
    z.object({
      path: pathSchema,
      labelsPath: pathSchema.optional().describe('labels of an IDX or .npy file'),
      name: displayNameSchema.optional(),
      preprocessing: preprocessingSchema.optional(),
      csv: csvOptionsSchema.optional(),
      classes: z
        .record(z.string(), z.int().min(0).max(1_000_000))
        .optional()
        .describe('class folder to label index; default: alphabetical'),
    }),
    z.object({ dataset: datasetSchema, splits: z.array(datasetSchema) }),
  ),
  'datasets.table': call(
    'The columns of a .csv and its first rows, before it is imported',
    z.object({ path: pathSchema, delimiter: csvOptionsSchema.shape.delimiter }),
    z.object({ delimiter: z.string(), columns: z.array(z.string()), rows: z.array(z.array(z.string())) }),
  ),
  'datasets.setPreprocessing': start(
    'Change how samples become model inputs. A dataset that results refer to stays as it is, and a copy gets the new description',
    z.object({ id: idSchema, preprocessing: preprocessingSchema }),
    datasetSchema,
  ),
  'datasets.split': start(
    'Divide a dataset into parts that share its files; the same seed gives the same parts',
    z.object({
      id: idSchema,
      parts: z
        .array(z.object({ name: serviceNameSchema, share: z.number().positive().max(1) }))
        .min(2)
        .max(10),
      seed: z.int().min(0).default(1),
      stratify: z.boolean().default(true).describe('keep the shares of the classes in every part'),
    }),
    z.array(datasetSchema),
  ),
  'datasets.rename': call('Give a dataset another name', z.object({ id: idSchema, name: displayNameSchema }), datasetSchema),
  'datasets.samples': call(
    'Samples as a person looks at them: a window of the dataset, one class of it, or chosen ones',
    z.object({
      id: idSchema,
      indices: z.array(z.int().min(0)).max(200).optional(),
      from: z.int().min(0).default(0),
      count: z.int().min(1).max(200).default(48),
      class: z.int().min(0).optional(),
    }),
    z.object({ total: z.number(), samples: z.array(sampleViewSchema) }),
  ),
  'datasets.preview': call(
    'What a preprocessing description makes of one sample, and whether it fits a model; nothing is stored',
    z.object({ id: idSchema, preprocessing: preprocessingSchema, index: z.int().min(0).default(0), modelId: idSchema.optional() }),
    preparedSampleSchema,
  ),
  'datasets.duplicates': call(
    'Equal and look-alike samples, within a dataset and between datasets (a test set that holds training samples flatters)',
    z.object({ ids: z.array(idSchema).min(1).max(16) }),
    duplicatesReportSchema,
  ),
  'datasets.remove': call('Forget a dataset that no result refers to', byId, nothing),
} as const
