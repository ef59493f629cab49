import type { ModelProto } from 'onnx-buf'
import type { InferenceRuntime } from '../../inference-runtime.ts'
import type { CalibrationSamples } from '../calibration-samples.ts'
import { valueRange } from '../quantize-tensor.ts'
import { ChannelMeans } from './channel-means.ts'
import { groupsBySize, type KnownShape } from './float-tensors.ts'
import { type MeanRequest, ProbedModel, type ProbeResults } from './probed-model.ts'
import { TensorStatistics } from './tensor-statistics.ts'

/** What a {@link StatisticsCollector} works on. */
export interface Collection {
  readonly model: ModelProto
  readonly samples: CalibrationSamples
  readonly runtime: InferenceRuntime
  /** Indices of the feeds to run. */
  readonly feeds: readonly number[]
  /** float32 tensors of the model, and their shapes as far as they are known. */
  readonly shapes: ReadonlyMap<string, KnownShape>
  /** Which of them need ranges. */
  readonly ranged: readonly string[]
  /** Which of them need means. */
  readonly means: readonly MeanRequest[]
  /** Bins of the histograms; none without. */
  readonly bins: number | undefined
  /** Values of activations to hold at once. */
  readonly mostValues: number | undefined
}

/**
 * Runs feeds and keeps what is asked for. First reductions in the graph are tried. What they cannot tell for certain (NaN; means of tensors
 * of unknown rank) is collected anew from the values themselves.
 */
export class StatisticsCollector {
  readonly tensors = new Map<string, TensorStatistics>()
  readonly means = new Map<string, ChannelMeans[]>()
  private readonly work: Collection
  /** Tensors whose ranges, or means, must be collected from their values. */
  private readonly unsure = { ranges: new Set<string>(), means: new Set<string>() }

  constructor(work: Collection) {
    this.work = work
    for (const tensor of work.ranged) this.tensors.set(tensor, new TensorStatistics(work.bins))
    for (const { tensor, axis } of work.means) {
      const others = this.means.get(tensor) ?? []
      if (others.every((entry) => entry.axis !== axis)) this.means.set(tensor, [...others, new ChannelMeans(axis)])
    }
  }

  /** @param progress called after each run with the number of feeds done */
  async run(progress: (done: number) => void): Promise<void> {
    const { bins, feeds, ranged } = this.work
    const groups = bins === undefined || ranged.length === 0 ? [ranged] : await this.groups(ranged)
    for (const [pass, group] of groups.entries()) {
      await this.runReduced(group, pass === 0, (done) => progress(Math.floor((pass * feeds.length + done) / groups.length)))
    }
    const { ranges, means } = this.unsure
    for (const tensor of ranges) this.tensors.set(tensor, new TensorStatistics(bins))
    for (const tensor of means)
      this.means.set(
        tensor,
        this.means.get(tensor)!.map(({ axis }) => new ChannelMeans(axis)),
      )
    for (const group of await this.groups([...new Set([...ranges, ...means])])) await this.runWhole(group)
  }

  /** One run for each feed, with reductions in the graph, and with all values of `group` where there are histograms. */
  private async runReduced(group: readonly string[], withMeans: boolean, progress: (done: number) => void): Promise<void> {
    const { bins, model, runtime } = this.work
    const means = withMeans ? this.meansInGraph() : []
    if (group.length + means.length === 0) return
    const probed = await ProbedModel.load(model, runtime, { ranges: group, means, values: bins === undefined ? [] : group })
    try {
      await this.eachFeed(probed, (results, age, done) => {
        for (const tensor of group) this.addRange(tensor, age, results)
        for (const request of means) this.addMeans(request, results)
        progress(done)
      })
    } finally {
      await probed.close()
    }
  }

  /** One run for each feed, everything from the values of the tensors in `group`. */
  private async runWhole(group: readonly string[]): Promise<void> {
    const { ranges, means } = this.unsure
    const probed = await ProbedModel.load(this.work.model, this.work.runtime, { values: group })
    try {
      await this.eachFeed(probed, (results, age) => {
        for (const tensor of group) {
          const held = results.values(tensor)
          if (!(held?.values instanceof Float32Array)) continue
          if (ranges.has(tensor)) this.scan(tensor, age, held.values)
          if (means.has(tensor)) for (const entry of this.means.get(tensor) ?? []) entry.addValues(held.values, held.dims)
        }
      })
    } finally {
      await probed.close()
    }
  }

  private async eachFeed(probed: ProbedModel, take: (results: ProbeResults, age: number, done: number) => void): Promise<void> {
    const { feeds, samples } = this.work
    for (const [position, index] of feeds.entries()) {
      take(await probed.run(await samples.read(index)), feeds.length - 1 - position, position + 1)
    }
  }

  private groups(tensors: readonly string[]): Promise<string[][]> {
    const { model, runtime, samples, shapes, feeds, mostValues } = this.work
    const wanted = new Map(tensors.map((tensor) => [tensor, shapes.get(tensor)!]))
    return groupsBySize(model, wanted, runtime, () => samples.read(feeds[0] as number), mostValues)
  }

  private addRange(tensor: string, age: number, results: ProbeResults): void {
    if (this.unsure.ranges.has(tensor)) return
    const range = results.range(tensor)
    if (range === 'none') return
    if (this.work.bins === undefined) {
      if (range === 'unsure') this.unsure.ranges.add(tensor)
      else this.tensors.get(tensor)!.add(range, age)
      return
    }
    const values = results.values(tensor)?.values
    if (!(values instanceof Float32Array)) return
    if (range === 'unsure') this.scan(tensor, age, values)
    else this.tensors.get(tensor)!.add(range, age, values)
  }

  private scan(tensor: string, age: number, values: Float32Array): void {
    const range = valueRange(values)
    if (range) this.tensors.get(tensor)!.add(range, age, values, true)
  }

  private addMeans(request: MeanRequest, results: ProbeResults): void {
    if (this.unsure.means.has(request.tensor)) return
    const found = results.means(request)
    if (found === 'none') return
    if (found === 'unsure') this.unsure.means.add(request.tensor)
    else
      this.means
        .get(request.tensor)!
        .find(({ axis }) => axis === request.axis)!
        .addMeans(found.means, found.count)
  }

  /** Means that the graph can compute; it must know the rank, and that there is an axis to reduce. The others are noted. */
  private meansInGraph(): (MeanRequest & { readonly rank: number })[] {
    const probed: (MeanRequest & { readonly rank: number })[] = []
    for (const [tensor, entries] of this.means) {
      const rank = this.work.shapes.get(tensor)!.length
      if (rank < 2 || entries.some(({ axis }) => axis < -rank || axis >= rank)) this.unsure.means.add(tensor)
      else for (const { axis } of entries) probed.push({ tensor, axis, rank })
    }
    return probed
  }
}
