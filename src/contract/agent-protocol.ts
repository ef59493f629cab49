import { z } from 'zod'
import { accuracyExplanationSchema, explanationSchema, layerComparisonSchema, profileResultSchema } from './analysis.ts'
import { datasetSourceSchema, preprocessingSchema } from './dataset.ts'
import { environmentSchema } from './environment.ts'
import { evaluateResultSchema } from './evaluation.ts'
import { errorReportSchema, progressSchema } from './job.ts'
import { benchResultSchema, benchSettingsSchema } from './measurement.ts'
import { pathSchema, serviceNameSchema, sha256Schema } from './names.ts'

/**
 * How a host talks to the agent, on this computer or through SSH: the host starts `node agent.cjs run`, writes one request as one
 * line of JSON on its standard input and keeps it open; the agent answers with lines of JSON on standard output and exits.
 * Closing standard input cancels. Typed arrays travel as tagged base64 (`agent-wire.ts`). Standard error is free text for the log.
 */
export const AGENT_PROTOCOL_VERSION = 3

export const agentRequestSchema = z.discriminatedUnion('command', [
  /** Checks signature and hashes of the agent's own files, loads ONNX Runtime, runs a tiny built-in model and checks the answer: the self-test after a push. */
  z.object({
    command: z.literal('self-test'),
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

/** One value of an input, as people know it: requests may give it by name, and values outside its range are refused. */
const serviceFieldSchema = z.object({
  input: z.string().max(2000),
  /** Place of the value in one sample of the input, counted from 0 over all its dimensions, before preprocessing. */
  index: z.int().min(0).max(10_000_000),
  name: z.string().min(1).max(200),
  /** Smallest and largest value that is taken; null for no bound. */
  min: z.number().nullable().default(null),
  max: z.number().nullable().default(null),
})
export type ServiceField = z.infer<typeof serviceFieldSchema>

/** A token bucket: `burst` requests at once, `requestsPerSecond` in the long run. */
const rateLimitSchema = z.object({ requestsPerSecond: z.number().positive().max(1e6), burst: z.int().min(1).max(1_000_000) })

/** A client of its own beside those that know the service's token. */
const apiKeySchema = z.object({
  /** Who it is, in the log; never secret. */
  name: z.string().regex(/^[\w.@-]{1,64}$/),
  /** Of the key's text; the key itself is nowhere on the device. */
  sha256: sha256Schema,
  /** Instead of the service's limit. */
  rateLimit: rateLimitSchema.nullable().default(null),
})

/** Names under which a service that is open to the network may be asked, without port: `box.local`, `192.168.1.20`. */
const networkSchema = z.object({
  hosts: z
    .array(z.string().regex(/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])$/))
    .min(1)
    .max(50),
})

/** The file `node agent.cjs serve FILE` reads: everything a service is. */
export const serviceConfigSchema = z
  .object({
    service: serviceNameSchema,
    /** Name people gave the model or build. */
    modelName: z.string(),
    modelPath: pathSchema,
    modelSha256: sha256Schema,
    /** Identifies the release; answered as `version`. */
    version: z.string(),
    /** Anything but loopback needs `network`. */
    host: z.union([z.ipv4(), z.ipv6()]),
    /** 0 picks a free port; the chosen one is written to `statePath`. */
    port: z.int().min(0).max(65535),
    /** File with the access token (mode 0600). */
    tokenPath: pathSchema,
    /** Where the service writes `{pid, port, startedAt}` once it listens, and removes it when it ends. */
    statePath: pathSchema,
    preprocessing: preprocessingSchema,
    labels: z.array(z.string()).nullable(),
    /** Measured on this device before; answered by `/model_info`. */
    accuracy: z.number().nullable(),
    latencyP50Ms: z.number().nullable(),
    threads: z.int().min(1).max(256).default(1),
    /** Says on purpose that the service is open to the network; null for loopback only. */
    network: networkSchema.nullable().default(null),
    fields: z.array(serviceFieldSchema).max(10_000).default([]),
    /** Output that is answered only where `"embedding": true` asks for it. */
    embedding: z.string().max(2000).nullable().default(null),
    apiKeys: z.array(apiKeySchema).max(1000).default([]),
    /** Predictions of each client; null for no limit. */
    rateLimit: rateLimitSchema.nullable().default(null),
    /** Predictions that are worked on together; more are refused. */
    concurrency: z.int().min(1).max(10_000).default(512),
    /** A prediction that is not answered this long after its body arrived is given up; a client may ask for less. */
    deadlineMs: z.int().min(1).max(600_000).default(60_000),
    /** Share of requests that get a line in the log, 0 to 1. */
    accessLogShare: z.number().min(0).max(1).default(0),
  })
  .refine(({ host, network }) => network !== null || host === '127.0.0.1' || host === '::1', {
    path: ['host'],
    message: 'is open to the network: that needs "network" with the names the service may be asked under',
  })
export type ServiceConfig = z.infer<typeof serviceConfigSchema>
/** As it is written: what has a default may be left out. */
export type ServiceConfigFile = z.input<typeof serviceConfigSchema>

export const serviceStateSchema = z.object({ pid: z.number(), port: z.number(), startedAt: z.string() })
export type ServiceState = z.infer<typeof serviceStateSchema>
