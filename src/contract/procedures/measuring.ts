import { z } from 'zod'
import { deviceIdSchema } from '../device.ts'
import { evaluationSchema, metricDifferenceSchema, worstSampleSchema } from '../evaluation.ts'
import { matrixSchema } from '../matrix.ts'
import {
  benchmarkSchema,
  benchSettingsSchema,
  comparisonSchema,
  histogramSchema,
  latencySeriesSchema,
  runComparisonSchema,
} from '../measurement.ts'
import { idSchema } from '../names.ts'
import { runTelemetrySchema } from '../telemetry.ts'
import { byId, call, nothing, start } from './procedure.ts'

/** Accuracy and latency. */
export const measuringProcedures = {
  'evaluate.start': start(
    'Accuracy (classes), error (values to regress) or parity with a baseline of a model on a dataset, measured on a device',
    z.object({
      modelId: idSchema,
      datasetId: idSchema,
      deviceId: deviceIdSchema,
      baselineId: idSchema.optional().describe('also compare outputs with this model’s, sample by sample'),
      batch: z.int().min(1).max(4096).default(32).describe('samples in one inference, where the model leaves it open'),
      threads: z.int().min(1).max(256).default(1),
    }),
    evaluationSchema,
  ),
  'evaluations.worst': call(
    'Samples that deserve a look: wrong with the most confidence, largest error, or furthest from the baseline',
    z.object({
      id: idSchema,
      /** Another evaluation on the same dataset whose answers are shown beside it. */
      besideId: idSchema.optional(),
      only: z
        .enum(['wrong', 'newly-wrong', 'newly-right', 'different'])
        .default('wrong')
        .describe('classification; newly-… and different need besideId'),
      class: z.int().min(0).optional(),
      limit: z.int().min(1).max(200).default(48),
    }),
    z.object({ total: z.number(), samples: z.array(worstSampleSchema) }),
  ),
  'evaluations.difference': call(
    'The headline metric of an evaluation against that of a baseline on the same samples: interval and paired test; null when they have none in common',
    z.object({ baselineId: idSchema.describe('evaluation of the baseline'), id: idSchema.describe('evaluation of the build') }),
    metricDifferenceSchema.nullable(),
  ),
  'bench.start': start(
    'Latency of a model in a scenario, measured on a device',
    z.object({ modelId: idSchema, deviceId: deviceIdSchema, settings: benchSettingsSchema }),
    benchmarkSchema,
  ),
  'sweep.start': start(
    'Latency of a model for every combination of batch sizes and thread counts, measured on a device',
    z.object({
      modelId: idSchema,
      deviceId: deviceIdSchema,
      settings: benchSettingsSchema,
      batches: z.array(z.int().min(1).max(4096)).min(1).max(16).default([1, 2, 4, 8, 16]),
      threadCounts: z.array(z.int().min(1).max(256)).min(1).max(16).default([1]),
    }),
    z.object({ sweepId: idSchema, runs: z.array(benchmarkSchema) }),
  ),
  'compare.start': start(
    'Accuracy and latency of several models against a baseline, interleaved on one device',
    z.object({
      baselineId: idSchema,
      modelIds: z.array(idSchema).max(16),
      datasetId: idSchema.optional(),
      deviceId: deviceIdSchema,
      settings: benchSettingsSchema,
      blocks: z.int().min(2).max(100).default(10).describe('interleaved blocks for each model'),
      maxBlocks: z
        .int()
        .min(2)
        .max(500)
        .optional()
        .describe('on a noisy machine go on, up to this many blocks, until every ratio is known within about 4 %'),
      control: z.boolean().default(false).describe('measure the baseline against itself as well and publish the noise floor'),
    }),
    comparisonSchema,
  ),
  'benchmarks.list': call('All stored benchmarks, newest first', z.object({ modelId: idSchema.optional() }), z.array(benchmarkSchema)),
  'benchmarks.histogram': call(
    'Latency distribution of a benchmark, binned',
    z.object({ id: idSchema, bins: z.int().min(4).max(512).default(64) }),
    histogramSchema,
  ),
  'benchmarks.telemetry': call(
    'How the machine was during a benchmark; null where nothing was recorded',
    byId,
    runTelemetrySchema.nullable(),
  ),
  'matrix.start': start(
    'Latency of several builds on several devices in one job; devices at the same time, builds of a device one after the other',
    z.object({
      modelIds: z.array(idSchema).min(1).max(16),
      deviceIds: z.array(deviceIdSchema).min(1).max(16),
      settings: benchSettingsSchema,
      datasetId: idSchema.optional().describe('also evaluate every build on every device'),
    }),
    matrixSchema,
  ),
  'matrices.list': call('All matrices, newest first', nothing, z.array(matrixSchema)),
  'benchmarks.series': call(
    'Latency over time of a benchmark, binned for a plot',
    z.object({ id: idSchema, points: z.int().min(10).max(4000).default(1000) }),
    latencySeriesSchema,
  ),
  'runs.compare': call(
    'Stored benchmarks beside each other: distributions, ratios with intervals, and what limits the conclusion',
    z.object({ ids: z.array(idSchema).min(1).max(12), bins: z.int().min(4).max(512).default(80) }),
    runComparisonSchema,
  ),
  'evaluations.list': call('All stored evaluations, newest first', z.object({ modelId: idSchema.optional() }), z.array(evaluationSchema)),
  'comparisons.list': call('All comparisons, newest first', nothing, z.array(comparisonSchema)),
} as const
