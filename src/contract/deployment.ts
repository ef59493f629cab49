import { z } from 'zod'
import { preprocessingSchema } from './dataset.ts'
import { deviceIdSchema } from './device.ts'
import { idSchema, momentSchema, serviceNameSchema } from './names.ts'

/** A build being served on a device. */
export const deploymentSchema = z.object({
  id: idSchema,
  service: serviceNameSchema,
  deviceId: deviceIdSchema,
  device: z.string(),
  modelId: idSchema,
  model: z.string(),
  /** Loopback port on the device. */
  port: z.number(),
  /** What the service does to values before they reach the model. */
  preprocessing: preprocessingSchema,
  createdAt: momentSchema,
  state: z.enum(['running', 'stopped', 'failed', 'unknown']),
  /** Address on this computer that leads to the service through the SSH tunnel; null while no tunnel is open. */
  localUrl: z.string().nullable(),
})
export type Deployment = z.infer<typeof deploymentSchema>

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
