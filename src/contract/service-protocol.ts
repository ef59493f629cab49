import { z } from 'zod'
import { momentSchema, pathSchema, serviceNameSchema, sha256Schema } from './names.ts'
import { gateCheckSchema, releaseFailureSchema, releaseGateSchema, rolloutSchema, serviceEventSchema } from './routing.ts'
import { releaseIdSchema, releaseSchema, serviceSettingsSchema } from './service.ts'

// How services of a machine are changed: the host runs the agent's command `service` there (`agent-protocol.ts`), which works on the files
// and talks to the serving process through its `/control` paths.

/** A version of a service as its serving process sees it. */
export const liveVersionSchema = z.object({
  release: releaseIdSchema,
  modelName: z.string().max(1000),
  role: z.enum(['current', 'previous', 'beside']),
  kind: z.enum(['split', 'canary', 'shadow']).nullable(),
  /** Percent of requests; 0 for a shadow. */
  weight: z.number(),
  /** Where its model runs. */
  runsOn: z.enum(['answering thread', 'workers', 'not loaded']),
  workers: z.number(),
  /** Prediction requests it answered, and those that failed through the server's fault, since it was loaded. */
  requests: z.number(),
  errors: z.number(),
  /** Of the last 1,024 answered predictions; null before the first. */
  latencyP50Ms: z.number().nullable(),
  latencyP95Ms: z.number().nullable(),
  latencyP99Ms: z.number().nullable(),
  /** Samples that were given to this and the current release both, and how many of them were answered differently; null where nothing was compared. */
  compared: z.number().nullable(),
  differing: z.number().nullable(),
  /** Copies of requests a shadow did not take because its queue was full. */
  dropped: z.number().nullable(),
})
export type LiveVersion = z.infer<typeof liveVersionSchema>

/** A feature as the drift monitor last judged it. */
const driftFeatureSchema = z.object({
  name: z.string().max(1000),
  watches: z.enum(['input', 'prediction']),
  /** All null before the first window was full. */
  level: z.enum(['none', 'drifted', 'severe']).nullable(),
  psi: z.number().nullable(),
  psiLimit: z.number().nullable(),
  /** Kolmogorov-Smirnov distance (for categories the greatest change of a share) and its Holm-corrected p. */
  distance: z.number().nullable(),
  pValue: z.number().nullable(),
  windowsInARow: z.number(),
})

/** `GET /control/live`. */
export const serviceLiveSchema = z.object({
  at: momentSchema,
  uptimeSeconds: z.number(),
  ready: z.boolean(),
  draining: z.boolean(),
  pid: z.number(),
  rssBytes: z.number(),
  peakRssBytes: z.number(),
  cpuMs: z.number(),
  openConnections: z.number(),
  predictionsInFlight: z.number(),
  queueDepth: z.number(),
  /** Since the process started; see `GET /stats`. */
  requests: z.number(),
  predictions: z.number(),
  errors: z.number(),
  rejected: z.number(),
  latencyP50Ms: z.number().nullable(),
  latencyP95Ms: z.number().nullable(),
  latencyP99Ms: z.number().nullable(),
  versions: z.array(liveVersionSchema).max(10),
  /** `found`: what is known of it so far, in words, with the 95 % interval of the ratio of latencies. */
  watch: z.object({ release: releaseIdSchema, secondsLeft: z.number(), found: z.string().max(1000).default('') }).nullable(),
  canary: z
    .object({
      release: releaseIdSchema,
      step: z.number(),
      steps: z.array(z.number()).max(20),
      secondsLeft: z.number(),
      waitingFor: z.string().max(500),
      found: z.string().max(1000).default(''),
    })
    .nullable(),
  /** Null where no reference came with the release. */
  drift: z
    .object({
      windowRows: z.number(),
      filledRows: z.number(),
      judgedWindows: z.number(),
      triggered: z.array(z.string().max(1000)).max(2000),
      features: z.array(driftFeatureSchema).max(2000),
    })
    .nullable(),
  predictionLog: z.object({ writtenRows: z.number(), droppedRows: z.number(), fileBytes: z.number() }).nullable(),
  /** The newest ones, oldest first. */
  events: z.array(serviceEventSchema).max(200),
})
export type ServiceLive = z.infer<typeof serviceLiveSchema>

/** `POST /control/prepare`: loads a release beside the others and checks it; it gets no request yet. */
export const prepareRequestSchema = z.object({ release: releaseIdSchema, gate: releaseGateSchema })
export const prepareResultSchema = z.object({
  passed: z.boolean(),
  checks: z.array(gateCheckSchema).max(20),
  latencyP95Ms: z.number().nullable(),
})
export type PrepareResult = z.infer<typeof prepareResultSchema>

/** `POST /control/traffic`: decides who serves; answered with {@link serviceLiveSchema}. Releases must be prepared (`rollback` prepares by itself). */
export const trafficRequestSchema = z.discriminatedUnion('action', [
  /** A prepared release takes its place. */
  z.object({ action: z.literal('roll-out'), release: releaseIdSchema, rollout: rolloutSchema }),
  /** Another share for a release beside the current one. */
  z.object({ action: z.literal('weight'), release: releaseIdSchema, weight: z.number().min(0).max(100) }),
  /** A release beside the current one becomes current at once. */
  z.object({ action: z.literal('promote'), release: releaseIdSchema }),
  /** Takes one away that is beside the current one. */
  z.object({ action: z.literal('withdraw'), release: releaseIdSchema }),
  /** Takes everything back that is being tried; where nothing is, current and previous change places. */
  z.object({ action: z.literal('rollback') }),
])
export type TrafficRequest = z.infer<typeof trafficRequestSchema>

/** `POST /control/predictions`: a part of what was logged, oldest first. */
export const predictionPageRequestSchema = z.object({
  format: z.enum(['csv', 'jsonl']),
  /** Last row of the part before; 0 for the first part. */
  after: z.int().min(0),
  /** As the first part answered it; null for the first part. */
  newest: z.int().min(0).nullable(),
})
export type PredictionPageRequest = z.infer<typeof predictionPageRequestSchema>
export const predictionPageSchema = z.object({
  text: z.string().max(16_000_000),
  rows: z.int().min(0),
  after: z.int().min(0),
  newest: z.int().min(0),
  done: z.boolean(),
})
export type PredictionPage = z.infer<typeof predictionPageSchema>

/** How a service is kept running. */
export const supervisionSchema = z.enum(['system-unit', 'user-unit', 'cron', 'process'])
export type Supervision = z.infer<typeof supervisionSchema>

/** A version as it lies on the machine. */
const storedVersionSchema = z.object({
  release: releaseIdSchema,
  modelName: z.string().max(1000),
  modelSha256: sha256Schema,
  role: z.enum(['current', 'previous', 'beside', 'failed', 'kept']),
  weight: z.number(),
  /** When it was written there. */
  createdAt: momentSchema,
  failure: releaseFailureSchema.nullable(),
})

/** A service as it is on its machine. */
export const serviceReportSchema = z.object({
  service: serviceNameSchema,
  /** unknown: there is no such service. */
  state: z.enum(['running', 'stopped', 'failed', 'unknown']),
  /** What is wrong, or worth knowing. */
  message: z.string().max(2000).nullable(),
  pid: z.number().nullable(),
  port: z.number().nullable(),
  host: z.string().max(100).nullable(),
  uptimeSeconds: z.number().nullable(),
  rssBytes: z.number().nullable(),
  supervision: supervisionSchema.nullable(),
  /** Whether it serves again after the machine was started again, and if not, why. */
  survivesReboot: z.boolean(),
  rebootNote: z.string().max(1000).nullable(),
  versions: z.array(storedVersionSchema).max(100),
  events: z.array(serviceEventSchema).max(200),
})
export type ServiceReport = z.infer<typeof serviceReportSchema>

const service = serviceNameSchema
/** What is done. All but `look`, `logs` and `token` take the service's lock. */
export const serviceActionSchema = z.discriminatedUnion('action', [
  /**
   * Brings a release: files are checked, then load, warm-up, golden answers and latency, then it takes its place. The model is there.
   * @throws DEPLOY_FAILED (details.checks, details.log), PORT_TAKEN, DEVICE_BUSY, DEVICE_NO_SPACE
   */
  z.object({
    action: z.literal('deploy'),
    service,
    settings: serviceSettingsSchema,
    release: releaseSchema,
    rollout: rolloutSchema,
    gate: releaseGateSchema,
    /** Folder of the agent that shall serve it. */
    runtime: pathSchema,
    /** Taken where the service has no token yet. */
    token: z.string().regex(/^[\x21-\x7e]{16,256}$/),
    webhookSecret: z
      .string()
      .regex(/^[\x21-\x7e]{16,256}$/)
      .nullable()
      .default(null),
    /** auto: a user unit where systemd offers one that lives without a login, else cron, else a process. system: a system unit, through sudo without password. */
    supervise: z.enum(['auto', 'system', 'process']).default('auto'),
  }),
  /** One service, or all of the machine. */
  z.object({ action: z.literal('look'), service: service.nullable() }),
  z.object({ action: z.literal('traffic'), service, traffic: trafficRequestSchema }),
  z.object({ action: z.literal('stop'), service }),
  z.object({ action: z.literal('start'), service }),
  /** What is known of a release that failed is deleted, and the release too where nobody needs it. @throws NOT_FOUND */
  z.object({ action: z.literal('forget-failure'), service, release: releaseIdSchema }),
  /** Ends the serving process as a crash would (SIGKILL) and waits until it answers again: for a validation. `report.message` says how long it took. */
  z.object({ action: z.literal('crash'), service }),
  z.object({ action: z.literal('logs'), service, lines: z.int().min(1).max(5000) }),
  z.object({ action: z.literal('token'), service }),
  /** Stops it and deletes everything of it, unit and cron line included. */
  z.object({ action: z.literal('remove'), service }),
])
export type ServiceAction = z.infer<typeof serviceActionSchema>

export const serviceRequestSchema = z.object({
  command: z.literal('service'),
  /** Folder that holds `services/`. */
  root: pathSchema,
  /** Who asks, for the lock: host, process id and a random word, parted by spaces. */
  owner: z.string().max(200),
  request: serviceActionSchema,
})

/** What the command answers: `reports` always (of the service, or of all), the others where they were asked for. */
export const serviceResultSchema = z.object({
  reports: z.array(serviceReportSchema).max(1000),
  /** Of a deploy. */
  deployed: z
    .object({ release: releaseIdSchema, checks: z.array(gateCheckSchema).max(20), port: z.number(), pid: z.number() })
    .nullable()
    .default(null),
  logs: z.string().max(5_000_000).nullable().default(null),
  token: z.string().max(256).nullable().default(null),
})
export type ServiceResult = z.infer<typeof serviceResultSchema>
