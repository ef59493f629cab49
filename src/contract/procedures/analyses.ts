import { z } from 'zod'
import { accuracyExplanationSchema, analysisEntrySchema, analysisKindSchema, analysisSchema, explanationSchema } from '../analysis.ts'
import { deviceIdSchema } from '../device.ts'
import { idSchema } from '../names.ts'
import { byId, call, start } from './procedure.ts'

/** Why a build is slower, less accurate or different. */
export const analysisProcedures = {
  'explain.start': start(
    'Profile a build beside its baseline on a device and say, node by node, why it is slower',
    z.object({
      baselineId: idSchema,
      modelId: idSchema,
      deviceId: deviceIdSchema,
      batch: z.int().min(1).max(4096).default(1),
      threads: z.int().min(1).max(256).default(1),
    }),
    explanationSchema,
  ),
  'explainAccuracy.start': start(
    'Run a build beside its baseline on a dataset and say where its answers get worse, layer by layer and class by class',
    z.object({
      baselineId: idSchema,
      modelId: idSchema,
      datasetId: idSchema,
      deviceId: deviceIdSchema,
      samples: z.int().min(1).max(1000).default(64).describe('samples whose tensors are compared; answers are compared on all'),
      threads: z.int().min(1).max(256).default(1),
    }),
    accuracyExplanationSchema,
  ),
  'profile.start': start(
    'Where the time of a model goes on a device: kernel by kernel, by operator and by layer, with bytes, MACs and the machine’s peak',
    z.object({
      modelId: idSchema,
      deviceId: deviceIdSchema,
      batch: z.int().min(1).max(4096).default(1),
      threads: z.int().min(1).max(256).default(1),
    }),
    analysisSchema,
  ),
  'layers.start': start(
    'Two builds layer by layer on a device: time, precision, and how far their tensors are apart',
    z.object({
      baselineId: idSchema,
      modelId: idSchema,
      deviceId: deviceIdSchema,
      datasetId: idSchema.optional().describe('samples to compare tensors on; default: made-up inputs'),
      samples: z.int().min(1).max(256).default(8),
      batch: z.int().min(1).max(4096).default(1),
      threads: z.int().min(1).max(256).default(1),
    }),
    analysisSchema,
  ),
  'analyses.list': call(
    'Stored profiles, layer comparisons and explanations, newest first',
    z.object({
      modelId: idSchema.optional(),
      baselineId: idSchema.optional(),
      kind: analysisKindSchema.optional(),
    }),
    z.array(analysisEntrySchema),
  ),
  'analyses.get': call('A profile, layer comparison or explanation with its result', byId, analysisSchema),
  'parity.start': start(
    'The outputs of a build on a device against this computer’s on the same samples, and the layers most likely responsible',
    z.object({
      modelId: idSchema,
      deviceId: deviceIdSchema,
      datasetId: idSchema.optional().describe('samples to run; default: made-up inputs'),
      samples: z.int().min(1).max(1000).default(64),
      threads: z.int().min(1).max(256).default(1),
    }),
    analysisSchema,
  ),
} as const
