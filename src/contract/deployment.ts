import { z } from 'zod'
import { preprocessingSchema } from './dataset.ts'
import { deviceIdSchema } from './device.ts'
import { idSchema, momentSchema, serviceNameSchema } from './names.ts'
import { gateCheckSchema } from './routing.ts'
import { releaseIdSchema, serviceSettingsSchema } from './service.ts'
import { supervisionSchema } from './service-protocol.ts'

/** A service on a device, as the workspace remembers it. */
export const deploymentSchema = z.object({
  id: idSchema,
  service: serviceNameSchema,
  deviceId: deviceIdSchema,
  device: z.string(),
  /** Of the release that was deployed last. */
  modelId: idSchema,
  model: z.string(),
  /** That release; null for what an older Edgesmith deployed. */
  release: releaseIdSchema.nullable(),
  /** Port on the device. */
  port: z.number(),
  /** What the service does to values before they reach the model. */
  preprocessing: preprocessingSchema,
  /** Null for what an older Edgesmith deployed. */
  settings: serviceSettingsSchema.nullable(),
  supervision: supervisionSchema.nullable(),
  survivesReboot: z.boolean().nullable(),
  /** Samples its last release was made with; the next one takes them too where nothing else is said. */
  datasetId: idSchema.nullable(),
  createdAt: momentSchema,
  state: z.enum(['running', 'stopped', 'failed', 'unknown']),
  /** Address on this computer that leads to the service through the SSH tunnel; null while no tunnel is open. */
  localUrl: z.string().nullable(),
})
export type Deployment = z.infer<typeof deploymentSchema>

/** A deployment right after its release was brought, with what was checked. */
export const deployedSchema = deploymentSchema.extend({
  checks: z.array(gateCheckSchema),
  rebootNote: z.string().nullable(),
  /** Somebody cancelled it when the release had taken its place already. */
  cancelledTooLate: z.boolean().default(false),
})
export type Deployed = z.infer<typeof deployedSchema>

/** What a running service says of itself. */
export const serviceStatusSchema = z.object({
  state: z.enum(['running', 'stopped', 'failed', 'unknown']),
  pid: z.number().nullable(),
  uptimeSeconds: z.number().nullable(),
  requests: z.number().nullable(),
  errors: z.number().nullable(),
  latencyP50Ms: z.number().nullable(),
  latencyP95Ms: z.number().nullable(),
  rssBytes: z.number().nullable(),
  message: z.string().nullable(),
})
export type ServiceStatus = z.infer<typeof serviceStatusSchema>

/** One line of a validation's table. */
const validationCheckSchema = z.object({
  name: z.enum(['answers', 'schema', 'golden answers', 'accuracy', 'latency', 'restart', 'load', 'errors under load', 'memory']),
  /** Null: not checked, `measured` says why. */
  passed: z.boolean().nullable(),
  measured: z.string().max(1000),
  limit: z.string().max(1000),
})

/** Whether a service may go to production: measured on its device. */
export const validationSchema = z.object({
  id: idSchema,
  deploymentId: idSchema,
  service: serviceNameSchema,
  deviceId: deviceIdSchema,
  device: z.string(),
  modelId: idSchema,
  model: z.string(),
  createdAt: momentSchema,
  passed: z.boolean(),
  checks: z.array(validationCheckSchema).max(50),
  load: z
    .object({
      requestsPerSecond: z.number(),
      achievedPerSecond: z.number(),
      seconds: z.number(),
      connections: z.number(),
      requests: z.number(),
      errors: z.number(),
      /** From the intended moment of sending. */
      latencyMs: z.object({ p50: z.number(), p90: z.number(), p95: z.number(), p99: z.number(), max: z.number(), mean: z.number() }),
    })
    .nullable(),
  accuracy: z.object({ samples: z.number(), measured: z.number(), expected: z.number(), metric: z.string().max(60) }).nullable(),
  warnings: z.array(z.string()).max(100),
})
export type Validation = z.infer<typeof validationSchema>
