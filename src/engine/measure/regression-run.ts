import { EdgesmithError } from '../../contract/errors.ts'
import type { Metrics, RegressionDetail } from '../../contract/evaluation.ts'
import type { Targets } from '../../core/datasets/answers.ts'
import { summarizeRegression } from '../../core/metrics/regression.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import type { OutputBatch, SampleOutput } from './sample-outputs.ts'

/** What a regression found. */
interface RegressionFound {
  readonly metrics: Metrics
  readonly detail: RegressionDetail
  /** float32 `actual` and `predicted`, `width` a sample. */
  readonly perSample: Readonly<Record<string, Float32Array>>
}

/** The first floating point output with as many values a sample as there are targets. */
export function findRegressedOutput(outputs: readonly SampleOutput[], width: number): string | undefined {
  return outputs.find(({ type, sampleDims, perSample }) => type.includes('float') && sampleDims && perSample === width)?.name
}

/** A regression in progress: actual and predicted values in memory. */
export class RegressionRun {
  private readonly targets: Targets
  private readonly output: string
  private readonly predicted: Float32Array

  /** @param output name of the output that answers */
  constructor(targets: Targets, output: string) {
    this.targets = targets
    this.output = output
    this.predicted = new Float32Array(targets.values.length)
  }

  /** @throws EdgesmithError `EVALUATION_IMPOSSIBLE` for an answer that is not a number: no mean error can hold it */
  add({ first, outputs }: OutputBatch): void {
    const { width } = this.targets
    const values = outputs.find(({ name }) => name === this.output)?.values ?? new Float32Array()
    const broken = values.findIndex((value: number) => !Number.isFinite(Math.fround(value)))
    if (broken >= 0) {
      const sample = first + Math.floor(broken / width)
      throw new EdgesmithError(
        'EVALUATION_IMPOSSIBLE',
        `Output ${quoteName(this.output)} is ${values[broken]} for sample ${sample}: errors of regression need finite numbers.`,
        {
          hint: 'Check the input values and their preprocessing. A float16 build may overflow: keep its largest layers in float32.',
          details: { output: this.output, sample, found: String(values[broken]) },
        },
      )
    }
    this.predicted.set(values, first * width)
  }

  finish(): RegressionFound {
    const { width, values } = this.targets
    const { bias, perOutput, residuals, ...metrics } = summarizeRegression(values, this.predicted, width)
    return { metrics, detail: { width, bias, residuals, perOutput }, perSample: { actual: values, predicted: this.predicted } }
  }
}
