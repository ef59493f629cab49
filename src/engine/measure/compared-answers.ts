import { checkLabels } from '../../core/datasets/labels.ts'
import type { ComparedAnswers } from '../../core/explanation/accuracy-context.ts'
import type { LoadedModel } from '../../core/inference-runtime.ts'
import { topClass } from '../../core/metrics/classification.ts'
import type { OpenDataset } from '../datasets/open-dataset.ts'
import { classesOf } from './classifier-output.ts'
import { runSamples } from './sample-outputs.ts'

/** A model and the dataset as opened for it. */
export interface AnsweringModel {
  readonly model: LoadedModel
  readonly dataset: OpenDataset
}

/** Samples in one run, where the models leave it open: enough to be quick, few enough for a board. */
const BATCH = 16

/**
 * Answers of two classifiers to all samples of a labelled dataset.
 *
 * @param name how messages call the dataset
 * @param progress called after each batch with the samples done; may throw to stop
 * @returns null without labels, and for models that do not give one score a class
 * @throws EdgesmithError or CoreError `DATASET_LABELS`, `MODEL_RUN_FAILED`
 */
export async function comparedAnswers(
  baseline: AnsweringModel,
  build: AnsweringModel,
  name: string,
  progress: (done: number) => void,
): Promise<ComparedAnswers | null> {
  const { labels, sampleCount } = baseline.dataset
  if (!labels) return null
  const batch = baseline.dataset.fixedBatch ?? build.dataset.fixedBatch ?? BATCH
  const predictions = { baseline: new Int32Array(sampleCount), build: new Int32Array(sampleCount) }
  const margins = new Float32Array(sampleCount)
  let classes = 0
  for (let first = 0; first < sampleCount; first += batch) {
    const count = Math.min(batch, sampleCount - first)
    const before = scoresOf(await runSamples(baseline.model, baseline.dataset, first, count))
    const after = scoresOf(await runSamples(build.model, build.dataset, first, count))
    if (!before || !after || before.classes !== after.classes) return null
    if (classes === 0) {
      classes = before.classes
      checkLabels(labels, classes, name)
    }
    for (let row = 0; row < count; row++) {
      predictions.baseline[first + row] = topClass(before.scores, row, classes)
      predictions.build[first + row] = topClass(after.scores, row, classes)
      margins[first + row] = leadOf(before.scores, row, classes)
    }
    progress(first + count)
  }
  return { classes, labels, ...predictions, margins }
}

type Scores = Float32Array | Float64Array

function scoresOf({ outputs }: Awaited<ReturnType<typeof runSamples>>): { readonly classes: number; readonly scores: Scores } | undefined {
  for (const { type, sampleDims, values } of outputs) {
    const classes = type.startsWith('float') && sampleDims ? classesOf(sampleDims) : undefined
    if (classes !== undefined && values) return { classes, scores: values }
  }
  return undefined
}

/** How far the highest score is above the second highest; NaN when one is not a number. */
function leadOf(scores: Scores, row: number, classes: number): number {
  let highest = Number.NEGATIVE_INFINITY
  let second = Number.NEGATIVE_INFINITY
  for (let index = row * classes; index < (row + 1) * classes; index++) {
    const score = scores[index]!
    if (Number.isNaN(score)) return Number.NaN
    if (score > highest) {
      second = highest
      highest = score
    } else if (score > second) second = score
  }
  return highest - second
}
