import type { ModelProto } from 'onnx-buf'
import type { InferenceRuntime, NamedTensors } from '../inference-runtime.ts'
import { ProbedModel } from '../quantization/calibration/probed-model.ts'
import { encodeWithOutputs } from '../quantization/tensor-facts.ts'
import type { CorrespondingTensor } from './corresponding-tensors.ts'
import { DistanceSum, type TensorDistance } from './tensor-distance.ts'

/** The models and what to feed them; each gets feeds of its own, because their inputs may have different types. */
export interface DistanceRequest {
  readonly baseline: ModelProto
  readonly build: ModelProto
  readonly tensors: readonly CorrespondingTensor[]
  readonly feeds: number
  readonly read: (index: number) => Promise<{ readonly baseline: NamedTensors; readonly build: NamedTensors }>
}

/** Values held beside each other: 64 MiB as float32, in each model once. */
const MOST_VALUES = 2 ** 24
/** Tensors asked for in one pass. */
const MOST_TENSORS = 2000

/**
 * Compares activations of two models that take the same samples, both run as written (no graph optimizations, exact arithmetic), one
 * feed at a time. Tensors are taken in groups, each with its own pass over the samples, so that the values held at once stay
 * below 2²⁴ in each model (a larger tensor is a group of its own).
 *
 * Left out: tensors whose size differs between the models, or that never held a value.
 *
 * @param progress called after each feed with runs done and runs there will be; may throw to stop
 * @returns by the baseline's tensor
 * @throws the runtime's errors
 */
export async function tensorDistances(
  { baseline, build, tensors, feeds, read }: DistanceRequest,
  runtime: InferenceRuntime,
  progress: (done: number, total: number) => void = () => {},
): Promise<Map<string, TensorDistance>> {
  const distances = new Map<string, TensorDistance>()
  if (feeds === 0 || tensors.length === 0) return distances
  const groups = grouped(tensors, await sizesOf(baseline, tensors, (await read(0)).baseline, runtime))
  let done = 0
  for (const group of groups) {
    const sums = group.map((tensor) => ({ tensor, sum: new DistanceSum(tensor.grid) }))
    const written = group.flatMap(({ tensor, writer }) => (writer ? [tensor] : []))
    const reference = await runtime.load(encodeWithOutputs(baseline, written), { optimization: 'disabled' })
    try {
      const names = group.map(({ buildTensor }) => buildTensor)
      const actual = await runtime.load(encodeWithOutputs(build, names), { optimization: 'disabled' })
      try {
        for (let index = 0; index < feeds; index++) {
          const feed = await read(index)
          const expected = { ...feed.baseline, ...(await reference.run(feed.baseline)) }
          const found = await actual.run(feed.build)
          for (const { tensor, sum } of sums) sum.add(expected, tensor.tensor, found, tensor.buildTensor)
          progress(++done, groups.length * feeds)
        }
      } finally {
        await actual.close()
      }
    } finally {
      await reference.close()
    }
    for (const { tensor, sum } of sums) {
      const distance = sum.result()
      if (distance) distances.set(tensor.tensor, distance)
    }
  }
  return distances
}

/** Values of each tensor when the baseline runs on a feed; computed inside the graph, so that only the numbers come out. */
async function sizesOf(
  baseline: ModelProto,
  tensors: readonly CorrespondingTensor[],
  feed: NamedTensors,
  runtime: InferenceRuntime,
): Promise<(tensor: CorrespondingTensor) => number> {
  const sizes = tensors.flatMap(({ tensor, writer }) => (writer ? [tensor] : []))
  if (sizes.length === 0) return ({ tensor }) => feed[tensor]?.values.length ?? 0
  const probed = await ProbedModel.load(baseline, runtime, { sizes })
  try {
    const results = await probed.run(feed)
    return ({ tensor, writer }) => (writer ? results.size(tensor) : (feed[tensor]?.values.length ?? 0))
  } finally {
    await probed.close()
  }
}

function grouped(tensors: readonly CorrespondingTensor[], sizeOf: (tensor: CorrespondingTensor) => number): CorrespondingTensor[][] {
  const groups: CorrespondingTensor[][] = []
  let room = 0
  for (const tensor of tensors) {
    room -= sizeOf(tensor)
    const last = groups.at(-1)
    if (room < 0 || !last || last.length >= MOST_TENSORS) {
      groups.push([tensor])
      room = MOST_VALUES - sizeOf(tensor)
    } else last.push(tensor)
  }
  return groups
}
