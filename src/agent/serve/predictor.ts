import type { LoadedModel, NamedTensors, RuntimeTensor, TensorValues } from '../../core/inference-runtime.ts'
import { elementFormats } from './element-types.ts'
import type { ModelSignature } from './model-signature.ts'
import type { Sample } from './predict-request.ts'
import { type ClassNames, type SampleAnswer, splitOutputs } from './sample-outputs.ts'

/**
 * Samples in one run of a model with an open batch. Enough to be as fast as larger ones, few enough that the event loop turns (health
 * checks are answered) between the runs of a long request.
 */
const MOST_SAMPLES_IN_RUN = 32

/** Answers requests with a loaded model. */
export interface Predictor {
  readonly signature: ModelSignature
  /** One answer for each sample, in order. @throws EdgesmithError `MODEL_RUN_FAILED` */
  predict(samples: readonly Sample[]): Promise<SampleAnswer[]>
}

/**
 * Runs samples on a model: batching, running, splitting. Runs happen on the calling thread (ONNX Runtime's call blocks it), one
 * after the other; between two of them other requests get their turn.
 */
export function createPredictor(model: LoadedModel, signature: ModelSignature, names: ClassNames): Predictor {
  const order = model.outputs.map(({ name }) => name)
  const { batching } = signature
  // Sizes left open may differ from sample to sample: those cannot share a run.
  const stackable = signature.inputs.every(({ sampleShape }) => !sampleShape.includes(undefined))
  const chunk = batching.kind === 'fixed' ? batching.size : batching.kind === 'open' && stackable ? MOST_SAMPLES_IN_RUN : 1
  const filled = batching.kind === 'fixed'

  async function run(samples: readonly Sample[]): Promise<SampleAnswer[]> {
    const rows = filled ? chunk : samples.length
    const outputs = await model.run(stack(samples, signature, rows))
    return splitOutputs(outputs, order, samples.length, batching.kind === 'single' ? undefined : rows, names)
  }

  return {
    signature,
    predict: async (samples) => {
      const answers: SampleAnswer[] = []
      for (let first = 0; first < samples.length; first += chunk) answers.push(...(await run(samples.slice(first, first + chunk))))
      return answers
    },
  }
}

/** Feeds of `rows` rows from samples; missing rows repeat the last sample. */
function stack(samples: readonly Sample[], { inputs }: ModelSignature, rows: number): NamedTensors {
  return Object.fromEntries(
    inputs.map(({ port: { name, type }, batched }) => {
      const first = (samples[0] as Sample)[name] as RuntimeTensor
      if (!batched) return [name, first]
      if (rows === 1) return [name, { type, dims: [1, ...first.dims], values: first.values }]
      const size = first.values.length
      const values = elementFormats[type]?.make(rows * size) as TensorValues
      for (let row = 0; row < rows; row++)
        copy((samples[Math.min(row, samples.length - 1)] as Sample)[name]?.values as TensorValues, values, row * size)
      return [name, { type, dims: [rows, ...first.dims], values }]
    }),
  )
}

function copy(from: TensorValues, to: TensorValues, offset: number): void {
  if (Array.isArray(to)) for (let i = 0; i < from.length; i++) to[offset + i] = from[i] as string
  else (to as Float32Array).set(from as Float32Array, offset)
}
