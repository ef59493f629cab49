import type { Device } from '../../contract/device.ts'
import { EdgesmithError, type ErrorCode, toErrorReport } from '../../contract/errors.ts'
import { headlineMetric } from '../../contract/evaluation.ts'
import type { MatrixCell } from '../../contract/matrix.ts'
import type { Model } from '../../contract/model.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { benchOn, evaluateOn, type ReadyDevice, readyDevice } from '../devices/agent-work.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { LinkPatience } from './link-patience.ts'
import type { MatrixOrder } from './matrix.ts'
import type { MatrixProgress } from './matrix-progress.ts'
import { measurementKey } from './measure.ts'

/** A cell, and why it has no benchmark or no evaluation. */
export interface MeasuredCell {
  readonly cell: MatrixCell
  readonly failure: Error | null
}

/** What says something about one build only: the next one may work. After any other error the device is given up. */
const OF_ONE_BUILD: ReadonlySet<ErrorCode> = new Set([
  'USAGE',
  'TOO_LARGE',
  'MODEL_NOT_ONNX',
  'MODEL_TRUNCATED',
  'MODEL_INVALID',
  'MODEL_UNSUPPORTED_OPSET',
  'MODEL_UNSUPPORTED_OP',
  'MODEL_LOAD_FAILED',
  'MODEL_RUN_FAILED',
  'MODEL_NOT_CLASSIFIER',
  'TENSOR_INVALID',
  'DATASET_INVALID',
  'DATASET_EMPTY',
  'DATASET_ARRAY_MISSING',
  'DATASET_SHAPE',
  'DATASET_TYPE',
  'DATASET_LABELS',
  'EVALUATION_IMPOSSIBLE',
  'ENGINE_DIED',
  'MEMORY_LIMIT',
  'TENSORRT_FAILED',
])

/**
 * Every build of a matrix on one device, one after the other, each in a process of its own, with the device held alone. Benchmarks and evaluations
 * are stored as they come.
 *
 * @returns a cell for each build, in their order
 * @throws EdgesmithError `JOB_CANCELLED` only; everything else is told in the cells
 */
export async function measureColumn(
  services: Services,
  order: MatrixOrder,
  device: Device,
  progress: MatrixProgress,
): Promise<MeasuredCell[]> {
  const job = progress.on(device.name)
  const patience = new LinkPatience(device.name, () => services.sessions.links.get(device.id), services.linkPatienceMs, job.signal)
  const context: JobContext = { ...job, signal: patience.signal }
  const cells: MeasuredCell[] = []
  try {
    progress.show(device.name, 'waiting')
    await context.onMachine({ key: services.machineKey(device), mode: 'exclusive' }, async () => {
      progress.show(device.name, 'connecting')
      const needed = { models: order.models, datasets: order.dataset ? [order.dataset] : [] }
      const ready = await readyDevice(services, device.id, needed, context)
      for (const model of order.models) {
        throwIfCancelled(context.signal)
        const measured = await measureCell(services, order, { device, ready, model }, context)
        cells.push(measured)
        progress.finished(1)
        if (measured.failure && !isOfOneBuild(measured.failure)) throw measured.failure
      }
    })
  } catch (error) {
    throwIfCancelled(job.signal)
    const left = order.models.slice(cells.length)
    const failure = patience.lost ?? (error instanceof Error ? error : new Error(String(error)))
    if (left.length > 0) {
      context.log(`${describe(failure)} ${left.length} of ${order.models.length} builds are not measured here.`)
      cells.push(...left.map((model) => ({ cell: failedCell(model, device, failure), failure })))
      progress.finished(left.length)
    }
  } finally {
    patience.end()
    progress.leave(device.name)
  }
  return cells
}

/** Where a cell is measured. */
interface CellPlace {
  readonly device: Device
  readonly ready: ReadyDevice
  readonly model: Model
}

async function measureCell(
  services: Services,
  order: MatrixOrder,
  { device, ready, model }: CellPlace,
  context: JobContext,
): Promise<MeasuredCell> {
  const { measurements } = services
  context.progress({ phase: `measuring ${model.name}`, done: 0, total: null, unit: '' })
  const quiet: JobContext = { ...context, progress: () => {} }
  let cell = failedCell(model, device, null)
  try {
    const result = await benchOn(ready, model, order.settings, quiet)
    const { id, latencyMs, throughputPerSecond, peakRssBytes, energy, noise } = measurements.addBenchmark(
      measurementKey(context.jobId, model.id, device.id),
      result,
    )
    announce(services, 'benchmarks')
    const p50Ci = latencyMs.ci.p50 ?? null
    cell = { ...cell, benchmarkId: id, p50Ms: latencyMs.p50, p50Ci, p95Ms: latencyMs.p95, throughputPerSecond, peakRssBytes, energy, noise }
    cell = { ...cell, ...(await answersOf(services, order, { device, ready, model }, quiet)) }
    return { cell, failure: null }
  } catch (error) {
    throwIfCancelled(context.signal)
    const failure = error instanceof Error ? error : new Error(String(error))
    context.log(`${model.name}: ${describe(failure)}`)
    return { cell: { ...cell, error: shortReport(failure) }, failure }
  }
}

/** What a build's answers are worth on the matrix's dataset; without labels and targets: how far they are from the first build's. */
async function answersOf(
  services: Services,
  { dataset, models, settings }: MatrixOrder,
  { device, ready, model }: CellPlace,
  context: JobContext,
): Promise<Pick<MatrixCell, 'evaluationId' | 'metric'>> {
  if (!dataset) return { evaluationId: null, metric: null }
  const answered = dataset.report.labelled || dataset.report.targets !== null
  const baseline = models[0] as Model
  if (!answered && model.id === baseline.id) return { evaluationId: null, metric: null }
  const found = await evaluateOn(ready, model, dataset, { threads: settings.threads, ...(!answered && { baseline }) }, context)
  // The device knows the baseline by its path alone.
  const parity = found.parity && { ...found.parity, baselineModelId: baseline.id }
  const key = measurementKey(context.jobId, model.id, device.id)
  const { id, metrics } = services.measurements.addEvaluation(key, dataset, { ...found, parity })
  announce(services, 'evaluations')
  const headline = headlineMetric(metrics)
  return { evaluationId: id, metric: headline ? { name: headline.metric, value: headline.value } : null }
}

function failedCell({ id }: Model, device: Device, failure: Error | null): MatrixCell {
  return {
    modelId: id,
    deviceId: device.id,
    benchmarkId: null,
    p50Ms: null,
    p50Ci: null,
    p95Ms: null,
    throughputPerSecond: null,
    peakRssBytes: null,
    energy: null,
    noise: null,
    evaluationId: null,
    metric: null,
    error: failure && shortReport(failure),
  }
}

function isOfOneBuild(error: Error): boolean {
  return error instanceof EdgesmithError && OF_ONE_BUILD.has(error.code)
}

function shortReport(error: Error): NonNullable<MatrixCell['error']> {
  const { code, message, hint } = toErrorReport(error)
  return { code, message, ...(hint !== undefined && { hint }) }
}

function describe(error: Error): string {
  const { code, message } = toErrorReport(error)
  return `${code}: ${message}`
}
