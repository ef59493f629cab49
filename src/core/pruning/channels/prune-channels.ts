import type { ModelProto } from 'onnx-buf'
import { encodeModel } from '../../onnx/model-file.ts'
import type { CalibrationSamples } from '../../quantization/calibration-samples.ts'
import {
  type ChannelPruned,
  ChannelPruning,
  type ChannelPruningContext,
  type ChannelPruningOptions,
  type PrunedModel,
} from './channel-pruning.ts'
import { mergedSamples } from './merged-samples.ts'
import { prepareForChannels } from './prepare-channels.ts'
import { sizedModel } from './work-model.ts'

/** Steps in which channels go when the rest is re-fitted in between: what has taken over the work of others is not removed by an old score. */
const REFIT_ROUNDS = 3
/** Halvings of the amount of work while looking for a latency; timings are no finer than that. */
const LATENCY_STEPS = 5
/** Most of the work that is tried to be removed for a latency. */
const MOST_WORK = 0.95
/** A goal counts as reached when it is missed by less than timings differ from run to run. */
const LATENCY_TOLERANCE = 1.05

/**
 * Removes output channels of Conv, Gemm, MatMul and ConvTranspose layers and everything that belongs to them, and fits the weights of what is left so that every
 * layer gives what it gave before. The result is a plain float model, smaller and faster.
 *
 * Channels go in the order of least loss (greedy optimal brain surgeon on the second moments of calibration data; weight sizes without data), groups
 * in the order of least loss for the work saved, in {@link REFIT_ROUNDS} rounds with a re-fit after each.
 *
 * @param source is not changed
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when no channel can go, with the reasons; `BUILD_VERIFICATION_FAILED` when the pruned model does not compute what
 *   the source computes with the same channels muted; the runtime's errors
 */
export async function pruneChannels(
  source: ModelProto,
  options: ChannelPruningOptions,
  given: ChannelPruningContext,
): Promise<ChannelPruned> {
  const prepared = await prepareForChannels(source, given.runtime)
  const samples = given.samples && (await mergedSamples(prepared.graph, given.samples, given.runtime))
  const context = { ...given, samples }
  const dims = await sampleDims(samples ?? given.checks)
  const start = (): ChannelPruning => new ChannelPruning(prepared.graph.model, prepared.facts, dims, options, context)
  const pruned =
    options.goal === 'latency'
      ? await toLatency(start, encodeModel(prepared.graph.model), options, context)
      : await toAmount(start(), options.amount)
  const single = await sampleDims(given.samples ?? given.checks)
  return { ...pruned, macs: { before: totalMacs(prepared.graph.model, single), after: totalMacs(pruned.model, single) } }
}

function totalMacs(model: ModelProto, dims: ReadonlyMap<string, readonly number[]> | undefined): number | null {
  const { macs } = sizedModel(model, dims)
  return macs.size < model.graph!.node.length ? null : [...macs.values()].reduce((sum, count) => sum + count, 0)
}

/** Removes a share of the work (or of the channels). */
async function toAmount(pruning: ChannelPruning, amount: number): Promise<PrunedModel> {
  const rounds = pruning.refits ? REFIT_ROUNDS : 1
  for (let round = 1; round <= rounds; round++) await pruning.round(1 - (1 - amount) ** (round / rounds))
  return pruning.result()
}

/** Looks for the smallest share of the work whose removal brings the latency down as asked, on models that are not re-fitted: that changes no timing. */
async function toLatency(
  start: () => ChannelPruning,
  source: Uint8Array,
  { amount }: ChannelPruningOptions,
  { measure, progress }: ChannelPruningContext,
): Promise<PrunedModel> {
  if (!measure) throw new Error('goal latency needs a way to measure it')
  const trial = await start().candidates()
  let [low, high] = [0, MOST_WORK]
  for (let step = 0; step < LATENCY_STEPS; step++) {
    progress('measuring latency', step, LATENCY_STEPS, 'candidates')
    const middle = (low + high) / 2
    const { before, after } = await measure(source, encodeModel(trial(middle)))
    if (after <= (1 - amount) * before) high = middle
    else low = middle
  }
  const pruned = await toAmount(start(), high)
  const latency = await measure(source, encodeModel(pruned.model))
  return { ...pruned, latency, reached: latency.after <= (1 - amount) * latency.before * LATENCY_TOLERANCE }
}

async function sampleDims(samples: CalibrationSamples): Promise<ReadonlyMap<string, readonly number[]> | undefined> {
  if (samples.feeds === 0) return undefined
  return new Map(Object.entries(await samples.read(0)).map(([name, { dims }]) => [name, dims]))
}
