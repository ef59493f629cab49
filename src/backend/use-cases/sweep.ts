import { randomUUID } from 'node:crypto'
import { EdgesmithError, type ErrorCode } from '../../contract/errors.ts'
import type { Benchmark, BenchSettings } from '../../contract/measurement.ts'
import { requireScenario } from '../../engine/measure/scenario-settings.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { benchOn, readyDevice } from '../devices/agent-work.ts'
import type { HandlersOf } from '../handlers.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { measurementKey } from './measure.ts'

/** What a batch that is not for this model, or too much for the machine, ends with. Anything else would end the other runs as well. */
const SKIPPED: ReadonlySet<ErrorCode> = new Set([
  'USAGE',
  'TOO_LARGE',
  'MODEL_RUN_FAILED',
  'MEMORY_LIMIT',
  'ENGINE_DIED',
  'TENSORRT_FAILED',
])

/** Benchmarks for every combination of batch sizes and thread counts. */
export function sweepHandlers(services: Services): HandlersOf<'sweep'> {
  const { models, devices, measurements, queue } = services
  return {
    'sweep.start': ({ modelId, deviceId, settings, batches, threadCounts }) => {
      requireScenario(settings)
      const model = models.get(modelId)
      const device = devices.get(deviceId)
      const combinations = combine(settings, batches, threadCounts)
      for (const one of combinations) requireScenario(one)
      const jobId = queue.start({
        kind: 'sweep.start',
        title: `Latency of ${model.name} with ${combinations.length} settings on ${device.name}`,
        machine: { key: services.machineKey(device), mode: 'exclusive' },
        run: async (context) => {
          const sweepId = randomUUID()
          const ready = await readyDevice(services, deviceId, { models: [model], datasets: [] }, context)
          const bench = (one: BenchSettings) => benchOn(ready, model, one, { ...context, progress: () => {} })
          const runs = await measureAll(combinations, context, async (one) => {
            const key = { ...measurementKey(context.jobId, model.id, deviceId), sweepId }
            const benchmark = measurements.addBenchmark(key, await bench(one))
            announce(services, 'benchmarks')
            return benchmark
          })
          return { sweepId, runs }
        },
      })
      return { jobId }
    },
  }
}

/** Settings of each run: all thread counts with the first batch, then with the next; what is named twice is measured once. */
function combine(settings: BenchSettings, batches: readonly number[], threadCounts: readonly number[]): BenchSettings[] {
  return [...new Set(batches)].flatMap((batch) => [...new Set(threadCounts)].map((threads) => ({ ...settings, batch, threads })))
}

/**
 * Measures one after another. What the model or machine cannot do is told in the log and left out.
 * @throws the first of those errors when nothing could be measured; any other error at once
 */
async function measureAll(
  combinations: readonly BenchSettings[],
  context: JobContext,
  measure: (settings: BenchSettings) => Promise<Benchmark>,
): Promise<Benchmark[]> {
  const runs: Benchmark[] = []
  let firstRefusal: EdgesmithError | undefined
  for (const [done, settings] of combinations.entries()) {
    throwIfCancelled(context.signal)
    const name = `batch ${settings.batch}, threads ${settings.threads}`
    context.progress({ phase: `measuring ${name}`, done, total: combinations.length, unit: 'runs' })
    try {
      runs.push(await measure(settings))
    } catch (error) {
      if (!(error instanceof EdgesmithError) || !SKIPPED.has(error.code)) throw error
      firstRefusal ??= error
      context.log(`Left out ${name}: ${error.message}`)
    }
  }
  if (runs.length === 0 && firstRefusal) throw firstRefusal
  return runs
}
