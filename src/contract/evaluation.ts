import { z } from 'zod'
import { environmentSchema, intervalSchema } from './environment.ts'
import { idSchema, momentSchema } from './names.ts'

export const taskSchema = z.enum(['classification', 'regression', 'parity'])
export type Task = z.infer<typeof taskSchema>

/** The numbers an evaluation comes down to; which ones there are depends on the task. All are flat, so that programs find them. */
export const metricsSchema = z
  .object({
    accuracy: z.number(),
    /** 95 % Wilson interval. */
    accuracyCi95: intervalSchema,
    top5: z.number().nullable(),
    top5Ci95: intervalSchema.nullable(),
    precisionMacro: z.number(),
    recallMacro: z.number(),
    f1Macro: z.number(),
    /** Expected calibration error over 15 equally wide bins of confidence. */
    calibrationError: z.number().nullable(),
    /** 95 % percentile-bootstrap intervals over samples go with the regression metrics. Null where the targets do not vary. */
    r2: z.number().nullable(),
    r2Ci95: intervalSchema.nullable(),
    mae: z.number(),
    maeCi95: intervalSchema,
    rmse: z.number(),
    rmseCi95: intervalSchema,
    maxError: z.number(),
    /** Against the baseline, worst output; null when identical. */
    sqnrDb: z.number().nullable(),
    cosine: z.number(),
    maxAbsDiff: z.number(),
    /** Share of samples with the same top class as the baseline; null for outputs that are no class scores (told by shape: [N, classes]). */
    agreement: z.number().nullable(),
    agreementCi95: intervalSchema.nullable(),
  })
  .partial()
export type Metrics = z.infer<typeof metricsSchema>

export const classMetricsSchema = z.object({
  class: z.number(),
  support: z.number(),
  predicted: z.number(),
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
})

/** What goes with a classification. */
export const classificationDetailSchema = z.object({
  classes: z.number(),
  correct: z.number(),
  /** Samples whose scores are not numbers; they count as wrong. */
  unanswered: z.number(),
  perClass: z.array(classMetricsSchema),
  /** Row-major [classes, classes], row is the true class; null above 200 classes. */
  confusion: z.array(z.number()).nullable(),
  /** Most frequent mistakes, up to 100. */
  topConfusions: z.array(z.object({ label: z.number(), predicted: z.number(), count: z.number() })),
  /** Reliability: samples by confidence; `scores` tells whether outputs were probabilities or a softmax was taken. */
  calibration: z
    .object({
      scores: z.enum(['probabilities', 'logits']),
      bins: z.array(z.object({ from: z.number(), to: z.number(), count: z.number(), confidence: z.number(), accuracy: z.number() })),
    })
    .nullable(),
})
export type ClassificationDetail = z.infer<typeof classificationDetailSchema>

/** What goes with a regression. */
export const regressionDetailSchema = z.object({
  /** Values a sample. */
  width: z.number(),
  /** Mean of predicted − actual. */
  bias: z.number(),
  /** Residual (predicted − actual) against predicted value, binned: row-major [rows, columns], rows from the lowest residual up. */
  residuals: z.object({
    predictedEdges: z.array(z.number()),
    residualEdges: z.array(z.number()),
    counts: z.array(z.number()),
  }),
  perOutput: z.array(z.object({ output: z.number(), r2: z.number().nullable(), mae: z.number(), rmse: z.number(), maxError: z.number() })),
})
export type RegressionDetail = z.infer<typeof regressionDetailSchema>

/** How far outputs are from those of a baseline on the same samples. */
export const parityDetailSchema = z.object({
  baselineModelId: idSchema.nullable().default(null),
  outputs: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      /** null: identical */
      sqnrDb: z.number().nullable(),
      cosine: z.number(),
      /** Lowest cosine of one sample. */
      worstCosine: z.number(),
      maxAbsDiff: z.number(),
      meanAbsDiff: z.number(),
      /** Share of samples with the same top class, where the output holds class scores. */
      agreement: z.number().nullable(),
    }),
  ),
})
export type ParityDetail = z.infer<typeof parityDetailSchema>

/**
 * What the agent found on a dataset. `perSample` keeps one entry (or `width`) a sample in the order of the dataset:
 * classification `labels`, `predictions` (int32, −1 without a prediction), `confidence`; regression `actual`, `predicted`;
 * with a baseline `sampleSqnrDb` (300 when identical, −300 for values that are no numbers), `sampleMaxAbsDiff`, `sampleCosine` of the worst
 * output and, for class scores, `predictions` and `baselinePredictions`. `confidence` is NaN without a prediction.
 */
export const evaluateResultSchema = z.object({
  task: taskSchema,
  samples: z.number(),
  metrics: metricsSchema,
  classification: classificationDetailSchema.nullable().default(null),
  regression: regressionDetailSchema.nullable().default(null),
  parity: parityDetailSchema.nullable().default(null),
  perSample: z.record(z.string(), z.union([z.instanceof(Float32Array), z.instanceof(Int32Array)])) as z.ZodType<
    Record<string, Float32Array | Int32Array>
  >,
  durationMs: z.number(),
  environment: environmentSchema,
})
export type EvaluateResult = z.infer<typeof evaluateResultSchema>

/** A stored evaluation; per-sample values are asked for apart. */
export const evaluationSchema = evaluateResultSchema.omit({ perSample: true }).extend({
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

/**
 * A metric of a build against the baseline's on the same samples. mcnemar: exact test, Newcombe's paired interval; paired bootstrap:
 * percentile interval over samples and its p-value.
 */
export const metricDifferenceSchema = z.object({
  metric: z.enum(['accuracy', 'mae', 'rmse', 'sqnrDb']),
  /** Build minus baseline. */
  difference: z.number(),
  ci95: intervalSchema.nullable(),
  pValue: z.number().nullable(),
  test: z.enum(['mcnemar', 'paired bootstrap', 'none']),
})
export type MetricDifference = z.infer<typeof metricDifferenceSchema>

/** A sample that deserves a look. */
export const worstSampleSchema = z.object({
  index: z.number(),
  expected: z.number().nullable(),
  answer: z.number().nullable(),
  /** The baseline's (or other evaluation's) answer. */
  baselineAnswer: z.number().nullable(),
  confidence: z.number().nullable(),
  /** Absolute error, or dB of the sample against the baseline: what the list is ordered by. */
  error: z.number().nullable(),
})
export type WorstSample = z.infer<typeof worstSampleSchema>

/** The metric that sums an evaluation up: what trade-off charts, gates and verdicts go by. */
export function headlineMetric(
  metrics: Metrics,
): { readonly metric: 'accuracy' | 'r2' | 'rmse' | 'sqnrDb'; readonly value: number; readonly better: 'higher' | 'lower' } | undefined {
  if (metrics.accuracy !== undefined) return { metric: 'accuracy', value: metrics.accuracy, better: 'higher' }
  if (metrics.r2 !== undefined && metrics.r2 !== null) return { metric: 'r2', value: metrics.r2, better: 'higher' }
  if (metrics.rmse !== undefined) return { metric: 'rmse', value: metrics.rmse, better: 'lower' }
  if (metrics.sqnrDb !== undefined && metrics.sqnrDb !== null) return { metric: 'sqnrDb', value: metrics.sqnrDb, better: 'higher' }
  return undefined
}

/** Baseline minus build, in accuracy; null unless both are classifications. What `--max-accuracy-drop` limits. */
export function accuracyDrop(baseline: Metrics | null | undefined, build: Metrics | null | undefined): number | null {
  if (baseline?.accuracy === undefined || build?.accuracy === undefined) return null
  return baseline.accuracy - build.accuracy
}
