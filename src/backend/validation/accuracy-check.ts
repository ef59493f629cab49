import type { Dataset } from '../../contract/dataset.ts'
import type { Validation } from '../../contract/deployment.ts'
import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import type { EngineResult } from '../../contract/engine-protocol.ts'
import type { EvaluateResult, Evaluation } from '../../contract/evaluation.ts'
import type { Model } from '../../contract/model.ts'
import { summarizeRegression } from '../../core/metrics/regression.ts'
import { evaluateOn, readyDevice } from '../devices/agent-work.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { formatCount, formatPercent, formatPoints } from '../report/quantities.ts'
import { announce, type Services } from '../services.ts'
import { measurementKey } from '../use-cases/measure.ts'
import { check, notChecked, type ValidationCheck } from './validation-check.ts'

type ServiceAnswers = EngineResult<'service-answers'>

const NAME = 'accuracy'

/** The check, and its numbers for the record. */
export interface AccuracyFound {
  readonly check: ValidationCheck
  readonly accuracy: Validation['accuracy']
}

export function accuracyLimit(maxDrop: number): string {
  return `at most ${formatPoints(maxDrop).replace(/^\+/, '')} below what was measured before on the same samples`
}

/**
 * Accuracy (of values to regress: R²) of a service's answers beside that of an evaluation of the same model on the same samples, so that the
 * choice of samples makes no difference.
 */
export function checkAccuracy(
  answers: ServiceAnswers,
  evaluation: Evaluation,
  perSample: EvaluateResult['perSample'],
  { dataset, device, maxDrop }: { readonly dataset: string; readonly device: string; readonly maxDrop: number },
): AccuracyFound {
  const limit = accuracyLimit(maxDrop)
  const none = (reason: string): AccuracyFound => ({ check: notChecked(NAME, reason, limit), accuracy: null })
  if (answers.task === null) return none(answers.reason ?? `the answers do not fit ${dataset}`)
  if (evaluation.task !== answers.task)
    return none(`the evaluation of ${dataset} found ${evaluation.task}, the answers are ${answers.task}`)
  const [metric, measured] = answers.task === 'classification' ? (['accuracy', answers.accuracy] as const) : (['R²', answers.r2] as const)
  const expected = answers.task === 'classification' ? accuracyAt(perSample, answers.indices) : r2At(perSample, answers.indices, evaluation)
  if (measured === null || expected === null) return none(`${metric} of these samples is not defined`)
  const text = answers.task === 'classification' ? formatPercent : (value: number) => value.toFixed(4)
  const samples = answers.indices.length
  return {
    check: check(
      NAME,
      // Rounding of the subtraction is no drop.
      expected - measured <= maxDrop + 1e-9,
      `${metric} ${text(measured)} on ${formatCount(samples)} samples of ${dataset}, expected ${text(expected)} (measured on ${device})`,
      limit,
    ),
    accuracy: { samples, measured, expected, metric },
  }
}

/**
 * The evaluation that says what to expect: of the device, else of another machine, else made now on this computer.
 * @param held machine the job holds
 */
export async function expectedEvaluation(
  services: Services,
  model: Model,
  dataset: Dataset,
  deviceId: string,
  held: string,
  context: JobContext,
): Promise<Evaluation> {
  const { measurements, devices } = services
  const known = measurements
    .evaluations(model.id)
    .filter(({ datasetId, samples, task }) => datasetId === dataset.id && samples === dataset.report.samples && task !== 'parity')
  const stored = known.find((evaluation) => evaluation.deviceId === deviceId) ?? known[0]
  if (stored) return stored
  context.log(`${model.name} was not evaluated on ${dataset.name} before: this is done now, on this computer.`)
  const here = devices.get(LOCAL_DEVICE_ID)
  const work = async () => {
    const ready = await readyDevice(services, here.id, { models: [model], datasets: [dataset] }, context)
    const result = await evaluateOn(ready, model, dataset, { threads: 1 }, context)
    const evaluation = measurements.addEvaluation(measurementKey(context.jobId, model.id, here.id), dataset, {
      ...result,
      parity: result.parity && { ...result.parity, baselineModelId: null },
    })
    announce(services, 'evaluations')
    return evaluation
  }
  const key = services.machineKey(here)
  return key === held ? work() : context.onMachine({ key, mode: 'shared' }, work)
}

function accuracyAt({ labels, predictions }: EvaluateResult['perSample'], indices: readonly number[]): number | null {
  if (!labels || !predictions) return null
  return indices.filter((index) => labels[index] === predictions[index]).length / indices.length
}

function r2At({ actual, predicted }: EvaluateResult['perSample'], indices: readonly number[], { samples }: Evaluation): number | null {
  if (!actual || !predicted) return null
  const width = actual.length / samples
  const chosen = (values: ArrayLike<number>) =>
    Float32Array.from(indices.flatMap((index) => Array.from({ length: width }, (_, value) => values[index * width + value] as number)))
  return summarizeRegression(chosen(actual), chosen(predicted), width).r2
}
