import type { ModelProto, NodeProto } from 'onnx-buf'
import type { InferenceRuntime, NamedTensors, TensorValues } from '../inference-runtime.ts'
import { FidelityAccumulator } from '../metrics/fidelity.ts'
import { type AffineParameters, integerLimits, type QuantizedType, type ValueRange } from './affine-parameters.ts'
import { ProbedModel } from './calibration/probed-model.ts'
import type { CalibrationSamples } from './calibration-samples.ts'
import { encodeWithOutputs } from './tensor-facts.ts'

/** An activation that a build passes through QuantizeLinear and DequantizeLinear. */
export interface QuantizedTensor extends AffineParameters {
  /** Its name in the float model. */
  readonly tensor: string
  /** What QuantizeLinear reads in the build. */
  readonly before: string
  /** What DequantizeLinear gives in the build. */
  readonly after: string
  readonly type: QuantizedType
  /** Limits of a ReLU or Clip that the pair took over: what lies beyond them is not lost, it was never wanted. */
  readonly absorbed?: ValueRange
}

/** What quantization did to one tensor; the contract's `tensorErrorSchema` describes the same. */
export interface TensorErrorReport {
  readonly tensor: string
  /** The node of the float model that writes it; empty for an input of the model. */
  readonly node: string
  readonly op: string
  readonly scale: number
  readonly zeroPoint: number
  /** Values before the Q/DQ pair against those behind it; null: no difference. */
  readonly localSqnrDb: number | null
  /** The float model's tensor against the build's behind the pair; null: no difference. */
  readonly sqnrDb: number | null
  readonly cosine: number
  /** Values that were clipped, and how many there were. */
  readonly saturated: number
  readonly values: number
}

/** The two models and the tensors to look at; both models take the same inputs. */
export interface TensorReportRequest {
  readonly float: ModelProto
  readonly build: ModelProto
  readonly tensors: readonly QuantizedTensor[]
}

/** Values that are held beside each other (float32: 4 to 64 MiB); a group of tensors stays below. Small models take four passes at most. */
const LEAST_GROUP = 2 ** 20
const MOST_GROUP = 2 ** 24
const PASSES = 4

/**
 * Compares activations of a float model and its Q/DQ build, tensor by tensor, both run as written (no graph optimizations, exact
 * arithmetic), one feed at a time. Tensors are taken in groups, each with its own pass over the samples, so that the values
 * held at once stay below 2²⁴ (a larger tensor is a group of its own). Local and cross-model error are those of ONNX Runtime's `qdq_loss_debug` (qdq_err, xmodel_err).
 *
 * A tensor whose shape differs between the two models (its size depends on the data) or that never held a value is left out.
 *
 * @param progress called after each feed with runs done and runs there will be
 * @returns in the order of `tensors`
 * @throws the runtime's errors
 */
export async function reportTensors(
  { float, build, tensors }: TensorReportRequest,
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
  progress: (done: number, total: number) => void = () => {},
): Promise<TensorErrorReport[]> {
  if (samples.feeds === 0 || tensors.length === 0) return []
  const groups = groupTensors(tensors, await tensorSizes(float, tensors, await samples.read(0), runtime))
  const writers = new Map(float.graph!.node.flatMap((node) => node.output.map((name) => [name, node] as const)))
  const reports: TensorErrorReport[] = []
  let done = 0
  for (const group of groups) {
    const comparisons = group.map((tensor) => new Comparison(tensor, writers.get(tensor.tensor)))
    const reference = await runtime.load(encodeWithOutputs(float, written(float, group, ['tensor'])), { optimization: 'disabled' })
    try {
      const actual = await runtime.load(encodeWithOutputs(build, written(build, group, ['before', 'after'])), { optimization: 'disabled' })
      try {
        for (let index = 0; index < samples.feeds; index++) {
          const feed = await samples.read(index)
          const expected = { ...feed, ...(await reference.run(feed)) }
          const found = { ...feed, ...(await actual.run(feed)) }
          for (const comparison of comparisons) comparison.add(expected, found)
          progress(++done, groups.length * samples.feeds)
        }
      } finally {
        await actual.close()
      }
    } finally {
      await reference.close()
    }
    reports.push(...comparisons.flatMap((comparison) => comparison.report() ?? []))
  }
  return reports
}

/** Reports worst first: lowest cross-model ratio, then lowest cosine. */
export function worstFirst<T extends Pick<TensorErrorReport, 'sqnrDb' | 'cosine'>>(reports: readonly T[]): T[] {
  const key = ({ sqnrDb }: T) => sqnrDb ?? Number.POSITIVE_INFINITY
  return [...reports].sort((a, b) => (key(a) === key(b) ? a.cosine - b.cosine : key(a) - key(b)))
}

/** One tensor's sums over all feeds. */
class Comparison {
  private readonly tensor: QuantizedTensor
  private readonly writer: NodeProto | undefined
  private readonly local = new FidelityAccumulator()
  private readonly across = new FidelityAccumulator()
  private saturated = 0
  private values = 0
  private comparable = true

  constructor(tensor: QuantizedTensor, writer: NodeProto | undefined) {
    this.tensor = tensor
    this.writer = writer
  }

  add(expected: NamedTensors, found: NamedTensors): void {
    const reference = floats(expected, this.tensor.tensor)
    const before = limited(floats(found, this.tensor.before), this.tensor.absorbed)
    const after = floats(found, this.tensor.after)
    if (!reference || !before || !after || reference.length !== after.length || before.length !== after.length) {
      this.comparable = false
      return
    }
    this.local.add(before, after)
    this.across.add(reference, after)
    this.saturated += countSaturated(before, this.tensor, this.tensor.type)
    this.values += before.length
  }

  report(): TensorErrorReport | undefined {
    if (!this.comparable || this.values === 0) return undefined
    const { tensor, scale, zeroPoint } = this.tensor
    const across = this.across.result()
    return {
      tensor,
      node: this.writer?.name ?? '',
      op: this.writer?.opType ?? '',
      scale,
      zeroPoint,
      localSqnrDb: this.local.result().sqnrDb,
      sqnrDb: across.sqnrDb,
      cosine: across.cosine,
      saturated: this.saturated,
      values: this.values,
    }
  }
}

/**
 * Values that quantization clips: those that round to an integer outside the type. Worked example: uint8, scale 0.1, zero point 0:
 * 25.5 is the largest value kept, 25.56 rounds to 256 and is clipped, 25.54 rounds to 255 and is not.
 */
export function countSaturated(values: Float32Array, { scale, zeroPoint }: AffineParameters, type: QuantizedType): number {
  const { min, max } = integerLimits(type, false)
  let count = 0
  const [lowest, highest] = [min - 0.5 - zeroPoint, max + 0.5 - zeroPoint]
  for (let index = 0; index < values.length; index++) {
    const steps = values[index]! / scale
    if (steps > highest || steps < lowest) count++
  }
  return count
}

function floats(tensors: NamedTensors, name: string): Float32Array | undefined {
  const values: TensorValues | undefined = Object.hasOwn(tensors, name) ? tensors[name]?.values : undefined
  return values instanceof Float32Array ? values : undefined
}

function limited(values: Float32Array | undefined, limits: ValueRange | undefined): Float32Array | undefined {
  return limits ? values?.map((value) => Math.min(limits.max, Math.max(limits.min, value))) : values
}

/** Names that nodes write (inputs are at hand anyway), for all tensors of a group. */
function written(model: ModelProto, group: readonly QuantizedTensor[], roles: readonly ('tensor' | 'before' | 'after')[]): string[] {
  const made = new Set(model.graph!.node.flatMap(({ output }) => output))
  return group.flatMap((tensor) => roles.map((role) => tensor[role])).filter((name) => made.has(name))
}

/** Values of each tensor when the model runs on a feed; computed inside the graph, so that only the numbers come out. */
async function tensorSizes(
  float: ModelProto,
  tensors: readonly QuantizedTensor[],
  feed: NamedTensors,
  runtime: InferenceRuntime,
): Promise<(tensor: string) => number> {
  const made = new Set(float.graph!.node.flatMap(({ output }) => output))
  const sizes = [...new Set(tensors.map(({ tensor }) => tensor))].filter((tensor) => made.has(tensor))
  const probed = await ProbedModel.load(float, runtime, { sizes })
  try {
    const results = await probed.run(feed)
    return (tensor) => (made.has(tensor) ? results.size(tensor) : (feed[tensor]?.values.length ?? 0))
  } finally {
    await probed.close()
  }
}

function groupTensors(tensors: readonly QuantizedTensor[], sizeOf: (tensor: string) => number): QuantizedTensor[][] {
  const all = 3 * tensors.reduce((sum, { tensor }) => sum + sizeOf(tensor), 0)
  const most = Math.min(MOST_GROUP, Math.max(LEAST_GROUP, Math.ceil(all / PASSES)))
  const groups: QuantizedTensor[][] = []
  let room = 0
  for (const tensor of tensors) {
    // It is held three times: in the float model, before and behind the pair.
    const count = 3 * sizeOf(tensor.tensor)
    room -= count
    if (room < 0 || groups.length === 0) {
      groups.push([])
      room = most - count
    }
    groups.at(-1)!.push(tensor)
  }
  return groups
}
