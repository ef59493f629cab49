import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError, type ErrorReport, fromErrorReport } from '../../contract/errors.ts'
import type { JobProcedureName, JobResult, ProcedureInput } from '../../contract/procedures.ts'
import { cancelledError } from '../../platform/cancellation.ts'
import type { Backend } from '../backend.ts'
import type { HandlersOf } from '../handlers.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import type { Services } from '../services.ts'

/** Steps of the tour, for its progress. */
const STEPS = 6
/** Name of the service the tour starts and removes again. */
const TOUR_SERVICE = 'guided-tour'

/** The whole main job on the bundled samples: what `npm start` runs where there is no display. */
export function guidedHandlers(services: Services, call: Backend['call']): HandlersOf<'guided'> {
  return {
    'guided.start': () => ({
      jobId: services.queue.start({
        kind: 'guided.start',
        title: 'Guided tour on the sample models',
        run: (context) => guidedTour(services, call, context),
      }),
    }),
  }
}

async function guidedTour(services: Services, call: Backend['call'], context: JobContext) {
  let step = 0
  const next = (phase: string) => {
    context.progress({ phase, done: step++, total: STEPS, unit: 'steps' })
    context.log(phase)
  }
  /** Starts a job of its own, so that it can be seen and cancelled like any other, and waits for its result. */
  const job = async <N extends JobProcedureName>(name: N, input: ProcedureInput<N>): Promise<JobResult<N>> => {
    const { jobId } = (await call(name, input)) as { jobId: string }
    const cancel = () => void services.queue.cancel(jobId)
    context.signal.addEventListener('abort', cancel, { once: true })
    const ended = await services.queue.wait(jobId)
    context.signal.removeEventListener('abort', cancel)
    if (ended.state === 'cancelled') throw cancelledError()
    if (ended.state === 'failed') throw fromErrorReport(ended.error as ErrorReport)
    return ended.result as JobResult<N>
  }

  next('importing the sample models and data')
  const samples = await call('samples.import', {})
  const model = samples.models.find(({ name }) => name.startsWith('fashion-cnn'))
  const calibration = samples.datasets.find(({ name }) => name.includes('calibration'))
  const test = samples.datasets.find(({ name }) => name.includes('test'))
  if (!model || !calibration || !test)
    throw new EdgesmithError('FILE_NOT_FOUND', 'The sample content is incomplete: expected fashion-cnn, a calibration and a test dataset')

  next('quantizing to INT8')
  const int8 = await job('optimize.start', { modelId: model.id, recipe: [{ recipe: 'int8-static' }], calibrationId: calibration.id })
  next('pruning and quantizing')
  const pruned = await job('optimize.start', {
    modelId: model.id,
    recipe: [{ recipe: 'prune-magnitude', sparsity: 0.5 }, { recipe: 'int8-static' }],
    calibrationId: calibration.id,
  })

  next('measuring accuracy and latency')
  const comparison = await job('compare.start', {
    baselineId: model.id,
    modelIds: [int8.model.id, pruned.model.id],
    datasetId: test.id,
    deviceId: LOCAL_DEVICE_ID,
    settings: {},
  })
  next('serving the INT8 build')
  const deployment = await job('deploy.start', { modelId: int8.model.id, deviceId: LOCAL_DEVICE_ID, service: TOUR_SERVICE })
  const prediction = await call('deployments.predict', { id: deployment.id, datasetId: test.id, index: 0 })
  await call('deployments.remove', { id: deployment.id })

  next('writing the report')
  const folder = join(services.workspace, 'reports')
  await mkdir(folder, { recursive: true })
  const report = await call('report.write', {
    comparisonIds: [comparison.id],
    path: join(folder, `guided-tour-${comparison.id.slice(0, 8)}.html`),
  })
  context.progress({ phase: 'done', done: STEPS, total: STEPS, unit: 'steps' })
  return { reportPath: report.path, comparison, predictHttpStatus: prediction.httpStatus }
}
