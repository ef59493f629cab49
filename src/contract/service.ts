import { z } from 'zod'
import { preprocessingSchema } from './dataset.ts'
import { driftReferenceSchema, predictionLogSettingsSchema, retrainingWebhookSettingsSchema } from './monitoring.ts'
import { pathSchema, serviceNameSchema, sha256Schema } from './names.ts'

// What a service is, as it is written down on the machine that runs it: `services/NAME/` there holds `service.json` (ServiceSettings),
// `token`, `routing.json` (`routing.ts`), `runtime` (folder of the agent) and `releases/ID/release.json` (Release).

/** One value of an input, as people know it: requests may give it by name, and values outside its range are refused. */
export const serviceFieldSchema = z.object({
  input: z.string().max(2000),
  /** Place of the value in one sample of the input, counted from 0 over all its dimensions, before preprocessing. */
  index: z.int().min(0).max(10_000_000),
  name: z.string().min(1).max(200),
  /** Smallest and largest value that is taken; null for no bound. */
  min: z.number().nullable().default(null),
  max: z.number().nullable().default(null),
})
export type ServiceField = z.infer<typeof serviceFieldSchema>

/** A token bucket: `burst` requests at once, `requestsPerSecond` in the long run. */
const rateLimitSchema = z.object({ requestsPerSecond: z.number().positive().max(1e6), burst: z.int().min(1).max(1_000_000) })

/** Of a client: who it is, in the log; never secret. */
export const apiKeyNameSchema = z.string().regex(/^[\w.@-]{1,64}$/, 'use 1 to 64 letters, digits and . _ @ -, no spaces')

/** A client of its own beside those that know the service's token. */
const apiKeySchema = z.object({
  name: apiKeyNameSchema,
  /** Of the key's text; the key itself is nowhere on the device. */
  sha256: sha256Schema,
  /** Instead of the service's limit. */
  rateLimit: rateLimitSchema.nullable().default(null),
})

/** Names under which a service that is open to the network may be asked, without port: `box.local`, `192.168.1.20`. */
const networkSchema = z.object({
  hosts: z
    .array(
      z
        .string()
        .regex(
          /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])$/,
          'must be names or addresses without port, such as box.local or 192.168.1.20',
        ),
    )
    .min(1, 'needs at least one name or address, such as box.local')
    .max(50),
})

const settingsShape = {
  service: serviceNameSchema,
  /** Anything but loopback needs `network`. */
  host: z.union([z.ipv4(), z.ipv6()]),
  /** 0 picks a free port; a deployed service keeps the one it got. */
  port: z.int().min(0).max(65535),
  /** Says on purpose that the service is open to the network; null for loopback only. */
  network: networkSchema.nullable().default(null),
  apiKeys: z.array(apiKeySchema).max(1000).default([]),
  /** Prediction requests of each client, a batch being one; null for no limit. */
  rateLimit: rateLimitSchema.nullable().default(null),
  /** Predictions that are worked on together; more are refused. */
  concurrency: z.int().min(1).max(10_000).default(512),
  /** A prediction that is not answered this long after its body arrived is given up; a client may ask for less. */
  deadlineMs: z.int().min(1).max(600_000).default(60_000),
  /** Share of requests that get a line in the log, 0 to 1. */
  accessLogShare: z.number().min(0).max(1).default(0),
  /** Predictions are written to `predictions.sqlite` in the service's folder; off unless asked for: inputs are private data. */
  predictionLog: predictionLogSettingsSchema.omit({ path: true }).nullable().default(null),
  /** The secret that signs is `webhook-secret` in the service's folder (mode 0600). */
  retraining: retrainingWebhookSettingsSchema.omit({ secretPath: true, statePath: true }).nullable().default(null),
}

const openOnPurpose = ({ host, network }: { host: string; network: unknown }) => network !== null || host === '127.0.0.1' || host === '::1'
const notOnPurpose = {
  path: ['host'],
  message: 'is open to the network: that needs "network" with the names the service may be asked under',
}

/** `service.json`: what stays the same from release to release. */
export const serviceSettingsSchema = z.object(settingsShape).refine(openOnPurpose, notOnPurpose)
export type ServiceSettings = z.infer<typeof serviceSettingsSchema>
/** As it is written: what has a default may be left out. */
export type ServiceSettingsFile = z.input<typeof serviceSettingsSchema>

/** What a user decides about a service; null takes something away that was set before. */
export const serviceChoicesSchema = z.strictObject({
  host: settingsShape.host.optional(),
  network: networkSchema.nullable().optional(),
  /** All of them; those already there are named without their key. A new one without a key gets one (`deploy.secrets`). */
  apiKeys: z
    .array(
      z.strictObject({
        name: apiKeySchema.shape.name,
        key: z
          .string()
          .regex(/^[\x21-\x7e]{16,256}$/)
          .optional(),
        rateLimit: rateLimitSchema.nullable().optional(),
      }),
    )
    .max(1000)
    .optional(),
  rateLimit: rateLimitSchema.nullable().optional(),
  concurrency: z.int().min(1).max(10_000).optional(),
  deadlineMs: z.int().min(1).max(600_000).optional(),
  accessLogShare: z.number().min(0).max(1).optional(),
  predictionLog: predictionLogSettingsSchema.omit({ path: true }).nullable().optional(),
  /** `secret` signs; made where it is left out and the service has none (`deploy.secrets`). */
  retraining: retrainingWebhookSettingsSchema
    .omit({ secretPath: true, statePath: true })
    .extend({
      secret: z
        .string()
        .regex(/^[\x21-\x7e]{16,256}$/)
        .optional(),
    })
    .nullable()
    .optional(),
})
export type ServiceChoices = z.infer<typeof serviceChoicesSchema>

/** Base64 of a tensor's elements, row-major, little-endian. */
const tensorTextSchema = z.object({
  name: z.string().max(2000),
  type: z.string().max(20),
  dims: z.array(z.int().min(0)).max(16),
  values: z.string().max(12_000_000),
})
export type TensorText = z.infer<typeof tensorTextSchema>

/** Inputs of the model (after preprocessing, with batch dimension) and what it answered to them on the computer it was deployed from. */
export const goldenAnswersSchema = z.object({
  samples: z.array(z.object({ inputs: z.array(tensorTextSchema).max(100), outputs: z.array(tensorTextSchema).max(100) })).max(64),
  /**
   * Largest allowed difference as a share of the output's range over all samples. Processors round differently, 8-bit ones very much so:
   * this finds wrong files, broken kernels and NaN, not rounding.
   */
  tolerance: z.number().gt(0).max(1),
})
export type GoldenAnswers = z.infer<typeof goldenAnswersSchema>

const releaseShape = {
  /** Name people gave the model or build. */
  modelName: z.string(),
  /** Absolute, or relative to the folder of the file that says it. */
  modelPath: pathSchema,
  modelSha256: sha256Schema,
  preprocessing: preprocessingSchema,
  labels: z.array(z.string()).nullable(),
  /** Measured on this device before; answered by `/model_info`. */
  accuracy: z.number().nullable(),
  latencyP50Ms: z.number().nullable(),
  /** Threads inside an operator. */
  threads: z.int().min(1).max(256).default(1),
  /** Threads that run the model beside the one that answers; null lets the server decide from the time of a run, 0 forces the answering thread. */
  workers: z.int().min(0).max(64).nullable().default(null),
  fields: z.array(serviceFieldSchema).max(10_000).default([]),
  /** Output that is answered only where `"embedding": true` asks for it. */
  embedding: z.string().max(2000).nullable().default(null),
  golden: goldenAnswersSchema.nullable().default(null),
  driftReference: driftReferenceSchema.nullable().default(null),
}

/**
 * `releases/ID/release.json`: a model and how it is served. Content-addressed: ID is the first 16 hex digits of the SHA-256 of the file,
 * which is never changed. The model lies where `modelPath` says and is checked by its hash.
 */
export const releaseSchema = z.object(releaseShape)
export type Release = z.infer<typeof releaseSchema>
export type ReleaseFile = z.input<typeof releaseSchema>

/** What `release.json` holds: one text for equal releases. */
export function releaseText(release: ReleaseFile): string {
  return `${JSON.stringify(releaseSchema.parse(release), null, 1)}\n`
}

/** First 16 hex digits of the SHA-256 of a `release.json`. */
export const releaseIdSchema = z.string().regex(/^[0-9a-f]{16}$/)

/** The file `node agent.cjs serve FILE` reads: a service with one release in one file, for whoever starts it himself. */
export const serviceConfigSchema = z
  .object({
    ...settingsShape,
    ...releaseShape,
    /** Identifies the release; answered as `version`. */
    version: z.string(),
    /** File with the access token (mode 0600). */
    tokenPath: pathSchema,
    /** Where the service writes `{pid, port, startedAt}` once it listens, and removes it when it ends. */
    statePath: pathSchema,
  })
  .refine(openOnPurpose, notOnPurpose)
export type ServiceConfig = z.infer<typeof serviceConfigSchema>
/** As it is written: what has a default may be left out. */
export type ServiceConfigFile = z.input<typeof serviceConfigSchema>

/** `state.json`: written by the serving process once it listens, removed when it ends. */
export const serviceStateSchema = z.object({ pid: z.number(), port: z.number(), startedAt: z.string() })
export type ServiceState = z.infer<typeof serviceStateSchema>
