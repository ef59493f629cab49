import type { Dataset } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import type { GateCheck } from '../../contract/routing.ts'
import { evaluateOn, type ReadyDevice } from '../devices/agent-work.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { measurementKey } from '../use-cases/measure.ts'

/** What a build must not lose. */
export interface AccuracyGate {
  readonly baseline: Model
  readonly dataset: Dataset
  /** As a share: 0.01 is one point. */
  readonly maxDrop: number
}

/** A difference of exactly the limit must not fail over the last bit of a float. */
const ROUNDING = 1e-9

/**
 * What accuracy is measured against, looked up before anything is sent: the model that serves now, otherwise the one the build was made from.
 * @throws EdgesmithError `USAGE` without labelled data or without anything to compare with
 */
export function accuracyGate(
  services: Services,
  model: Model,
  { datasetId, maxDrop, servedId }: { readonly datasetId: string | undefined; readonly maxDrop: number; readonly servedId: string | null },
): AccuracyGate {
  const dataset = datasetId === undefined ? null : services.datasets.get(datasetId)
  if (!dataset?.report.labelled) {
    throw new EdgesmithError('USAGE', 'A limit on accuracy needs data with class labels', {
      hint: 'Choose a labelled dataset (--data), or leave the limit out.',
    })
  }
  const baselineId = servedId ?? model.parentId
  if (baselineId === null) {
    throw new EdgesmithError('USAGE', `There is nothing to compare the accuracy of ${model.name} with`, {
      hint: 'It was imported and replaces nothing. Leave the limit out, or deploy a build of it.',
    })
  }
  return { baseline: services.models.get(baselineId), dataset, maxDrop }
}

/**
 * Measures both models on the device; the evaluations are kept like any other.
 * @throws EdgesmithError `GATE_FAILED` (details.checks), and what evaluating throws
 */
export async function checkAccuracy(
  services: Services,
  ready: ReadyDevice,
  model: Model,
  { baseline, dataset, maxDrop }: AccuracyGate,
  deviceId: string,
  context: JobContext,
): Promise<GateCheck> {
  const measure = async (measured: Model): Promise<number> => {
    context.progress({ phase: `measuring the accuracy of ${measured.name}`, done: 0, total: null, unit: '' })
    const result = await evaluateOn(ready, measured, dataset, { threads: 1 }, context)
    services.measurements.addEvaluation(measurementKey(context.jobId, measured.id, deviceId), dataset, result)
    announce(services, 'evaluations')
    if (result.metrics.accuracy === undefined) {
      throw new EdgesmithError('USAGE', `${dataset.name} gives ${measured.name} no accuracy: it is no classifier of these classes`, {
        hint: 'Leave the limit on accuracy out.',
      })
    }
    return result.metrics.accuracy
  }
  const found = await measure(model)
  const expected = baseline.id === model.id ? found : await measure(baseline)
  const text = `${percent(found)} on ${dataset.name}, ${baseline.name} has ${percent(expected)}; at most ${points(maxDrop)} less`
  const check: GateCheck = { name: 'accuracy', passed: expected - found <= maxDrop + ROUNDING, text }
  if (check.passed) return check
  throw new EdgesmithError('GATE_FAILED', `The accuracy of ${model.name} is too low: ${text}`, {
    hint: 'Nothing was changed on the device. Choose another build, or change the limit.',
    details: { checks: [check] },
  })
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}

function points(share: number): string {
  return `${+(share * 100).toFixed(2)} points`
}
