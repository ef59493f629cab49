import { z } from 'zod'
import { environmentSchema, intervalSchema } from './environment.ts'
import { idSchema, momentSchema } from './names.ts'
import { parityResultSchema } from './parity.ts'

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

/** One kernel of a profile, with what it moved and computed. */
export const profiledKernelSchema = z.object({
  /** Kernel with its layout: `QLinearConv`, `Conv (NCHWc)`. */
  kernel: z.string(),
  /** Name in the graph as the runtime rewrote it. */
  name: z.string(),
  /** Nodes of the model it computes. */
  nodes: z.array(z.string()),
  /** The layer it is counted under: its main node. */
  layer: z.string(),
  /** Element type it computes in. */
  precision: z.string(),
  /** Median milliseconds of one inference. */
  ms: z.number(),
  /** Multiply-accumulates of one inference; null where shapes do not tell. */
  macs: z.number().nullable(),
  weightBytes: z.number(),
  inputBytes: z.number(),
  outputBytes: z.number(),
  outputShape: z.array(z.number()).nullable(),
})
export type ProfiledKernelRow = z.infer<typeof profiledKernelSchema>

/** What the machine can do at most with this many threads, measured right after the profile. */
export const machinePeakSchema = z.object({
  /** Multiply-accumulates a second in float32 and, where it was measured, in 8 bits, in thousand millions. */
  gmacsFloat32: z.number(),
  gmacsInt8: z.number().nullable(),
  /** Bytes a second read and written together, in thousand millions. */
  gbPerSecond: z.number(),
})
export type MachinePeak = z.infer<typeof machinePeakSchema>

/** Where the time of one model goes on one machine. */
export const profileResultSchema = z.object({
  batch: z.number(),
  threads: z.number(),
  /** Median of a run without and with the profiler, milliseconds. */
  plainMs: z.number(),
  profiledMs: z.number(),
  runs: z.number(),
  kernels: z.array(profiledKernelSchema),
  byOp: z.array(z.object({ kernel: z.string(), count: z.number(), ms: z.number(), macs: z.number().nullable() })),
  byLayer: z.array(
    z.object({
      layer: z.string(),
      op: z.string(),
      kernels: z.array(z.string()),
      precision: z.string(),
      ms: z.number(),
      macs: z.number().nullable(),
      /** Weights, inputs and outputs. */
      bytes: z.number(),
    }),
  ),
  peak: machinePeakSchema.nullable(),
  environment: environmentSchema,
  warnings: z.array(z.string()),
})
export type ProfileResult = z.infer<typeof profileResultSchema>

/** A node of a graph that is drawn. */
export const drawnNodeSchema = z.object({
  id: z.number(),
  name: z.string(),
  op: z.string(),
  /** Layer of the comparison that it belongs to; null for one without a counterpart. */
  layer: z.string().nullable(),
  /** Median milliseconds; null for nodes the runtime fused into another. */
  ms: z.number().nullable(),
  precision: z.string().nullable(),
  sqnrDb: z.number().nullable(),
})
export const drawnGraphSchema = z.object({
  nodes: z.array(drawnNodeSchema),
  /** Ids of producer and consumer. */
  edges: z.array(z.tuple([z.number(), z.number()])),
  /** True when nodes beyond the 20,000th were left out. */
  truncated: z.boolean(),
})
export type DrawnGraph = z.infer<typeof drawnGraphSchema>

const layerSideSchema = z.object({ ms: z.number(), kernels: z.array(z.string()), precision: z.string() })

/** Two builds layer by layer: time, precision, and how far the build's tensor is from the baseline's. */
export const layerComparisonSchema = z.object({
  baselineMs: z.number(),
  buildMs: z.number(),
  /** In graph order of the baseline; layers only the build has come where they stand there. */
  layers: z.array(
    z.object({
      layer: z.string(),
      op: z.string(),
      baseline: layerSideSchema.nullable(),
      build: layerSideSchema.nullable(),
      /** Build minus baseline. */
      lostMs: z.number(),
      /** Signal to noise of the layer's output; null where it exists in one of them only or nothing differs (`maxAbsDiff` is 0 then). */
      sqnrDb: z.number().nullable(),
      /** Null where it exists in one of them only, or the build's is not finite. */
      maxAbsDiff: z.number().nullable(),
    }),
  ),
  baselineGraph: drawnGraphSchema,
  buildGraph: drawnGraphSchema,
  /** Samples that tensors were compared on, and where they came from. */
  samples: z.number(),
  inputs: z.string(),
  environment: environmentSchema,
  warnings: z.array(z.string()),
})
export type LayerComparison = z.infer<typeof layerComparisonSchema>

/** Why a build answers worse than its baseline. */
export const accuracyExplanationSchema = z.object({
  /** Samples whose tensors were compared. */
  samples: z.number(),
  /** How both answered all samples of the dataset; null without labels, and for models that do not give one score a class. */
  answers: z
    .object({
      samples: z.number(),
      baselineAccuracy: z.number(),
      buildAccuracy: z.number(),
      /** Samples that the two gave different classes. */
      changed: z.number(),
      /** Exact McNemar test. */
      pValue: z.number(),
    })
    .nullable(),
  /** Most important first; `layers` and `classes` name the evidence. */
  findings: z.array(z.object({ rule: z.string(), message: z.string(), layers: z.array(z.string()), classes: z.array(z.number()) })),
  /** Signal to noise after each layer in graph order, and the loss against its inputs. */
  layers: z.array(
    z.object({ layer: z.string(), op: z.string(), precision: z.string(), sqnrDb: z.number().nullable(), lostDb: z.number().nullable() }),
  ),
  /**
   * Classes on whose samples the two were not right alike, largest loss first; empty without labels. `pValue` is that of the exact
   * McNemar test, corrected for the number of these classes (Holm).
   */
  classes: z.array(
    z.object({ class: z.number(), support: z.number(), baselineRecall: z.number(), buildRecall: z.number(), pValue: z.number() }),
  ),
  accuracyDifference: z.number().nullable(),
  accuracyDifferenceCi95: intervalSchema.nullable(),
  /** What to do, in words and as a command. */
  advice: z.string().nullable(),
})
export type AccuracyExplanation = z.infer<typeof accuracyExplanationSchema>

const analysisSubjectSchema = z.object({
  id: idSchema,
  jobId: idSchema,
  modelId: idSchema,
  baselineId: idSchema.nullable(),
  datasetId: idSchema.nullable(),
  deviceId: z.string(),
  createdAt: momentSchema,
})

export const analysisKindSchema = z.enum(['profile', 'layers', 'slowdown', 'accuracy', 'parity'])

/** A stored analysis of one model, or of a model beside a baseline. */
export const analysisSchema = analysisSubjectSchema.and(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('profile'), result: profileResultSchema }),
    z.object({ kind: z.literal('layers'), result: layerComparisonSchema }),
    z.object({ kind: z.literal('slowdown'), result: explanationSchema }),
    z.object({ kind: z.literal('accuracy'), result: accuracyExplanationSchema }),
    z.object({ kind: z.literal('parity'), result: parityResultSchema }),
  ]),
)
export type Analysis = z.infer<typeof analysisSchema>

/** An analysis as lists show it, without its result, which may have megabytes. */
export const analysisEntrySchema = analysisSubjectSchema.extend({
  kind: analysisKindSchema,
  /** Of a profile: what was run, and the median of one inference. */
  profile: profileResultSchema.pick({ batch: true, threads: true, plainMs: true }).nullable(),
})
export type AnalysisEntry = z.infer<typeof analysisEntrySchema>
