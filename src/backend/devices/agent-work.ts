import type { OutputsResult } from '../../contract/agent-protocol.ts'
import type { AccuracyExplanation, Explanation, LayerComparison, ProfileResult } from '../../contract/analysis.ts'
import { preprocessingWarning } from '../../contract/carried-preprocessing.ts'
import type { Dataset, DatasetSource, Preprocessing } from '../../contract/dataset.ts'
import type { EvaluateResult } from '../../contract/evaluation.ts'
import type { BenchResult, BenchSettings } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { IDX_SCALE } from '../../core/datasets/idx.ts'
import { untilAborted } from '../../platform/cancellation.ts'
import type { DeviceFile, DeviceSession } from '../../remote/device-session.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import type { Services } from '../services.ts'
import { datasetSource, runTimeFiles } from '../use-cases/dataset-source.ts'

/** A device that has the agent and the files a measurement needs. */
export interface ReadyDevice {
  readonly session: DeviceSession
  modelPath(model: Model): string
  datasetSource(dataset: Dataset): DatasetSource
}

/** Connects, pushes what is missing (agent, models, dataset files), and answers where everything lies there. */
export async function readyDevice(
  services: Services,
  deviceId: string,
  files: { readonly models: readonly Model[]; readonly datasets: readonly Dataset[] },
  context: JobContext,
): Promise<ReadyDevice> {
  const { sessions, devices, blobs } = services
  const session = await untilAborted(sessions.open(deviceId), context.signal)
  const pushed = await session.prepare(context, context.signal)
  if (devices.get(deviceId).agentVersion !== pushed.agentVersion) {
    devices.setAgentVersion(deviceId, pushed.agentVersion)
    services.emit({ type: 'changed', what: 'devices' })
  }
  const wanted: DeviceFile[] = files.models.map(({ sha256, sizeBytes }) => ({ sha256, sizeBytes, path: blobs.path(sha256) }))
  for (const dataset of files.datasets) {
    for (const { sha256 } of runTimeFiles(dataset)) wanted.push({ sha256, path: blobs.path(sha256), sizeBytes: await blobs.size(sha256) })
  }
  const stored = await session.store(wanted, context, context.signal)
  const pathOf = (sha256: string) => {
    const path = stored.get(sha256)
    if (path === undefined) throw new Error(`the device did not say where ${sha256} is`)
    return path
  }
  return {
    session,
    modelPath: (model) => pathOf(model.sha256),
    datasetSource: (dataset) => datasetSource(dataset, pathOf),
  }
}

/** How to evaluate on a device. */
export interface EvaluationOrder {
  readonly threads: number
  readonly batch?: number | undefined
  /** Also compare outputs with this model's; its file must be on the device. */
  readonly baseline?: Model | undefined
}

/** What the answers of a model on a dataset are worth, found on the device. */
export function evaluateOn(
  device: ReadyDevice,
  model: Model,
  dataset: Dataset,
  { threads, batch, baseline }: EvaluationOrder,
  context: JobContext,
): Promise<EvaluateResult> {
  const warning = preprocessingWarning(model.report.metadata, dataset.name, appliedPreprocessing(dataset))
  if (warning) context.log(warning)
  return device.session.runAgent(
    {
      command: 'evaluate',
      model: device.modelPath(model),
      dataset: device.datasetSource(dataset),
      threads,
      ...(batch !== undefined && { batch }),
      ...(baseline && { baseline: device.modelPath(baseline) }),
    },
    context,
    context.signal,
  )
}

/** What is done to the samples; IDX files kept as they were have a default. */
function appliedPreprocessing({ format, preprocessing, files }: Dataset): Preprocessing {
  const asTheyWere = format === 'idx' && files.some(({ role }) => role === 'samples')
  return asTheyWere && Object.keys(preprocessing).length === 0 ? { scale: IDX_SCALE } : preprocessing
}

/** Latency of a model on the device, in a process of its own. */
export function benchOn(device: ReadyDevice, model: Model, settings: BenchSettings, context: JobContext): Promise<BenchResult> {
  const { enginesFolder } = device.session
  return device.session.runAgent({ command: 'bench', model: device.modelPath(model), settings, enginesFolder }, context, context.signal)
}

/** What a model gives on the device for some samples, for a comparison with another machine. */
export function outputsOn(
  device: ReadyDevice,
  model: Model,
  {
    dataset,
    ...settings
  }: { readonly dataset: Dataset | null; readonly samples: number; readonly layerSamples: number; readonly threads: number },
  context: JobContext,
): Promise<OutputsResult> {
  const source = dataset && device.datasetSource(dataset)
  return device.session.runAgent(
    { command: 'outputs', model: device.modelPath(model), dataset: source, ...settings },
    context,
    context.signal,
  )
}

/** Where the time of a build goes on the device, beside its baseline. */
export function explainOn(
  device: ReadyDevice,
  baseline: Model,
  build: Model,
  { batch, threads }: Pick<BenchSettings, 'batch' | 'threads'>,
  context: JobContext,
): Promise<Explanation> {
  return device.session.runAgent(
    { command: 'explain', baseline: device.modelPath(baseline), model: device.modelPath(build), batch, threads },
    context,
    context.signal,
  )
}

/** Where the time of a model goes on the device, kernel by kernel. */
export function profileOn(
  device: ReadyDevice,
  model: Model,
  { batch, threads }: Pick<BenchSettings, 'batch' | 'threads'>,
  context: JobContext,
): Promise<ProfileResult> {
  return device.session.runAgent({ command: 'profile', model: device.modelPath(model), batch, threads }, context, context.signal)
}

/** Two models layer by layer on the device; without a dataset their tensors are compared on made-up inputs. */
export function layersOn(
  device: ReadyDevice,
  baseline: Model,
  build: Model,
  { dataset, ...settings }: Pick<BenchSettings, 'batch' | 'threads'> & { readonly samples: number; readonly dataset: Dataset | null },
  context: JobContext,
): Promise<LayerComparison> {
  const models = { baseline: device.modelPath(baseline), model: device.modelPath(build) }
  return device.session.runAgent(
    { command: 'layers', ...models, dataset: dataset && device.datasetSource(dataset), ...settings },
    context,
    context.signal,
  )
}

/** Where the answers of a build get worse than its baseline's. */
export function explainAccuracyOn(
  device: ReadyDevice,
  baseline: Model,
  build: Model,
  { dataset, ...settings }: { readonly dataset: Dataset; readonly samples: number; readonly threads: number },
  context: JobContext,
): Promise<AccuracyExplanation> {
  const models = { baseline: device.modelPath(baseline), model: device.modelPath(build) }
  return device.session.runAgent(
    { command: 'explain-accuracy', ...models, dataset: device.datasetSource(dataset), ...settings },
    context,
    context.signal,
  )
}
