import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import type { InferenceRuntime, NamedTensors } from '../inference-runtime.ts'
import { unionRange, type ValueRange } from './affine-parameters.ts'
import { valueRange } from './quantize-tensor.ts'
import { encodeWithOutputs } from './tensor-facts.ts'

/** Calibration inputs, read one feed at a time. */
export interface CalibrationSamples {
  /** Number of feeds; each is one run of the model. */
  readonly feeds: number
  /** Feed `index`, 0 to feeds − 1. */
  read(index: number): Promise<NamedTensors>
}

/**
 * Smallest and largest value of each tensor over all feeds, NaN left out. Activations of one run at a time are held.
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
  const inputs = new Set(model.graph!.input.map(({ name }) => name))
  const loaded = await runtime.load(
    encodeWithOutputs(
      model,
      [...wanted].filter((name) => !inputs.has(name)),
    ),
    { optimization: 'disabled' },
  )
  const ranges = new Map<string, ValueRange>()
  try {
    for (let index = 0; index < samples.feeds; index++) {
      const feed = await samples.read(index)
      const results = await loaded.run(feed)
      for (const name of wanted) {
        const values = (results[name] ?? feed[name])?.values
        const range = values instanceof Float32Array ? valueRange(values) : undefined
        if (range) ranges.set(name, unionRange(ranges.get(name) ?? range, range))
      }
      progress(index + 1)
    }
  } finally {
    await loaded.close()
  }
  return ranges
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
