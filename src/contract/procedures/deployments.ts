import { z } from 'zod'
import { preprocessingSchema } from '../dataset.ts'
import { deployedSchema, deploymentSchema, serviceStatusSchema, validationSchema } from '../deployment.ts'
import { deviceIdSchema } from '../device.ts'
import { exportFormatSchema, exportResultSchema } from '../export.ts'
import { idSchema, pathSchema, serviceNameSchema } from '../names.ts'
import { releaseGateSchema, rolloutSchema } from '../routing.ts'
import { releaseIdSchema, serviceChoicesSchema, serviceFieldSchema } from '../service.ts'
import { serviceLiveSchema, serviceReportSchema, trafficRequestSchema } from '../service-protocol.ts'
import { byId, call, nothing, start } from './procedure.ts'

/** Serving models, here, on devices and elsewhere. */
export const deploymentProcedures = {
  'deploy.start': start(
    'Serve a model or build on a device as a REST API; a service of that name gets it as a new release',
    z.object({
      modelId: idSchema,
      deviceId: deviceIdSchema,
      service: serviceNameSchema.optional(),
      port: z.int().min(1024).max(65535).optional().describe('port on the device; default: the one it has, or a free one'),
      preprocessing: preprocessingSchema.optional().describe('default: what the build carries from its calibration data'),
      datasetId: idSchema
        .nullable()
        .optional()
        .describe(
          'samples for golden answers, the reference of drift (from 1,000 rows) and names and ranges of fields; null for none; default: those of the release before it, else what the build was calibrated with',
        ),
      threads: z.int().min(1).max(256).optional(),
      workers: z.int().min(0).max(64).optional(),
      fields: z.array(serviceFieldSchema).max(10_000).optional(),
      embedding: z.string().max(2000).optional().describe('output that is answered only on request'),
      settings: serviceChoicesSchema.prefault({}).describe('what is left out stays as it is on an existing service'),
      rollout: rolloutSchema,
      gate: releaseGateSchema,
      maxAccuracyDrop: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(
          'measured on the device with the labels of datasetId before anything is brought, against the model that serves, else the one it was made from',
        ),
      supervise: z.enum(['auto', 'system', 'process']).default('auto'),
    }),
    deployedSchema,
  ),
  'deploy.secrets': call(
    'API keys and webhook secret that a deploy.start of this process made, answered once: they are stored nowhere in the workspace',
    z.object({ jobId: idSchema }),
    z.object({ apiKeys: z.array(z.object({ name: z.string(), key: z.string() })), webhookSecret: z.string().nullable() }),
  ),
  'deployments.list': call('All deployments', nothing, z.array(deploymentSchema)),
  'deployments.status': call('What a service says of itself, asked on the device', byId, serviceStatusSchema),
  'deployments.report': call('A service with its versions, events and failures, asked on the device', byId, serviceReportSchema),
  'deployments.live': call('What a running service measures right now: latency, requests, versions, drift', byId, serviceLiveSchema),
  'deployments.rollback': call(
    'Take back what is being tried; where nothing is, the previous release serves again',
    byId,
    serviceReportSchema,
  ),
  'deployments.traffic': call(
    'Change who gets requests: weight, promote, withdraw',
    z.object({ id: idSchema, traffic: trafficRequestSchema }),
    serviceReportSchema,
  ),
  'deployments.stop': call('Stop a service; it stays on the device', byId, serviceStatusSchema),
  'deployments.restart': call('Start a stopped service again', byId, serviceStatusSchema),
  'deployments.forgetFailure': call(
    'Delete what is known of a release that failed: its checks and log',
    z.object({ id: idSchema, release: releaseIdSchema }),
    serviceReportSchema,
  ),
  'deployments.logs': call(
    'The last lines of a service log',
    z.object({ id: idSchema, lines: z.int().min(1).max(5000).default(200) }),
    z.object({ text: z.string() }),
  ),
  'deployments.connect': call(
    'Open (or reuse) the tunnel to a service: its address on this computer and its access token',
    byId,
    z.object({ url: z.string(), token: z.string() }),
  ),
  'deployments.predict': call(
    'Send one sample of a dataset to POST /predict of a service, through the tunnel',
    z.object({ id: idSchema, datasetId: idSchema, index: z.int().min(0) }),
    z.object({
      httpStatus: z.number(),
      response: z.unknown(),
      /** Class index in the dataset, when it is labelled. */
      expected: z.number().nullable(),
      roundTripMs: z.number(),
    }),
  ),
  'deployments.describe': call(
    '`GET /model_info` and `GET /openapi.json` of a running service, through the tunnel',
    byId,
    z.object({ modelInfo: z.unknown(), openApi: z.unknown() }),
  ),
  'deployments.ask': call(
    'Send a body to POST /predict or /predict/batch of a service, through the tunnel',
    z.object({
      id: idSchema,
      path: z.enum(['/predict', '/predict/batch']).default('/predict'),
      body: z.record(z.string(), z.unknown()).default({}),
      image: z
        .object({ contentType: z.string().regex(/^image\/[a-z0-9.+-]{1,60}$/), base64: z.string().min(4).max(28_000_000) })
        .optional()
        .describe('an image file, sent as it is instead of `body` to POST /predict'),
    }),
    z.object({ httpStatus: z.number(), response: z.unknown(), roundTripMs: z.number() }),
  ),
  'validate.start': start(
    'Check a service before production: answers, schema, accuracy, latency, restart, load',
    z.object({
      deploymentId: idSchema,
      datasetId: idSchema.optional().describe('labelled samples: accuracy must be within 1 % of what was measured before'),
      samples: z.int().min(10).max(100_000).default(500),
      maxLatencyMs: z.number().positive().max(60_000).default(50),
      maxAccuracyDrop: z.number().min(0).max(1).default(0.01),
      requestsPerSecond: z.number().min(1).max(100_000).default(100),
      seconds: z.number().min(1).max(3600).default(10),
      restart: z.boolean().default(true).describe('kill the serving process and see it come back'),
    }),
    validationSchema,
  ),
  'validations.list': call('Validations, newest first', z.object({ deploymentId: idSchema.optional() }), z.array(validationSchema)),
  'export.start': start(
    'Write what operations needs to serve a model without Edgesmith',
    z.object({
      modelId: idSchema,
      format: exportFormatSchema,
      folder: pathSchema.describe('made if need be; must be empty'),
      service: serviceNameSchema.optional().describe('name of the service or client; default: made from the model’s name'),
      preprocessing: preprocessingSchema.optional(),
      datasetId: idSchema.optional().describe('as for deploy: golden answers, reference of drift, fields'),
      fields: z.array(serviceFieldSchema).max(10_000).optional(),
      embedding: z.string().max(2000).optional(),
      threads: z.int().min(1).max(256).default(1),
      architectures: z
        .array(z.enum(['x64', 'arm64']))
        .min(1)
        .max(2)
        .default(['x64', 'arm64'])
        .describe('of docker and package'),
    }),
    exportResultSchema,
  ),
  'predictions.export': start(
    'Write the predictions that a service logged to a file; the ending decides the format: .csv or .jsonl',
    z.object({ deploymentId: idSchema, path: pathSchema.regex(/\.(?:csv|jsonl)$/i, 'must end in .csv or .jsonl') }),
    z.object({ path: z.string(), sizeBytes: z.number(), rows: z.number() }),
  ),
  'deployments.remove': call('Stop a service and delete it from the device', byId, nothing),
} as const
