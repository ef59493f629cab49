import { z } from 'zod'
import { momentSchema } from './names.ts'
import { releaseIdSchema } from './service.ts'

/**
 * When a release that is being tried is taken back: compared with the release beside or before it over the same time.
 * All are checked only once `minRequests` of its requests were answered; errors of the server's making (status 500 and more) count.
 */
export const rolloutLimitsSchema = z.object({
  /** Largest share of failed requests, 0 to 1. */
  maxErrorRate: z.number().min(0).max(1).default(0.01),
  /** Taken back when the 95 % interval of p95 (tried) / p95 (stable) lies above this; null does not look at latency. */
  maxP95Ratio: z.number().min(1).max(1000).nullable().default(1.5),
  /**
   * Largest share of compared samples whose answers differ: another class, or outputs further apart than 10 % of their range. Null only
   * counts it: a better model is meant to answer differently.
   */
  maxDivergence: z.number().min(0).max(1).nullable().default(null),
  minRequests: z.int().min(1).max(1_000_000).default(50),
})
export type RolloutLimits = z.infer<typeof rolloutLimitsSchema>

/** A share of requests in percent. */
const weightSchema = z.number().min(0).max(100)

/** A release beside the current one. */
const besideSchema = z.object({
  release: releaseIdSchema,
  /**
   * split: gets `weight` percent for as long as nobody changes it. canary: its weight goes up step by step while the limits hold, and it
   * becomes current behind the last step. shadow: gets copies of requests, and nobody sees its answers.
   */
  kind: z.enum(['split', 'canary', 'shadow']),
  weight: weightSchema,
  since: momentSchema,
  /** Of a canary. */
  steps: z.array(weightSchema).min(1).max(20).optional(),
  stepSeconds: z.number().min(1).max(86_400).optional(),
  step: z.int().min(0).optional(),
  /** How long it is watched once it is current. */
  watchSeconds: z.number().min(0).max(86_400).optional(),
  /** Boot of the machine it was put there in, as of a watch. */
  bootId: z.string().max(100).optional(),
  limits: rolloutLimitsSchema,
})
export type BesideRelease = z.infer<typeof besideSchema>

/** The current release was just switched to: it is taken back when it breaks its limits before this is over, or takes the process down. */
const watchSchema = z.object({
  since: momentSchema,
  seconds: z.number().min(0).max(86_400),
  limits: rolloutLimitsSchema,
  /** Boot of the machine it was switched in: a process that starts again in the same boot has crashed. */
  bootId: z.string().max(100),
})

/**
 * `routing.json`: which releases serve. One file, replaced as a whole, so that no moment has two currents or none. Written by the serving
 * process while one runs, by the deploying program otherwise.
 */
export const routingSchema = z.object({
  version: z.literal(1),
  current: releaseIdSchema,
  /** Served before: where a rollback, and a start whose current release is damaged, go to. */
  previous: releaseIdSchema.nullable(),
  beside: z.array(besideSchema).max(4),
  watch: watchSchema.nullable(),
})
export type Routing = z.infer<typeof routingSchema>

/** How a release takes its place. */
export const rolloutSchema = z
  .object({
    /** switch: at once. split, canary, shadow: beside the current one; the first release of a service is always a switch. */
    kind: z.enum(['switch', 'split', 'canary', 'shadow']).default('switch'),
    /** Percent of a split. */
    weight: weightSchema.default(10),
    /** Percents of a canary; 100 comes by itself. */
    steps: z.array(weightSchema.gt(0).lt(100)).min(1).max(20).default([1, 10, 50]),
    stepSeconds: z.number().min(1).max(86_400).default(60),
    /** How long a switch (of a canary too) is watched; 0 does not watch. */
    watchSeconds: z.number().min(0).max(86_400).default(60),
    limits: rolloutLimitsSchema.prefault({}),
  })
  .prefault({})
export type Rollout = z.infer<typeof rolloutSchema>

/** What a release must show before it gets its first request. Loading, warming up and golden answers are always checked. */
export const releaseGateSchema = z
  .object({
    /** Of single runs in the server, p95. */
    maxLatencyMs: z.number().positive().max(600_000).nullable().default(null),
    /** Runs that are timed for it. */
    runs: z.int().min(20).max(10_000).default(100),
  })
  .prefault({})
export type ReleaseGate = z.infer<typeof releaseGateSchema>

/** One thing that was checked. */
export const gateCheckSchema = z.object({
  name: z.enum(['files', 'load', 'warm-up', 'golden answers', 'latency', 'accuracy', 'serving', 'rollout']),
  passed: z.boolean(),
  /** What was found, and the limit where there is one, in words. */
  text: z.string().max(2000),
})
export type GateCheck = z.infer<typeof gateCheckSchema>

/** `releases/ID/failure.json`: why a release is not serving. */
export const releaseFailureSchema = z.object({
  at: momentSchema,
  /** In words. */
  reason: z.string().max(4000),
  checks: z.array(gateCheckSchema).max(20),
  /** Last lines of the service's log at that time. */
  log: z.string().max(100_000),
})
export type ReleaseFailure = z.infer<typeof releaseFailureSchema>

/** One line of `events.jsonl`: what happened to a service. */
export const serviceEventSchema = z.object({
  at: momentSchema,
  kind: z.enum([
    'deployed',
    'switched',
    'weights',
    'canary-step',
    'kept',
    'rolled-back',
    'failed',
    'fell-back',
    'started',
    'stopped',
    'crashed',
    'upgraded',
    'drift',
  ]),
  release: releaseIdSchema.nullable(),
  text: z.string().max(2000),
})
export type ServiceEvent = z.infer<typeof serviceEventSchema>
