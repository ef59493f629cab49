import type { ModelProto } from 'onnx-buf'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import type { StepOf } from '../../contract/recipe.ts'
import { type DynamicBatchModel, freeBatch } from '../../core/graph-surgery/dynamic-batch.ts'
import { joinTensors } from '../../core/graph-surgery/join-tensors.ts'
import type { InferenceRuntime, NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import { cloneModel } from '../../core/onnx/clone-model.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'
import { nameNodes } from '../../core/quantization/prepare-model.ts'
import { requireSameOutputs } from './same-outputs.ts'
import type { StepContext, StepResult } from './step-context.ts'
import { generatedFeeds } from './verification.ts'

/** Batches that are joined to one: three, so that no rule for pairs and nothing for one hides a mistake. */
const JOINED = 3
/**
 * How far results may be off, as a share of the largest value: matrix kernels add in another order for another number of rows.
 * Samples that really mix are off by far more.
 */
const TOLERANCE = 1e-4

/**
 * Applies `dynamic-batch`, and checks it: the new model must give for the old batch what the model gave, and for three batches
 * at once what it gave for each.
 *
 * @throws EdgesmithError, CoreError `RECIPE_NOT_APPLICABLE` naming the node that stands in the way, the runtime's errors
 */
export async function dynamicBatchStep(
  source: ModelProto,
  { name }: StepOf<'dynamic-batch'>,
  { runtime, calibration, log }: StepContext,
): Promise<StepResult> {
  const named = cloneModel(source)
  nameNodes(new Graph(named))
  const free = freeBatch(named, name)
  const singles = await runSingles(named, free, calibration, runtime)
  try {
    await requireIndependentSamples(free, singles, runtime)
  } catch (error) {
    throw standsInTheWay(error, free)
  }
  log(`the batch was ${free.batch} and is free now; ${free.rewritten.length} nodes rewritten`)
  return { model: free.model, changed: [], skipped: [], warnings: [] }
}

/** A run of the model with its fixed batch. */
interface SingleRun {
  readonly feed: NamedTensors
  readonly results: NamedTensors
}

async function runSingles(
  model: ModelProto,
  { ports }: DynamicBatchModel,
  calibration: CalibrationSamples | undefined,
  runtime: InferenceRuntime,
): Promise<SingleRun[]> {
  const loaded = await runtime.load(encodeModel(model), { optimization: 'disabled' })
  try {
    const feeds = calibration ?? (await generatedFeeds(loaded))
    const runs: SingleRun[] = []
    for (let index = 0; index < JOINED; index++) {
      const own = await feeds.read(index % feeds.feeds)
      // Inputs without a batch are shared by all samples of a run.
      const shared = Object.entries(runs[0]?.feed ?? {}).filter(([name]) => !ports.has(name))
      const feed = { ...own, ...Object.fromEntries(shared) }
      runs.push({ feed, results: await loaded.run(feed) })
    }
    return runs
  } finally {
    await loaded.close()
  }
}

async function requireIndependentSamples(
  { model, ports }: DynamicBatchModel,
  singles: readonly SingleRun[],
  runtime: InferenceRuntime,
): Promise<void> {
  const loaded = await runtime.load(encodeModel(model), { optimization: 'disabled' })
  try {
    const [first] = singles
    requireSameOutputs(first!.results, await loaded.run(first!.feed), TOLERANCE)
    const joined = Object.entries(first!.feed).map(([name, tensor]): [string, RuntimeTensor] => {
      const axis = ports.get(name)
      return [
        name,
        axis === undefined
          ? tensor
          : joinTensors(
              singles.map(({ feed }) => feed[name]!),
              axis,
            ),
      ]
    })
    requireJoined(singles, await loaded.run(Object.fromEntries(joined)))
  } finally {
    await loaded.close()
  }
}

function requireJoined(singles: readonly SingleRun[], found: NamedTensors): void {
  const expected = Object.entries(singles[0]!.results).map(([name, single]): [string, RuntimeTensor] => {
    const dims = found[name]?.dims ?? []
    const axis = single.dims.findIndex((dim, index) => dims[index] !== dim)
    if (axis < 0) throw mixed(`output ${quoteName(name)} has the same shape [${dims.join(',')}] for every batch`)
    if (dims[axis] !== single.dims[axis]! * JOINED)
      throw mixed(`output ${quoteName(name)} is [${dims.join(',')}] for ${JOINED} batches of [${single.dims.join(',')}]`)
    return [
      name,
      joinTensors(
        singles.map(({ results }) => results[name]!),
        axis,
      ),
    ]
  })
  requireSameOutputs(Object.fromEntries(expected), found, TOLERANCE)
}

function mixed(reason: string): EdgesmithError {
  return new EdgesmithError('BUILD_VERIFICATION_FAILED', reason)
}

function standsInTheWay(error: unknown, { obstacle, batch }: DynamicBatchModel): unknown {
  const { code, message, details } = toErrorReport(error)
  if (code === 'INTERNAL') return error
  const reason = [obstacle, message].filter((text) => text !== undefined).join('; ')
  return new EdgesmithError('RECIPE_NOT_APPLICABLE', `The batch of this model cannot be freed from ${batch}: ${reason}`, {
    hint: 'Export the model with a dynamic batch axis (torch.onnx.export(…, dynamic_axes=…)).',
    details: { ...details, cause: code },
  })
}
