import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import type { InferenceRuntime } from '../inference-runtime.ts'
import type { ValueRange } from './affine-parameters.ts'
import { CalibrationStatistics } from './calibration/calibration-statistics.ts'
import type { CalibrationSamples } from './calibration-samples.ts'

/**
 * Smallest and largest value of each tensor over all feeds, NaN left out. They are computed inside the graph: activations are not read.
 *
 * @param tensors float32 tensors of the main graph: inputs or written by nodes
 * @param progress called after each feed with the number done
 * @returns ranges by tensor; a tensor that never held a number is missing
 * @throws the runtime's errors
 */
export async function collectRanges(
  model: ModelProto,
  tensors: Iterable<string>,
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
  progress: (done: number) => void = () => {},
): Promise<Map<string, ValueRange>> {
  const wanted = new Set(tensors)
  const statistics = await CalibrationStatistics.collect(model, wanted, samples, runtime, { histograms: false }, progress)
  return new Map(
    [...wanted].flatMap((tensor) => {
      const range = statistics.seen(tensor)
      return range ? [[tensor, range] as const] : []
    }),
  )
}

/** @throws CoreError `RECIPE_NOT_APPLICABLE` when a tensor had infinite values, or none: 8 bits cannot hold it */
export function requireFinite(tensor: string, range: ValueRange | undefined): void {
  if (range && Number.isFinite(range.min) && Number.isFinite(range.max)) return
  const found = range ? `runs from ${range.min} to ${range.max}` : 'holds no numbers'
  throw new CoreError('RECIPE_NOT_APPLICABLE', `Tensor "${tensor}" ${found} on the calibration samples, so it has no 8-bit scale.`, {
    hint: 'Check the calibration data and its preprocessing, or exclude the node that writes the tensor.',
    details: { tensor },
  })
}
