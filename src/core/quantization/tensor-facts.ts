import type { ModelProto } from 'onnx-buf'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { makeValueInfo } from '../onnx/builders.ts'
import { type ElementType, elementTypeName } from '../onnx/data-types.ts'
import { encodeModel } from '../onnx/model-file.ts'

/** What is known of a tensor before the model runs; a symbolic dimension is its name, an unknown one `undefined`. */
export interface TensorFacts {
  readonly type: ElementType
  readonly shape: readonly (number | string | undefined)[]
}

/** Facts by tensor name; sequences, maps and optional values are missing. */
export type TensorFactsByName = ReadonlyMap<string, TensorFacts>

/**
 * Type and shape of every tensor of the main graph as the runtime infers them: inputs, initializers, everything nodes write.
 * @throws the runtime's load errors
 */
export async function inferTensorFacts(model: ModelProto, runtime: InferenceRuntime): Promise<TensorFactsByName> {
  const graph = model.graph!
  const facts = new Map<string, TensorFacts>()
  const written = graph.node.flatMap(({ output }) => output.filter((name) => name !== ''))
  const loaded = await runtime.load(encodeWithOutputs(model, written), { optimization: 'disabled' })
  try {
    for (const { name, type, shape } of [...loaded.inputs, ...loaded.outputs]) facts.set(name, { type, shape })
  } finally {
    await loaded.close()
  }
  for (const { name, dataType, dims } of graph.initializer) {
    const type = elementTypeName(dataType)
    if (type) facts.set(name, { type, shape: dims.map(Number) })
  }
  return facts
}

/**
 * The bytes of a model that gives out further tensors. Only names are added: ONNX Runtime infers their types. The model
 * itself is as before afterwards.
 *
 * @param tensors written by nodes of the main graph; those that are outputs already are not repeated
 */
export function encodeWithOutputs(model: ModelProto, tensors: readonly string[]): Uint8Array {
  const graph = model.graph!
  const declared = graph.output
  const known = new Set(declared.map(({ name }) => name))
  const added = [...new Set(tensors)].filter((name) => !known.has(name))
  graph.output = [...declared, ...added.map((name) => Object.assign(makeValueInfo(name, 'float32', []), { type: undefined }))]
  try {
    return encodeModel(model)
  } finally {
    graph.output = declared
  }
}
