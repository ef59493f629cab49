import type { ClassificationDetail, Metrics } from '../../contract/evaluation.ts'
import { checkLabels } from '../../core/datasets/labels.ts'
import { Reliability } from '../../core/metrics/calibration.ts'
import { type ClassAnswers, scoredAnswers, singleScoreAnswers } from '../../core/metrics/class-answers.ts'
import { isInTop, type Scores, TOP_K } from '../../core/metrics/classification.ts'
import { summarizeClassification } from '../../core/metrics/classification-summary.ts'
import { wilsonInterval } from '../../core/statistics/proportion.ts'
import { classesOf } from './classifier-output.ts'
import type { OutputBatch, SampleOutput } from './sample-outputs.ts'

/** What a classification found. */
interface ClassificationFound {
  readonly metrics: Metrics
  readonly detail: ClassificationDetail
  /** int32 `labels` and `predictions`, float32 `confidence`. */
  readonly perSample: Readonly<Record<string, Float32Array | Int32Array>>
}

/** Where a model's answers are found among its outputs. */
export interface AnswerOutput {
  readonly name: string
  /** `undefined` for a single score a sample: class 1 against class 0. */
  readonly classes: number | undefined
}

/**
 * The output that answers a question of classes: the first floating point one with one score a class; where there is none and all labels
 * are 0 or 1, the first with a single number a sample. `undefined` when there is neither.
 */
export function findAnswerOutput(outputs: readonly SampleOutput[], labels: Int32Array | undefined): AnswerOutput | undefined {
  for (const { name, type, sampleDims } of outputs) {
    const classes = type.includes('float') && sampleDims ? classesOf(sampleDims) : undefined
    if (classes !== undefined) return { name, classes }
  }
  if (!labels?.every((label) => label === 0 || label === 1)) return undefined
  const single = outputs.find(({ type, sampleDims, perSample }) => type.includes('float') && sampleDims && perSample === 1)
  return single && { name: single.name, classes: undefined }
}

/** Collects the answers of one output. */
export function collectAnswers(samples: number, { classes }: AnswerOutput): ClassAnswers {
  return classes === undefined ? singleScoreAnswers(samples) : scoredAnswers(samples, classes)
}

/** A classification in progress: one label, one prediction and two confidences a sample in memory. */
export class ClassificationRun {
  private readonly labels: Int32Array
  private readonly output: AnswerOutput
  private readonly answers: ClassAnswers
  private inTop = 0

  /**
   * @param dataset how messages call the dataset
   * @throws CoreError `DATASET_LABELS` when a label is not one of the classes
   */
  constructor(labels: Int32Array, output: AnswerOutput, dataset: string) {
    this.labels = labels
    this.output = output
    this.answers = collectAnswers(labels.length, output)
    checkLabels(labels, this.answers.classes, dataset)
  }

  add({ first, count, outputs }: OutputBatch): void {
    const scores = outputs.find(({ name }) => name === this.output.name)?.values as Scores
    this.answers.add(first, count, scores)
    const { classes } = this.answers
    if (classes <= TOP_K) return
    for (let row = 0; row < count; row++) if (isInTop(scores, row, classes, this.labels[first + row]!, TOP_K)) this.inTop++
  }

  finish(): ClassificationFound {
    const { classes } = this.answers
    const { predictions, confidence, scores } = this.answers.finish()
    const summary = summarizeClassification(this.labels, predictions, classes)
    const reliability = new Reliability()
    confidence.forEach((value, i) => {
      if (!Number.isNaN(value)) reliability.add(value, predictions[i] === this.labels[i])
    })
    const calibrationError = reliability.expectedError()
    const { samples, correct, unanswered, perClass, confusion, topConfusions, ...metrics } = summary
    const hasTop = classes > TOP_K
    return {
      metrics: {
        ...metrics,
        top5: hasTop ? this.inTop / samples : null,
        top5Ci95: hasTop ? wilsonInterval(this.inTop, samples) : null,
        calibrationError,
      },
      detail: {
        classes,
        correct,
        unanswered,
        perClass,
        confusion,
        topConfusions,
        calibration: calibrationError === null ? null : { scores, bins: reliability.bins() },
      },
      perSample: { labels: this.labels, predictions, confidence: Float32Array.from(confidence) },
    }
  }
}
