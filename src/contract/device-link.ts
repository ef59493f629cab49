import { z } from 'zod'
import { deviceIdSchema } from './device.ts'
import { errorReportSchema } from './job.ts'
import { momentSchema } from './names.ts'

/**
 * The connection to a device. idle: nobody needed it yet, or it was closed on purpose; preparing: the agent is being sent and tested;
 * reconnecting: the link broke and is tried again at `nextAttemptAt`; failed: `error` says what to do.
 */
export const deviceLinkSchema = z.object({
  deviceId: deviceIdSchema,
  state: z.enum(['idle', 'connecting', 'preparing', 'ready', 'reconnecting', 'failed']),
  since: momentSchema,
  /** Attempts since the link broke. */
  attempts: z.number(),
  nextAttemptAt: momentSchema.nullable(),
  error: errorReportSchema.nullable(),
})
export type DeviceLink = z.infer<typeof deviceLinkSchema>

/** One line of a device's log: connections, pushes, measurements, as a terminal would show them. `number` counts from 1. */
export const deviceLogLineSchema = z.object({ number: z.number(), at: momentSchema, text: z.string() })
export type DeviceLogLine = z.infer<typeof deviceLogLineSchema>

/** A loopback port of this computer that leads to one of a device. */
export const portForwardSchema = z.object({
  deviceId: deviceIdSchema,
  devicePort: z.number(),
  localPort: z.number(),
  /** What listens there, in words. */
  what: z.string(),
})
export type PortForward = z.infer<typeof portForwardSchema>

/** A `Host` of the user's ~/.ssh/config, resolved as `ssh -G` does. */
export const sshConfigHostSchema = z.object({
  alias: z.string(),
  host: z.string(),
  port: z.number(),
  user: z.string(),
  identityFiles: z.array(z.string()),
  /** As written, for example `admin@gateway:2222`. */
  proxyJump: z.string().nullable(),
})
export type SshConfigHost = z.infer<typeof sshConfigHostSchema>
