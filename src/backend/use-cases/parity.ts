import { randomUUID } from 'node:crypto'
import type { OutputsResult } from '../../contract/agent-protocol.ts'
import type { Analysis } from '../../contract/analysis.ts'
import type { Dataset } from '../../contract/dataset.ts'
import { type Device, LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import type { ParityResult } from '../../contract/parity.ts'
import { compareOutputs } from '../../core/parity/compare-outputs.ts'
import { outputsOn, readyDevice } from '../devices/agent-work.ts'
import type { HandlersOf } from '../handlers.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'

/** Samples whose inner tensors are compared: enough to tell layers apart, few enough for a slow device. */
const LAYER_SAMPLES = 8

/** A build's outputs on a device against this computer's. */
export function parityHandlers(services: Services): HandlersOf<'parity'> {
  const { models, datasets, devices, queue } = services
  return {
    'parity.start': ({ modelId, deviceId, datasetId, samples, threads }) => {
      const model = models.get(modelId)
      const device = devices.get(deviceId)
      const dataset = datasetId === undefined ? null : datasets.get(datasetId)
      if (device.id === LOCAL_DEVICE_ID) {
        throw new EdgesmithError('USAGE', 'This computer cannot be compared with itself', {
          hint: 'Choose a device: its outputs are compared with this computer’s.',
        })
      }
      const jobId = queue.start({
        kind: 'parity.start',
        title: `Outputs of ${model.name} on ${device.name} against this computer’s`,
        // Both machines are needed, one after the other.
        run: (context) => findParity(services, { model, device, dataset, samples, threads }, context),
      })
      return { jobId }
    },
  }
}

interface ParityOrder {
  readonly model: Model
  readonly device: Device
  readonly dataset: Dataset | null
  readonly samples: number
  readonly threads: number
}

async function findParity(services: Services, order: ParityOrder, context: JobContext): Promise<Analysis> {
  const { model, device, dataset } = order
  const there = await outputsFrom(services, device, order, context)
  const here = await outputsFrom(services, services.devices.get(LOCAL_DEVICE_ID), order, context)
  context.progress({ phase: 'compare', done: 0, total: null, unit: '' })
  const analysis: Analysis = {
    id: randomUUID(),
    kind: 'parity',
    jobId: context.jobId,
    modelId: model.id,
    baselineId: null,
    datasetId: dataset?.id ?? null,
    deviceId: device.id,
    createdAt: new Date().toISOString(),
    result: parityResult(here, there),
  }
  services.analyses.add(analysis)
  announce(services, 'analyses')
  return analysis
}

/** Not timed: others may work on the machine meanwhile. */
function outputsFrom(services: Services, device: Device, order: ParityOrder, context: JobContext): Promise<OutputsResult> {
  const { model, dataset, samples, threads } = order
  const named: JobContext = {
    ...context,
    progress: (progress) => context.progress({ ...progress, phase: `${device.name}: ${progress.phase}` }),
  }
  return context.onMachine({ key: services.machineKey(device), mode: 'shared' }, async () => {
    const ready = await readyDevice(services, device.id, { models: [model], datasets: dataset ? [dataset] : [] }, named)
    return outputsOn(ready, model, { dataset, samples, threads, layerSamples: Math.min(samples, LAYER_SAMPLES) }, named)
  })
}

function parityResult(here: OutputsResult, there: OutputsResult): ParityResult {
  const versions = [here.environment.onnxRuntimeVersion, there.environment.onnxRuntimeVersion]
  const both = here.warnings.filter((warning) => there.warnings.includes(warning))
  const only = (warnings: readonly string[], where: string) =>
    warnings.filter((warning) => !both.includes(warning)).map((warning) => `${where}: ${warning}`)
  return {
    ...compareOutputs(here, there),
    inputs: here.inputs,
    here: here.environment,
    there: there.environment,
    warnings: [
      ...(versions[0] === versions[1] ? [] : [`This computer has ONNX Runtime ${versions[0]}, the device ${versions[1]}.`]),
      ...both,
      ...only(here.warnings, 'this computer'),
      ...only(there.warnings, 'the device'),
    ],
  }
}
