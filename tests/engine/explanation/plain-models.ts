import type { ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'

type Shape = readonly (number | string)[]

/** A float32 tensor of the values given. */
export function constant(name: string, dims: readonly number[], values: readonly number[]): TensorProto {
  return makeTensor(name, 'float32', dims, Float32Array.from(values))
}

/** A float32 tensor of values between −0.5 and 0.5, always the same ones. */
export function weights(name: string, dims: readonly number[]): TensorProto {
  const { uniform } = seededRandom(3)
  const length = dims.reduce((product, dim) => product * dim, 1)
  return makeTensor(
    name,
    'float32',
    dims,
    Float32Array.from({ length }, () => uniform() - 0.5),
  )
}

/** A model from float input `x` to the float outputs named. */
export function model(
  inputShape: Shape,
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[],
  outputs: Readonly<Record<string, Shape>>,
  options: { readonly opset?: number; readonly domains?: Readonly<Record<string, number>> } = {},
): ModelProto {
  return makeModel({
    nodes,
    initializers,
    inputs: [makeValueInfo('x', 'float32', inputShape)],
    outputs: Object.entries(outputs).map(([name, shape]) => makeValueInfo(name, 'float32', shape)),
    ...options,
  })
}

/** A QuantizeLinear/DequantizeLinear pair from one tensor to another, named after what it gives. */
export function pair(from: string, to: string, parameters: readonly string[] = ['s', 'z']): NodeProto[] {
  return [
    makeNode('QuantizeLinear', [from, ...parameters], [`${to}_q`], {}, { name: `Q_${to}` }),
    makeNode('DequantizeLinear', [`${to}_q`, ...parameters], [to], {}, { name: `DQ_${to}` }),
  ]
}

/** Scale 1/64 and zero point 128 of type uint8 for {@link pair}: `s`, `z`. */
export const activationParameters: readonly TensorProto[] = [constant('s', [], [1 / 64]), makeTensor('z', 'uint8', [], Uint8Array.of(128))]

/** An int8 weight `name_8`, its scale and zero point, and the DequantizeLinear that gives `name`. */
export function quantizedWeight(name: string, dims: readonly number[]): { readonly node: NodeProto; readonly tensors: TensorProto[] } {
  const { uniform } = seededRandom(5)
  const length = dims.reduce((product, dim) => product * dim, 1)
  const values = Int8Array.from({ length }, () => Math.floor(uniform() * 121) - 60)
  return {
    node: makeNode('DequantizeLinear', [`${name}_8`, `${name}_s`, `${name}_z`], [name], {}, { name: `DQ_${name}` }),
    tensors: [
      makeTensor(`${name}_8`, 'int8', dims, values),
      constant(`${name}_s`, [], [1 / 128]),
      makeTensor(`${name}_z`, 'int8', [], Int8Array.of(0)),
    ],
  }
}
