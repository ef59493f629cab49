import { z } from 'zod'
import { type DriftReference, decodeSample } from '../core/drift/feature-sketch.ts'
import { fewestReferenceRows, mostCategories, mostFeatures, mostSampled } from '../core/drift/reference-sketcher.ts'

const watchedNameSchema = z.string().min(1).max(200)
const indexSchema = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)

/** Where a watched number comes from; the shape of the core's `DriftSource`. */
const driftSourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('input'), name: watchedNameSchema, index: indexSchema }),
  z.strictObject({ kind: z.literal('class') }),
  z.strictObject({ kind: z.literal('output'), name: watchedNameSchema, index: indexSchema }),
])

/** Base64 takes four characters for three bytes. */
const longestSample = Math.ceil((4 * mostSampled) / 3) * 4

const featureSketchSchema = z
  .strictObject({
    name: watchedNameSchema,
    source: driftSourceSchema,
    kind: z.enum(['numeric', 'categorical']),
    edges: z.array(z.number()).max(mostCategories),
    counts: z
      .array(z.int().min(0))
      .min(2)
      .max(mostCategories + 2),
    sample: z.string().max(longestSample),
  })
  .superRefine(({ edges, counts, sample }, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message })
    if (counts.length !== edges.length + 2) refuse(`${counts.length} counts for ${edges.length} edges, expected ${edges.length + 2}`)
    if (edges.some((edge, index) => index > 0 && !(edge > (edges[index - 1] as number)))) refuse('the edges do not ascend')
    if (!counts.some((count) => count > 0)) refuse('all bins are empty')
    const problem = sampleProblem(sample)
    if (problem) refuse(problem)
  })

/** What is wrong with a stored sample. */
function sampleProblem(text: string): string | null {
  try {
    const sample = decodeSample(text)
    if (!sample.every(Number.isFinite)) return 'the sample holds what is no finite number'
    return sample.every((value, index) => index === 0 || value >= (sample[index - 1] as number)) ? null : 'the sample does not ascend'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The reference that drift is measured against; a file of a build. */
export const driftReferenceSchema = z.strictObject({
  version: z.literal(1),
  rows: z.int().min(fewestReferenceRows),
  features: z.array(featureSketchSchema).min(1).max(mostFeatures),
}) satisfies z.ZodType<DriftReference>

/** How predictions are logged. Inputs are private data: a service without these settings logs none. */
export const predictionLogSettingsSchema = z.strictObject({
  path: z.string().min(1).max(4096),
  /** Share of predictions that are logged, chosen at random. */
  share: z.number().gt(0).max(1).default(1),
  /** Rows are deleted after so many days, and the oldest ones when the file becomes too large. */
  days: z.number().gt(0).max(3650).default(30),
  /** Of the file; at least 16 MiB, of which the write-ahead log takes 2. */
  bytes: z
    .int()
    .min(16 * 2 ** 20)
    .max(2 ** 40)
    .default(256 * 2 ** 20),
})
export type PredictionLogSettings = z.infer<typeof predictionLogSettingsSchema>

/** Whom to tell that a model should be trained again. */
export const retrainingWebhookSettingsSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, hostname: /./ })
    .max(2000)
    .refine((text) => !/^[a-z]+:\/\/[^/?#]*@/i.test(text), 'must not hold a user name or password'),
  /** File with the secret that signs requests (mode 0600). */
  secretPath: z.string().min(1).max(4096),
  /** Where an undelivered request and the time of the last one are kept. */
  statePath: z.string().min(1).max(4096),
  /** After one request the next drift is told no sooner. */
  coolDownHours: z
    .number()
    .gt(0)
    .max(24 * 366)
    .default(24),
})
