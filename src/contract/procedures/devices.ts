import { z } from 'zod'
import {
  configHostSchema,
  deviceAuthSchema,
  deviceIdSchema,
  deviceReportSchema,
  deviceSchema,
  fingerprintSchema,
  hostSchema,
  jumpSchema,
  userSchema,
} from '../device.ts'
import { deviceLinkSchema, deviceLogLineSchema, portForwardSchema, sshConfigHostSchema } from '../device-link.ts'
import { idSchema, serviceNameSchema } from '../names.ts'
import { questionSchema } from '../question.ts'
import { telemetryReadingSchema } from '../telemetry.ts'
import { call, nothing, start } from './procedure.ts'

/** Devices, connections to them, and what they ask. */
export const deviceProcedures = {
  'devices.list': call('This computer and every added device', nothing, z.array(deviceSchema)),
  'devices.add': call(
    'Connect to a device, check its host key, probe it and keep it. HOST_KEY_UNKNOWN carries the fingerprint to confirm',
    z.object({
      name: serviceNameSchema,
      host: hostSchema.describe('with configHost: that name'),
      port: z.int().min(1).max(65535).default(22),
      user: userSchema,
      auth: deviceAuthSchema,
      configHost: configHostSchema
        .optional()
        .describe('a Host of ~/.ssh/config, which then decides about address, user, keys and jump hosts'),
      jump: jumpSchema.optional().describe('hosts to go through, as for ssh -J'),
      /** Only in the window: password of the user, or passphrase of the key; handed to the OS key store, never stored here. */
      password: z.string().max(1024).optional(),
      hostKey: fingerprintSchema.optional().describe('the fingerprint the user confirmed'),
      jumpHostKeys: z.array(fingerprintSchema).max(8).default([]).describe('fingerprints of jump hosts the user confirmed'),
    }),
    deviceSchema,
  ),
  'devices.hosts': call('Hosts of the user’s SSH configuration', nothing, z.array(sshConfigHostSchema)),
  'devices.links': call('State of the connection to every device', nothing, z.array(deviceLinkSchema)),
  'devices.connect': call(
    'Connect now, and answer when the device is ready or why it is not',
    z.object({ id: deviceIdSchema }),
    deviceLinkSchema,
  ),
  'devices.disconnect': call('Close the connection; running jobs on the device fail', z.object({ id: deviceIdSchema }), deviceLinkSchema),
  'devices.log': call(
    'What happened between this computer and a device, oldest first; at most the last 2,000 lines',
    z.object({ id: deviceIdSchema, after: z.int().min(0).default(0).describe('only lines with a higher number') }),
    z.array(deviceLogLineSchema),
  ),
  'devices.telemetry': call(
    'Temperature, clocks, load, memory and power of a device. Asking starts the readings; they stop some seconds after nobody asked',
    z.object({
      id: deviceIdSchema,
      connect: z.boolean().default(true).describe('connect first; otherwise a device without a connection has no readings'),
    }),
    z.object({ readings: z.array(telemetryReadingSchema).max(600), powerSource: z.string().nullable() }),
  ),
  'devices.forwards': call('Ports of this computer that lead to devices', nothing, z.array(portForwardSchema)),
  'questions.list': call('What devices ask right now', nothing, z.array(questionSchema)),
  'questions.answer': call(
    'Answer a question; null gives up',
    z.object({
      id: idSchema,
      answers: z.array(z.string().max(1024)).max(10).nullable(),
      remember: z.boolean().default(false).describe('keep the answer in the OS key store'),
    }),
    nothing,
  ),
  'devices.probe': call('Read the state of a device again', z.object({ id: deviceIdSchema }), deviceReportSchema),
  'devices.prepare': start(
    'Push the agent to a device and run its self-test',
    z.object({ id: deviceIdSchema }),
    z.object({ sentBytes: z.number(), sentFiles: z.number(), totalBytes: z.number(), durationMs: z.number(), agentVersion: z.string() }),
  ),
  'devices.remove': call(
    'Stop services, delete everything Edgesmith put on the device and forget it; with `keepFiles` only forget it (device unreachable)',
    z.object({ id: idSchema, keepFiles: z.boolean().default(false) }),
    z.object({ removedBytes: z.number() }),
  ),
} as const
