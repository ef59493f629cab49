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

const environmentVariableSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
  .nullable()

/** How to log in. A secret itself is never stored here: only where it comes from. */
export const deviceAuthSchema = z.discriminatedUnion('method', [
  /** As `ssh` does it: the ssh-agent, then the key files of ~/.ssh/config or the usual ones, then questions. */
  z.object({ method: z.literal('default') }),
  /** A key file. Its passphrase, where it has one, comes from an environment variable, the OS key store, or a question. */
  z.object({ method: z.literal('key'), keyPath: pathSchema, passphraseVariable: environmentVariableSchema.default(null) }),
  /** Password from the OS key store (window) or from an environment variable (command line). */
  z.object({ method: z.literal('password'), environmentVariable: environmentVariableSchema }),
  /** The running ssh-agent. */
  z.object({ method: z.literal('agent') }),
  /** Keyboard-interactive: every prompt of the device becomes a question (one-time codes). */
  z.object({ method: z.literal('interactive') }),
])
export type DeviceAuth = z.infer<typeof deviceAuthSchema>

/** A name of a `Host` line. */
export const configHostSchema = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\s*?!,"'@/-][^\s*?!,"'@/]*$/, 'not a host of an SSH configuration')

/** What `ssh -J` takes. */
export const jumpSchema = z
  .string()
  .max(1000)
  .regex(/^[^\s,-][^\s,]*(,[^\s,-][^\s,]*){0,7}$/, 'give user@host:port, several separated by commas')

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
  /** System on chip, from the device tree's `compatible`: `bcm2712`, `tegra234`. */
  soc: z.string().nullable().default(null),
  /** Groups of cores that share a clock. */
  clusters: z
    .array(
      z.object({
        cores: z.string(),
        governor: z.string().nullable(),
        currentMhz: z.number().nullable(),
        allowedMhz: z.number().nullable(),
        maxMhz: z.number().nullable(),
      }),
    )
    .default([]),
  thermalZones: z.array(z.object({ name: z.string(), celsius: z.number() })).default([]),
  swapBytes: z.number().nullable().default(null),
  /** Jetson: version of the package nvidia-jetpack or what L4T's release stands for; L4T release as `36.4.3`. */
  jetPack: z.string().nullable().default(null),
  l4t: z.string().nullable().default(null),
  /** Jetson: `nvpmodel -q`. */
  powerMode: z.object({ name: z.string(), id: z.number().nullable() }).nullable().default(null),
  tensorRt: z.string().nullable().default(null),
  trtexec: z.string().nullable().default(null),
  cuda: z.string().nullable().default(null),
  /** Sensors of supply rails that can be read without root, with what they showed. */
  powerRails: z.array(z.object({ name: z.string(), watts: z.number().nullable() })).default([]),
  tmpNoexec: z.boolean().nullable().default(null),
  sudo: z.enum(['without password', 'with password', 'none']).nullable().default(null),
  /** `systemctl is-system-running`. */
  systemdState: z.string().nullable().default(null),
  /** Whether services of this user outlive the log-in. */
  linger: z.boolean().nullable().default(null),
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
  connection: z
    .object({
      host: hostSchema,
      port: z.int().min(1).max(65535),
      user: userSchema,
      auth: deviceAuthSchema,
      /** Added as a `Host` of ~/.ssh/config: address, user, keys and jump hosts are read there at every connection. */
      configHost: configHostSchema.nullable().default(null),
      /** Hosts to go through, as for `ssh -J`: `user@host:port`, several with commas. */
      jump: jumpSchema.nullable().default(null),
    })
    .nullable(),
  /** Fingerprint the user confirmed. */
  hostKey: fingerprintSchema.nullable(),
  report: deviceReportSchema.nullable(),
  /** Version of the agent bundle that was pushed last. */
  agentVersion: z.string().nullable(),
  createdAt: momentSchema,
})
export type Device = z.infer<typeof deviceSchema>
