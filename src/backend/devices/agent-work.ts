import type { Dataset, DatasetSource } from '../../contract/dataset.ts'
import type { BenchResult, BenchSettings, EvaluateResult, Explanation } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import type { DeviceFile, DeviceSession } from '../../remote/device-session.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import type { Services } from '../services.ts'
import { datasetSource } from '../use-cases/datasets.ts'

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
  const session = await sessions.open(deviceId)
  const pushed = await session.prepare(context, context.signal)
  if (devices.get(deviceId).agentVersion !== pushed.agentVersion) {
    devices.setAgentVersion(deviceId, pushed.agentVersion)
    services.emit({ type: 'changed', what: 'devices' })
  }
  const wanted: DeviceFile[] = files.models.map(({ sha256, sizeBytes }) => ({ sha256, sizeBytes, path: blobs.path(sha256) }))
  for (const dataset of files.datasets) {
    for (const { sha256 } of dataset.files) wanted.push({ sha256, path: blobs.path(sha256), sizeBytes: await blobs.size(sha256) })
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

/** Accuracy of a model on the device. */
export function evaluateOn(
  device: ReadyDevice,
  model: Model,
  dataset: Dataset,
  threads: number,
  context: JobContext,
): Promise<EvaluateResult> {
  return device.session.runAgent(
    { command: 'evaluate', model: device.modelPath(model), dataset: device.datasetSource(dataset), threads },
    context,
    context.signal,
  )
}

/** Latency of a model on the device, in a process of its own. */
export function benchOn(device: ReadyDevice, model: Model, settings: BenchSettings, context: JobContext): Promise<BenchResult> {
  return device.session.runAgent({ command: 'bench', model: device.modelPath(model), settings }, context, context.signal)
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
