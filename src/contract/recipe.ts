import { z } from 'zod'
import { sha256Schema, targetSchema } from './names.ts'

/** Nodes a step leaves alone or is limited to: node names, operator types, or patterns with `*` and `?`. */
const nodePatternsSchema = z.array(z.string().min(1).max(1000)).max(10_000).default([])
const excludeSchema = nodePatternsSchema.describe('nodes to leave as they are: names, operator types, or patterns like "head.*"')
const includeSchema = nodePatternsSchema.describe('limit the step to these nodes (names, operator types, patterns); empty: all')

export const fp16StepSchema = z.object({
  recipe: z.literal('fp16'),
  weightsOnly: z.boolean().default(false).describe('store weights in half the bytes and compute as before; also after int8 steps'),
  keepIoTypes: z.boolean().default(true).describe('keep float32 at inputs and outputs'),
  include: includeSchema,
  exclude: excludeSchema,
})

export const int8DynamicStepSchema = z.object({
  recipe: z.literal('int8-dynamic'),
  perChannel: z.boolean().default(true).describe('one weight scale for each output channel'),
  tables: z.boolean().default(true).describe('also store lookup tables (Gather) in 8 bits'),
  convolutions: z.boolean().default(false).describe('also quantize convolutions, which is nearly always slower'),
  include: includeSchema,
  exclude: excludeSchema,
})

/** How activation ranges are chosen from calibration samples. */
export const calibratorSchema = z.enum(['minmax', 'moving-average', 'percentile', 'entropy', 'mse'])
export type CalibratorName = z.infer<typeof calibratorSchema>

/** A range or exact parameters for one activation tensor instead of what calibration finds. */
export const tensorOverrideSchema = z.union([
  z.object({ min: z.number(), max: z.number() }).strict(),
  z.object({ scale: z.number().positive(), zeroPoint: z.int().min(-128).max(255) }).strict(),
])

export const int8StaticStepSchema = z.object({
  recipe: z.literal('int8-static'),
  calibrator: z
    .enum(['auto', ...calibratorSchema.options])
    .default('auto')
    .describe('how activation ranges are chosen; auto tries all and keeps the best on held-back samples'),
  percentile: z.number().gt(50).max(100).default(99.999).describe('share of values inside the range, for the percentile calibrator'),
  perChannel: z.boolean().default(true).describe('one weight scale for each output channel'),
  symmetricActivations: z.boolean().default(false).describe('activation zero point in the middle of the type'),
  weightScale: z
    .enum(['auto', 'pair-safe', 'full-range', 'reduced-range'])
    .default('auto')
    .describe('auto: what suits the target; pair-safe never saturates on x64 without VNNI; reduced-range uses 7 bits'),
  biasCorrection: z.boolean().default(true).describe('shift biases by the mean error of the rounded weights'),
  onlyFaster: z.boolean().default(false).describe('leave in float32 what is slower in 8 bits, measured on this computer'),
  overrides: z
    .record(z.string().max(1000), tensorOverrideSchema)
    .default({})
    .describe('ranges {min,max} or {scale,zeroPoint} for single activation tensors'),
  include: includeSchema,
  exclude: excludeSchema,
})

const roundingSchema = z
  .enum(['auto', 'nearest', 'gptq'])
  .default('auto')
  .describe('gptq makes up for each rounding error in the weights that follow (needs calibration data); auto: gptq when there is data')

export const int8WeightsStepSchema = z.object({
  recipe: z.literal('int8-weights'),
  blockSize: z
    .union([z.literal(0), z.literal(16), z.literal(32), z.literal(64), z.literal(128), z.literal(256)])
    .default(0)
    .describe('weights that share a scale; 0: one scale for each output channel'),
  rounding: roundingSchema,
  mseScales: z.boolean().default(true).describe('search the scale with the smallest squared error'),
  include: includeSchema,
  exclude: excludeSchema,
})

export const int4WeightsStepSchema = z.object({
  recipe: z.literal('int4-weights'),
  blockSize: z
    .union([z.literal(16), z.literal(32), z.literal(64), z.literal(128), z.literal(256)])
    .default(32)
    .describe('weights that share a scale'),
  symmetric: z.boolean().default(true).describe('no zero points: smaller, a little less accurate'),
  rounding: roundingSchema,
  mseScales: z.boolean().default(true).describe('search the scale with the smallest squared error'),
  include: includeSchema,
  exclude: excludeSchema,
})

export const pruneMagnitudeStepSchema = z.object({
  recipe: z.literal('prune-magnitude'),
  sparsity: z.number().gt(0).lt(1).default(0.5).describe('share of weights set to zero'),
  scope: z.enum(['global', 'layer']).default('global').describe('one threshold for the whole model, or one for each layer'),
  method: z
    .enum(['auto', 'magnitude', 'wanda', 'sparsegpt'])
    .default('auto')
    .describe('wanda and sparsegpt use calibration data; auto: sparsegpt when there is data, magnitude without'),
  exclude: excludeSchema,
})

export const pruneChannelsStepSchema = z.object({
  recipe: z.literal('prune-channels'),
  goal: z
    .enum(['macs', 'ratio', 'latency'])
    .default('macs')
    .describe('what `amount` is a share of: multiply-accumulates, channels, or latency here'),
  amount: z.number().gt(0).lt(1).default(0.5).describe('share to remove'),
  multipleOf: z.int().min(1).max(64).default(8).describe('channel counts are kept multiples of this: kernels are fastest then'),
  keepAtLeast: z.number().gt(0).max(1).default(0.2).describe('share of channels every layer keeps'),
  refit: z.boolean().default(true).describe('re-fit the remaining weights by least squares (needs calibration data)'),
  exclude: excludeSchema,
})

export const extractStepSchema = z.object({
  recipe: z.literal('extract'),
  inputs: nodePatternsSchema.describe('tensors that become the inputs; empty: the inputs as they are needed'),
  outputs: nodePatternsSchema.describe('tensors that become the outputs; empty: the outputs as they are'),
  fixed: z.record(z.string().max(1000), z.number()).default({}).describe('inputs to replace by a constant, for example {"sr": 16000}'),
})

export const dynamicBatchStepSchema = z.object({
  recipe: z.literal('dynamic-batch'),
  name: z.string().min(1).max(100).default('batch').describe('name of the free dimension'),
})

export const opsetStepSchema = z.object({
  recipe: z.literal('opset'),
  version: z.int().min(7).max(26).default(21).describe('raise the operator set to this version'),
})

/** One step of a recipe, told apart by its name. */
export const recipeStepSchema = z.discriminatedUnion('recipe', [
  fp16StepSchema,
  int8DynamicStepSchema,
  int8StaticStepSchema,
  int8WeightsStepSchema,
  int4WeightsStepSchema,
  pruneMagnitudeStepSchema,
  pruneChannelsStepSchema,
  extractStepSchema,
  dynamicBatchStepSchema,
  opsetStepSchema,
])
export type RecipeStep = z.infer<typeof recipeStepSchema>
export type RecipeName = RecipeStep['recipe']
/** The step of that recipe. */
export type StepOf<N extends RecipeName> = Extract<RecipeStep, { recipe: N }>

/** Recipe steps in the order they are applied. */
export const recipeSchema = z.array(recipeStepSchema).min(1).max(8)
export type Recipe = z.infer<typeof recipeSchema>

/** The schema of each recipe's settings by name: one table for the CLI's `--set`, the window's forms and the documentation. */
export const recipeStepSchemas = {
  'prune-channels': pruneChannelsStepSchema,
  'prune-magnitude': pruneMagnitudeStepSchema,
  fp16: fp16StepSchema,
  'int8-dynamic': int8DynamicStepSchema,
  'int8-static': int8StaticStepSchema,
  'int8-weights': int8WeightsStepSchema,
  'int4-weights': int4WeightsStepSchema,
  extract: extractStepSchema,
  'dynamic-batch': dynamicBatchStepSchema,
  opset: opsetStepSchema,
} as const satisfies Record<RecipeName, z.ZodObject>

export const recipeNames = Object.keys(recipeStepSchemas) as RecipeName[]

/** Recipes that cannot do without calibration samples. */
export function needsCalibration(recipe: readonly RecipeStep[]): boolean {
  return recipe.some((step) => step.recipe === 'int8-static')
}

/** Recipes that are better with calibration samples. */
export function usesCalibration(recipe: readonly RecipeStep[]): boolean {
  return recipe.some((step) => {
    switch (step.recipe) {
      case 'extract':
      case 'int8-static':
      case 'prune-channels':
        return true
      case 'int8-weights':
      case 'int4-weights':
        return step.rounding !== 'nearest'
      case 'prune-magnitude':
        return step.method !== 'magnitude'
      default:
        return false
    }
  })
}

/** A node that a step could have changed and did not, with the reason in words. */
export const skippedNodeSchema = z.object({ node: z.string(), op: z.string(), reason: z.string() })
export type SkippedNode = z.infer<typeof skippedNodeSchema>

/** How far a build's outputs are from its source's on the same inputs (worst output). */
export const fidelitySchema = z.object({
  /** 20·log10(‖reference‖ / ‖reference − build‖); null when the outputs are identical. */
  sqnrDb: z.number().nullable(),
  cosine: z.number(),
  maxAbsDiff: z.number(),
  samples: z.number(),
  /** `calibration` data, or `generated` inputs when no data was given. */
  inputs: z.enum(['calibration', 'generated']),
})
export type Fidelity = z.infer<typeof fidelitySchema>

/** What quantization did to one activation tensor, on verification samples. */
export const tensorErrorSchema = z.object({
  tensor: z.string(),
  /** The node that writes it (an input of the model: empty). */
  node: z.string(),
  op: z.string(),
  scale: z.number(),
  zeroPoint: z.number(),
  /** Rounding and clipping alone: the values before the Q/DQ pair against those behind it. Null: no difference. */
  localSqnrDb: z.number().nullable(),
  /** The build's tensor against the same tensor of the float model. Null: no difference. */
  sqnrDb: z.number().nullable(),
  cosine: z.number(),
  /** Values that were clipped, and how many there were. */
  saturated: z.number(),
  values: z.number(),
})
export type TensorError = z.infer<typeof tensorErrorSchema>

/** What rounding did to the weights of one node. */
export const weightErrorSchema = z.object({ node: z.string(), op: z.string(), tensor: z.string(), sqnrDb: z.number().nullable() })
export type WeightError = z.infer<typeof weightErrorSchema>

/** A calibrator that was tried, and the build's signal to noise with it on samples held back from calibration. */
export const calibratorTrialSchema = z.object({
  calibrator: calibratorSchema,
  biasCorrection: z.boolean(),
  sqnrDb: z.number().nullable(),
})

/** A node that the search for a build within an accuracy budget left in float32. */
export const leftInFloatSchema = z.object({
  node: z.string(),
  op: z.string(),
  reason: z.string(),
  /** Signal to noise of the outputs when it alone is quantized; null: no difference. */
  sqnrDb: z.number().nullable(),
  /** What quantizing it gains, milliseconds of one inference on this computer; negative when it is slower. */
  gainMs: z.number().nullable(),
})

/** The search for the fastest build within `--max-accuracy-drop`. */
export const mixedPrecisionSchema = z.object({
  metric: z.literal('accuracy'),
  maxDrop: z.number(),
  baseline: z.number(),
  reached: z.number(),
  samples: z.number(),
  met: z.boolean(),
  trials: z.number(),
  left: z.array(leftInFloatSchema),
})
export type MixedPrecision = z.infer<typeof mixedPrecisionSchema>

/** What channel pruning removed. */
export const channelPruningSchema = z.object({
  goal: z.enum(['macs', 'ratio', 'latency']),
  amount: z.number(),
  macsBefore: z.number().nullable(),
  macsAfter: z.number().nullable(),
  parametersBefore: z.number(),
  parametersAfter: z.number(),
  latencyBeforeMs: z.number().nullable(),
  latencyAfterMs: z.number().nullable(),
  refitted: z.boolean(),
  layers: z.array(z.object({ node: z.string(), op: z.string(), before: z.number(), after: z.number() })),
})
export type ChannelPruning = z.infer<typeof channelPruningSchema>

/** Which units of a model suffer most from quantization, worst first. */
export const sensitivityReportSchema = z.object({
  target: targetSchema,
  /** `accuracy` with labelled data, otherwise signal to noise of the outputs. */
  metric: z.enum(['accuracy', 'sqnrDb']),
  /** Accuracy of the float model; null for signal to noise. */
  baseline: z.number().nullable(),
  samples: z.number(),
  units: z.array(
    z.object({
      node: z.string(),
      op: z.string(),
      /** Output signal to noise when this unit alone is quantized; null: no difference. */
      sqnrDb: z.number().nullable(),
      /** Accuracy with this unit alone quantized; null without labelled data. */
      accuracy: z.number().nullable(),
      /** What quantizing it gains, milliseconds of one inference on this computer; null where it cannot be told apart. */
      gainMs: z.number().nullable(),
      macs: z.number().nullable(),
    }),
  ),
  skipped: z.array(skippedNodeSchema),
  warnings: z.array(z.string()),
  durationMs: z.number(),
})
export type SensitivityReport = z.infer<typeof sensitivityReportSchema>

/** What `optimize` reports (SPEC.md fixes the names), without the paths. */
export const optimizeSummarySchema = z.object({
  input: z.object({ sizeBytes: z.number(), sha256: sha256Schema }),
  output: z.object({ sizeBytes: z.number(), sha256: sha256Schema }),
  steps: z.array(z.object({ recipe: z.string(), durationMs: z.number() })),
  target: targetSchema,
  /** Nodes the steps changed to a lower precision or pruned. */
  quantizedNodes: z.number(),
  /** Nodes that ONNX Runtime really runs with int8 or packed-weight kernels after loading; 0 for other recipes. */
  fusedNodes: z.number(),
  skipped: z.array(skippedNodeSchema),
  /** Share of weights that are zero after pruning; null without a pruning step. */
  sparsity: z.number().nullable(),
  fidelity: fidelitySchema,
  calibrationSamples: z.number(),
  /** The calibrator that was used; null for recipes without one. */
  calibrator: calibratorSchema.nullable().default(null),
  /** What `calibrator: auto` tried. */
  calibratorTrials: z.array(calibratorTrialSchema).default([]),
  /** Quantized activations, worst first. */
  tensors: z.array(tensorErrorSchema).default([]),
  /** Quantized weights, worst first. */
  weights: z.array(weightErrorSchema).default([]),
  mixedPrecision: mixedPrecisionSchema.nullable().default(null),
  channelPruning: channelPruningSchema.nullable().default(null),
  warnings: z.array(z.string()),
  /** Time by phase, in order. */
  phases: z.array(z.object({ phase: z.string(), durationMs: z.number() })).default([]),
  /** Resident memory of the process before the work began, with ONNX Runtime loaded. */
  idleRssBytes: z.number().nullable().default(null),
  peakRssBytes: z.number(),
  durationMs: z.number(),
})
export type OptimizeSummary = z.infer<typeof optimizeSummarySchema>
