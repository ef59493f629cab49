import { z } from 'zod'
import { explanationSchema } from './analysis.ts'
import { environmentSchema, intervalSchema } from './environment.ts'
import { metricDifferenceSchema, metricsSchema } from './evaluation.ts'
import { idSchema, momentSchema, sha256Schema } from './names.ts'
import { energySchema, runTelemetrySchema } from './telemetry.ts'

/** Statistics of all latency samples, milliseconds. A percentile is null below its minimum count (59 samples for p95, 299 for p99, 2,995 for p99.9). */
export const latencyStatisticsSchema = z.object({
  mean: z.number(),
  std: z.number(),
  min: z.number(),
  max: z.number(),
  p50: z.number(),
  p90: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  p999: z.number().nullable().default(null),
  /** Exact order-statistics intervals of the percentiles. */
  ci: z.record(z.string(), intervalSchema),
})
export type LatencyStatistics = z.infer<typeof latencyStatisticsSchema>

/**
 * What is measured. single: one inference after another; batch: the same with `batch` samples an inference; offline: as many samples
 * as possible, `streams` sessions beside each other; server: requests arrive at random (Poisson) at `rate` a second, latency counts from
 * the moment a request was due, so that waiting behind a slow one shows (no coordinated omission); http: the same through the REST
 * server, or with `connections` that each send the next request when the last is answered where no rate is given.
 * After MLPerf Inference, LoadGen.
 */
export const scenarioSchema = z.enum(['single', 'batch', 'offline', 'server', 'http'])
export type Scenario = z.infer<typeof scenarioSchema>

/** What runs the model. */
export const runtimeSchema = z.enum(['onnxruntime', 'tensorrt'])
export type Runtime = z.infer<typeof runtimeSchema>

/** How to benchmark. Warm-up lasts until both `warmupRuns` and `warmupSeconds` are reached. */
export const benchSettingsSchema = z.object({
  scenario: scenarioSchema.default('single'),
  batch: z.int().min(1).max(4096).default(1),
  threads: z.int().min(1).max(256).default(1).describe('threads inside an operator'),
  runs: z.int().min(1).max(1_000_000).default(1000).describe('measured runs'),
  seconds: z.number().min(0).max(3600).optional().describe('measure for this long instead of a number of runs'),
  warmupRuns: z.int().min(0).max(100_000).default(100),
  warmupSeconds: z.number().min(0).max(60).default(2),
  rate: z.number().positive().max(1_000_000).optional().describe('requests a second (server, http)'),
  connections: z.int().min(1).max(1024).default(1).describe('connections of the http scenario without a rate'),
  streams: z.int().min(1).max(64).default(1).describe('sessions beside each other (offline)'),
  runtime: runtimeSchema
    .default('onnxruntime')
    .describe('tensorrt: an engine that trtexec builds and times on a Jetson (single and batch)'),
  fp16: z.boolean().default(true).describe('TensorRT may compute in half precision'),
})
export type BenchSettings = z.infer<typeof benchSettingsSchema>

/** How quiet the machine was. noisy: other programs took more than a tenth of it; throttled: clocks were held down by heat or power. */
export const noiseSchema = z.object({ label: z.enum(['quiet', 'noisy', 'throttled', 'unknown']), reasons: z.array(z.string()) })
export type Noise = z.infer<typeof noiseSchema>

/** The label of several runs together: one that was disturbed disturbs what is made of them. Undefined for none. */
export function worstNoise(runs: readonly { readonly noise: Noise }[]): Noise['label'] | undefined {
  return (['throttled', 'noisy', 'unknown', 'quiet'] as const).find((label) => runs.some(({ noise }) => noise.label === label))
}

/** One condition looked at before measuring: governor, clock limits, temperature, throttling, load, free memory. */
export const preflightCheckSchema = z.object({ name: z.string(), found: z.string(), wanted: z.string(), ok: z.boolean() })
export type PreflightCheck = z.infer<typeof preflightCheckSchema>

/** How requests of an open loop fared. */
export const loadSchema = z.object({
  offeredPerSecond: z.number().nullable(),
  answeredPerSecond: z.number(),
  /** Time in the model alone, without waiting; `latencyMs` includes waiting. http: what the server says, from the whole request to the answer. */
  serviceMs: latencyStatisticsSchema,
  /** Most requests that were due at the same time and not answered (server: without the one being answered). */
  longestQueue: z.number(),
  /** More arrived than could be answered: latencies grow with the length of the run and mean little. */
  overloaded: z.boolean(),
  /** http only: requests that were not answered with 200. */
  errors: z.number(),
})
export type Load = z.infer<typeof loadSchema>

/** How a TensorRT engine was made and timed. */
export const tensorRtRunSchema = z.object({
  version: z.string(),
  gpu: z.string().nullable(),
  jetPack: z.string().nullable(),
  trtexec: z.string(),
  /** Arguments of the calls that built and timed the engine, without paths. */
  options: z.array(z.string()),
  engineBytes: z.number(),
  /** Seconds the engine took to build; null when it was there already. */
  buildSeconds: z.number().nullable(),
  /** What trtexec warned of, as it said it. */
  warnings: z.array(z.string()).max(100),
  /** Median time of the GPU alone and of copies to and from it, milliseconds. */
  computeMs: z.number().nullable(),
  copyInMs: z.number().nullable(),
  copyOutMs: z.number().nullable(),
})
export type TensorRtRun = z.infer<typeof tensorRtRunSchema>

/** What the agent measured; `latenciesMs` keeps every sample in order, `offsetsMs` when each began (server: was due) since the first. */
export const benchResultSchema = z.object({
  settings: benchSettingsSchema,
  latenciesMs: z.instanceof(Float32Array) as z.ZodType<Float32Array>,
  offsetsMs: z.instanceof(Float64Array) as z.ZodType<Float64Array>,
  latencyMs: latencyStatisticsSchema,
  /** Samples per second over the measured time (batch × runs ÷ seconds). */
  throughputPerSecond: z.number(),
  loadMs: z.number(),
  firstInferenceMs: z.number(),
  warmupRuns: z.number(),
  /** Whether three half-second medians in a row agreed within 3 % before measuring began; null where warm-up was too short to tell. */
  steady: z.boolean().nullable().default(null),
  /** Share of samples more than 3 scaled median absolute deviations from the median. None is dropped. */
  outlierShare: z.number().nullable().default(null),
  noise: noiseSchema.default({ label: 'unknown', reasons: [] }),
  preflight: z.array(preflightCheckSchema).default([]),
  load: loadSchema.nullable().default(null),
  /** CPU time of one inference, all threads. */
  cpuMsPerInference: z.number(),
  peakRssBytes: z.number(),
  /** Resident memory before the model was loaded, for comparison with the peak. */
  idleRssBytes: z.number(),
  /** Resident memory after the last run, and how much it grew since the end of warm-up. */
  steadyRssBytes: z.number().nullable().default(null),
  memoryGrowthBytes: z.number().nullable().default(null),
  samples: z.number(),
  environment: environmentSchema,
  /** How the machine was meanwhile; null where nothing could be read. */
  telemetry: runTelemetrySchema.nullable().default(null),
  energy: energySchema.nullable().default(null),
  tensorRt: tensorRtRunSchema.nullable().default(null),
  /** Conditions that make the numbers less sure: busy machine, throttling, power-save governor. */
  warnings: z.array(z.string()),
})
export type BenchResult = z.infer<typeof benchResultSchema>

/** A stored benchmark. Samples and telemetry are fetched apart ({@link benchResultSchema} holds them). */
export const benchmarkSchema = benchResultSchema.omit({ latenciesMs: true, offsetsMs: true, telemetry: true }).extend({
  id: idSchema,
  jobId: idSchema,
  modelId: idSchema,
  deviceId: z.string(),
  /** Groups runs that one comparison made. */
  comparisonId: idSchema.nullable(),
  /** Groups the runs of one sweep over batch sizes and thread counts. */
  sweepId: idSchema.nullable().default(null),
  createdAt: momentSchema,
})
export type Benchmark = z.infer<typeof benchmarkSchema>

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

/** One model of a comparison. */
export const comparisonRowSchema = z.object({
  modelId: idSchema,
  model: z.string(),
  sha256: sha256Schema,
  kind: z.enum(['model', 'build']),
  recipe: z.string().nullable(),
  sizeBytes: z.number(),
  metrics: metricsSchema.nullable(),
  accuracyDifference: accuracyDifferenceSchema.nullable(),
  /** The headline metric against the baseline's; null for the baseline and without data. */
  metricDifference: metricDifferenceSchema.nullable().default(null),
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
  /** Medians of the interleaved blocks in the order they ran, milliseconds. */
  blockMediansMs: z.array(z.number()).default([]),
  steadyRssBytes: z.number().nullable().default(null),
  noise: noiseSchema.default({ label: 'unknown', reasons: [] }),
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
  /** The baseline measured against itself in the same blocks; null where that was not asked for. */
  noiseFloor: speedupSchema.nullable().default(null),
  rows: z.array(comparisonRowSchema),
  createdAt: momentSchema,
})
export type Comparison = z.infer<typeof comparisonSchema>

/** Several stored benchmarks beside each other, measured at different times. */
export const runComparisonSchema = z.object({
  runs: z.array(
    z.object({
      benchmark: benchmarkSchema,
      model: z.string(),
      device: z.string(),
      histogram: histogramSchema,
      /** Latency at each whole percent, 0 to 100. */
      quantilesMs: z.array(z.number()),
    }),
  ),
  /** Each later run against the first. Null where machines differ: those ratios are of machines, not of models. */
  ratios: z.array(speedupSchema.nullable()),
  sameMachine: z.boolean(),
  /** What differs or limits the conclusion: machine, software, settings, noise, separate runs. */
  caveats: z.array(z.string()),
})
export type RunComparison = z.infer<typeof runComparisonSchema>

/** A latency series binned for a plot: entry i stands for the samples from `offsetsMs[i]` on. */
export const latencySeriesSchema = z.object({
  samples: z.number(),
  offsetsMs: z.array(z.number()),
  minMs: z.array(z.number()),
  medianMs: z.array(z.number()),
  maxMs: z.array(z.number()),
})
export type LatencySeries = z.infer<typeof latencySeriesSchema>
