import type { ModelProto } from 'onnx-buf'
import type { InferenceRuntime, NamedTensors } from '../../inference-runtime.ts'
import { encodeWithOutputs } from '../tensor-facts.ts'
import { ProbedModel } from './probed-model.ts'

/** Shape of a tensor as far as it is known before a run. */
export type KnownShape = readonly (number | string | undefined)[]

/** Values held at once while activations are read: 64 MiB of float32, and as much again in ONNX Runtime. */
export const MOST_VALUES_HELD = 2 ** 24

/**
 * Those of the tensors that are float32, with their shapes. (A tensor whose rank ONNX Runtime cannot infer looks like a scalar.)
 * @param tensors of the main graph
 * @throws the runtime's load errors
 */
export async function floatTensors(
  model: ModelProto,
  tensors: Iterable<string>,
  runtime: InferenceRuntime,
): Promise<ReadonlyMap<string, KnownShape>> {
  const wanted = new Set(tensors)
  const inputs = new Set(model.graph!.input.map(({ name }) => name))
  const written = [...wanted].filter((name) => !inputs.has(name))
  const loaded = await runtime.load(encodeWithOutputs(model, written), { optimization: 'disabled' })
  try {
    const ports = new Map([...loaded.inputs, ...loaded.outputs].map((port) => [port.name, port]))
    return new Map(
      [...wanted].flatMap((name) => {
        const port = ports.get(name)
        return port?.type === 'float32' ? [[name, port.shape] as const] : []
      }),
    )
  } finally {
    await loaded.close()
  }
}

/**
 * Tensors put into groups that hold at most {@link MOST_VALUES_HELD} values together in one run; a larger tensor has a group of its own.
 * Sizes that shapes leave open are those of one feed, given by `feed`.
 *
 * @throws the runtime's errors
 */
export async function groupsBySize(
  model: ModelProto,
  tensors: ReadonlyMap<string, KnownShape>,
  runtime: InferenceRuntime,
  feed: () => Promise<NamedTensors>,
  mostValues = MOST_VALUES_HELD,
): Promise<string[][]> {
  const open = [...tensors].filter(([, shape]) => staticSize(shape) === undefined).map(([tensor]) => tensor)
  const found = new Map<string, number>()
  if (open.length > 0) {
    const probed = await ProbedModel.load(model, runtime, { sizes: open })
    try {
      const results = await probed.run(await feed())
      for (const tensor of open) found.set(tensor, results.size(tensor))
    } finally {
      await probed.close()
    }
  }
  const groups: string[][] = []
  let held = 0
  for (const [tensor, shape] of tensors) {
    const size = staticSize(shape) ?? found.get(tensor)!
    const group = groups.at(-1)
    if (group && held + size <= mostValues) {
      group.push(tensor)
      held += size
    } else {
      groups.push([tensor])
      held = size
    }
  }
  return groups
}

/** Number of elements; `undefined` when a dimension is open, or when the shape may be that of a tensor of unknown rank. */
function staticSize(shape: KnownShape): number | undefined {
  if (shape.length === 0) return undefined
  let size = 1
  for (const dim of shape) {
    if (typeof dim !== 'number' || dim < 0) return undefined
    size *= dim
  }
  return size
}
