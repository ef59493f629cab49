import { EdgesmithError } from '../../contract/errors.ts'
import { checkLabels } from '../../core/datasets/labels.ts'
import type { LoadedModel } from '../../core/inference-runtime.ts'
import type { ClassAnswers } from '../../core/metrics/class-answers.ts'
import type { Scores } from '../../core/metrics/classification.ts'
import type { OpenDataset } from '../datasets/open-dataset.ts'
import { type AnswerOutput, collectAnswers, findAnswerOutput } from './classification-run.ts'
import { notClassifier } from './evaluation-task.ts'
import { runSamples } from './sample-outputs.ts'

/** How to read a dataset. */
interface Reading {
  /** How messages call the dataset. */
  readonly name: string
  /** Samples in one inference, where the model leaves the batch open. */
  readonly batch: number
}

/**
 * 1 for each sample that a classifier answers as labelled, 0 for the others; batch by batch.
 * @throws EdgesmithError or CoreError: `DATASET_LABELS`, `MODEL_NOT_CLASSIFIER`, `MODEL_RUN_FAILED`
 */
export async function correctAnswers(model: LoadedModel, dataset: OpenDataset, { name, batch: wanted }: Reading): Promise<Uint8Array> {
  const { labels, sampleCount } = dataset
  if (!labels) {
    throw new EdgesmithError('DATASET_LABELS', `Dataset "${name}" has no labels; accuracy needs them.`, {
      hint: 'Add an array "labels" with one class index a sample (.npz), or give the labels file (IDX).',
    })
  }
  const batch = dataset.fixedBatch ?? wanted
  let found: { readonly output: AnswerOutput; readonly answers: ClassAnswers } | undefined
  for (let first = 0; first < sampleCount; first += batch) {
    const { count, outputs } = await runSamples(model, dataset, first, Math.min(batch, sampleCount - first))
    if (!found) {
      const output = findAnswerOutput(outputs, labels)
      if (!output) throw notClassifier(outputs, count, false)
      found = { output, answers: collectAnswers(sampleCount, output) }
      checkLabels(labels, found.answers.classes, name)
    }
    found.answers.add(first, count, outputs.find((output) => output.name === found?.output.name)?.values as Scores)
  }
  const predictions = found?.answers.finish().predictions ?? new Int32Array()
  return Uint8Array.from(predictions, (prediction, index) => (prediction === labels[index] ? 1 : 0))
}
