import { z } from 'zod'
import {
  csvOptionsSchema,
  datasetColumnSchema,
  datasetFileRoleSchema,
  datasetFormatSchema,
  datasetReportSchema,
  datasetSourceSchema,
  duplicatesReportSchema,
  imageStepsSchema,
  preparedSampleSchema,
  preprocessingSchema,
  sampleViewSchema,
} from './dataset.ts'
import { errorReportSchema, progressSchema } from './job.ts'
import { modelReportSchema } from './model.ts'
import { driftReferenceSchema } from './monitoring.ts'
import { pathSchema, serviceNameSchema, targetSchema } from './names.ts'
import { optimizeSummarySchema, recipeSchema, sensitivityReportSchema } from './recipe.ts'
import { goldenAnswersSchema, serviceFieldSchema } from './service.ts'

/**
 * Backend → engine, over the IPC channel of a forked child: one request per process. The engine answers with progress, log lines,
 * then exactly one result or error, and exits. Killing it cancels; output files are written under a temporary name until whole.
 */
export const engineRequestSchema = z.discriminatedUnion('command', [
  /** Reads and checks an .onnx file, loads it in ONNX Runtime, and writes one self-contained file (external data embedded) to `outPath`. */
  z.object({ command: z.literal('import-model'), path: pathSchema, outPath: pathSchema }),
  /** Everything about a stored model. */
  z.object({ command: z.literal('inspect-model'), path: pathSchema, name: z.string() }),
  /** Reads a dataset of any format and writes it as plain arrays (with hashes, rows of splits, image files) into `outFolder`. */
  z.object({
    command: z.literal('import-dataset'),
    path: pathSchema,
    labelsPath: pathSchema.optional(),
    preprocessing: preprocessingSchema.optional(),
    csv: csvOptionsSchema.optional(),
    classes: z.record(z.string(), z.int().min(0)).optional(),
    outFolder: pathSchema,
  }),
  /** Reads a dataset once, whole. */
  z.object({ command: z.literal('describe-dataset'), source: datasetSourceSchema }),
  z.object({
    command: z.literal('split-dataset'),
    source: datasetSourceSchema,
    parts: z.array(z.object({ name: serviceNameSchema, share: z.number().positive().max(1) })),
    seed: z.int().min(0),
    stratify: z.boolean(),
    outFolder: pathSchema,
  }),
  /** Makes the pixels of a dataset of image files again; the source is whole, without rows. */
  z.object({ command: z.literal('remake-images'), source: datasetSourceSchema, image: imageStepsSchema, outFolder: pathSchema }),
  /** Samples for people to look at. */
  z.object({
    command: z.literal('view-samples'),
    source: datasetSourceSchema,
    classNames: z.array(z.string()).nullable(),
    choice: z.object({
      indices: z.array(z.int().min(0)).optional(),
      from: z.int().min(0),
      count: z.int().min(1),
      class: z.int().min(0).optional(),
    }),
  }),
  /** What a preprocessing description makes of one sample; the source carries the one it is stored with. */
  z.object({
    command: z.literal('preview-sample'),
    source: datasetSourceSchema,
    preprocessing: preprocessingSchema,
    index: z.int().min(0),
    modelPath: pathSchema.nullable(),
  }),
  z.object({ command: z.literal('find-duplicates'), sources: z.array(datasetSourceSchema) }),
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
  /** What a service that serves a model should know of its data: golden answers, the reference of drift, names and ranges of fields. */
  z.object({
    command: z.literal('serving-facts'),
    modelPath: pathSchema,
    /** Samples with the preprocessing the service will do; null for made-up inputs, which give golden answers only. */
    source: datasetSourceSchema.nullable(),
    threads: z.int().min(1).max(256).default(1),
  }),
  /** Sends samples to a service, and finds what its answers are worth. */
  z.object({
    command: z.literal('service-answers'),
    /** With the preprocessing of the service. */
    source: datasetSourceSchema,
    modelPath: pathSchema,
    /** Whether the service preprocesses values: those of the dataset are sent as they are then. */
    raw: z.boolean(),
    /** On loopback of this computer. */
    port: z.int().min(1).max(65535),
    token: z.string().regex(/^[\x21-\x7e]{1,256}$/),
    /** At most; spread over the dataset. */
    samples: z.int().min(1).max(100_000),
  }),
])
export type EngineRequest = z.infer<typeof engineRequestSchema>
export type EngineCommand = EngineRequest['command']

/** A part of a dataset: its rows in the whole, and what it holds. */
const madeSplitSchema = z.object({ split: z.string(), rowsPath: pathSchema, report: datasetReportSchema })

export const engineResultSchemas = {
  'import-model': modelReportSchema,
  'inspect-model': modelReportSchema,
  'import-dataset': z.object({
    format: datasetFormatSchema,
    /** New files; who asked takes them over. */
    files: z.array(z.object({ role: datasetFileRoleSchema, name: z.string(), path: pathSchema })),
    /** As given, with what the format adds (the size of images, the scale of IDX bytes). */
    preprocessing: preprocessingSchema,
    columns: z.array(datasetColumnSchema).nullable(),
    classNames: z.array(z.string()).nullable(),
    report: datasetReportSchema,
    /** Parts that the source itself names. */
    splits: z.array(madeSplitSchema),
  }),
  'describe-dataset': datasetReportSchema,
  'split-dataset': z.array(madeSplitSchema),
  'remake-images': z.object({ imagesPath: pathSchema, hashesPath: pathSchema, report: datasetReportSchema }),
  'view-samples': z.object({ total: z.number(), samples: z.array(sampleViewSchema) }),
  'preview-sample': preparedSampleSchema,
  /** Pairs of datasets by their place in the request; the contract's `DuplicatesReport` otherwise. */
  'find-duplicates': z.array(duplicatesReportSchema.shape.pairs.element.extend({ a: z.number(), b: z.number() })),
  'read-sample': z.object({ inputs: z.record(z.string(), z.unknown()), label: z.number().nullable() }),
  optimize: optimizeSummarySchema,
  sensitivity: sensitivityReportSchema,
  'serving-facts': z.object({
    golden: goldenAnswersSchema.nullable(),
    driftReference: driftReferenceSchema.nullable(),
    /** Where columns have names; ranges are those of the samples, widened. */
    fields: z.array(serviceFieldSchema),
    /** What is missing and why. */
    notes: z.array(z.string()),
  }),
  'service-answers': z.object({
    /** Null where the dataset does not say what is right; `reason` tells. */
    task: z.enum(['classification', 'regression']).nullable(),
    reason: z.string().nullable(),
    accuracy: z.number().nullable(),
    r2: z.number().nullable(),
    rmse: z.number().nullable(),
    /** Of the samples that were sent. */
    indices: z.array(z.number()),
    /** Bodies of `POST /predict` for some of them. */
    bodies: z.array(z.string()),
  }),
} as const
export type EngineResult<C extends EngineCommand> = z.infer<(typeof engineResultSchemas)[C]>

export const engineMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: progressSchema }),
  z.object({ type: z.literal('log'), text: z.string() }),
  z.object({ type: z.literal('result'), value: z.unknown() }),
  z.object({ type: z.literal('error'), error: errorReportSchema }),
])
export type EngineMessage = z.infer<typeof engineMessageSchema>
