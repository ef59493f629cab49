import { EdgesmithError } from '../../contract/errors.ts'
import { halfToFloat } from '../../core/float16.ts'
import type { LoadedModel, RuntimeTensor } from '../../core/inference-runtime.ts'
import type { OutputValues } from '../../core/metrics/output-parity.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import type { OpenDataset } from '../datasets/open-dataset.ts'

/** One output of a model for some samples. */
export interface SampleOutput {
  readonly name: string
  readonly type: RuntimeTensor['type']
  /** As the model gave it, of one run. */
  readonly dims: readonly number[]
  /** Dimensions of one sample; `undefined` when the first dimension is not the batch, so that values cannot be told apart by sample. */
  readonly sampleDims: readonly number[] | undefined
  /** Values of one sample. */
  readonly perSample: number
  /** As numbers, samples one after another; `undefined` for text. */
  readonly values: OutputValues | undefined
}

/** The outputs of a model for samples `first` to `first + count − 1`. */
export interface OutputBatch {
  readonly first: number
  readonly count: number
  /** In the model's order. */
  readonly outputs: readonly SampleOutput[]
}

/**
 * Runs a model on some samples of a dataset that was opened for it. A model with a fixed batch runs as often as needed, the last batch
 * filled up with the last sample, whose extra answers are dropped.
 * @throws EdgesmithError `MODEL_RUN_FAILED`
 */
export async function runSamples(model: LoadedModel, dataset: OpenDataset, first: number, count: number): Promise<OutputBatch> {
  const batch = dataset.fixedBatch ?? count
  const runs: SampleOutput[][] = []
  for (let from = first; from < first + count; from += batch) {
    const wanted = Math.min(batch, first + count - from)
    const feeds = wanted < batch ? dataset.gather(filledUp(from, wanted, batch)) : dataset.batch(from, batch)
    const outputs = await model.run(feeds)
    runs.push(model.outputs.map(({ name }) => sampleOutput(name, outputs[name] as RuntimeTensor, wanted, batch)))
  }
  const [only, ...more] = runs as [SampleOutput[], ...SampleOutput[][]]
  return { first, count, outputs: more.length === 0 ? only : only.map((_, index) => joined(runs.map((run) => run[index]!))) }
}

/** Indices of a whole batch: `count` samples from `first` on, then the last of them again and again. */
function filledUp(first: number, count: number, batch: number): number[] {
  return Array.from({ length: batch }, (_, i) => first + Math.min(i, count - 1))
}

function sampleOutput(name: string, tensor: RuntimeTensor, wanted: number, batch: number): SampleOutput {
  const { type, dims } = tensor
  const values = numbersOf(tensor)
  // A model made for one sample may leave the batch dimension out.
  const sampleDims = dims[0] === batch ? dims.slice(1) : batch === 1 ? dims : undefined
  const perSample = (sampleDims ?? dims).reduce((product, dim) => product * dim, 1)
  const kept = values && sampleDims && wanted < batch ? values.subarray(0, wanted * perSample) : values
  return { name, type, dims, sampleDims, perSample, values: kept }
}

/** The values of a tensor as numbers; float16 comes as its bits. */
function numbersOf({ type, values }: RuntimeTensor): OutputValues | undefined {
  if (values instanceof Float32Array || values instanceof Float64Array) return values
  if (type === 'string') return undefined
  if (type === 'float16') return Float32Array.from(values as Uint16Array, halfToFloat)
  return Float64Array.from(values as ArrayLike<number | bigint>, Number)
}

/** The same output of several runs. */
function joined(runs: readonly SampleOutput[]): SampleOutput {
  const [first] = runs as readonly [SampleOutput, ...SampleOutput[]]
  const different = runs.find(({ perSample }) => perSample !== first.perSample)
  if (different) {
    throw new EdgesmithError(
      'EVALUATION_IMPOSSIBLE',
      `Output ${quoteName(first.name)} has ${first.perSample} values for one sample and ${different.perSample} for another.`,
      { hint: 'Outputs whose size depends on the input cannot be compared value by value.' },
    )
  }
  if (!first.values) return first
  const pieces = runs.map(({ values }) => values as OutputValues)
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const values = first.values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)
  let at = 0
  for (const piece of pieces) {
    values.set(piece, at)
    at += piece.length
  }
  return { ...first, values }
}
