import { type ModelProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { makeValueInfo } from '../onnx/builders.ts'
import { type ElementType, elementTypeName } from '../onnx/data-types.ts'
import { encodeModel } from '../onnx/model-file.ts'
import { inferShapes } from '../onnx/shape-inference.ts'
import { mergeShapes, type Shape } from '../onnx/shapes.ts'
import { encodeWithoutLargeWeights } from './large-weights.ts'

/** What is known of a tensor before the model runs; a symbolic dimension is its name, an unknown one `undefined`. */
export interface TensorFacts {
  readonly type: ElementType
  readonly shape: readonly (number | string | undefined)[]
}

/** Facts by tensor name; sequences, maps and optional values are missing. */
export type TensorFactsByName = ReadonlyMap<string, TensorFacts>

/**
 * Type and shape of every tensor of the main graph: inputs, initializers, everything nodes write. Types are those the runtime
 * infers; where it knows no shape (it then says "no dimensions", like a scalar's) or not all of it, the shape inference used
 * here, which follows shapes computed in the graph, fills it in. What neither knows the rank of stays without dimensions.
 *
 * @throws the runtime's load errors
 */
export async function inferTensorFacts(model: ModelProto, runtime: InferenceRuntime): Promise<TensorFactsByName> {
  const graph = model.graph!
  const facts = new Map<string, TensorFacts>()
  const written = graph.node.flatMap(({ output }) => output.filter((name) => name !== ''))
  const bytes = withOutputs(model, written, () => encodeWithoutLargeWeights(model, isShape).bytes)
  const loaded = await runtime.load(bytes, { optimization: 'disabled' })
  try {
    const { facts: followed } = inferShapes(model)
    for (const { name, type, shape } of [...loaded.inputs, ...loaded.outputs])
      facts.set(name, { type, shape: completed(shape, followed.get(name)?.shape) })
  } finally {
    await loaded.close()
  }
  for (const { name, dataType, dims } of graph.initializer) {
    const type = elementTypeName(dataType)
    if (type) facts.set(name, { type, shape: dims.map(Number) })
  }
  return facts
}

/** Integers may be shapes, axes, indices: shapes are inferred from their values. */
function isShape({ dataType }: TensorProto): boolean {
  return dataType === TensorProto_DataType.INT64 || dataType === TensorProto_DataType.INT32
}

function completed(shape: Shape, followed: Shape | undefined): Shape {
  if (!followed) return shape
  return shape.length === 0 ? followed : mergeShapes(shape, followed)!
}

/**
 * The bytes of a model that gives out further tensors. Only names are added: ONNX Runtime infers their types. The model
 * itself is as before afterwards.
 *
 * @param tensors written by nodes of the main graph; those that are outputs already are not repeated
 */
export function encodeWithOutputs(model: ModelProto, tensors: readonly string[]): Uint8Array {
  return withOutputs(model, tensors, () => encodeModel(model))
}

function withOutputs<T>(model: ModelProto, tensors: readonly string[], act: () => T): T {
  const graph = model.graph!
  const declared = graph.output
  const known = new Set(declared.map(({ name }) => name))
  const added = [...new Set(tensors)].filter((name) => !known.has(name))
  graph.output = [...declared, ...added.map((name) => Object.assign(makeValueInfo(name, 'float32', []), { type: undefined }))]
  try {
    return act()
  } finally {
    graph.output = declared
  }
}
