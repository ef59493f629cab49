import { z } from 'zod'

/**
 * How a host follows a measurement that goes on when their link breaks. The host starts `node agent.cjs host FOLDER` through SSH: a short-lived
 * process between the link and the folder of the run (`~/.edgesmith/jobs/<run>`). It writes frames on standard output: a line of JSON, after
 * `out` and `err` followed by that many bytes. The host answers with lines of JSON. The measurement itself is another process, the worker
 * (`agent work FOLDER`), which writes its messages (`agent-protocol.ts`) to a file. The end of standard input only detaches.
 */

/** Name of a run's folder. */
const runIdSchema = z.string().regex(/^[a-z0-9-]{1,60}$/)

/** Which process of which computer wants the result. */
export const runOwnerSchema = z.object({
  /** The same for all processes of one workspace on one computer, and different otherwise. */
  hostId: z.string().max(100),
  pid: z.int().min(0),
  /** For people. */
  host: z.string().max(255),
  user: z.string().max(255),
})
export type RunOwner = z.infer<typeof runOwnerSchema>

/** A run on a device, as its folder tells. */
export const detachedRunSchema = z.object({
  id: runIdSchema,
  /** Null when it does not say. */
  owner: runOwnerSchema.nullable(),
  running: z.boolean(),
  /** Since it was started; on the device's clock, which may have been set meanwhile. */
  ageSeconds: z.number(),
})
export type DetachedRunEntry = z.infer<typeof detachedRunSchema>

/** A run's own folder is left out of `jobs`. */
const jobsFrameSchema = z.object({ type: z.literal('jobs'), jobs: z.array(detachedRunSchema).max(1000) })

/** From the device. `jobs` comes first, and again before `end`. */
export const detachedFrameSchema = z.discriminatedUnion('type', [
  jobsFrameSchema,
  /** Bytes of the worker's messages, of its standard error, from an offset of each on. */
  z.object({
    type: z.literal('out'),
    offset: z.int().min(0),
    bytes: z
      .int()
      .min(1)
      .max(1 << 20),
  }),
  z.object({
    type: z.literal('err'),
    offset: z.int().min(0),
    bytes: z
      .int()
      .min(1)
      .max(1 << 20),
  }),
  /** A line for the log, like those of standard error. */
  z.object({ type: z.literal('note'), text: z.string().max(2000) }),
  /** The answer to `cancel`: it is being ended. */
  z.object({ type: z.literal('cancelling') }),
  /** Both null: it is gone, and nobody saw how. */
  z.object({ type: z.literal('end'), exitCode: z.int().nullable(), signal: z.string().max(40).nullable() }),
  /** There is no such run, or not any more. */
  z.object({ type: z.literal('missing') }),
])
export type DetachedFrame = z.infer<typeof detachedFrameSchema>

/** Longest line of JSON before a frame's bytes: a list of runs. */
export const FRAME_LINE_LIMIT = 1 << 20

/** From the host. */
export const hostLineSchema = z.discriminatedUnion('type', [
  /** Ends other runs and deletes their folders. Answered by nothing. */
  z.object({ type: z.literal('clear'), ids: z.array(runIdSchema).max(1000) }),
  /** Starts the worker, unless it was started already, and follows it. `request` is a line of the agent's protocol. */
  z.object({ type: z.literal('start'), request: z.string(), owner: runOwnerSchema }),
  /** Follows a worker that was started, from these offsets on. */
  z.object({ type: z.literal('attach'), out: z.int().min(0), err: z.int().min(0) }),
  /** Ends the worker. Its folder goes too. */
  z.object({ type: z.literal('cancel') }),
  /** The host has everything: the folder can go. */
  z.object({ type: z.literal('taken') }),
])
export type HostLine = z.infer<typeof hostLineSchema>

/** Longest line from the host: a request as a string in JSON. */
export const HOST_LINE_LIMIT = 64 << 20

/** A worker that nobody follows for this long ends by itself. */
export const UNATTENDED_LIMIT_MS = 6 * 3_600_000

/** Exit code of a worker whose messages cannot be written: the disk is full. */
export const UNWRITABLE_EXIT_CODE = 91
