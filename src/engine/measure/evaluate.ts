import { readFile } from 'node:fs/promises'
import type { DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { EvaluateResult } from '../../contract/measurement.ts'
import { checkLabels } from '../../core/datasets/labels.ts'
import type { InferenceRuntime, LoadedModel, NamedTensors } from '../../core/inference-runtime.ts'
import { classificationMetrics, isInTop, TOP_K, topClass } from '../../core/metrics/classification.ts'
import { openDataset } from '../datasets/open-dataset.ts'
import type { MeasureContext } from './benchmark.ts'
import { type ClassScores, findClassScores } from './classifier-output.ts'
import { readClockState } from './clock-state.ts'
import { readEnvironment } from './environment.ts'
import { throwIfCancelled } from './timed-runs.ts'

/** What to evaluate on what. */
export interface EvaluateRequest {
  /** Path of a self-contained .onnx file. */
  readonly model: string
  readonly dataset: DatasetSource
  /** Samples in one inference, where the model leaves the batch open. */
  readonly batch: number
  readonly threads: number
}

/**
 * Accuracy of a classifier on a labelled dataset, streamed by batches: memory for one batch, one prediction and one label a sample.
 * A model with a fixed batch gets that batch; its last one is filled up with the last sample, whose extra answers are not counted.
 * A sample whose scores hold NaN has no prediction (−1) and counts as wrong; the log says how many there were.
 *
 * @throws EdgesmithError `FILE_NOT_FOUND`, `MODEL_LOAD_FAILED` and relatives, `DATASET_…` when the data does not fit the model or has
 *   no labels, `MODEL_NOT_CLASSIFIER`, `MODEL_RUN_FAILED`, `JOB_CANCELLED`
 */
export async function evaluate(request: EvaluateRequest, runtime: InferenceRuntime, context: MeasureContext): Promise<EvaluateResult> {
  const start = performance.now()
  const { reporter, systemRoot = '/' } = context
  const environment = readEnvironment(systemRoot, await readClockState(systemRoot), context.edgesmithVersion)
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  const model = await runtime.load(await readFile(request.model), { intraOpThreads: request.threads })
  try {
    const found = await predictAll(model, request, context)
    const metrics = classificationMetrics(found.labels, found.predictions, found.classes)
    const unanswered = found.predictions.reduce((count, prediction) => count + (prediction < 0 ? 1 : 0), 0)
    if (unanswered > 0) reporter.log(`${unanswered} of ${metrics.samples} samples have scores that are not numbers; they count as wrong.`)
    return {
      task: 'classification',
      samples: metrics.samples,
      metrics: {
        accuracy: metrics.accuracy,
        accuracyCi95: metrics.accuracyCi95,
        top5: found.classes > TOP_K ? found.inTop / metrics.samples : null,
        f1Macro: metrics.f1Macro,
      },
      correct: metrics.correct,
      classes: found.classes,
      predictions: found.predictions,
      labels: found.labels,
      durationMs: performance.now() - start,
      environment,
    }
  } finally {
    await model.close()
  }
}

interface Predictions {
  readonly classes: number
  readonly labels: Int32Array
  readonly predictions: Int32Array
  /** Samples whose label is among the {@link TOP_K} highest scores. */
  readonly inTop: number
}

async function predictAll(model: LoadedModel, request: EvaluateRequest, { reporter, signal }: MeasureContext): Promise<Predictions> {
  const dataset = await openDataset(request.dataset, model.inputs)
  const { labels, sampleCount } = dataset
  if (!labels) {
    throw new EdgesmithError('DATASET_LABELS', `Dataset "${request.dataset.name}" has no labels; accuracy needs them.`, {
      hint: 'Add an array "labels" with one class index a sample (.npz), or give the labels file (IDX).',
    })
  }
  const batch = dataset.fixedBatch ?? request.batch
  const predictions = new Int32Array(sampleCount)
  let classes = 0
  let inTop = 0
  for (let first = 0; first < sampleCount; first += batch) {
    throwIfCancelled(signal)
    const count = Math.min(batch, sampleCount - first)
    const feeds =
      count < batch && dataset.fixedBatch !== undefined ? dataset.gather(filledUp(first, count, batch)) : dataset.batch(first, count)
    const { scores, classes: found } = await scoresOf(model, feeds, dataset.fixedBatch ?? count)
    if (classes === 0) {
      classes = found
      checkLabels(labels, classes, request.dataset.name)
    } else if (found !== classes) {
      throw new EdgesmithError('MODEL_NOT_CLASSIFIER', `The model gave ${found} scores for a sample, and ${classes} for others before.`)
    }
    for (let row = 0; row < count; row++) {
      predictions[first + row] = topClass(scores, row, classes)
      if (classes > TOP_K && isInTop(scores, row, classes, labels[first + row] as number, TOP_K)) inTop++
    }
    reporter.progress({ phase: 'evaluate', done: first + count, total: sampleCount, unit: 'samples' })
  }
  return { classes, labels, predictions, inTop }
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
