import { z } from 'zod'
import { idSchema, momentSchema, sha256Schema } from './names.ts'

/** [low, high] of a 95 % confidence interval. */
export const intervalSchema = z.tuple([z.number(), z.number()])

/** Statistics of all latency samples, milliseconds. A percentile is null below its minimum count (59 samples for p95, 299 for p99). */
export const latencyStatisticsSchema = z.object({
  mean: z.number(),
  std: z.number(),
  min: z.number(),
  max: z.number(),
  p50: z.number(),
  p90: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  /** Exact order-statistics intervals of the percentiles. */
  ci: z.record(z.string(), intervalSchema),
})
export type LatencyStatistics = z.infer<typeof latencyStatisticsSchema>

/** The machine and software a measurement ran on. */
export const environmentSchema = z.object({
  hostname: z.string(),
  machine: z.string(),
  architecture: z.string(),
  system: z.string(),
  cpu: z.string(),
  cpuFeatures: z.array(z.string()),
  logicalCores: z.number(),
  memoryBytes: z.number(),
  governor: z.string().nullable(),
  loadAverage: z.number().nullable(),
  temperatureC: z.number().nullable(),
  nodeVersion: z.string(),
  onnxRuntimeVersion: z.string(),
  edgesmithVersion: z.string(),
})
export type Environment = z.infer<typeof environmentSchema>

/** How to benchmark. Warm-up lasts until both `warmupRuns` and `warmupSeconds` are reached. */
export const benchSettingsSchema = z.object({
  batch: z.int().min(1).max(4096).default(1),
  threads: z.int().min(1).max(256).default(1).describe('threads inside an operator'),
  runs: z.int().min(1).max(1_000_000).default(1000).describe('measured runs'),
  seconds: z.number().min(0).max(3600).optional().describe('measure for this long instead of a number of runs'),
  warmupRuns: z.int().min(0).max(100_000).default(100),
  warmupSeconds: z.number().min(0).max(60).default(2),
})
export type BenchSettings = z.infer<typeof benchSettingsSchema>

/** What the agent measured; `latenciesMs` keeps every sample in order. */
export const benchResultSchema = z.object({
  settings: benchSettingsSchema,
  latenciesMs: z.instanceof(Float32Array) as z.ZodType<Float32Array>,
  latencyMs: latencyStatisticsSchema,
  /** Samples per second over the measured time (batch × runs ÷ seconds). */
  throughputPerSecond: z.number(),
  loadMs: z.number(),
  firstInferenceMs: z.number(),
  warmupRuns: z.number(),
  /** CPU time of one inference, all threads. */
  cpuMsPerInference: z.number(),
  peakRssBytes: z.number(),
  /** Resident memory before the model was loaded, for comparison with the peak. */
  idleRssBytes: z.number(),
  samples: z.number(),
  environment: environmentSchema,
  /** Conditions that make the numbers less sure: busy machine, throttling, power-save governor. */
  warnings: z.array(z.string()),
})
export type BenchResult = z.infer<typeof benchResultSchema>

/** What the agent found on a labelled dataset. `predictions` holds the top-1 class of every sample in order. */
export const evaluateResultSchema = z.object({
  task: z.literal('classification'),
  samples: z.number(),
  metrics: z.object({
    accuracy: z.number(),
    /** 95 % Wilson interval. */
    accuracyCi95: intervalSchema,
    top5: z.number().nullable(),
    f1Macro: z.number(),
  }),
  correct: z.number(),
  classes: z.number(),
  predictions: z.instanceof(Int32Array) as z.ZodType<Int32Array>,
  labels: z.instanceof(Int32Array) as z.ZodType<Int32Array>,
  durationMs: z.number(),
  environment: environmentSchema,
})
export type EvaluateResult = z.infer<typeof evaluateResultSchema>

/** A stored benchmark. Samples are fetched apart ({@link benchResultSchema} holds them). */
export const benchmarkSchema = benchResultSchema.omit({ latenciesMs: true }).extend({
  id: idSchema,
  jobId: idSchema,
  modelId: idSchema,
  deviceId: z.string(),
  /** Groups runs that one comparison made. */
  comparisonId: idSchema.nullable(),
  createdAt: momentSchema,
})
export type Benchmark = z.infer<typeof benchmarkSchema>

/** A stored evaluation. */
export const evaluationSchema = evaluateResultSchema.omit({ predictions: true, labels: true }).extend({
  id: idSchema,
  jobId: idSchema,
  modelId: idSchema,
  datasetId: idSchema,
  datasetName: z.string(),
  deviceId: z.string(),
  comparisonId: idSchema.nullable(),
  createdAt: momentSchema,
})
export type Evaluation = z.infer<typeof evaluationSchema>

export const verdictSchema = z.enum(['faster', 'slower', 'no difference shown'])

/** Speed against the baseline: estimate > 1 is faster. From interleaved blocks, bootstrapped over blocks. */
export const speedupSchema = z.object({ estimate: z.number(), ci95: intervalSchema, verdict: verdictSchema, blocks: z.number() })
export type Speedup = z.infer<typeof speedupSchema>

/** Counts of a latency distribution on edges shared by all rows; `edgesMs` has one more entry than `counts`. */
export const histogramSchema = z.object({ edgesMs: z.array(z.number()), counts: z.array(z.number()) })

/** Accuracy against the baseline on the same samples (exact McNemar test). */
export const accuracyDifferenceSchema = z.object({
  /** Build minus baseline, in accuracy (0.01 = one point). */
  difference: z.number(),
  /** Samples only the baseline, only the build got right. */
  onlyBaseline: z.number(),
  onlyBuild: z.number(),
  pValue: z.number(),
  agreement: z.number(),
})

/** One runtime kernel (or several that came from one node of the model), timed by ONNX Runtime's profiler. */
export const nodeTimeSchema = z.object({
  /** The node of the model it came from, as far as ONNX Runtime keeps the name. */
  node: z.string(),
  /** Kernels that ran for it, for example `QLinearConv` or `Conv (NCHWc)`. */
  kernels: z.array(z.string()),
  /** Median over the profiled runs, milliseconds of one inference. */
  ms: z.number(),
})
export type NodeTime = z.infer<typeof nodeTimeSchema>

/** One reason why a build is slower (or not faster) than its baseline. */
export const slowdownFindingSchema = z.object({
  /** The rule that found it, for example `no-int8-kernel` or `many-conversions`. */
  rule: z.string(),
  /** In words, with names and numbers. */
  message: z.string(),
  nodes: z.array(z.string()),
  /** Milliseconds of one inference that it explains; null where that cannot be told. */
  lostMs: z.number().nullable(),
})

/** Why a build takes the time it takes, beside its baseline, on one machine. */
export const explanationSchema = z.object({
  baselineMs: z.number(),
  buildMs: z.number(),
  /** Most important first. */
  findings: z.array(slowdownFindingSchema),
  /** Times of corresponding nodes, largest loss first; null where one side has no such node. */
  nodes: z.array(z.object({ node: z.string(), baseline: nodeTimeSchema.nullable(), build: nodeTimeSchema.nullable(), lostMs: z.number() })),
  /** Time by kernel type, milliseconds of one inference. */
  kernels: z.array(z.object({ kernel: z.string(), baselineMs: z.number(), buildMs: z.number() })),
  /** Processor features that decide which int8 kernels run. */
  cpuFeatures: z.array(z.string()),
  /** What to do instead, in words; null when there is nothing better to say. */
  advice: z.string().nullable(),
})
export type Explanation = z.infer<typeof explanationSchema>

/** One model of a comparison. */
export const comparisonRowSchema = z.object({
  modelId: idSchema,
  model: z.string(),
  sha256: sha256Schema,
  kind: z.enum(['model', 'build']),
  recipe: z.string().nullable(),
  sizeBytes: z.number(),
  metrics: evaluateResultSchema.shape.metrics.nullable(),
  accuracyDifference: accuracyDifferenceSchema.nullable(),
  latencyMs: latencyStatisticsSchema,
  histogram: histogramSchema,
  samples: z.number(),
  throughputPerSecond: z.number(),
  loadMs: z.number(),
  firstInferenceMs: z.number(),
  peakRssBytes: z.number(),
  cpuMsPerInference: z.number(),
  /** Null for the baseline itself. */
  speedup: speedupSchema.nullable(),
  /** Why it is slower than the baseline; null where it is not. */
  explanation: explanationSchema.nullable().default(null),
  benchmarkId: idSchema,
  evaluationId: idSchema.nullable(),
  warnings: z.array(z.string()),
})
export type ComparisonRow = z.infer<typeof comparisonRowSchema>

/** Several models against a pinned baseline, measured on one device in one job. */
export const comparisonSchema = z.object({
  id: idSchema,
  jobId: idSchema,
  deviceId: z.string(),
  device: z.string(),
  datasetId: idSchema.nullable(),
  dataset: z.string().nullable(),
  baseline: z.string(),
  baselineId: idSchema,
  settings: benchSettingsSchema,
  environment: environmentSchema,
  rows: z.array(comparisonRowSchema),
  createdAt: momentSchema,
})
export type Comparison = z.infer<typeof comparisonSchema>
