import type { ModelProto } from 'onnx-buf'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { Graph } from '../onnx/graph.ts'
import { decodeModel, encodeModel } from '../onnx/model-file.ts'
import { encodeWithoutLargeWeights, foldableConstants, putBackWeights, shareWeights } from '../quantization/large-weights.ts'
import { replaceKnownValues } from './known-values.ts'

/** Ifs within Ifs take a round each; real models have two or three levels. */
const MOST_ROUNDS = 8

/**
 * A model with all that is constant computed: ONNX Runtime's `basic` level (which is portable; higher levels are made for one
 * computer), and what it does not see, see {@link replaceKnownValues}. Functions of the model's own are inlined.
 *
 * @param source is not changed
 * @returns the model as ONNX Runtime writes it: see `restoreDescription` in prepare-model.ts
 * @throws the runtime's load errors
 */
export async function foldConstants(source: ModelProto, runtime: InferenceRuntime): Promise<ModelProto> {
  const { bytes: first, missing } = encodeWithoutLargeWeights(source, foldableConstants(new Graph(source)))
  let bytes = first
  for (let round = 1; ; round++) {
    const model = decodeModel(await runtime.optimized(bytes, 'basic'), 'the prepared model')
    if (round === MOST_ROUNDS || replaceKnownValues(model) === 0) {
      putBackWeights(model, missing)
      shareWeights(model, source)
      return model
    }
    bytes = encodeModel(model)
  }
}
