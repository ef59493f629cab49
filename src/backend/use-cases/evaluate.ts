import type { Dataset } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Evaluation, MetricDifference } from '../../contract/evaluation.ts'
import type { ProcedureArguments, ProcedureOutput } from '../../contract/procedures.ts'
import { worstSamples } from '../../core/metrics/worst-samples.ts'
import { metricDifference } from '../../core/statistics/metric-difference.ts'
import { evaluateOn, readyDevice } from '../devices/agent-work.ts'
import type { HandlersOf } from '../handlers.ts'
import { announce, type Services } from '../services.ts'
import { measurementKey } from './measure.ts'

/** Single evaluations, and what can be asked about stored ones. */
export function evaluateHandlers(services: Services): HandlersOf<'evaluate'> & HandlersOf<'evaluations'> {
  const { measurements } = services
  return {
    'evaluate.start': (input) => startEvaluation(services, input),
    'evaluations.list': ({ modelId }) => measurements.evaluations(modelId),
    'evaluations.worst': (input) => worstOf(services, input),
    'evaluations.difference': ({ baselineId, id }) => {
      const [baseline, build] = [measurements.evaluation(baselineId), measurements.evaluation(id)]
      checkPair(baseline, build)
      const paired = ({ id: of, task, samples, metrics }: Evaluation) => ({
        task,
        samples,
        metrics,
        perSample: measurements.evaluationArrays(of),
      })
      return metricDifference(paired(baseline), paired(build)) satisfies MetricDifference | null
    },
  }
}

function startEvaluation(services: Services, input: ProcedureArguments<'evaluate.start'>): { jobId: string } {
  const { models, datasets, devices, measurements, queue } = services
  const model = models.get(input.modelId)
  const baseline = input.baselineId === undefined ? undefined : models.get(input.baselineId)
  const dataset = datasets.get(input.datasetId)
  const device = devices.get(input.deviceId)
  if (!baseline) requireTruth(dataset)
  const jobId = queue.start({
    kind: 'evaluate.start',
    title: `${subjectOf(dataset)} of ${model.name} on ${dataset.name}, ${device.name}`,
    machine: { key: services.machineKey(device), mode: 'shared' },
    run: async (context) => {
      const needed = { models: baseline ? [model, baseline] : [model], datasets: [dataset] }
      const ready = await readyDevice(services, device.id, needed, context)
      const order = { threads: input.threads, batch: input.batch, baseline }
      const result = await evaluateOn(ready, model, dataset, order, context)
      const evaluation = measurements.addEvaluation(measurementKey(context.jobId, model.id, device.id), dataset, {
        ...result,
        // The device knows the baseline by its path alone.
        parity: result.parity && { ...result.parity, baselineModelId: baseline?.id ?? null },
      })
      announce(services, 'evaluations')
      return evaluation
    },
  })
  return { jobId }
}

/** @throws EdgesmithError `EVALUATION_IMPOSSIBLE` for a dataset that says nothing about right or wrong; found out before anything is sent to a device */
function requireTruth({ name, report }: Dataset): void {
  if (report.labelled || report.targets) return
  throw new EdgesmithError(
    'EVALUATION_IMPOSSIBLE',
    `The dataset "${name}" has neither labels nor targets, and there is no baseline to compare with`,
    {
      hint: 'Choose a baseline (--baseline): its outputs are then compared with the model’s. Or use a dataset with labels or targets.',
    },
  )
}

function subjectOf({ report }: Dataset): string {
  if (report.labelled) return 'Accuracy'
  return report.targets ? 'Errors' : 'Parity'
}

function worstOf({ measurements }: Services, input: ProcedureArguments<'evaluations.worst'>): ProcedureOutput<'evaluations.worst'> {
  const evaluation = measurements.evaluation(input.id)
  const perSample = measurements.evaluationArrays(evaluation.id)
  let beside: typeof perSample | undefined
  if (input.besideId !== undefined) {
    checkPair(measurements.evaluation(input.besideId), evaluation)
    beside = measurements.evaluationArrays(input.besideId)
  }
  const { task, samples } = evaluation
  if (task === 'classification' && input.only !== 'wrong' && !beside && !perSample.baselinePredictions) {
    throw new EdgesmithError('USAGE', `"${input.only}" compares two models: give another evaluation (besideId)`, {
      hint: 'Or evaluate the model with a baseline.',
    })
  }
  return worstSamples({ task, samples, perSample, beside, only: input.only, class: input.class, limit: input.limit })
}

/** @throws EdgesmithError `NOT_COMPARABLE` when they are not of the same samples */
function checkPair(baseline: Evaluation, build: Evaluation): void {
  if (baseline.datasetId === build.datasetId && baseline.samples === build.samples) return
  throw new EdgesmithError(
    'NOT_COMPARABLE',
    `These evaluations are of different samples: ${baseline.samples} of "${baseline.datasetName}" and ${build.samples} of "${build.datasetName}"`,
    { hint: 'Evaluate both models on the same dataset.' },
  )
}
