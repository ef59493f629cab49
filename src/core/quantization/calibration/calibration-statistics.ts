import type { ModelProto } from 'onnx-buf'
import type { InferenceRuntime } from '../../inference-runtime.ts'
import type { ValueRange } from '../affine-parameters.ts'
import type { CalibrationSamples } from '../calibration-samples.ts'
import type { ChannelMeans } from './channel-means.ts'
import { floatTensors } from './float-tensors.ts'
import type { MeanRequest } from './probed-model.ts'
import { StatisticsCollector } from './statistics-collector.ts'
import { HISTOGRAM_BINS } from './tensor-histogram.ts'
import type { Calibrator, RangeChoice, TensorStatistics } from './tensor-statistics.ts'

export type { Calibrator } from './tensor-statistics.ts'

/** What {@link CalibrationStatistics.collect} is to collect. */
export interface CollectOptions {
  /** Needed by percentile, entropy and mse. Activations are then read; otherwise only reductions computed inside the graph. */
  readonly histograms: boolean
  /** Indices of the feeds to run; all of them by default. */
  readonly feeds?: readonly number[]
  /** Tensors whose means along an axis are wanted; they need not be among the others. */
  readonly means?: readonly MeanRequest[]
  /** Values of activations held at once, default `MOST_VALUES_HELD`. */
  readonly mostValues?: number
}

/** Memory for the histograms of all tensors together: 256 MiB, so a graph of very many tensors gets coarser ones. */
const MOST_BINS = 2 ** 25
/** As many as 8 bits have levels: a coarser histogram says nothing about them. */
const FEWEST_BINS = 256

/**
 * Statistics of activation tensors over calibration feeds, from which ranges for 8 bits are chosen. They are streamed: memory does not
 * depend on the number of feeds, and shapes may differ from feed to feed. NaN is left out; tensors that are not float32 are ignored.
 */
export class CalibrationStatistics {
  private readonly tensors: ReadonlyMap<string, TensorStatistics>
  private readonly means: ReadonlyMap<string, readonly ChannelMeans[]>

  private constructor(tensors: ReadonlyMap<string, TensorStatistics>, means: ReadonlyMap<string, readonly ChannelMeans[]>) {
    this.tensors = tensors
    this.means = means
  }

  /**
   * Runs the samples: once, or with `histograms` as often as it takes to hold no more than 64 MiB of activations at a time (once,
   * when all wanted ones together are smaller). Where NaN turned up there is one run more for the tensors that had it.
   *
   * @param model as before afterwards
   * @param tensors of the main graph: its inputs, its outputs, or written by its nodes
   * @param progress called after each run with the number of feeds done
   * @throws the runtime's errors
   */
  static async collect(
    model: ModelProto,
    tensors: Iterable<string>,
    samples: CalibrationSamples,
    runtime: InferenceRuntime,
    options: CollectOptions,
    progress: (done: number) => void = () => {},
  ): Promise<CalibrationStatistics> {
    const { histograms, means = [], mostValues, feeds = Array.from({ length: samples.feeds }, (_, index) => index) } = options
    const wanted = new Set(tensors)
    const all = new Set([...wanted, ...means.map(({ tensor }) => tensor)])
    if (all.size === 0 || feeds.length === 0) return new CalibrationStatistics(new Map(), new Map())
    const shapes = await floatTensors(model, all, runtime)
    const ranged = [...wanted].filter((tensor) => shapes.has(tensor))
    const collector = new StatisticsCollector({
      model,
      samples,
      runtime,
      feeds,
      shapes,
      ranged,
      means: means.filter(({ tensor }) => shapes.has(tensor)),
      bins: histograms ? binsFor(ranged.length) : undefined,
      mostValues,
    })
    await collector.run(progress)
    return new CalibrationStatistics(collector.tensors, collector.means)
  }

  /**
   * The range a calibrator chooses for a tensor: within the smallest and largest value seen, not extended to zero.
   *
   * @returns `undefined` for a tensor that never held a number (or was not collected); infinite ends when a value was infinite
   * @throws Error when the calibrator needs histograms and none were collected
   */
  range(tensor: string, calibrator: Calibrator, how: RangeChoice): ValueRange | undefined {
    return this.tensors.get(tensor)?.chosen(calibrator, how)
  }

  /** Smallest and largest value of a tensor; the same for every type, so without {@link RangeChoice}. */
  seen(tensor: string): ValueRange | undefined {
    return this.tensors.get(tensor)?.seen()
  }

  /**
   * Mean of a tensor at each index along the axis it was asked for, over all its elements in all feeds.
   *
   * @param axis as it was asked for; may be left out when only one was
   * @returns `undefined` when it was not collected, the axis is not clear, a channel held no number, or the length
   *   along the axis differs from feed to feed
   */
  channelMeans(tensor: string, axis?: number): Float64Array | undefined {
    const fitting = (this.means.get(tensor) ?? []).filter((entry) => axis === undefined || entry.axis === axis)
    return fitting.length === 1 ? fitting[0]?.means() : undefined
  }
}

function binsFor(tensors: number): number {
  let bins = HISTOGRAM_BINS
  while (bins > FEWEST_BINS && bins * tensors > MOST_BINS) bins /= 2
  return bins
}
