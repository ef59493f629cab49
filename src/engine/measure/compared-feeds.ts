import type { DatasetSource } from '../../contract/dataset.ts'
import type { NamedTensors, Port } from '../../core/inference-runtime.ts'
import { openDataset } from '../datasets/open-dataset.ts'
import { makeBenchmarkInputs } from './benchmark-inputs.ts'

/** The same samples for two models, each in the form it takes. */
export interface ComparedFeeds {
  /** Number of feeds; {@link read} takes 0 to this. */
  readonly feeds: number
  /** Different samples in all of them. */
  readonly samples: number
  /** Where they came from, in words. */
  readonly source: string
  read(index: number): Promise<{ readonly baseline: NamedTensors; readonly build: NamedTensors }>
  /** Frees open files. */
  close(): void
}

/** Made-up samples beyond these say nothing new. */
const MOST_MADE_UP = 8

/** The inputs of both models. */
interface BothInputs {
  readonly baseline: readonly Port[]
  readonly build: readonly Port[]
}

/**
 * Samples spread evenly over a dataset (its order may be that of its classes), one a feed, or as many as the models insist on.
 * @throws EdgesmithError or CoreError `DATASET_…` when the data does not fit a model
 */
export async function feedsOfDataset(source: DatasetSource, inputs: BothInputs, wanted: number): Promise<ComparedFeeds> {
  const baseline = await openDataset(source, inputs.baseline)
  const build = await openDataset(source, inputs.build).catch((error: unknown) => {
    baseline.close()
    throw error
  })
  const samples = Math.min(wanted, baseline.sampleCount)
  const batch = baseline.fixedBatch ?? build.fixedBatch ?? 1
  const chosen = Array.from({ length: samples }, (_, index) => Math.floor((index * baseline.sampleCount) / samples))
  return {
    feeds: Math.ceil(samples / batch),
    samples,
    source: source.name,
    read: async (index) => {
      const indices = Array.from({ length: batch }, (_, place) => chosen[Math.min(samples - 1, index * batch + place)]!)
      return { baseline: baseline.gather(indices), build: build.gather(indices) }
    },
    close: () => {
      baseline.close()
      build.close()
    },
  }
}

/**
 * Inputs made up from what the models say of them, in one feed.
 * @param batch taken where a model insists on one
 * @throws EdgesmithError `USAGE`, `TOO_LARGE`
 */
export function madeUpFeeds(inputs: BothInputs, wanted: number, batch: number): ComparedFeeds {
  const open = [inputs.baseline, inputs.build].every(takesAnyBatch)
  const samples = open ? Math.min(MOST_MADE_UP, wanted) : batch
  const feeds = {
    baseline: makeBenchmarkInputs(inputs.baseline, samples).feeds,
    build: makeBenchmarkInputs(inputs.build, samples).feeds,
  }
  return { feeds: 1, samples, source: 'made-up inputs', read: async () => feeds, close: () => {} }
}

function takesAnyBatch(inputs: readonly Port[]): boolean {
  return inputs.some(({ shape }) => shape.length > 0 && typeof shape[0] !== 'number')
}
