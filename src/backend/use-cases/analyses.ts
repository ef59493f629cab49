import { randomUUID } from 'node:crypto'
import type { Analysis } from '../../contract/analysis.ts'
import type { Dataset } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import { explainAccuracyOn, explainOn, layersOn, profileOn, readyDevice } from '../devices/agent-work.ts'
import type { HandlersOf } from '../handlers.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'

type AnalysisHandlers = HandlersOf<'analyses'> &
  HandlersOf<'profile'> &
  HandlersOf<'layers'> &
  HandlersOf<'explain'> &
  HandlersOf<'explainAccuracy'>

/** Profiles, layer comparisons, and why a build is slower or less accurate than its baseline. Each is measured on a device and kept. */
export function analysisHandlers(services: Services): AnalysisHandlers {
  const { models, datasets, devices, queue, analyses } = services
  return {
    'analyses.list': (filter) => analyses.list(filter),
    'analyses.get': ({ id }) => analyses.get(id),

    'profile.start': ({ modelId, deviceId, ...settings }) => {
      const model = models.get(modelId)
      const device = devices.get(deviceId)
      const jobId = queue.start({
        kind: 'profile.start',
        title: `Profile ${model.name} on ${device.name}`,
        machine: { key: services.machineKey(device), mode: 'exclusive' },
        run: async (context) => {
          const ready = await readyDevice(services, deviceId, { models: [model], datasets: [] }, context)
          const result = await profileOn(ready, model, settings, context)
          return stored(services, { kind: 'profile', result, ...subject(context, deviceId, model) })
        },
      })
      return { jobId }
    },

    'layers.start': ({ baselineId, modelId, deviceId, datasetId, ...settings }) => {
      const [baseline, build] = twoModels(services, baselineId, modelId)
      const device = devices.get(deviceId)
      const dataset = datasetId === undefined ? null : datasets.get(datasetId)
      const jobId = queue.start({
        kind: 'layers.start',
        title: `Compare ${build.name} with ${baseline.name} layer by layer on ${device.name}`,
        machine: { key: services.machineKey(device), mode: 'exclusive' },
        run: async (context) => {
          const ready = await readyDevice(services, deviceId, { models: [baseline, build], datasets: dataset ? [dataset] : [] }, context)
          const result = await layersOn(ready, baseline, build, { ...settings, dataset }, context)
          return stored(services, { kind: 'layers', result, ...subject(context, deviceId, build, baseline, dataset) })
        },
      })
      return { jobId }
    },

    'explain.start': ({ baselineId, modelId, deviceId, ...settings }) => {
      const [baseline, build] = twoModels(services, baselineId, modelId)
      const device = devices.get(deviceId)
      const jobId = queue.start({
        kind: 'explain.start',
        title: `Time ${build.name} beside ${baseline.name} on ${device.name}, node by node`,
        machine: { key: services.machineKey(device), mode: 'exclusive' },
        run: async (context) => {
          const ready = await readyDevice(services, deviceId, { models: [baseline, build], datasets: [] }, context)
          const result = await explainOn(ready, baseline, build, settings, context)
          stored(services, { kind: 'slowdown', result, ...subject(context, deviceId, build, baseline) })
          return result
        },
      })
      return { jobId }
    },

    'explainAccuracy.start': ({ baselineId, modelId, datasetId, deviceId, ...settings }) => {
      const [baseline, build] = twoModels(services, baselineId, modelId)
      const device = devices.get(deviceId)
      const dataset = datasets.get(datasetId)
      const jobId = queue.start({
        kind: 'explainAccuracy.start',
        title: `Answers of ${build.name} beside ${baseline.name} on ${dataset.name}, ${device.name}`,
        machine: { key: services.machineKey(device), mode: 'shared' },
        run: async (context) => {
          const ready = await readyDevice(services, deviceId, { models: [baseline, build], datasets: [dataset] }, context)
          const result = await explainAccuracyOn(ready, baseline, build, { ...settings, dataset }, context)
          stored(services, { kind: 'accuracy', result, ...subject(context, deviceId, build, baseline, dataset) })
          return result
        },
      })
      return { jobId }
    },
  }
}

/** @throws EdgesmithError `NOT_FOUND`, `USAGE` for a model beside itself */
function twoModels({ models }: Services, baselineId: string, modelId: string): [baseline: Model, build: Model] {
  const [baseline, build] = [models.get(baselineId), models.get(modelId)]
  if (baseline.id === build.id) throw new EdgesmithError('USAGE', 'Choose two models: a build and what it is compared with')
  return [baseline, build]
}

function subject({ jobId }: JobContext, deviceId: string, model: Model, baseline?: Model, dataset?: Dataset | null) {
  return {
    id: randomUUID(),
    jobId,
    modelId: model.id,
    baselineId: baseline?.id ?? null,
    datasetId: dataset?.id ?? null,
    deviceId,
    createdAt: new Date().toISOString(),
  }
}

function stored(services: Services, analysis: Analysis): Analysis {
  services.analyses.add(analysis)
  announce(services, 'analyses')
  return analysis
}
