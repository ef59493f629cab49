import type { ModelProto } from 'onnx-buf'
import type { StepOf } from '../../contract/recipe.ts'
import { type ExtractedModel, extractGraph } from '../../core/graph-surgery/extract-graph.ts'
import { foldConstants } from '../../core/graph-surgery/fold-constants.ts'
import type { InferenceRuntime, LoadedModel, NamedTensors } from '../../core/inference-runtime.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import { quoteNames } from '../../core/onnx/quote-name.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'
import { nameNodes, restoreDescription } from '../../core/quantization/prepare-model.ts'
import { encodeWithOutputs, inferTensorFacts, type TensorFactsByName } from '../../core/quantization/tensor-facts.ts'
import { someFeeds } from './calibration-feeds.ts'
import { requireSameOutputs } from './same-outputs.ts'
import type { StepContext, StepResult } from './step-context.ts'
import { generatedFeeds } from './verification.ts'

/** Feeds on which the part is compared with the whole: the arithmetic is the same, so few show a mistake. */
const CHECKED_FEEDS = 4

/**
 * Applies `extract`: cuts the model at the chosen tensors, makes fixed inputs constants and lets ONNX Runtime fold what then
 * is constant (an If with a known condition becomes its branch). The part is compared with the whole on the same values.
 *
 * @throws CoreError `RECIPE_NOT_APPLICABLE`, EdgesmithError `BUILD_VERIFICATION_FAILED`, the runtime's errors
 */
export async function extractStep(source: ModelProto, step: StepOf<'extract'>, context: StepContext): Promise<StepResult> {
  const { runtime, calibration } = context
  const facts = await inferTensorFacts(source, runtime)
  const extracted = extractGraph(source, facts, step)
  const model = extracted.fixed.size > 0 ? await folded(extracted.model, runtime) : extracted.model
  const whole = await WholeModel.open(source, facts, extracted, runtime)
  try {
    await requireParity(whole, model, calibration, runtime)
  } finally {
    await whole.close()
  }
  const before = source.graph?.node.length ?? 0
  context.log(`${before} nodes, ${model.graph?.node.length ?? 0} after extracting ${quoteNames(extracted.outputs, 4)}`)
  return {
    model,
    changed: [],
    skipped: [],
    warnings: unneededWarnings(extracted),
    newReference: true,
    ...(calibration
      ? { calibration: new PartSamples(calibration, extracted.inputs, () => WholeModel.open(source, facts, extracted, runtime)) }
      : {}),
  }
}

async function folded(part: ModelProto, runtime: InferenceRuntime): Promise<ModelProto> {
  nameNodes(new Graph(part))
  const model = await foldConstants(part, runtime)
  restoreDescription(model, part)
  return model
}

async function requireParity(
  whole: WholeModel,
  part: ModelProto,
  calibration: CalibrationSamples | undefined,
  runtime: InferenceRuntime,
): Promise<void> {
  const feeds = calibration ? someFeeds(calibration, CHECKED_FEEDS) : await generatedFeeds(whole)
  const loaded = await runtime.load(encodeModel(part), { optimization: 'disabled' })
  try {
    for (let index = 0; index < feeds.feeds; index++) {
      const { inputs, outputs } = await whole.boundary(await feeds.read(index))
      requireSameOutputs(outputs, await loaded.run(inputs))
    }
  } finally {
    await loaded.close()
  }
}

/** The whole model as it is used for one part: fixed inputs are given, the tensors at the cut are read. */
class WholeModel implements LoadedModel {
  readonly inputs: LoadedModel['inputs']
  readonly outputs: LoadedModel['outputs']
  private readonly loaded: LoadedModel
  private readonly part: ExtractedModel

  private constructor(loaded: LoadedModel, part: ExtractedModel) {
    this.loaded = loaded
    this.part = part
    this.inputs = loaded.inputs.filter(({ name }) => !part.fixed.has(name))
    this.outputs = loaded.outputs
  }

  static async open(source: ModelProto, facts: TensorFactsByName, part: ExtractedModel, runtime: InferenceRuntime): Promise<WholeModel> {
    const ports = new Set(new Graph(source).inputs.map(({ name }) => name))
    const exposed = [...part.inputs, ...part.outputs].filter((name) => !ports.has(name) && facts.has(name))
    return new WholeModel(await runtime.load(encodeWithOutputs(source, exposed), { optimization: 'disabled' }), part)
  }

  run(feed: NamedTensors): Promise<NamedTensors> {
    return this.loaded.run({ ...feed, ...Object.fromEntries(this.part.fixed) })
  }

  /** What the part is given and gives when the whole gets `feed`. */
  async boundary(feed: NamedTensors): Promise<{ readonly inputs: NamedTensors; readonly outputs: NamedTensors }> {
    const results = await this.run(feed)
    const pick = (names: readonly string[]): NamedTensors =>
      Object.fromEntries(names.map((name) => [name, (Object.hasOwn(feed, name) ? feed : results)[name]!]))
    return { inputs: pick(this.part.inputs), outputs: pick(this.part.outputs) }
  }

  close(): Promise<void> {
    return this.loaded.close()
  }
}

/** Calibration samples of the whole as samples of the part; where the cut goes through the graph, the whole is run. */
class PartSamples implements CalibrationSamples {
  readonly feeds: number
  private readonly given: CalibrationSamples
  private readonly names: readonly string[]
  private readonly open: () => Promise<WholeModel>
  private whole: Promise<WholeModel> | undefined

  constructor(given: CalibrationSamples, names: readonly string[], open: () => Promise<WholeModel>) {
    this.feeds = given.feeds
    this.given = given
    this.names = names
    this.open = open
  }

  async read(index: number): Promise<NamedTensors> {
    const feed = await this.given.read(index)
    if (this.names.every((name) => Object.hasOwn(feed, name))) return Object.fromEntries(this.names.map((name) => [name, feed[name]!]))
    // Kept open: samples are read several times, and the process ends with its job.
    this.whole ??= this.open()
    return (await (await this.whole).boundary(feed)).inputs
  }
}

function unneededWarnings({ unneeded }: ExtractedModel): string[] {
  return unneeded.length === 0 ? [] : [`Nothing in the extracted part reads ${quoteNames(unneeded)}: left out of the inputs.`]
}
