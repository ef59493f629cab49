import { EdgesmithError } from '../../contract/errors.ts'
import type { Targets } from '../../core/datasets/answers.ts'
import type { OpenDataset } from '../datasets/open-dataset.ts'
import { type AnswerOutput, findAnswerOutput } from './classification-run.ts'
import { findRegressedOutput } from './regression-run.ts'
import type { OutputBatch, SampleOutput } from './sample-outputs.ts'

/** What can be found out about a model on a dataset. */
export type EvaluationTask =
  | { readonly task: 'classification'; readonly labels: Int32Array; readonly output: AnswerOutput }
  | { readonly task: 'regression'; readonly targets: Targets; readonly output: string }
  /** `reason`: why there is no more, where labels or targets are there. */
  | { readonly task: 'parity'; readonly reason: string | null }

/**
 * Decides from the outputs of a first batch: classes where there are labels and class scores, errors where there are targets and an output
 * as wide, else how far the outputs are from a baseline's.
 *
 * @param dataset with the `name` that messages use
 * @throws EdgesmithError `MODEL_NOT_CLASSIFIER` for labels without class scores, `EVALUATION_IMPOSSIBLE` for anything else that leaves
 *   nothing to find out; neither where there is a baseline
 */
export function evaluationTask(
  batch: OutputBatch,
  { labels, targets }: Pick<OpenDataset, 'labels' | 'targets'>,
  name: string,
  hasBaseline: boolean,
): EvaluationTask {
  const { outputs, count } = batch
  const answer = labels && findAnswerOutput(outputs, labels)
  if (labels && answer) return { task: 'classification', labels, output: answer }
  const regressed = targets && findRegressedOutput(outputs, targets.width)
  if (targets && regressed !== undefined) return { task: 'regression', targets, output: regressed }
  if (hasBaseline) {
    const reason = labels
      ? `No output holds one score for each class, so the labels of ${name} are not used: outputs are compared with the baseline's.`
      : targets
        ? `No output has ${valuesText(targets.width)}, so the targets of ${name} are not used: outputs are compared with the baseline's.`
        : null
    return { task: 'parity', reason }
  }
  if (labels) throw notClassifier(outputs, count, true)
  if (targets) {
    throw new EdgesmithError(
      'EVALUATION_IMPOSSIBLE',
      `The targets of ${name} have ${valuesText(targets.width)}, but no floating point output of the model has: found ${shapesOf(outputs)} for ${count} samples.`,
      { hint: 'Give the targets the model was trained for, or a baseline to compare outputs with.', details: { expected: targets.width } },
    )
  }
  throw new EdgesmithError(
    'EVALUATION_IMPOSSIBLE',
    `${name} has neither labels nor targets, and there is no baseline to compare outputs with.`,
    {
      hint: 'Give a baseline model (--baseline), or add an array "labels" (class indices) or "targets" (values to regress) to the dataset.',
    },
  )
}

/** The error for labels that no output answers. @param baselineHelps whether the caller could take a baseline instead */
export function notClassifier(outputs: readonly SampleOutput[], samples: number, baselineHelps: boolean): EdgesmithError {
  return new EdgesmithError(
    'MODEL_NOT_CLASSIFIER',
    `No output holds one score for each class of each sample: found ${shapesOf(outputs)} for ${samples} samples.`,
    {
      hint: `Accuracy needs a floating point output of shape [batch, classes] with at least 2 classes, or [batch, 1] with labels 0 and 1.${
        baselineHelps
          ? ' Values to regress are floating point numbers in an array "targets". Any outputs can be compared with a baseline’s.'
          : ''
      }`,
      details: { batch: samples },
    },
  )
}

function shapesOf(outputs: readonly SampleOutput[]): string {
  return outputs.map(({ name, type, dims }) => `"${name}" ${type}[${dims.join(',')}]`).join(', ')
}

function valuesText(width: number): string {
  return width === 1 ? '1 value a sample' : `${width} values a sample`
}
