import { z } from 'zod'
import { accuracyExplanationSchema, analysisEntrySchema, analysisKindSchema, analysisSchema, explanationSchema } from './analysis.ts'
import {
  csvOptionsSchema,
  datasetSchema,
  duplicatesReportSchema,
  preparedSampleSchema,
  preprocessingSchema,
  sampleViewSchema,
} from './dataset.ts'
import { deployedSchema, deploymentSchema, serviceStatusSchema, validationSchema } from './deployment.ts'
import {
  configHostSchema,
  deviceAuthSchema,
  deviceIdSchema,
  deviceReportSchema,
  deviceSchema,
  fingerprintSchema,
  hostSchema,
  jumpSchema,
  userSchema,
} from './device.ts'
import { deviceLinkSchema, deviceLogLineSchema, portForwardSchema, sshConfigHostSchema } from './device-link.ts'
import { evaluationSchema, metricDifferenceSchema, worstSampleSchema } from './evaluation.ts'
import { exportFormatSchema, exportResultSchema } from './export.ts'
import { errorReportSchema, jobLogLineSchema, jobSchema } from './job.ts'
import { matrixSchema } from './matrix.ts'
import {
  benchmarkSchema,
  benchSettingsSchema,
  comparisonSchema,
  histogramSchema,
  latencySeriesSchema,
  runComparisonSchema,
} from './measurement.ts'
import { modelReportSchema, modelSchema } from './model.ts'
import { displayNameSchema, idSchema, momentSchema, pathSchema, serviceNameSchema, targetSchema } from './names.ts'
import { questionSchema } from './question.ts'
import { optimizeSummarySchema, recipeSchema, sensitivityReportSchema } from './recipe.ts'
import { reportDocumentSchema, reportEntrySchema } from './report.ts'
import { releaseGateSchema, rolloutSchema } from './routing.ts'
import { serviceChoicesSchema, serviceFieldSchema } from './service.ts'
import { serviceLiveSchema, serviceReportSchema, trafficRequestSchema } from './service-protocol.ts'
import { runTelemetrySchema, telemetryReadingSchema } from './telemetry.ts'

/** A procedure that answers at once. */
interface Call<I extends z.ZodType, O extends z.ZodType> {
  readonly description: string
  readonly input: I
  readonly output: O
  readonly job?: undefined
}

/** A procedure that starts a job: it answers with the job's id, the job's `result` is described by `job`. */
interface Start<I extends z.ZodType, R extends z.ZodType> {
  readonly description: string
  readonly input: I
  readonly output: typeof startedSchema
  readonly job: R
}

const startedSchema = z.object({ jobId: idSchema })
const nothing = z.object({})

function call<I extends z.ZodType, O extends z.ZodType>(description: string, input: I, output: O): Call<I, O> {
  return { description, input, output }
}

function start<I extends z.ZodType, R extends z.ZodType>(description: string, input: I, result: R): Start<I, R> {
  return { description, input, output: startedSchema, job: result }
}

const byId = z.object({ id: idSchema })

/** One check of `doctor`. */
export const doctorCheckSchema = z.object({
  name: z.string(),
  status: z.enum(['ok', 'warning', 'missing']),
  found: z.string(),
  needed: z.string(),
  fix: z.string().nullable(),
})

/** What `compareAll` made: one entry for each recipe that was tried, and the comparison of those that became builds. */
export const compareAllResultSchema = z.object({
  comparison: comparisonSchema.nullable(),
  entries: z.array(
    z.object({
      title: z.string(),
      recipe: recipeSchema,
      /** The build; null when the recipe could not be applied. */
      modelId: idSchema.nullable(),
      error: errorReportSchema.nullable(),
    }),
  ),
  /** The build to take, and why; null when the source model is the best. */
  recommended: z.object({ modelId: idSchema, reason: z.string() }).nullable(),
})
export type CompareAllResult = z.infer<typeof compareAllResultSchema>

/** Where a report is written; the ending decides the format. */
const reportPathSchema = pathSchema.regex(/\.(html|pdf|md|json|csv)$/i, 'reports are written as .html, .pdf, .md, .json or .csv')

/**
 * Everything the backend can do, declared once: IPC, preload bridge, command line and forms are made from this table.
 * Names are `noun.verb`.
 */
export const procedures = {
  'workspace.describe': call(
    'Where the workspace is, how much disk it takes and what version runs',
    nothing,
    z.object({ path: z.string(), sizeBytes: z.number(), version: z.string(), nodeVersion: z.string(), hostTarget: targetSchema }),
  ),
  'samples.import': call(
    'Import the bundled sample models and datasets',
    nothing,
    z.object({ models: z.array(modelSchema), datasets: z.array(datasetSchema) }),
  ),

  'models.list': call('All models and builds, newest first', nothing, z.array(modelSchema)),
  'models.inspect': call('Everything known about a model, nodes included', z.object({ id: idSchema }), modelReportSchema),
  'models.import': call(
    'Read, check and keep an .onnx file; the same bytes imported twice are one model',
    z.object({ path: pathSchema, name: displayNameSchema.optional() }),
    modelSchema,
  ),
  'models.rename': call('Give a model or build another name', z.object({ id: idSchema, name: displayNameSchema }), modelSchema),
  'models.remove': call('Forget a model or build that nothing else needs', byId, nothing),
  'models.export': call(
    'Write a model or build to a file',
    z.object({ id: idSchema, path: pathSchema }),
    z.object({ path: z.string(), sizeBytes: z.number() }),
  ),

  'datasets.list': call('All datasets, newest first', nothing, z.array(datasetSchema)),
  'datasets.import': start(
    'Read, check and keep a dataset: .npz, .npy, IDX (labels file found beside it when left out), .csv, or a folder of images',
    z.object({
      path: pathSchema,
      labelsPath: pathSchema.optional().describe('labels of an IDX or .npy file'),
      name: displayNameSchema.optional(),
      preprocessing: preprocessingSchema.optional(),
      csv: csvOptionsSchema.optional(),
      classes: z
        .record(z.string(), z.int().min(0).max(1_000_000))
        .optional()
        .describe('class folder to label index; default: alphabetical'),
    }),
    z.object({ dataset: datasetSchema, splits: z.array(datasetSchema) }),
  ),
  'datasets.table': call(
    'The columns of a .csv and its first rows, before it is imported',
    z.object({ path: pathSchema, delimiter: csvOptionsSchema.shape.delimiter }),
    z.object({ delimiter: z.string(), columns: z.array(z.string()), rows: z.array(z.array(z.string())) }),
  ),
  'datasets.setPreprocessing': start(
    'Change how samples become model inputs. A dataset that results refer to stays as it is, and a copy gets the new description',
    z.object({ id: idSchema, preprocessing: preprocessingSchema }),
    datasetSchema,
  ),
  'datasets.split': start(
    'Divide a dataset into parts that share its files; the same seed gives the same parts',
    z.object({
      id: idSchema,
      parts: z
        .array(z.object({ name: serviceNameSchema, share: z.number().positive().max(1) }))
        .min(2)
        .max(10),
      seed: z.int().min(0).default(1),
      stratify: z.boolean().default(true).describe('keep the shares of the classes in every part'),
    }),
    z.array(datasetSchema),
  ),
  'datasets.rename': call('Give a dataset another name', z.object({ id: idSchema, name: displayNameSchema }), datasetSchema),
  'datasets.samples': call(
    'Samples as a person looks at them: a window of the dataset, one class of it, or chosen ones',
    z.object({
      id: idSchema,
      indices: z.array(z.int().min(0)).max(200).optional(),
      from: z.int().min(0).default(0),
      count: z.int().min(1).max(200).default(48),
      class: z.int().min(0).optional(),
    }),
    z.object({ total: z.number(), samples: z.array(sampleViewSchema) }),
  ),
  'datasets.preview': call(
    'What a preprocessing description makes of one sample, and whether it fits a model; nothing is stored',
    z.object({ id: idSchema, preprocessing: preprocessingSchema, index: z.int().min(0).default(0), modelId: idSchema.optional() }),
    preparedSampleSchema,
  ),
  'datasets.duplicates': call(
    'Equal and look-alike samples, within a dataset and between datasets (a test set that holds training samples flatters)',
    z.object({ ids: z.array(idSchema).min(1).max(16) }),
    duplicatesReportSchema,
  ),
  'datasets.remove': call('Forget a dataset that no result refers to', byId, nothing),

  'optimize.start': start(
    'Make a build from a model by a recipe',
    z.object({
      modelId: idSchema,
      recipe: recipeSchema,
      target: targetSchema.optional().describe('default: what this computer is'),
      calibrationId: idSchema.optional(),
      samples: z.int().min(1).max(100_000).default(256).describe('calibration samples to use'),
      name: displayNameSchema.optional(),
      budget: z
        .object({ maxAccuracyDrop: z.number().min(0).max(1), datasetId: idSchema })
        .optional()
        .describe('search the fastest int8-static build that loses at most this much accuracy on a labelled dataset'),
    }),
    z.object({ model: modelSchema, summary: optimizeSummarySchema }),
  ),
  'sensitivity.start': start(
    'Which units of a model suffer most from int8 quantization, and what each gains',
    z.object({
      modelId: idSchema,
      target: targetSchema.optional().describe('default: what this computer is'),
      calibrationId: idSchema,
      samples: z.int().min(1).max(100_000).default(64).describe('calibration samples to use'),
      datasetId: idSchema.optional().describe('labelled data: units are then ranked by accuracy'),
    }),
    sensitivityReportSchema,
  ),
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
  'compareAll.start': start(
    'Make a build by every recipe that makes sense for a model and target, and compare them all',
    z.object({
      modelId: idSchema,
      target: targetSchema.optional().describe('default: what this computer is'),
      calibrationId: idSchema.optional(),
      samples: z.int().min(1).max(100_000).default(256).describe('calibration samples to use'),
      datasetId: idSchema.optional().describe('labelled data to measure accuracy on'),
      deviceId: deviceIdSchema,
      settings: benchSettingsSchema,
      blocks: z.int().min(2).max(100).default(10).describe('interleaved blocks for each model'),
    }),
    compareAllResultSchema,
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

  'jobs.list': call('Jobs, newest first', z.object({ limit: z.int().min(1).max(1000).default(100) }), z.array(jobSchema)),
  'jobs.get': call('One job', byId, jobSchema),
  'jobs.log': call('What a job wrote', byId, z.array(jobLogLineSchema)),
  'jobs.cancel': call('Ask a job to stop; it is killed after a grace time', byId, jobSchema),
  'jobs.wait': call('Answers when the job has ended', byId, jobSchema),

  'devices.list': call('This computer and every added device', nothing, z.array(deviceSchema)),
  'devices.add': call(
    'Connect to a device, check its host key, probe it and keep it. HOST_KEY_UNKNOWN carries the fingerprint to confirm',
    z.object({
      name: serviceNameSchema,
      host: hostSchema.describe('with configHost: that name'),
      port: z.int().min(1).max(65535).default(22),
      user: userSchema,
      auth: deviceAuthSchema,
      configHost: configHostSchema
        .optional()
        .describe('a Host of ~/.ssh/config, which then decides about address, user, keys and jump hosts'),
      jump: jumpSchema.optional().describe('hosts to go through, as for ssh -J'),
      /** Only in the window: password of the user, or passphrase of the key; handed to the OS key store, never stored here. */
      password: z.string().max(1024).optional(),
      hostKey: fingerprintSchema.optional().describe('the fingerprint the user confirmed'),
      jumpHostKeys: z.array(fingerprintSchema).max(8).default([]).describe('fingerprints of jump hosts the user confirmed'),
    }),
    deviceSchema,
  ),
  'devices.hosts': call('Hosts of the user’s SSH configuration', nothing, z.array(sshConfigHostSchema)),
  'devices.links': call('State of the connection to every device', nothing, z.array(deviceLinkSchema)),
  'devices.connect': call(
    'Connect now, and answer when the device is ready or why it is not',
    z.object({ id: deviceIdSchema }),
    deviceLinkSchema,
  ),
  'devices.disconnect': call('Close the connection; running jobs on the device fail', z.object({ id: deviceIdSchema }), deviceLinkSchema),
  'devices.log': call(
    'What happened between this computer and a device, oldest first; at most the last 2,000 lines',
    z.object({ id: deviceIdSchema, after: z.int().min(0).default(0).describe('only lines with a higher number') }),
    z.array(deviceLogLineSchema),
  ),
  'devices.telemetry': call(
    'Temperature, clocks, load, memory and power of a device. Asking starts the readings; they stop some seconds after nobody asked',
    z.object({
      id: deviceIdSchema,
      connect: z.boolean().default(true).describe('connect first; otherwise a device without a connection has no readings'),
    }),
    z.object({ readings: z.array(telemetryReadingSchema).max(600), powerSource: z.string().nullable() }),
  ),
  'devices.forwards': call('Ports of this computer that lead to devices', nothing, z.array(portForwardSchema)),
  'questions.list': call('What devices ask right now', nothing, z.array(questionSchema)),
  'questions.answer': call(
    'Answer a question; null gives up',
    z.object({
      id: idSchema,
      answers: z.array(z.string().max(1024)).max(10).nullable(),
      remember: z.boolean().default(false).describe('keep the answer in the OS key store'),
    }),
    nothing,
  ),
  'devices.probe': call('Read the state of a device again', z.object({ id: deviceIdSchema }), deviceReportSchema),
  'devices.prepare': start(
    'Push the agent to a device and run its self-test',
    z.object({ id: deviceIdSchema }),
    z.object({ sentBytes: z.number(), sentFiles: z.number(), totalBytes: z.number(), durationMs: z.number(), agentVersion: z.string() }),
  ),
  'devices.remove': call(
    'Stop services, delete everything Edgesmith put on the device and forget it; with `keepFiles` only forget it (device unreachable)',
    z.object({ id: idSchema, keepFiles: z.boolean().default(false) }),
    z.object({ removedBytes: z.number() }),
  ),

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

  'report.write': call(
    'Write a report of comparisons, benchmarks, evaluations and analyses; the ending of the path decides the format. It is kept in the workspace',
    z.object({
      comparisonIds: z.array(idSchema).max(50).default([]),
      benchmarkIds: z.array(idSchema).max(200).default([]),
      evaluationIds: z.array(idSchema).max(200).default([]),
      analysisIds: z.array(idSchema).max(50).default([]),
      matrixIds: z.array(idSchema).max(50).default([]),
      validationIds: z.array(idSchema).max(50).default([]),
      title: z.string().trim().min(1).max(200).optional(),
      path: reportPathSchema,
    }),
    z.object({ id: idSchema, path: z.string(), sizeBytes: z.number() }),
  ),
  'reports.list': call('Reports that were written here or imported, newest first', nothing, z.array(reportEntrySchema)),
  'reports.get': call('A report as data', byId, reportDocumentSchema),
  'reports.render': call(
    'A report as one self-contained HTML page; in the colours of the reader’s system unless a theme is given',
    z.object({ id: idSchema, theme: z.enum(['light', 'dark']).optional() }),
    z.object({ html: z.string() }),
  ),
  'reports.import': call('Read a report that was written as .json, here or elsewhere', z.object({ path: pathSchema }), reportEntrySchema),
  'reports.export': call(
    'Write a report of the workspace to a file; the ending of the path decides the format',
    z.object({ id: idSchema, path: reportPathSchema }),
    z.object({ path: z.string(), sizeBytes: z.number() }),
  ),
  'reports.remove': call('Forget a report; files that were written stay', byId, nothing),
  'guided.start': start(
    'The whole main job on the bundled samples: quantize, prune, compare, serve, report',
    nothing,
    z.object({ reportPath: z.string(), comparison: comparisonSchema, predictHttpStatus: z.number() }),
  ),
  'doctor.run': call('What is installed and what is missing', nothing, z.array(doctorCheckSchema)),
} as const

export type ProcedureName = keyof typeof procedures
/** What a caller passes (defaults may be left out). */
export type ProcedureInput<N extends ProcedureName> = z.input<(typeof procedures)[N]['input']>
/** What a handler receives (defaults filled in). */
export type ProcedureArguments<N extends ProcedureName> = z.output<(typeof procedures)[N]['input']>
export type ProcedureOutput<N extends ProcedureName> = z.output<(typeof procedures)[N]['output']>
/** Names of procedures that start a job. */
export type JobProcedureName = { [N in ProcedureName]: (typeof procedures)[N] extends { job: z.ZodType } ? N : never }[ProcedureName]
export type JobResult<N extends JobProcedureName> = (typeof procedures)[N] extends { job: infer R extends z.ZodType } ? z.output<R> : never

/** Something changed that the window may be showing. */
export const backendEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), job: jobSchema }),
  /** Rows of that kind were added, changed or removed: fetch again. */
  z.object({
    type: z.literal('changed'),
    what: z.enum([
      'models',
      'datasets',
      'benchmarks',
      'evaluations',
      'comparisons',
      'analyses',
      'matrices',
      'reports',
      'devices',
      'deployments',
      'validations',
      'questions',
    ]),
  }),
  z.object({ type: z.literal('device-link'), link: deviceLinkSchema }),
  /** From Electron main: the backend started, or died and is being started again. */
  z.object({
    type: z.literal('backend'),
    state: z.enum(['starting', 'ready', 'restarting', 'failed']),
    at: momentSchema,
    reason: z.string().nullable(),
  }),
])
export type BackendEvent = z.infer<typeof backendEventSchema>
