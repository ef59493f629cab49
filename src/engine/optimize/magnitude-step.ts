import type { ModelProto } from 'onnx-buf'
import { EdgesmithError } from '../../contract/errors.ts'
import type { StepOf } from '../../contract/recipe.ts'
import { pruneByMagnitude } from '../../core/pruning/magnitude.ts'
import { pruneOnSamples, type SamplePrunedModel } from '../../core/pruning/weight-pruning-samples.ts'
import type { StepContext, StepResult } from './step-context.ts'

const SIZE_ONLY = 'Zeroed weights make the compressed download smaller. The model itself has the same size and is not faster.'

/** Applies `prune-magnitude`. @throws EdgesmithError, CoreError `CALIBRATION_NEEDED`, `RECIPE_NOT_APPLICABLE`, the runtime's errors */
export async function magnitudeStep(model: ModelProto, step: StepOf<'prune-magnitude'>, context: StepContext): Promise<StepResult> {
  const { calibration, runtime } = context
  const method = step.method === 'auto' ? (calibration ? 'sparsegpt' : 'magnitude') : step.method
  if (method === 'magnitude') {
    const result = pruneByMagnitude(model, step)
    return {
      model: result.model,
      changed: result.pruned,
      skipped: result.skipped,
      warnings: [SIZE_ONLY],
      facts: { sparsity: result.sparsity },
    }
  }
  if (!calibration)
    throw new EdgesmithError('CALIBRATION_NEEDED', `Pruning with ${method} needs calibration data.`, {
      hint: 'Give a dataset with --calibration (labels are not needed), or set method=magnitude.',
    })
  const result = await pruneOnSamples(model, runtime, { ...step, method }, calibration, (done, total) =>
    context.progress('calibrating', done, total, 'samples'),
  )
  logOtherMethods(result, context.log)
  return {
    model: result.model,
    changed: result.pruned,
    skipped: result.skipped,
    warnings: [SIZE_ONLY],
    facts: { sparsity: result.sparsity },
  }
}

function logOtherMethods({ byWanda, byMagnitude }: SamplePrunedModel, log: (text: string) => void): void {
  const say = (nodes: readonly string[], method: string): void => {
    if (nodes.length > 0) log(`${nodes.length} layers were pruned by ${method} instead: ${nodes.slice(0, 10).join(', ')}`)
  }
  say(byWanda, 'wanda')
  say(byMagnitude, 'magnitude')
}
