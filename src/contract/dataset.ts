import { z } from 'zod'
import { displayNameSchema, idSchema, momentSchema, pathSchema, sha256Schema } from './names.ts'

/** Where the channels of an image stand: `[N,C,H,W]` or `[N,H,W,C]`. */
export const layoutSchema = z.enum(['channels-first', 'channels-last'])
export type Layout = z.infer<typeof layoutSchema>

/** How an image file becomes pixels of one size, uint8, channels last. Done once on this computer, so every machine sees the same pixels. */
export const imageStepsSchema = z
  .object({
    width: z.int().min(1).max(4096),
    height: z.int().min(1).max(4096),
    /**
     * stretch: to width × height, whatever the shape; cover: fill it, cut what sticks out (centre); contain: whole image inside, the rest
     * `pad`; short-side: shorter side to `shortSide`, then the centre of width × height (how ImageNet networks are evaluated).
     */
    resize: z.enum(['stretch', 'cover', 'contain', 'short-side']).default('stretch'),
    shortSide: z.int().min(1).max(4096).optional().describe('only for short-side; 256 with 224 × 224'),
    filter: z.enum(['nearest', 'linear', 'cubic', 'lanczos3']).default('linear'),
    colour: z.enum(['rgb', 'grey']).default('rgb').describe('grey gives one channel'),
    pad: z.tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)]).default([0, 0, 0]),
  })
  .strict()
export type ImageSteps = z.infer<typeof imageStepsSchema>

/**
 * How stored samples become model inputs, in this order: image geometry (image files only), channel order, value × scale, then
 * (value − mean[c]) ÷ std[c] on the channel axis of what is stored (features for tables), layout, element type. Absent fields do nothing.
 * Travels with builds to the device, so evaluation and server cannot disagree.
 */
export const preprocessingSchema = z
  .object({
    image: imageStepsSchema.optional(),
    /** How the stored arrays hold images; image files are channels-last. Needed only where `layout` differs or channels are reversed. */
    stored: layoutSchema.optional(),
    /** RGB to BGR or back. */
    reverseChannels: z.boolean().optional(),
    /** Factor on every value; 1/255 for bytes. */
    scale: z.number().optional(),
    mean: z.array(z.number()).max(4096).optional(),
    std: z.array(z.number().positive()).max(4096).optional(),
    /** What the model takes; samples stored the other way are transposed. */
    layout: layoutSchema.optional(),
    /** Element type after all steps, checked against the model's input. Default: whatever the model takes. */
    dtype: z.enum(['float32', 'float16', 'float64', 'uint8', 'int8', 'int32', 'int64']).optional(),
  })
  .strict()
export type Preprocessing = z.infer<typeof preprocessingSchema>

/** A column of a table: the array `features` holds one float32 a column, categories as their index. */
export const datasetColumnSchema = z.object({
  name: z.string(),
  kind: z.enum(['number', 'category']),
  /** Of a category column: the texts, in the order of their index. */
  categories: z.array(z.string()).max(10_000).nullable(),
  /** Cells that were empty in the file, before the policy for missing values was applied. */
  missing: z.number(),
})
export type DatasetColumn = z.infer<typeof datasetColumnSchema>

/**
 * A file of a dataset. `array`: one .npy, called `name`. `rows`: an .npy of int32, the rows that a split consists of. `originals`: the
 * image files as they were, in one uncompressed zip (for making the pixels again). `hashes`: uint32 .npy [N,4], the first 64 bits of a
 * sample's SHA-256 and, for pictures, the 64 bits of its difference hash (else 0).
 * `samples` and `labels`: .npz and IDX files of datasets imported by versions that kept them as they were; `samples` of an .npz holds its labels.
 */
export const datasetFileRoleSchema = z.enum(['samples', 'labels', 'array', 'rows', 'originals', 'hashes'])
export const datasetFileSchema = z.object({ role: datasetFileRoleSchema, name: z.string().optional(), path: pathSchema })

/** Where samples are read from at run time: the same description on this computer and on a device. */
export const datasetSourceSchema = z.object({
  /** arrays: plain .npy files, read from disk batch by batch; npz and idx: read whole (see {@link datasetFileRoleSchema}). */
  format: z.enum(['npz', 'idx', 'arrays']),
  /** How messages call the dataset. */
  name: z.string(),
  files: z.array(datasetFileSchema).min(1).max(1002),
  preprocessing: preprocessingSchema,
  columns: z.array(datasetColumnSchema).max(10_000).optional(),
})
export type DatasetSource = z.infer<typeof datasetSourceSchema>

/** An array of a dataset. */
export const datasetArraySchema = z.object({ name: z.string(), type: z.string(), shape: z.array(z.number()) })

/** Statistics of an array along its channel or feature axis, before preprocessing; for fitting scale, mean and std. */
export const arrayStatisticsSchema = z.object({
  array: z.string(),
  /** Axis the entries run along, the samples being axis 0; null: one entry for all values. */
  axis: z.number().nullable(),
  mean: z.array(z.number()),
  std: z.array(z.number()),
  min: z.array(z.number()),
  max: z.array(z.number()),
})
export type ArrayStatistics = z.infer<typeof arrayStatisticsSchema>

/** What reading a dataset once found out. */
export const datasetReportSchema = z.object({
  samples: z.number(),
  arrays: z.array(datasetArraySchema),
  /** True with class labels. */
  labelled: z.boolean(),
  /** Number of samples of each class label; null without labels. */
  classCounts: z.record(z.string(), z.number()).nullable(),
  sizeBytes: z.number(),
  /** Values to regress: their number a sample, range and distribution (`edges` has one more entry than `counts`). Null without targets. */
  targets: z
    .object({
      width: z.number(),
      min: z.number(),
      max: z.number(),
      mean: z.number(),
      std: z.number(),
      histogram: z
        .object({ edges: z.array(z.number()), counts: z.array(z.number()) })
        .nullable()
        .default(null),
    })
    .nullable()
    .default(null),
  statistics: z.array(arrayStatisticsSchema).default([]),
  /** Samples that equal an earlier one of the same dataset. */
  duplicates: z.number().nullable().default(null),
  /** What was decided while reading: rows dropped, columns left out, files skipped. */
  notes: z.array(z.string()).default([]),
})
export type DatasetReport = z.infer<typeof datasetReportSchema>

/** What the user imported. */
export const datasetFormatSchema = z.enum(['npz', 'npy', 'idx', 'csv', 'images'])
export type DatasetFormat = z.infer<typeof datasetFormatSchema>

/** A dataset in the workspace. */
export const datasetSchema = z.object({
  id: idSchema,
  name: displayNameSchema,
  format: datasetFormatSchema,
  files: z.array(
    z.object({
      role: datasetFileRoleSchema,
      sha256: sha256Schema,
      /** Of an array: its name; else the file's. */
      name: z.string(),
    }),
  ),
  preprocessing: preprocessingSchema,
  report: datasetReportSchema,
  createdAt: momentSchema,
  source: z.string().nullable(),
  /** The dataset this one is a split of (same files, and `rows`). */
  parentId: idSchema.nullable().default(null),
  /** `train`, `test` …; null for a whole dataset. */
  split: z.string().nullable().default(null),
  columns: z.array(datasetColumnSchema).nullable().default(null),
  /** Names of the classes by index, from folders or a text label column. */
  classNames: z.array(z.string()).nullable().default(null),
})
export type Dataset = z.infer<typeof datasetSchema>

/** How a .csv is read. */
export const csvOptionsSchema = z
  .object({
    label: z.string().optional().describe('label or target column; default: the last one called label, class, target or y, else none'),
    task: z.enum(['classification', 'regression']).optional().describe('default: from the values of the label column'),
    delimiter: z.enum([',', ';', '\t', '|']).optional().describe('default: found out'),
    ignore: z.array(z.string()).max(10_000).optional().describe('columns to leave out, for example row numbers'),
    splitColumn: z.string().optional().describe('column that names the split of each row'),
    missing: z
      .enum(['refuse', 'drop-row', 'mean', 'zero'])
      .default('refuse')
      .describe('empty cells: an error, leave the row out, the mean (most frequent category), or 0'),
  })
  .strict()
export type CsvOptions = z.infer<typeof csvOptionsSchema>

/** A small picture, 4 bytes a pixel. */
export const pictureSchema = z.object({
  width: z.number(),
  height: z.number(),
  rgba: z.instanceof(Uint8Array) as z.ZodType<Uint8Array>,
})
export type Picture = z.infer<typeof pictureSchema>

/** One sample as a person looks at it. */
export const sampleViewSchema = z.object({
  index: z.number(),
  label: z.number().nullable(),
  labelName: z.string().nullable(),
  /** Values to regress. */
  target: z.array(z.number()).nullable(),
  /** Null for samples that are no image. At most 96 pixels a side. */
  picture: pictureSchema.nullable(),
  /** The first values of each array, as stored. */
  values: z.array(z.object({ array: z.string(), shape: z.array(z.number()), first: z.array(z.number()) })),
})
export type SampleView = z.infer<typeof sampleViewSchema>

/** What preprocessing makes of one sample, for the live preview. */
export const preparedSampleSchema = z.object({
  /** As stored (an image file: the whole image). */
  original: pictureSchema.nullable(),
  /** What the model sees, values spread over black to white; null for what is no image. */
  prepared: pictureSchema.nullable(),
  inputs: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      shape: z.array(z.number()),
      min: z.number(),
      max: z.number(),
      mean: z.number(),
      first: z.array(z.number()),
    }),
  ),
  /** Why it does not fit the model, or cannot be done; empty when all is well. */
  problems: z.array(z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() })),
})
export type PreparedSample = z.infer<typeof preparedSampleSchema>

/** Equal samples, within a dataset or between two (splits of one, for example). */
export const duplicatesReportSchema = z.object({
  /** How many samples of `b` also occur in `a`; for a = b samples that equal an earlier one. */
  pairs: z.array(
    z.object({
      a: idSchema,
      b: idSchema,
      count: z.number(),
      /** How many more look like one without being equal. */
      similar: z.number().default(0),
      /** Up to 50, `similar` for pictures that look alike (difference hash, at most 2 of 64 bits differ) without being equal. */
      examples: z.array(z.object({ indexA: z.number(), indexB: z.number(), kind: z.enum(['equal', 'similar']) })),
    }),
  ),
})
export type DuplicatesReport = z.infer<typeof duplicatesReportSchema>
