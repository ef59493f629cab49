import type { ModelProto } from 'onnx-buf'
import type { ChannelPruning, StepOf } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import { inferShapes } from '../../core/onnx/shape-inference.ts'
import type { ChannelPruned } from '../../core/pruning/channels/channel-pruning.ts'
import { pruneChannels } from '../../core/pruning/channels/prune-channels.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'
import { interleavedLatency } from './interleaved-latency.ts'
import type { StepContext, StepResult } from './step-context.ts'
import { generatedFeeds } from './verification.ts'

/** Applies `prune-channels`. @throws CoreError `RECIPE_NOT_APPLICABLE`, `BUILD_VERIFICATION_FAILED`, the runtime's errors */
export async function channelsStep(model: ModelProto, step: StepOf<'prune-channels'>, context: StepContext): Promise<StepResult> {
  const { runtime, calibration, progress, log } = context
  const source = encodeModel(model)
  const checks = calibration ?? (await madeUpFeeds(source, runtime))
  const pruned = await pruneChannels(model, step, {
    runtime,
    samples: calibration,
    checks,
    measure: async (before, after) => interleavedLatency(before, after, await checks.read(0)),
    progress,
  })
  log(
    `${pruned.layers.length} layers have fewer channels now: ${pruned.layers
      .slice(0, 10)
      .map(({ node, before, after }) => `${node} ${before} → ${after}`)
      .join(', ')}`,
  )
  const facts: ChannelPruning = {
    goal: step.goal,
    amount: step.amount,
    // A model with open dimensions is counted as it runs on a sample.
    macsBefore: countedMacs(model) ?? pruned.macs.before,
    macsAfter: countedMacs(pruned.model) ?? pruned.macs.after,
    parametersBefore: pruned.parametersBefore,
    parametersAfter: pruned.parametersAfter,
    latencyBeforeMs: pruned.latency?.before ?? null,
    latencyAfterMs: pruned.latency?.after ?? null,
    refitted: pruned.refitted,
    layers: [...pruned.layers],
  }
  return {
    model: pruned.model,
    changed: pruned.layers.map(({ node }) => node),
    skipped: pruned.skipped,
    warnings: warnings(step, pruned, calibration),
    facts: { channelPruning: facts },
  }
}

async function madeUpFeeds(source: Uint8Array, runtime: InferenceRuntime): Promise<CalibrationSamples> {
  const loaded = await runtime.load(source)
  try {
    return await generatedFeeds(loaded)
  } finally {
    await loaded.close()
  }
}

function warnings(
  step: StepOf<'prune-channels'>,
  { reached, refitted }: ChannelPruned,
  calibration: CalibrationSamples | undefined,
): string[] {
  const texts: string[] = []
  if (!reached)
    texts.push(
      `The goal (${Math.round(step.amount * 100)} % of ${GOAL_WORDS[step.goal]}) was not reached: multiples of ${step.multipleOf}, keepAtLeast and channels that must stay left no more to remove.`,
    )
  if (!calibration)
    texts.push(
      'Without calibration data channels were chosen by their weights and nothing was re-fitted: expect to lose far more accuracy than with a few hundred samples.',
    )
  else if (!refitted) texts.push('The remaining weights were not re-fitted.')
  return texts
}

const GOAL_WORDS: Readonly<Record<StepOf<'prune-channels'>['goal'], string>> = {
  macs: 'the multiply-accumulates',
  ratio: 'the channels of each layer',
  latency: 'the latency',
}

/** Multiply-accumulates of a run with one sample, `null` when a node cannot be counted. */
function countedMacs(model: ModelProto): number | null {
  let sum = 0
  for (const count of inferShapes(model, { singleSample: true }).macs.values()) {
    if (count === null) return null
    sum += count
  }
  return sum
}
