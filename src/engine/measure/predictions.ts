import { EdgesmithError } from '../../contract/errors.ts'
import { checkLabels } from '../../core/datasets/labels.ts'
import type { LoadedModel, NamedTensors } from '../../core/inference-runtime.ts'
import { isInTop, TOP_K, topClass } from '../../core/metrics/classification.ts'
import type { OpenDataset } from '../datasets/open-dataset.ts'
import { type ClassScores, findClassScores } from './classifier-output.ts'

/** What a classifier answered on a labelled dataset. */
interface Predictions {
  readonly classes: number
  readonly labels: Int32Array
  readonly predictions: Int32Array
  /** Samples whose label is among the {@link TOP_K} highest scores. */
  readonly inTop: number
}

/** How to read a dataset. */
interface Reading {
  /** How messages call the dataset. */
  readonly name: string
  /** Samples in one inference, where the model leaves the batch open. */
  readonly batch: number
}

/**
 * Runs a classifier over a labelled dataset, batch by batch.
 * @param progress called after each batch with the samples done; may throw to stop
 * @throws EdgesmithError `DATASET_LABELS`, `MODEL_NOT_CLASSIFIER`, `MODEL_RUN_FAILED`
 */
export async function predictAll(
  model: LoadedModel,
  dataset: OpenDataset,
  { name, batch: wanted }: Reading,
  progress: (done: number) => void = () => {},
): Promise<Predictions> {
  const { labels, sampleCount } = dataset
  if (!labels) {
    throw new EdgesmithError('DATASET_LABELS', `Dataset "${name}" has no labels; accuracy needs them.`, {
      hint: 'Add an array "labels" with one class index a sample (.npz), or give the labels file (IDX).',
    })
  }
  const batch = dataset.fixedBatch ?? wanted
  const predictions = new Int32Array(sampleCount)
  let classes = 0
  let inTop = 0
  for (let first = 0; first < sampleCount; first += batch) {
    const count = Math.min(batch, sampleCount - first)
    const feeds =
      count < batch && dataset.fixedBatch !== undefined ? dataset.gather(filledUp(first, count, batch)) : dataset.batch(first, count)
    const { scores, classes: found } = await scoresOf(model, feeds, dataset.fixedBatch ?? count)
    if (classes === 0) {
      classes = found
      checkLabels(labels, classes, name)
    } else if (found !== classes) {
      throw new EdgesmithError('MODEL_NOT_CLASSIFIER', `The model gave ${found} scores for a sample, and ${classes} for others before.`)
    }
    for (let row = 0; row < count; row++) {
      predictions[first + row] = topClass(scores, row, classes)
      if (classes > TOP_K && isInTop(scores, row, classes, labels[first + row] as number, TOP_K)) inTop++
    }
    progress(first + count)
  }
  return { classes, labels, predictions, inTop }
}

/** 1 for each sample that a classifier answers as labelled, 0 for the others. @throws as {@link predictAll} */
export async function correctAnswers(model: LoadedModel, dataset: OpenDataset, reading: Reading): Promise<Uint8Array> {
  const { predictions, labels } = await predictAll(model, dataset, reading)
  return Uint8Array.from(predictions, (prediction, index) => (prediction === labels[index] ? 1 : 0))
}

/** Indices of a whole batch: `count` samples from `first` on, then the last of them again and again. */
function filledUp(first: number, count: number, batch: number): number[] {
  return Array.from({ length: batch }, (_, i) => first + Math.min(i, count - 1))
}

async function scoresOf(model: LoadedModel, feeds: NamedTensors, batch: number): Promise<ClassScores> {
  const outputs = await model.run(feeds)
  const order = model.outputs.map(({ name }) => name)
  const scores = findClassScores(outputs, order, batch)
  if (scores) return scores
  const shapes = order.map((name) => `"${name}" ${outputs[name]?.type ?? ''}[${outputs[name]?.dims.join(',') ?? ''}]`).join(', ')
  throw new EdgesmithError(
    'MODEL_NOT_CLASSIFIER',
    `No output holds one score for each class of each sample: found ${shapes} for ${batch} samples.`,
    {
      hint: 'Accuracy needs a floating point output of shape [batch, classes] with at least 2 classes.',
      details: { batch },
    },
  )
}
