import type { ModelProto } from 'onnx-buf'
import type { Target } from '../../contract/names.ts'
import type { OptimizeSummary, SkippedNode } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'

/** What a step works with. */
export interface StepContext {
  readonly runtime: InferenceRuntime
  readonly target: Target
  /** Samples for the model as this step gets it. */
  readonly calibration: CalibrationSamples | undefined
  readonly budget: AccuracyBudget | undefined
  /** Says what is being done; the time until the next call with another phase counts as that phase's. `total` null: not known. */
  readonly progress: (phase: string, done: number, total: number | null, unit: string) => void
  readonly log: (text: string) => void
}

/** A labelled dataset and how much accuracy a build may lose on it. */
export interface AccuracyBudget {
  /** 0.01 is one point. */
  readonly maxDrop: number
  readonly samples: number
  /** Whether each sample is classified correctly by a model, in the order of the dataset. @throws `MODEL_NOT_CLASSIFIER`, `DATASET_…` */
  correct(model: Uint8Array): Promise<Uint8Array>
}

/** What a step found out that goes into the build's summary. */
export type StepFacts = Partial<
  Pick<OptimizeSummary, 'sparsity' | 'calibrator' | 'calibratorTrials' | 'tensors' | 'weights' | 'mixedPrecision' | 'channelPruning'>
>

/** What a step made. */
export interface StepResult {
  readonly model: ModelProto
  /** Names of the nodes it changed. */
  readonly changed: readonly string[]
  readonly skipped: readonly SkippedNode[]
  readonly warnings: readonly string[]
  readonly facts?: StepFacts
  /** The step gave the model other inputs or outputs and has checked that itself: later steps are compared with this model. */
  readonly newReference?: boolean
  /** Samples for the changed inputs. */
  readonly calibration?: CalibrationSamples
}
