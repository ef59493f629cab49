import { z } from 'zod'

/** The JSON documents of SPEC.md, field by field: what other people's programs rely on. Further fields are allowed. */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const interval = z.tuple([z.number(), z.number()])
const metrics = z.object({ accuracy: z.number(), f1Macro: z.number(), top5: z.number().nullable() })

const latencyMs = z.object({
  mean: z.number().positive(),
  std: z.number(),
  min: z.number().positive(),
  max: z.number().positive(),
  p50: z.number().positive(),
  p90: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  ci: z.record(z.string(), interval),
})

const gate = z.object({ gate: z.string(), model: z.string(), limit: z.number(), found: z.number().nullable(), passed: z.boolean() })

export const errorDocument = z.strictObject({
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
})

export const optimizeDocument = z.object({
  output: z.object({ path: z.string().nullable(), sizeBytes: z.number(), sha256 }),
  input: z.object({ sizeBytes: z.number() }),
  steps: z.array(z.object({ recipe: z.string(), durationMs: z.number() })),
  quantizedNodes: z.number(),
  fusedNodes: z.number(),
  skipped: z.array(z.object({ node: z.string(), op: z.string(), reason: z.string() })),
  fidelity: z.object({ sqnrDb: z.number().nullable(), cosine: z.number(), maxAbsDiff: z.number() }),
  calibrationSamples: z.number(),
  calibrator: z.string().nullable(),
  calibratorTrials: z.array(z.object({ calibrator: z.string(), biasCorrection: z.boolean(), sqnrDb: z.number().nullable() })),
  mixedPrecision: z
    .looseObject({ maxDrop: z.number(), baseline: z.number(), reached: z.number(), met: z.boolean(), left: z.array(z.unknown()) })
    .nullable(),
  phases: z.array(z.object({ phase: z.string(), durationMs: z.number() })).min(1),
  idleRssBytes: z.number().positive(),
  peakRssBytes: z.number().positive(),
  durationMs: z.number().positive(),
  speed: z
    .object({
      verdict: z.enum(['faster', 'slower', 'no difference shown']),
      baselineMs: z.number().positive(),
      buildMs: z.number().positive(),
      findings: z.array(z.object({ rule: z.string(), message: z.string() })),
    })
    .nullable(),
  gates: z.array(gate).optional(),
  error: z.object({ code: z.string() }).optional(),
})

export const sensitivityDocument = z.object({
  model: z.string(),
  metric: z.enum(['accuracy', 'sqnrDb']),
  baseline: z.number().nullable(),
  units: z.array(z.object({ node: z.string(), op: z.string(), sqnrDb: z.number().nullable(), accuracy: z.number().nullable() })),
})

export const explanationDocument = z.object({
  baseline: z.string(),
  model: z.string(),
  device: z.string(),
  baselineMs: z.number().positive(),
  buildMs: z.number().positive(),
  findings: z.array(z.object({ rule: z.string(), message: z.string(), nodes: z.array(z.string()) })),
  nodes: z.array(z.object({ node: z.string(), lostMs: z.number() })),
})

export const evaluateDocument = z.object({
  task: z.literal('classification'),
  samples: z.number(),
  metrics,
  baseline: z.object({ model: z.string(), metrics }).optional(),
  difference: z.object({ accuracy: z.number() }).optional(),
  error: z.object({ code: z.string() }).optional(),
})

export const benchDocument = z.object({
  latencyMs,
  throughputPerSecond: z.number().positive(),
  loadMs: z.number().positive(),
  firstInferenceMs: z.number().positive(),
  peakRssBytes: z.number().positive(),
  samples: z.int().positive(),
  settings: z.object({ batch: z.number(), threads: z.number() }),
  environment: z.object({ cpu: z.string(), onnxRuntimeVersion: z.string(), nodeVersion: z.string() }),
})

export const sweepDocument = z.object({ runs: z.array(benchDocument) })

export const compareAllDocument = z.object({
  source: z.string(),
  comparison: z.object({ id: z.uuid(), rows: z.array(z.object({ model: z.string() })) }).nullable(),
  entries: z.array(z.object({ title: z.string(), modelId: z.string().nullable() })).min(1),
  results: z
    .array(
      z.object({
        title: z.string(),
        recommended: z.boolean(),
        sizeBytes: z.number().optional(),
        error: z.object({ code: z.string(), message: z.string() }).nullable(),
      }),
    )
    .min(1),
  recommended: z.object({ modelId: z.uuid(), reason: z.string() }).nullable(),
  gates: z.array(gate).optional(),
})

export const compareDocument = z.object({
  id: z.uuid(),
  baseline: z.string(),
  rows: z.array(
    z.object({
      model: z.string(),
      sizeBytes: z.number(),
      metrics: metrics.nullable(),
      latencyMs,
      speedup: z
        .object({ estimate: z.number().positive(), ci95: interval, verdict: z.enum(['faster', 'slower', 'no difference shown']) })
        .nullable(),
    }),
  ),
  report: z.object({ path: z.string(), sizeBytes: z.number() }).optional(),
  gates: z.array(gate).optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})
