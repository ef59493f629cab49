import { z } from 'zod'
import { idSchema, momentSchema, pathSchema, serviceNameSchema, targetSchema } from './names.ts'

/** Identifier of the device that is this computer; it always exists. */
export const LOCAL_DEVICE_ID = 'local'
/** Its name in the window and on the command line. */
export const LOCAL_DEVICE_NAME = 'this-computer'

export const deviceIdSchema = z.union([z.literal(LOCAL_DEVICE_ID), idSchema])

/** Host names, IPv4 and IPv6 addresses; no spaces, no option-like values. */
export const hostSchema = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[A-Za-z0-9:][A-Za-z0-9_.:%-]*$/, 'not a host name or address')
export const userSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@$-]*$/, 'not a user name')

/** Fingerprint as OpenSSH prints it. */
export const fingerprintSchema = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'expected SHA256: and 43 base64 characters')

/** How to log in. A password itself is never stored here: only where it comes from. */
export const deviceAuthSchema = z.discriminatedUnion('method', [
  z.object({ method: z.literal('key'), keyPath: pathSchema }),
  /** Password from the OS key store (window) or from an environment variable (command line). */
  z.object({
    method: z.literal('password'),
    environmentVariable: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .nullable(),
  }),
  /** The running ssh-agent. */
  z.object({ method: z.literal('agent') }),
])
export type DeviceAuth = z.infer<typeof deviceAuthSchema>

/** One thing the probe checked before anything is pushed. */
export const deviceCheckSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  found: z.string(),
  needed: z.string(),
  /** Error code of a failed check. */
  code: z.string().nullable(),
})

/** What the probe read in one round trip. */
export const deviceReportSchema = z.object({
  machine: z.string(),
  board: z.string().nullable(),
  architecture: z.string(),
  longBits: z.number(),
  system: z.string(),
  kernel: z.string(),
  glibc: z.string().nullable(),
  cpu: z.string(),
  cpuFeatures: z.array(z.string()),
  cores: z.number(),
  governor: z.string().nullable(),
  maxClockMhz: z.number().nullable(),
  memoryBytes: z.number(),
  availableMemoryBytes: z.number(),
  freeDiskBytes: z.number(),
  loadAverage: z.number().nullable(),
  temperatureC: z.number().nullable(),
  /** Raspberry Pi: bits of `vcgencmd get_throttled`. */
  throttled: z.number().nullable(),
  /** Jetson: L4T release line. */
  jetson: z.string().nullable(),
  hasSystemd: z.boolean(),
  home: z.string(),
  homeNoexec: z.boolean(),
  clockSkewSeconds: z.number(),
  target: targetSchema.nullable(),
  checks: z.array(deviceCheckSchema),
  /** All checks passed: the agent can run there. */
  fits: z.boolean(),
  probedAt: momentSchema,
})
export type DeviceReport = z.infer<typeof deviceReportSchema>

export const deviceSchema = z.object({
  id: deviceIdSchema,
  name: serviceNameSchema,
  /** Null for this computer. */
  connection: z.object({ host: hostSchema, port: z.int().min(1).max(65535), user: userSchema, auth: deviceAuthSchema }).nullable(),
  /** Fingerprint the user confirmed. */
  hostKey: fingerprintSchema.nullable(),
  report: deviceReportSchema.nullable(),
  /** Version of the agent bundle that was pushed last. */
  agentVersion: z.string().nullable(),
  createdAt: momentSchema,
})
export type Device = z.infer<typeof deviceSchema>
