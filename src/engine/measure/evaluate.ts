import { readFile } from 'node:fs/promises'
import type { DatasetSource } from '../../contract/dataset.ts'
import type { EvaluateResult } from '../../contract/measurement.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { classificationMetrics, TOP_K } from '../../core/metrics/classification.ts'
import { openDataset } from '../datasets/open-dataset.ts'
import type { MeasureContext } from './benchmark.ts'
import { readClockState } from './clock-state.ts'
import { readEnvironment } from './environment.ts'
import { predictAll } from './predictions.ts'
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
    const dataset = await openDataset(request.dataset, model.inputs)
    const found = await predictAll(model, dataset, { name: request.dataset.name, batch: request.batch }, (done) => {
      throwIfCancelled(context.signal)
      reporter.progress({ phase: 'evaluate', done, total: dataset.sampleCount, unit: 'samples' })
    })
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
