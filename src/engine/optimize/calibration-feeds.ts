import type { NamedTensors } from '../../core/inference-runtime.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'

/** The part of an open dataset that calibration reads. */
export interface SampleReader {
  readonly sampleCount: number
  /** Samples the model takes at once when its batch dimension is fixed, `undefined` when it is free. */
  readonly fixedBatch: number | undefined
  gather(indices: readonly number[]): NamedTensors | Promise<NamedTensors>
}

/** Calibration samples and how many there are. */
export interface CalibrationFeeds extends CalibrationSamples {
  readonly samples: number
}

/**
 * Up to `samples` samples, evenly spaced over the dataset, because files are often sorted by class. A feed holds one sample,
 * or as many as a fixed batch needs; the last batch is filled up from the front.
 */
export function calibrationFeeds(dataset: SampleReader, samples: number): CalibrationFeeds {
  const picks = evenlySpaced(dataset.sampleCount, samples)
  const batch = dataset.fixedBatch ?? 1
  const feeds = Math.ceil(picks.length / batch)
  return {
    feeds,
    samples: picks.length,
    read: async (index) => dataset.gather(Array.from({ length: batch }, (_, offset) => picks[(index * batch + offset) % picks.length]!)),
  }
}

/** The first part of some feeds, evenly spaced. */
export function someFeeds(all: CalibrationSamples, most: number): CalibrationSamples {
  return pickFeeds(all, evenlySpaced(all.feeds, most))
}

/** The feeds of those numbers. */
export function pickFeeds(all: CalibrationSamples, picks: readonly number[]): CalibrationSamples {
  return { feeds: picks.length, read: (index) => all.read(picks[index]!) }
}

/** `count` of the numbers 0 to total − 1, evenly spaced; all of them when there are not more. */
function evenlySpaced(total: number, count: number): number[] {
  if (count >= total) return Array.from({ length: total }, (_, index) => index)
  return Array.from({ length: count }, (_, index) => Math.floor((index * total) / count))
}
