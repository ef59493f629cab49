import { z } from 'zod'
import { displayNameSchema, idSchema, momentSchema, sha256Schema, targetSchema } from './names.ts'
import { optimizeSummarySchema, recipeSchema } from './recipe.ts'

/** A model input or output. A symbolic dimension is its name, an unknown one null. */
export const portSchema = z.object({
  name: z.string(),
  type: z.string(),
  shape: z.array(z.union([z.number(), z.string(), z.null()])).nullable(),
})
export type PortDescription = z.infer<typeof portSchema>

/** One node of the graph in `inspect`'s listing. */
export const nodeDescriptionSchema = z.object({
  name: z.string(),
  op: z.string(),
  domain: z.string(),
  outputShape: z.array(z.union([z.number(), z.string(), z.null()])).nullable(),
  parameters: z.number(),
  /** Multiply-accumulates of one sample; null where a shape is unknown. */
  macs: z.number().nullable(),
})

/** What `inspect` says about a model. */
export const modelReportSchema = z.object({
  sizeBytes: z.number(),
  sha256: sha256Schema,
  irVersion: z.number(),
  producer: z.string(),
  opset: z.number(),
  domains: z.record(z.string(), z.number()),
  inputs: z.array(portSchema),
  outputs: z.array(portSchema),
  nodeCount: z.number(),
  opCounts: z.record(z.string(), z.number()),
  initializerCount: z.number(),
  /** Elements in initializers of floating point or quantized weights. */
  parameters: z.number(),
  parameterBytes: z.number(),
  /** Share of weight elements that are exactly zero. */
  zeroFraction: z.number(),
  /** Element types of initializers and of weights in Constant nodes, and the bytes each takes. */
  weightTypes: z.record(z.string(), z.number()),
  /** Multiply-accumulates of one sample (a symbolic batch taken as 1); null where shapes could not be found. */
  macs: z.number().nullable(),
  /** Nodes that do work but whose MACs could not be counted. */
  uncountedNodes: z.number(),
  metadata: z.record(z.string(), z.string()),
  /** Class names from the metadata (`edgesmith.labels`, `labels`, `classes`), when there are any. */
  labels: z.array(z.string()).nullable(),
  nodes: z.array(nodeDescriptionSchema),
  /** True when `nodes` was cut (it lists at most 20,000). */
  nodesTruncated: z.boolean(),
})
export type ModelReport = z.infer<typeof modelReportSchema>

/** A model the user imported, or a build made from one. Immutable. */
export const modelSchema = z.object({
  id: idSchema,
  name: displayNameSchema,
  kind: z.enum(['model', 'build']),
  sha256: sha256Schema,
  sizeBytes: z.number(),
  createdAt: momentSchema,
  report: modelReportSchema.omit({ nodes: true, nodesTruncated: true }),
  /** The model this build was made from. */
  parentId: idSchema.nullable(),
  recipe: recipeSchema.nullable(),
  target: targetSchema.nullable(),
  /** How the build was made and verified; null for imported models. */
  summary: optimizeSummarySchema.nullable(),
  /** Where an imported file came from (its path then). */
  source: z.string().nullable(),
})
export type Model = z.infer<typeof modelSchema>
