import type { DatasetSource } from '../../contract/dataset.ts'
import type { NamedTensors, Port, RuntimeTensor, TensorValues } from '../../core/inference-runtime.ts'
import { openDataset } from '../datasets/open-dataset.ts'
import { makeBenchmarkInputs } from './benchmark-inputs.ts'

/** Samples to run on several machines: the same ones in the same order everywhere. */
export interface OutputFeeds {
  readonly samples: number
  /** Samples in one feed; the last feed is filled up with its last sample. */
  readonly batch: number
  readonly feeds: number
  /** Where they came from, in words. */
  readonly source: string
  /** What was assumed to make them, a sentence each. */
  readonly assumptions: readonly string[]
  read(index: number): NamedTensors
  /** Frees open files. */
  close(): void
}

/** Made-up samples beyond these say nothing new. */
const MOST_MADE_UP = 64

/**
 * Samples spread evenly over a dataset (its order may be that of its classes), one a feed or as many as the model insists on; without a dataset
 * made up from what the model says of its inputs.
 * @throws EdgesmithError or CoreError `DATASET_…` when the data does not fit the model; `USAGE`, `TOO_LARGE` for inputs that cannot be made up
 */
export async function openOutputFeeds(dataset: DatasetSource | null, inputs: readonly Port[], wanted: number): Promise<OutputFeeds> {
  return dataset ? datasetFeeds(dataset, inputs, wanted) : madeUpFeeds(inputs, Math.min(wanted, MOST_MADE_UP))
}

async function datasetFeeds(source: DatasetSource, inputs: readonly Port[], wanted: number): Promise<OutputFeeds> {
  const dataset = await openDataset(source, inputs)
  const samples = Math.min(wanted, dataset.sampleCount)
  const batch = dataset.fixedBatch ?? 1
  const chosen = Array.from({ length: samples }, (_, index) => Math.floor((index * dataset.sampleCount) / samples))
  return {
    samples,
    batch,
    feeds: Math.ceil(samples / batch),
    source: source.name,
    assumptions: [],
    read: (index) => dataset.gather(Array.from({ length: batch }, (_, place) => chosen[Math.min(samples - 1, index * batch + place)]!)),
    close: () => dataset.close(),
  }
}

function madeUpFeeds(inputs: readonly Port[], wanted: number): OutputFeeds {
  const open = inputs.some(({ shape }) => shape.length > 0 && typeof shape[0] !== 'number')
  const fixed = inputs.find(({ shape }) => shape.length > 1)?.shape[0]
  // A model with a fixed batch gets one feed of it.
  const samples = open ? wanted : typeof fixed === 'number' ? fixed : 1
  const { feeds, assumptions } = makeBenchmarkInputs(inputs, samples)
  const batched = new Set(inputs.filter(({ shape }) => shape.length > 0 && typeof shape[0] !== 'number').map(({ name }) => name))
  const one = (index: number): NamedTensors =>
    Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, batched.has(name) ? sampleOf(tensor, index) : tensor]))
  return {
    samples,
    batch: open ? 1 : samples,
    feeds: open ? samples : 1,
    source: 'made-up inputs',
    assumptions,
    read: (index) => (open ? one(index) : feeds),
    close: () => {},
  }
}

/** One sample of a batch, as a batch of one. */
function sampleOf({ type, dims, values }: RuntimeTensor, index: number): RuntimeTensor {
  const [, ...rest] = dims
  const size = rest.reduce((product, dim) => product * dim, 1)
  return { type, dims: [1, ...rest], values: values.slice(index * size, (index + 1) * size) as TensorValues }
}
