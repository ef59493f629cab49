import type { InferenceRuntime, NamedTensors, RuntimeTensor } from '../../inference-runtime.ts'
import type { Graph } from '../../onnx/graph.ts'
import { encodeModel } from '../../onnx/model-file.ts'
import { declaredFact } from '../../onnx/shapes.ts'
import type { CalibrationSamples } from '../../quantization/calibration-samples.ts'

/** Samples in one run: sums are read back once for all of them. */
const MERGED = 16
/** Input values of one run: large samples are run one by one, their activations are large enough. */
const MERGED_VALUES = 2 ** 18

/**
 * Samples put together along an open batch dimension. They stay as they are when the model's inputs and outputs do not all begin with the same
 * symbol, when they have different shapes, or when the
 * model does not run with a larger batch than one: what a file declares is not always so.
 */
export async function mergedSamples(graph: Graph, samples: CalibrationSamples, runtime: InferenceRuntime): Promise<CalibrationSamples> {
  const firsts = new Set([...graph.inputs, ...graph.outputs].map((port) => declaredFact(port).shape?.[0]))
  const [first] = firsts
  if (firsts.size !== 1 || typeof first !== 'string' || samples.feeds < 2) return samples
  const template = Object.values(await samples.read(0))
  const values = template.reduce((sum, tensor) => sum + tensor.values.length, 0)
  const size = Math.min(MERGED, Math.floor(MERGED_VALUES / Math.max(1, values)))
  if (size < 2 || template.some(({ type, dims }) => type === 'string' || dims.length === 0)) return samples
  // Feeds are merged only while they are alike; the rest of a run is one that differs.
  const alike = template.map(({ dims }) => dims.slice(1).join()).join(';')
  for (let index = 1; index < samples.feeds; index++) {
    const shapes = Object.values(await samples.read(index))
      .map(({ dims }) => dims.slice(1).join())
      .join(';')
    if (shapes !== alike) return samples
  }
  const merged: CalibrationSamples = {
    feeds: Math.ceil(samples.feeds / size),
    read: async (index) => {
      const part: NamedTensors[] = []
      for (let at = index * size; at < Math.min(samples.feeds, (index + 1) * size); at++) part.push(await samples.read(at))
      return Object.fromEntries(Object.keys(part[0]!).map((name) => [name, joined(part.map((feed) => feed[name]!))]))
    },
  }
  return (await runsWith(graph, await merged.read(0), runtime)) ? merged : samples
}

/** Whether the model takes the batch and gives as many results. */
async function runsWith(graph: Graph, feed: NamedTensors, runtime: InferenceRuntime): Promise<boolean> {
  const batch = Object.values(feed)[0]!.dims[0]
  const loaded = await runtime.load(encodeModel(graph.model))
  try {
    return Object.values(await loaded.run(feed)).every(({ dims }) => dims[0] === batch)
  } catch {
    return false
  } finally {
    await loaded.close()
  }
}

function joined(tensors: readonly RuntimeTensor[]): RuntimeTensor {
  const [first] = tensors as [RuntimeTensor]
  const length = tensors.reduce((sum, { values }) => sum + values.length, 0)
  const Values = first.values.constructor as new (length: number) => Float32Array
  const values = new Values(length)
  let at = 0
  for (const tensor of tensors) {
    values.set(tensor.values as Float32Array, at)
    at += tensor.values.length
  }
  return {
    type: first.type,
    dims: first.dims.with(
      0,
      tensors.reduce((sum, { dims }) => sum + dims[0]!, 0),
    ),
    values,
  }
}
