import { create, toBinary } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  SparseTensorProtoSchema,
  TensorAnnotationSchema,
  TensorProtoSchema,
  TrainingInfoProtoSchema,
} from 'onnx-buf'
import { float, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'

/** Values that look like weights and are the same in every run. */
export function weightValues(count: number, seed = 1): Float32Array {
  let state = seed
  return Float32Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return state / 2147483648 - 0.5
  })
}

/** Conv → Relu → MaxPool → Flatten → Gemm → Softmax on [N,1,8,8]: 4·9 + 4 + 64·3 + 3 parameters. */
export function classifier(): ModelProto {
  return makeModel({
    name: 'classifier',
    nodes: [
      makeNode('Conv', ['x', 'w', 'b'], ['conv'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { name: 'conv1' }),
      makeNode('Relu', ['conv'], ['relu'], {}, { name: 'relu1' }),
      makeNode('MaxPool', ['relu'], ['pool'], { kernel_shape: [2, 2], strides: [2, 2] }, { name: 'pool1' }),
      makeNode('Flatten', ['pool'], ['flat'], { axis: 1 }, { name: 'flatten' }),
      makeNode('Gemm', ['flat', 'fw', 'fb'], ['logits'], { alpha: float(1), transB: 1 }, { name: 'fc' }),
      makeNode('Softmax', ['logits'], ['y'], { axis: -1 }, { name: 'softmax' }),
    ],
    inputs: [makeValueInfo('x', 'float32', ['N', 1, 8, 8])],
    outputs: [makeValueInfo('y', 'float32', ['N', 3])],
    initializers: [
      makeTensor('w', 'float32', [4, 1, 3, 3], weightValues(36)),
      makeTensor('b', 'float32', [4], weightValues(4)),
      makeTensor('fw', 'float32', [3, 64], weightValues(192)),
      makeTensor('fb', 'float32', [3], weightValues(3)),
    ],
    metadata: { 'edgesmith.labels': '["cat","dog","bird"]', author: 'somebody' },
  })
}

function branch(name: string, op: string): GraphProto {
  return create(GraphProtoSchema, {
    name,
    node: [makeNode(op, ['x'], [`${name}_out`])],
    output: [makeValueInfo(`${name}_out`, 'float32', [1, 4])],
  })
}

/** An If whose branches read the outer tensor `x`. */
export function branching(): ModelProto {
  const node = makeNode('If', ['flag'], ['y'], {}, { name: 'choose' })
  for (const [name, op] of [
    ['then_branch', 'Relu'],
    ['else_branch', 'Neg'],
  ] as const) {
    node.attribute.push(create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g: branch(name, op) }))
  }
  return makeModel({
    nodes: [node],
    inputs: [makeValueInfo('x', 'float32', [1, 4]), makeValueInfo('flag', 'bool', [])],
    outputs: [makeValueInfo('y', 'float32', [1, 4])],
  })
}

/** Everything a file may carry besides a plain graph. */
export function eccentric(): ModelProto {
  const model = branching()
  const graph = model.graph as GraphProto
  graph.sparseInitializer.push(
    create(SparseTensorProtoSchema, {
      values: makeTensor('sparse', 'float32', [2], new Float32Array([1.5, -2])),
      indices: makeInt64('', [2], [0, 7]),
      dims: [3n, 4n],
    }),
  )
  graph.initializer.push(
    create(TensorProtoSchema, { name: 'typed', dataType: 1, dims: [2n], floatData: [0.25, -0] }),
    create(TensorProtoSchema, { name: 'words', dataType: 8, dims: [2n], stringData: [new Uint8Array([99]), new Uint8Array([])] }),
    create(TensorProtoSchema, { name: 'halves', dataType: 10, dims: [1n], int32Data: [15360] }),
    create(TensorProtoSchema, { name: 'doubles', dataType: 11, dims: [1n], doubleData: [Math.PI] }),
    create(TensorProtoSchema, { name: 'longs', dataType: 13, dims: [1n], uint64Data: [2n ** 63n] }),
    create(TensorProtoSchema, { name: 'ints', dataType: 7, dims: [2n], int64Data: [-1n, 2n ** 62n] }),
  )
  graph.quantizationAnnotation.push(
    create(TensorAnnotationSchema, { tensorName: 'x', quantParameterTensorNames: [{ key: 'SCALE_TENSOR', value: 'typed' }] }),
  )
  graph.valueInfo.push(makeValueInfo('then_branch_out', 'float32', ['N', 4]))
  graph.docString = 'ünïcode ✓'
  model.trainingInfo.push(create(TrainingInfoProtoSchema, { algorithm: { name: 'training' }, updateBinding: [{ key: 'a', value: 'b' }] }))
  model.functions.push(
    create(FunctionProtoSchema, { name: 'f', domain: 'local', input: ['a'], output: ['b'], node: [makeNode('Relu', ['a'], ['b'])] }),
  )
  model.modelVersion = 7n
  model.domain = 'org.example'
  return model
}

/** `model` encoded with fields of a later ONNX version: an unknown varint, bytes, 32- and 64-bit field. */
export function withUnknownFields(model: ModelProto): Uint8Array {
  const bytes = toBinary(ModelProtoSchema, model)
  const tail = [0x98, 0x19, 0x2a, 0xa2, 0x19, 0x02, 0x01, 0x02, 0xad, 0x19, 1, 2, 3, 4, 0xb1, 0x19, 1, 2, 3, 4, 5, 6, 7, 8]
  return Uint8Array.from([...bytes, ...tail])
}

/** Boundaries between the top-level fields of an encoded model: where a cut leaves whole fields. */
export function fieldBoundaries(bytes: Uint8Array): number[] {
  const boundaries: number[] = [0]
  let at = 0
  const varint = () => {
    let [value, factor] = [0, 1]
    for (;;) {
      const byte = bytes[at++] as number
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
  }
  while (at < bytes.length) {
    const wireType = varint() % 8
    if (wireType === 0) varint()
    else if (wireType === 1) at += 8
    else if (wireType === 5) at += 4
    else {
      const length = varint()
      at += length
    }
    boundaries.push(at)
  }
  return boundaries
}
