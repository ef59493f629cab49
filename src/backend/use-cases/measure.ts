import { randomUUID } from 'node:crypto'
import { sharedHistogram } from '../../core/statistics/histogram.ts'
import { backToBackOffsets, latencySeries } from '../../core/statistics/latency-series.ts'
import { requireScenario } from '../../engine/measure/scenario-settings.ts'
import type { MeasurementKey } from '../../storage/measurement-repository.ts'
import { benchOn, readyDevice } from '../devices/agent-work.ts'
import type { HandlersOf } from '../handlers.ts'
import { announce, type Services } from '../services.ts'

/** Single benchmarks and what is kept of them. */
export function measureHandlers(services: Services): HandlersOf<'bench'> & HandlersOf<'benchmarks'> {
  const { models, devices, measurements, queue } = services
  return {
    'bench.start': ({ modelId, deviceId, settings }) => {
      requireScenario(settings)
      const model = models.get(modelId)
      const device = devices.get(deviceId)
      const jobId = queue.start({
        kind: 'bench.start',
        title: `Latency of ${model.name} on ${device.name}`,
        machine: { key: services.machineKey(device), mode: 'exclusive' },
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
    'benchmarks.telemetry': ({ id }) => measurements.telemetry(id),
    'benchmarks.series': ({ id, points }) => {
      const latenciesMs = measurements.latencies(id)
      return latencySeries(latenciesMs, measurements.offsets(id) ?? backToBackOffsets(latenciesMs), points)
    },
  }
}

/** The key of a new result. */
export function measurementKey(jobId: string, modelId: string, deviceId: string, comparisonId: string | null = null): MeasurementKey {
  return { id: randomUUID(), jobId, modelId, deviceId, comparisonId, createdAt: new Date().toISOString() }
}
