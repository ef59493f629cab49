import { z } from 'zod'

/** Bodies of all requests of a load together, as text. */
const MOST_BODIES_CHARACTERS = 16 * 1024 * 1024

/** `load`: sends requests to a service of the machine at a stated rate, whether earlier ones are answered or not. */
export const loadRequestSchema = z.object({
  command: z.literal('load'),
  /** On loopback of the machine. */
  port: z.int().min(1).max(65535),
  token: z.string().regex(/^[\x21-\x7e]{1,256}$/),
  path: z.string().regex(/^\/[\x21-\x7e]{0,999}$/),
  /** JSON texts, sent by turns. */
  bodies: z
    .array(z.string().max(MOST_BODIES_CHARACTERS))
    .min(1)
    .max(1000)
    .refine((bodies) => bodies.reduce((sum, body) => sum + body.length, 0) <= MOST_BODIES_CHARACTERS, {
      message: 'hold more than 16 million characters together',
    }),
  requestsPerSecond: z.number().positive().max(1_000_000),
  seconds: z.number().min(0.1).max(3600),
  /** random: independent users (a Poisson process); even: one after the other in equal distances. */
  arrivals: z.enum(['random', 'even']).default('random'),
  /** Requests sent one after another before, which are not counted. */
  warmupRequests: z.int().min(0).max(10_000).default(20),
})

/** With all defaults filled in. */
export type LoadRequest = z.output<typeof loadRequestSchema>

/** Milliseconds. */
const spreadSchema = z.object({
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  max: z.number(),
  mean: z.number(),
})

/** What a load found. Every request that was due is counted once: answered with 200, an error, or unanswered. */
export const loadResultSchema = z.object({
  requests: z.number(),
  answered: z.number(),
  /** Those not answered with 200, by what happened: `status 503`, `ECONNREFUSED`, `connection`. */
  errors: z.array(z.object({ kind: z.string().max(100), count: z.number() })).max(100),
  /** What the first of them was, in words. */
  firstError: z.string().max(1000).nullable(),
  /** Due and not answered when the load was given up. */
  unanswered: z.number(),
  /** From the start to the last answer. */
  elapsedMs: z.number(),
  achievedPerSecond: z.number(),
  connections: z.number(),
  longestQueue: z.number(),
  /** From the moment a request was due to its answer, of those answered with 200; null where none was. */
  latencyMs: spreadSchema.nullable(),
  /** More requests arrived than were answered. */
  overloaded: z.boolean(),
  /**
   * How late requests were handed to a connection by this program itself. Where it is late, it and not the service may be the limit:
   * `limited` says so.
   */
  generator: z.object({ lateMs: spreadSchema.nullable(), limited: z.boolean() }),
  /** Of the serving process; null where it does not tell. */
  server: z.object({ rssBytes: z.number(), peakRssBytes: z.number(), cpuMs: z.number() }).nullable(),
})
export type LoadResult = z.infer<typeof loadResultSchema>
