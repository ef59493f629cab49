import { randomUUID } from 'node:crypto'
import { sharedHistogram } from '../../core/statistics/histogram.ts'
import type { MeasurementKey } from '../../storage/measurement-repository.ts'
import { benchOn, evaluateOn, readyDevice } from '../devices/agent-work.ts'
import { machineKey } from '../devices/device-sessions.ts'
import type { HandlersOf } from '../handlers.ts'
import { announce, type Services } from '../services.ts'

/** Single evaluations and benchmarks. */
export function measureHandlers(
  services: Services,
): HandlersOf<'evaluate'> & HandlersOf<'bench'> & HandlersOf<'benchmarks'> & HandlersOf<'evaluations'> {
  const { models, datasets, devices, measurements, queue } = services
  return {
    'evaluate.start': ({ modelId, datasetId, deviceId, threads }) => {
      const model = models.get(modelId)
      const dataset = datasets.get(datasetId)
      const device = devices.get(deviceId)
      const jobId = queue.start({
        kind: 'evaluate.start',
        title: `Accuracy of ${model.name} on ${dataset.name}, ${device.name}`,
        machine: { key: machineKey(device), mode: 'shared' },
        run: async (context) => {
          const ready = await readyDevice(services, deviceId, { models: [model], datasets: [dataset] }, context)
          const result = await evaluateOn(ready, model, dataset, threads, context)
          const evaluation = measurements.addEvaluation(measurementKey(context.jobId, model.id, deviceId), dataset, result)
          announce(services, 'evaluations')
          return evaluation
        },
      })
      return { jobId }
    },
    'bench.start': ({ modelId, deviceId, settings }) => {
      const model = models.get(modelId)
      const device = devices.get(deviceId)
      const jobId = queue.start({
        kind: 'bench.start',
        title: `Latency of ${model.name} on ${device.name}`,
        machine: { key: machineKey(device), mode: 'exclusive' },
        run: async (context) => {
          const ready = await readyDevice(services, deviceId, { models: [model], datasets: [] }, context)
          const result = await benchOn(ready, model, settings, context)
          const benchmark = measurements.addBenchmark(measurementKey(context.jobId, model.id, deviceId), result)
          announce(services, 'benchmarks')
          return benchmark
        },
      })
      return { jobId }
    },
    'benchmarks.list': ({ modelId }) => measurements.benchmarks(modelId),
    'benchmarks.histogram': ({ id, bins }) => {
      const { edges, counts } = sharedHistogram([measurements.latencies(id)], bins)
      return { edgesMs: edges, counts: counts[0] ?? [] }
    },
    'evaluations.list': ({ modelId }) => measurements.evaluations(modelId),
  }
}

/** The key of a new result. */
export function measurementKey(jobId: string, modelId: string, deviceId: string, comparisonId: string | null = null): MeasurementKey {
  return { id: randomUUID(), jobId, modelId, deviceId, comparisonId, createdAt: new Date().toISOString() }
}
