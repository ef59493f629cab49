import { z } from 'zod'
import { accuracyExplanationSchema, explanationSchema, layerComparisonSchema, profileResultSchema } from './analysis.ts'
import { datasetSourceSchema } from './dataset.ts'
import { environmentSchema } from './environment.ts'
import { evaluateResultSchema } from './evaluation.ts'
import { errorReportSchema, progressSchema } from './job.ts'
import { loadRequestSchema, loadResultSchema } from './load.ts'
import { benchResultSchema, benchSettingsSchema } from './measurement.ts'
import { pathSchema } from './names.ts'
import { serviceRequestSchema, serviceResultSchema } from './service-protocol.ts'

/**
 * How a host talks to the agent, on this computer or through SSH: the host starts `node agent.cjs run`, writes one request as one
 * line of JSON on its standard input and keeps it open; the agent answers with lines of JSON on standard output and exits.
 * Closing standard input cancels. Typed arrays travel as tagged base64 (`agent-wire.ts`). Standard error is free text for the log.
 */
export const AGENT_PROTOCOL_VERSION = 4

export const agentRequestSchema = z.discriminatedUnion('command', [
  /**
   * Checks signature and hashes of the agent's own files, loads ONNX Runtime, runs a tiny built-in model and checks the answer: the self-test
   * after a push. With `images` it decodes a tiny picture too.
   */
  z.object({
    command: z.literal('self-test'),
    /** The agent was brought with its image library. */
    images: z.boolean().default(false),
    /** Ed25519 public key (base64 of its SPKI) that signed the manifest beside the agent; left out on the computer the agent was built on. */
    publicKey: z.string().max(200).optional(),
  }),
  z.object({
    command: z.literal('bench'),
    model: pathSchema,
    settings: benchSettingsSchema,
    /** Folder on the device for TensorRT engines and timing caches; needed for runtime `tensorrt`. */
    enginesFolder: pathSchema.optional(),
  }),
  /** Runs a model on samples and answers its outputs, and inner tensors where asked, for a comparison with another machine. */
  z.object({
    command: z.literal('outputs'),
    model: pathSchema,
    dataset: datasetSourceSchema.nullable(),
    samples: z.int().min(1).max(1000).default(64),
    /** Inner tensors of this many of the first samples; 0 for none. */
    layerSamples: z.int().min(0).max(16).default(0),
    threads: z.int().min(1).max(256).default(1),
  }),
  z.object({
    command: z.literal('evaluate'),
    model: pathSchema,
    dataset: datasetSourceSchema,
    /** Outputs are compared with this model's as well, sample by sample. */
    baseline: pathSchema.optional(),
    batch: z.int().min(1).max(4096).default(32),
    threads: z.int().min(1).max(256).default(1),
  }),
  /** Times every kernel of one model and measures the machine's peak beside it. */
  z.object({
    command: z.literal('profile'),
    model: pathSchema,
    batch: z.int().min(1).max(4096).default(1),
    threads: z.int().min(1).max(256).default(1),
  }),
  /** Two models layer by layer: time, precision, and how far their tensors are apart. */
  z.object({
    command: z.literal('layers'),
    baseline: pathSchema,
    model: pathSchema,
    dataset: datasetSourceSchema.nullable(),
    samples: z.int().min(1).max(256).default(8),
    batch: z.int().min(1).max(4096).default(1),
    threads: z.int().min(1).max(256).default(1),
  }),
  /** Where the answers of a build get worse than its baseline's. */
  z.object({
    command: z.literal('explain-accuracy'),
    baseline: pathSchema,
    model: pathSchema,
    dataset: datasetSourceSchema,
    samples: z.int().min(1).max(1000).default(64),
    threads: z.int().min(1).max(256).default(1),
  }),
  /** Profiles a build beside its baseline, node by node, and says why it is slower where it is. */
  z.object({
    command: z.literal('explain'),
    baseline: pathSchema,
    model: pathSchema,
    batch: z.int().min(1).max(4096).default(1),
    threads: z.int().min(1).max(256).default(1),
  }),
  /** Looks at or changes the services of the machine. */
  serviceRequestSchema,
  loadRequestSchema,
])
export type AgentRequest = z.input<typeof agentRequestSchema>

export const selfTestResultSchema = z.object({
  edgesmithVersion: z.string(),
  nodeVersion: z.string(),
  onnxRuntimeVersion: z.string(),
  architecture: z.string(),
  /** Largest absolute difference between the tiny model's answer and the expected one. */
  maxAbsDiff: z.number(),
})
export type SelfTestResult = z.infer<typeof selfTestResultSchema>

const outputValuesSchema = z.instanceof(Float32Array) as z.ZodType<Float32Array>

/** Type of activations, the coarsest where there are several. */
const precisionSchema = z.enum(['int8', 'float16', 'float32'])
const namesSchema = z.array(z.string().max(2000)).max(10_000)

/** Values of a model on one machine, every tensor as float32. Large inner tensors are thinned with a fixed stride, the same on every machine. */
export const outputsResultSchema = z.object({
  samples: z.number(),
  /** Where the inputs came from, in words. */
  inputs: z.string(),
  precision: precisionSchema,
  outputs: z
    .array(
      z.object({
        name: z.string().max(2000),
        /** Element type that the model gives. */
        type: z.string().max(20),
        /** [samples, …] where values can be told apart by sample, else [number of values]. */
        shape: z.array(z.number()).max(64),
        /** Distance of neighbouring values of the 8-bit grid the output is on; null where it is on none. */
        step: z.number().nullable(),
        values: outputValuesSchema,
      }),
    )
    .max(1000),
  layers: z
    .array(
      z.object({
        layer: z.string().max(2000),
        op: z.string().max(200),
        precision: precisionSchema,
        tensor: z.string().max(2000),
        /** Tensors of other layers that it reads. */
        inputs: namesSchema,
        step: z.number().nullable(),
        values: outputValuesSchema,
      }),
    )
    .max(20_000),
  environment: environmentSchema,
  warnings: z.array(z.string()),
})
export type OutputsResult = z.infer<typeof outputsResultSchema>

/** The result schema of each command. */
export const agentResultSchemas = {
  'self-test': selfTestResultSchema,
  bench: benchResultSchema,
  outputs: outputsResultSchema,
  evaluate: evaluateResultSchema,
  explain: explanationSchema,
  profile: profileResultSchema,
  layers: layerComparisonSchema,
  'explain-accuracy': accuracyExplanationSchema,
  service: serviceResultSchema,
  load: loadResultSchema,
} as const
export type AgentCommand = keyof typeof agentResultSchemas
export type AgentResult<C extends AgentCommand> = z.infer<(typeof agentResultSchemas)[C]>

/** One line from the agent. `hello` comes first and once, `result` or `error` last and once. */
export const agentMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), protocol: z.number(), pid: z.number(), version: z.string() }),
  z.object({ type: z.literal('progress'), progress: progressSchema }),
  z.object({ type: z.literal('log'), text: z.string() }),
  z.object({ type: z.literal('result'), value: z.unknown() }),
  z.object({ type: z.literal('error'), error: errorReportSchema }),
])
export type AgentMessage = z.infer<typeof agentMessageSchema>
