import type { NamedTensors, RuntimeTensor, TensorValues } from '../../core/inference-runtime.ts'
import { elementFormats } from './element-types.ts'
import type { ModelSignature, SampleInput } from './model-signature.ts'

/** Rows for a model: samples one by one (each input without its batch dimension), or one tensor for each input with all rows. */
export interface BatchRows {
  readonly rows: number
  readonly samples: readonly NamedTensors[]
  readonly feeds: NamedTensors | null
}

/** Which rows of the requests, counted through, make a run; and how many the run has, where that is fixed. */
interface RunRows {
  readonly first: number
  readonly count: number
  readonly rows: number
}

/** Rows of tensors as the model takes them: the first dimension of those with a batch, otherwise 1. */
export function rowsOf(feeds: NamedTensors, { inputs }: ModelSignature): number {
  const batched = inputs.find((input) => input.batched)
  return batched ? (feeds[batched.port.name]?.dims[0] ?? 1) : 1
}

/**
 * Feeds of one run from the rows of several requests, or of some of the rows of one request. Missing rows repeat the last one.
 *
 * @param requests several only where `first` is 0 and all their rows are meant
 */
export function batchFeeds(requests: readonly BatchRows[], { inputs }: ModelSignature, run: RunRows): NamedTensors {
  return Object.fromEntries(inputs.map((input) => [input.port.name, batchTensor(requests, input, run)]))
}

/** Tensors as samples: each row by itself; all as they are where the model has no rows. */
export function samplesOf(feeds: NamedTensors, signature: ModelSignature): readonly NamedTensors[] {
  const rows = rowsOf(feeds, signature)
  if (signature.batching.kind === 'single') return [feeds]
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, rowOf(tensor, row)])),
  )
}

function batchTensor(requests: readonly BatchRows[], { port: { name, type }, batched }: SampleInput, run: RunRows): RuntimeTensor {
  const request = requests[0] as BatchRows
  const { feeds, samples } = request
  if (requests.length === 1 && feeds !== null) return tensorRows(feeds[name] as RuntimeTensor, request.rows, run)
  const sample = feeds === null ? ((samples[run.first] as NamedTensors)[name] as RuntimeTensor) : rowOf(feeds[name] as RuntimeTensor, 0)
  if (!batched) return sample
  if (run.rows === 1) return { type, dims: [1, ...sample.dims], values: sample.values }
  const size = sample.values.length
  const values = elementFormats[type]?.make(run.rows * size) as TensorValues
  let next = 0
  for (const each of requests) {
    if (each.feeds !== null) {
      copy(each.feeds[name]?.values as TensorValues, values, next * size)
      next += each.rows
      continue
    }
    const end = Math.min(each.samples.length, run.first + run.count)
    for (let row = run.first; row < end; row++)
      copy((each.samples[row] as NamedTensors)[name]?.values as TensorValues, values, next++ * size)
  }
  const last = (samples[samples.length - 1]?.[name] ?? sample).values
  while (next < run.rows) copy(last, values, next++ * size)
  return { type, dims: [run.rows, ...sample.dims], values }
}

/** Some rows of a tensor, without copying numbers. */
function tensorRows(tensor: RuntimeTensor, rows: number, { first, count }: RunRows): RuntimeTensor {
  if (count === rows) return tensor
  const { type, dims, values } = tensor
  const size = values.length / rows
  const [from, to] = [first * size, (first + count) * size]
  return {
    type,
    dims: [count, ...dims.slice(1)],
    values: Array.isArray(values) ? values.slice(from, to) : (values as Float32Array).subarray(from, to),
  }
}

/** One row of a tensor, without the batch dimension and without copying numbers. */
function rowOf({ type, dims, values }: RuntimeTensor, row: number): RuntimeTensor {
  const size = values.length / (dims[0] as number)
  const [from, to] = [row * size, (row + 1) * size]
  return {
    type,
    dims: dims.slice(1),
    values: Array.isArray(values) ? values.slice(from, to) : (values as Float32Array).subarray(from, to),
  }
}

function copy(from: TensorValues, to: TensorValues, offset: number): void {
  if (Array.isArray(to)) for (let i = 0; i < from.length; i++) to[offset + i] = from[i] as string
  else (to as Float32Array).set(from as Float32Array, offset)
}
