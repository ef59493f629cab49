import type { ModelProto, TensorProto } from 'onnx-buf'
import { makeValueInfo } from '../onnx/builders.ts'
import { elementTypeName } from '../onnx/data-types.ts'
import type { Graph } from '../onnx/graph.ts'
import { encodeModel } from '../onnx/model-file.ts'

/** Bytes from which it is worth keeping a tensor out of a model that is loaded only to learn something about its graph. */
const LARGE = 64 * 1024

/**
 * The bytes of a model in which large constants are inputs of the same type and shape: ONNX Runtime can check it, infer types
 * and shapes and rewrite it without a copy of the weights. The model itself is as before afterwards.
 *
 * @param keep constants that must stay what they are
 * @returns the bytes, and the constants that are missing in them
 */
export function encodeWithoutLargeWeights(
  model: ModelProto,
  keep: (tensor: TensorProto) => boolean = () => false,
): { readonly bytes: Uint8Array; readonly missing: readonly TensorProto[] } {
  const graph = model.graph!
  const { initializer, input } = graph
  const fixed = new Set([...input, ...graph.output].map(({ name }) => name))
  const missing = initializer.filter(
    (tensor) =>
      tensor.rawData.length >= LARGE && !fixed.has(tensor.name) && elementTypeName(tensor.dataType) !== undefined && !keep(tensor),
  )
  const gone = new Set(missing)
  graph.initializer = initializer.filter((tensor) => !gone.has(tensor))
  graph.input = [...input, ...missing.map(({ name, dataType, dims }) => makeValueInfo(name, elementTypeName(dataType)!, dims.map(Number)))]
  try {
    return { bytes: encodeModel(model), missing }
  } finally {
    graph.initializer = initializer
    graph.input = input
  }
}

/** Makes the inputs that {@link encodeWithoutLargeWeights} put in their place constants again, in place. */
export function putBackWeights(model: ModelProto, missing: readonly TensorProto[]): void {
  const names = new Set(missing.map(({ name }) => name))
  const graph = model.graph!
  graph.input = graph.input.filter(({ name }) => !names.has(name))
  graph.initializer.push(...missing)
}

/**
 * Gives large constants that are the same in both models the bytes of the other one, and all others bytes of their own: the
 * file a model was read from can then be freed.
 */
export function shareWeights(model: ModelProto, other: ModelProto): void {
  const large = new Map(
    other.graph!.initializer.flatMap((tensor) => (tensor.rawData.length >= LARGE ? [[tensor.name, tensor.rawData]] : [])),
  )
  for (const tensor of model.graph!.initializer) {
    const shared = large.get(tensor.name)
    // Values in a typed list: bytes that are there and empty would count as the values.
    if (shared === tensor.rawData || tensor.rawData.length === 0) continue
    tensor.rawData = shared && sameBytes(shared, tensor.rawData) ? shared : tensor.rawData.slice()
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

/** Operators whose second operand ONNX Runtime folds nothing into at level `basic`, unless a BatchNormalization follows. */
const NOTHING_FOLDED: ReadonlySet<string> = new Set(['Gemm', 'MatMul'])

/** The constants that folding may change: all but the weights of MatMul and Gemm in a model that normalizes nothing but convolutions. */
export function foldableConstants(graph: Graph): (tensor: TensorProto) => boolean {
  const afterConv = graph.nodes.every(
    ({ opType, input }) => opType !== 'BatchNormalization' || /^Conv/.test(graph.producer(input[0] ?? '')?.opType ?? ''),
  )
  if (!afterConv) return () => true
  return ({ name }) =>
    graph
      .consumers(name)
      .some(
        ({ opType, input }) =>
          !NOTHING_FOLDED.has(opType) || input[1] !== name || input.lastIndexOf(name) !== 1 || input.indexOf(name) !== 1,
      )
}
