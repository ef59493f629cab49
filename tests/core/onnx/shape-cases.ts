import type { ModelProto, TensorProto } from 'onnx-buf'
import { type AttributeValue, float, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import type { ElementType } from '../../../src/core/onnx/data-types.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { weightValues } from './sample-models.ts'

type Input = { name: string; type?: ElementType; dims: readonly (number | string)[] }

/** A small graph without outputs. */
export interface Case {
  readonly nodes: Parameters<typeof makeModel>[0]['nodes']
  readonly inputs: readonly Input[]
  readonly initializers?: readonly TensorProto[]
  readonly opset?: number
  readonly domains?: Record<string, number>
}

export function build({ nodes, inputs, initializers = [], opset = 17, domains = {} }: Case): ModelProto {
  return makeModel({
    nodes,
    inputs: inputs.map(({ name, type = 'float32', dims }) => makeValueInfo(name, type, dims)),
    outputs: [],
    initializers,
    opset,
    domains,
  })
}

type Attributes = Record<string, AttributeValue>
export const x = (...dims: (number | string)[]): Input => ({ name: 'x', dims })
export const one = (op: string, attributes: Attributes = {}, inputs = ['x'], outputs = ['y'], domain = '') => [
  makeNode(op, inputs, outputs, attributes, { domain }),
]
export const floats = (name: string, ...dims: number[]) => makeTensor(name, 'float32', dims, weightValues(dims.reduce((a, b) => a * b, 1)))
export const ints = (name: string, ...values: number[]) => makeInt64(name, [values.length], values)
export const scalar = (name: string, value: number) => makeInt64(name, [], [value])
const bytes = (name: string, ...dims: number[]) => makeTensor(name, 'uint8', dims, new Uint8Array(dims.reduce((a, b) => a * b, 1)).fill(3))
const scale = (name: string) => makeTensor(name, 'float32', [], Float32Array.of(0.1))
const zero = (name: string) => makeTensor(name, 'uint8', [], Uint8Array.of(3))

export const conv = (
  spatial: number[],
  kernel: number[],
  attributes: Attributes = {},
  channels = 4,
  perGroup = channels,
  filters = 6,
): Case => ({
  nodes: one('Conv', attributes, ['x', 'w']),
  inputs: [x('N', channels, ...spatial)],
  initializers: [floats('w', filters, perGroup, ...kernel)],
})

export const windows: Record<string, Case> = {
  'Conv without padding': conv([9, 8], [3, 3]),
  'Conv with padding and stride': conv([9, 8], [3, 2], { pads: [1, 0, 1, 1], strides: [2, 3] }),
  'Conv with dilation': conv([12, 12], [3, 3], { dilations: [2, 3] }),
  'Conv SAME_UPPER': conv([9, 8], [3, 2], { auto_pad: 'SAME_UPPER', strides: [2, 3] }),
  'Conv SAME_LOWER': conv([9, 8], [3, 3], { auto_pad: 'SAME_LOWER', strides: [1, 2] }),
  'Conv VALID': conv([9, 8], [3, 2], { auto_pad: 'VALID', strides: [2, 3] }),
  'Conv depthwise': conv([7, 7], [3, 3], { group: 4, pads: [1, 1, 1, 1] }, 4, 1, 8),
  'Conv of one dimension': conv([20], [5], { strides: [2] }),
  'Conv of three dimensions': conv([6, 7, 8], [3, 3, 3], { kernel_shape: [3, 3, 3] }, 2),
  ConvTranspose: {
    nodes: one('ConvTranspose', { strides: [2, 3], pads: [1, 0, 0, 1], output_padding: [1, 2] }, ['x', 'w']),
    inputs: [x('N', 4, 5, 6)],
    initializers: [floats('w', 4, 3, 3, 3)],
  },
  'ConvTranspose in groups, dilated': {
    nodes: one('ConvTranspose', { group: 2, dilations: [2, 2] }, ['x', 'w']),
    inputs: [x('N', 4, 5, 6)],
    initializers: [floats('w', 4, 3, 2, 3)],
  },
  'ConvTranspose SAME_UPPER': {
    nodes: one('ConvTranspose', { strides: [2, 2], auto_pad: 'SAME_UPPER' }, ['x', 'w']),
    inputs: [x('N', 4, 5, 6)],
    initializers: [floats('w', 4, 3, 3, 3)],
  },
  'ConvTranspose with a given size': {
    nodes: one('ConvTranspose', { strides: [2, 2], output_shape: [10, 12] }, ['x', 'w']),
    inputs: [x('N', 4, 5, 6)],
    initializers: [floats('w', 4, 3, 3, 3)],
  },
  MaxPool: { nodes: one('MaxPool', { kernel_shape: [3, 2], strides: [2, 2] }, ['x'], ['y', 'indices']), inputs: [x('N', 2, 9, 7)] },
  'MaxPool ceil': { nodes: one('MaxPool', { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 }), inputs: [x('N', 2, 9, 7)] },
  'MaxPool ceil with a window behind the image': {
    nodes: one('MaxPool', { kernel_shape: [1, 1], strides: [2, 3], ceil_mode: 1 }),
    inputs: [x('N', 2, 4, 4)],
  },
  'MaxPool ceil, padded': {
    nodes: one('MaxPool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
    inputs: [x('N', 2, 8, 7)],
  },
  'MaxPool dilated': { nodes: one('MaxPool', { kernel_shape: [3, 3], dilations: [2, 2] }), inputs: [x('N', 2, 9, 7)] },
  'MaxPool SAME_UPPER': {
    nodes: one('MaxPool', { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }),
    inputs: [x('N', 2, 9, 7)],
  },
  AveragePool: {
    nodes: one('AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1, strides: [3, 2] }),
    inputs: [x('N', 2, 9, 8)],
  },
  LpPool: { nodes: one('LpPool', { kernel_shape: [2, 2], p: 2 }), inputs: [x('N', 2, 9, 8)] },
  GlobalAveragePool: { nodes: one('GlobalAveragePool'), inputs: [x('N', 2, 9, 8)] },
  GlobalMaxPool: { nodes: one('GlobalMaxPool'), inputs: [x('N', 2, 9)] },
  ConvInteger: {
    nodes: one('ConvInteger', {}, ['x', 'w']),
    inputs: [{ name: 'x', type: 'uint8', dims: ['N', 2, 5, 5] }],
    initializers: [bytes('w', 3, 2, 3, 3)],
  },
  QLinearConv: {
    nodes: one('QLinearConv', { pads: [1, 1, 1, 1] }, ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz']),
    inputs: [{ name: 'x', type: 'uint8', dims: ['N', 2, 5, 5] }],
    initializers: [bytes('w', 3, 2, 3, 3), scale('xs'), zero('xz'), scale('ws'), zero('wz'), scale('ys'), zero('yz')],
  },
}

export const elementwise: Record<string, Case> = {
  'activations in a row': {
    nodes: ['Relu', 'Sigmoid', 'HardSwish', 'LeakyRelu', 'Elu', 'Tanh', 'Softplus', 'Erf', 'Softmax', 'LogSoftmax'].map((op, index) =>
      makeNode(op, [index === 0 ? 'x' : `t${index - 1}`], [`t${index}`]),
    ),
    inputs: [x('N', 3, 4)],
  },
  'Add with broadcasting': { nodes: one('Add', {}, ['x', 'w']), inputs: [x('N', 1, 4)], initializers: [floats('w', 3, 1)] },
  'Max of three': {
    nodes: one('Max', {}, ['x', 'w', 'v']),
    inputs: [x('N', 1, 4)],
    initializers: [floats('w', 3, 1), floats('v', 2, 1, 1, 1)],
  },
  Less: { nodes: one('Less', {}, ['x', 'w']), inputs: [x('N', 4)], initializers: [floats('w', 4)] },
  Where: {
    nodes: [makeNode('Less', ['x', 'w'], ['c']), makeNode('Where', ['c', 'x', 'v'], ['y'])],
    inputs: [x('N', 1, 4)],
    initializers: [floats('w', 3, 1), floats('v', 2, 1, 1, 1)],
  },
  PRelu: { nodes: one('PRelu', {}, ['x', 'w']), inputs: [x('N', 3, 4)], initializers: [floats('w', 3, 1)] },
  BatchNormalization: {
    nodes: one('BatchNormalization', {}, ['x', 's', 'b', 'm', 'v']),
    inputs: [x('N', 3, 4, 4)],
    initializers: [floats('s', 3), floats('b', 3), floats('m', 3), makeTensor('v', 'float32', [3], Float32Array.of(1, 1, 1))],
  },
  LayerNormalization: {
    nodes: one('LayerNormalization', { axis: 1 }, ['x', 's', 'b'], ['y', 'mean', 'inverse']),
    inputs: [x('N', 3, 4)],
    initializers: [floats('s', 3, 4), floats('b', 3, 4)],
  },
  InstanceNormalization: {
    nodes: one('InstanceNormalization', {}, ['x', 's', 'b']),
    inputs: [x('N', 3, 4, 4)],
    initializers: [floats('s', 3), floats('b', 3)],
  },
  Dropout: { nodes: one('Dropout', {}, ['x'], ['y', 'mask']), inputs: [x('N', 3)] },
  'Clip with optional inputs': {
    nodes: one('Clip', {}, ['x', '', 'high']),
    inputs: [x('N', 3)],
    initializers: [makeTensor('high', 'float32', [], Float32Array.of(6))],
  },
  'Cast and back': { nodes: [makeNode('Cast', ['x'], ['i'], { to: 7 }), makeNode('Cast', ['i'], ['y'], { to: 1 })], inputs: [x('N', 3)] },
  'quantize and back': {
    nodes: [makeNode('QuantizeLinear', ['x', 's', 'z'], ['q']), makeNode('DequantizeLinear', ['q', 's', 'z'], ['y'])],
    inputs: [x('N', 3)],
    initializers: [scale('s'), zero('z')],
  },
  'quantize without a zero point': { nodes: one('QuantizeLinear', {}, ['x', 's']), inputs: [x('N', 3)], initializers: [scale('s')] },
  DynamicQuantizeLinear: { nodes: one('DynamicQuantizeLinear', {}, ['x'], ['q', 's', 'z']), inputs: [x('N', 3)] },
  CumSum: { nodes: one('CumSum', {}, ['x', 'axis']), inputs: [x('N', 3)], initializers: [scalar('axis', 1)] },
  IsNaN: { nodes: one('IsNaN'), inputs: [x('N', 3)] },
  'com.microsoft QLinearAdd': {
    nodes: one('QLinearAdd', {}, ['x', 's', 'z', 'w', 's', 'z', 's', 'z'], ['y'], 'com.microsoft'),
    domains: { 'com.microsoft': 1 },
    inputs: [{ name: 'x', type: 'uint8', dims: ['N', 2, 5] }],
    initializers: [bytes('w', 2, 1), scale('s'), zero('z')],
  },
  'com.microsoft FusedMatMul': {
    nodes: one('FusedMatMul', { transB: 1 }, ['x', 'w'], ['y'], 'com.microsoft'),
    domains: { 'com.microsoft': 1 },
    inputs: [x('N', 2, 5)],
    initializers: [floats('w', 7, 5)],
  },
}

export const matrices: Record<string, Case> = {
  MatMul: { nodes: one('MatMul', {}, ['x', 'w']), inputs: [x('N', 3, 4)], initializers: [floats('w', 4, 5)] },
  'MatMul in batches': { nodes: one('MatMul', {}, ['x', 'w']), inputs: [x('N', 1, 3, 4)], initializers: [floats('w', 2, 4, 5)] },
  'MatMul by a vector': { nodes: one('MatMul', {}, ['x', 'w']), inputs: [x('N', 3, 4)], initializers: [floats('w', 4)] },
  'a vector by a matrix': { nodes: one('MatMul', {}, ['w', 'x']), inputs: [x('N', 4, 5)], initializers: [floats('w', 4)] },
  Gemm: {
    nodes: one('Gemm', { transB: 1, beta: float(1) }, ['x', 'w', 'b']),
    inputs: [x('N', 4)],
    initializers: [floats('w', 5, 4), floats('b', 5)],
  },
  'Gemm with A transposed': { nodes: one('Gemm', { transA: 1 }, ['x', 'w']), inputs: [x(4, 2)], initializers: [floats('w', 4, 3)] },
  MatMulInteger: {
    nodes: one('MatMulInteger', {}, ['x', 'w']),
    inputs: [{ name: 'x', type: 'uint8', dims: ['N', 4] }],
    initializers: [bytes('w', 4, 3)],
  },
  QLinearMatMul: {
    nodes: one('QLinearMatMul', {}, ['x', 's', 'z', 'w', 's', 'z', 's', 'z']),
    inputs: [{ name: 'x', type: 'uint8', dims: ['N', 4] }],
    initializers: [bytes('w', 4, 3), scale('s'), zero('z')],
  },
  Einsum: { nodes: one('Einsum', { equation: 'nij, jk -> nki' }, ['x', 'w']), inputs: [x('N', 3, 4)], initializers: [floats('w', 4, 5)] },
  'Einsum without an arrow': {
    nodes: one('Einsum', { equation: 'bij,jk' }, ['x', 'w']),
    inputs: [x('N', 3, 4)],
    initializers: [floats('w', 4, 5)],
  },
  LSTM: {
    nodes: one('LSTM', { hidden_size: 5, direction: 'bidirectional' }, ['x', 'w', 'r'], ['y', 'h', 'c']),
    inputs: [x(7, 2, 3)],
    initializers: [floats('w', 2, 20, 3), floats('r', 2, 20, 5)],
  },
  GRU: {
    nodes: one('GRU', { hidden_size: 5 }, ['x', 'w', 'r'], ['y', 'h']),
    inputs: [x(7, 2, 3)],
    initializers: [floats('w', 1, 15, 3), floats('r', 1, 15, 5)],
  },
}

export const layout: Record<string, Case> = {
  'Reshape with 0 and -1': { nodes: one('Reshape', {}, ['x', 's']), inputs: [x('N', 4, 6)], initializers: [ints('s', 0, -1, 3)] },
  'Reshape to everything': { nodes: one('Reshape', {}, ['x', 's']), inputs: [x(2, 4, 6)], initializers: [ints('s', -1)] },
  'Flatten at 1': { nodes: one('Flatten'), inputs: [x('N', 4, 6)] },
  'Flatten at the end': { nodes: one('Flatten', { axis: -1 }), inputs: [x('N', 4, 6)] },
  Transpose: { nodes: one('Transpose', { perm: [0, 2, 1] }), inputs: [x('N', 4, 6)] },
  'Transpose without order': { nodes: one('Transpose'), inputs: [x('N', 4, 6)] },
  'Squeeze by input': { nodes: one('Squeeze', {}, ['x', 'a']), inputs: [x('N', 1, 6, 1)], initializers: [ints('a', 1, -1)] },
  'Squeeze by attribute': { nodes: one('Squeeze', { axes: [1] }), inputs: [x('N', 1, 6)], opset: 11 },
  'Squeeze of all ones': { nodes: one('Squeeze'), inputs: [x(2, 1, 6, 1)] },
  Unsqueeze: { nodes: one('Unsqueeze', {}, ['x', 'a']), inputs: [x('N', 6)], initializers: [ints('a', 0, -1)] },
  Concat: { nodes: one('Concat', { axis: -2 }, ['x', 'w', 'x']), inputs: [x(1, 4, 6)], initializers: [floats('w', 1, 3, 6)] },
  Expand: { nodes: one('Expand', {}, ['x', 's']), inputs: [x('N', 1, 6)], initializers: [ints('s', 2, 1, 5, 1)] },
  Tile: { nodes: one('Tile', {}, ['x', 's']), inputs: [x('N', 2, 6)], initializers: [ints('s', 1, 3, 2)] },
  Pad: { nodes: one('Pad', {}, ['x', 'p']), inputs: [x('N', 2, 6)], initializers: [ints('p', 0, 1, -1, 0, 0, 3)] },
  'Pad by attribute': { nodes: one('Pad', { pads: [0, 1, 2, 0, 0, 3] }), inputs: [x('N', 2, 6)], opset: 10 },
  'Pad of some axes': {
    nodes: one('Pad', {}, ['x', 'p', '', 'a']),
    inputs: [x('N', 2, 6)],
    initializers: [ints('p', 1, 2), ints('a', -1)],
    opset: 18,
  },
  DepthToSpace: { nodes: one('DepthToSpace', { blocksize: 2 }), inputs: [x('N', 8, 3, 4)] },
  SpaceToDepth: { nodes: one('SpaceToDepth', { blocksize: 2 }), inputs: [x('N', 2, 6, 4)] },
  'Resize by scales': {
    nodes: one('Resize', { mode: 'nearest' }, ['x', '', 's']),
    inputs: [x('N', 2, 6, 5)],
    initializers: [makeTensor('s', 'float32', [4], Float32Array.of(1, 1, 1.7, 2))],
  },
  'Resize to sizes': {
    nodes: one('Resize', { mode: 'nearest' }, ['x', '', '', 's']),
    inputs: [x(1, 2, 6, 5)],
    initializers: [ints('s', 1, 2, 9, 3)],
  },
  'Resize of some axes': {
    nodes: one('Resize', { mode: 'nearest', axes: [2, 3] }, ['x', '', '', 's']),
    inputs: [x('N', 2, 6, 5)],
    initializers: [ints('s', 9, 3)],
    opset: 18,
  },
  'Resize, opset 10': {
    nodes: one('Resize', { mode: 'nearest' }, ['x', 's']),
    inputs: [x('N', 2, 6, 5)],
    initializers: [makeTensor('s', 'float32', [4], Float32Array.of(1, 1, 2, 2))],
    opset: 10,
  },
  Upsample: {
    nodes: one('Upsample', { mode: 'nearest' }, ['x', 's']),
    inputs: [x('N', 2, 6, 5)],
    initializers: [makeTensor('s', 'float32', [4], Float32Array.of(1, 1, 2, 3))],
    opset: 9,
  },
  GridSample: { nodes: one('GridSample', {}, ['x', 'g']), inputs: [x(1, 2, 6, 5)], initializers: [floats('g', 1, 3, 4, 2)] },
}

export const selection: Record<string, Case> = {
  Slice: {
    nodes: one('Slice', {}, ['x', 's', 'e', 'a', 't']),
    inputs: [x('N', 9, 7)],
    initializers: [ints('s', 1, -1), ints('e', 100, -100), ints('a', 1, 2), ints('t', 3, -2)],
  },
  'Slice of the first axes': {
    nodes: one('Slice', {}, ['x', 's', 'e']),
    inputs: [x(3, 9, 7)],
    initializers: [ints('s', 0, -3), ints('e', 2, -1)],
  },
  'Slice by attribute': { nodes: one('Slice', { starts: [1], ends: [-1], axes: [1] }), inputs: [x('N', 9, 7)], opset: 9 },
  'Slice to nothing': {
    nodes: one('Slice', {}, ['x', 's', 'e', 'a']),
    inputs: [x('N', 9)],
    initializers: [ints('s', 5), ints('e', 5), ints('a', 1)],
  },
  'Gather by a scalar': { nodes: one('Gather', { axis: 1 }, ['x', 'i']), inputs: [x('N', 9, 7)], initializers: [scalar('i', 2)] },
  'Gather by a matrix': {
    nodes: one('Gather', { axis: -1 }, ['x', 'i']),
    inputs: [x('N', 9, 7)],
    initializers: [makeInt64('i', [2, 2], [0, 1, 2, 3])],
  },
  GatherElements: {
    nodes: one('GatherElements', { axis: 1 }, ['x', 'i']),
    inputs: [x(1, 9)],
    initializers: [makeInt64('i', [1, 2], [0, 1])],
  },
  GatherND: {
    nodes: one('GatherND', { batch_dims: 1 }, ['x', 'i']),
    inputs: [x(1, 9, 7)],
    initializers: [makeInt64('i', [1, 4, 1], [0, 1, 2, 3])],
  },
  'Split into equal parts': { nodes: one('Split', { axis: 1 }, ['x'], ['a', 'b', 'c']), inputs: [x('N', 9)] },
  'Split by sizes': { nodes: one('Split', { axis: 1 }, ['x', 's'], ['a', 'b']), inputs: [x('N', 9)], initializers: [ints('s', 2, 7)] },
  'Split by attribute': { nodes: one('Split', { axis: 1, split: [4, 5] }, ['x'], ['a', 'b']), inputs: [x('N', 9)], opset: 11 },
  'Split by number': { nodes: one('Split', { axis: 1, num_outputs: 4 }, ['x'], ['a', 'b', 'c', 'd']), inputs: [x('N', 10)], opset: 18 },
  TopK: { nodes: one('TopK', {}, ['x', 'k'], ['v', 'i']), inputs: [x('N', 9)], initializers: [ints('k', 3)] },
  OneHot: {
    nodes: one('OneHot', {}, ['x', 'd', 'v']),
    inputs: [{ name: 'x', type: 'int64', dims: ['N', 4] }],
    initializers: [ints('d', 5), floats('v', 2)],
  },
  ArgMax: { nodes: one('ArgMax', { axis: -1, keepdims: 0 }), inputs: [x('N', 4, 9)] },
  'ReduceMean by attribute': { nodes: one('ReduceMean', { axes: [2, -1], keepdims: 0 }), inputs: [x('N', 4, 9, 9)] },
  'ReduceMean by input': { nodes: one('ReduceMean', {}, ['x', 'a']), inputs: [x('N', 4, 9)], initializers: [ints('a', -1)], opset: 18 },
  'ReduceSum of everything': { nodes: one('ReduceSum', { keepdims: 0 }), inputs: [x('N', 4)] },
  'ReduceSum of nothing': { nodes: one('ReduceSum', { noop_with_empty_axes: 1 }), inputs: [x('N', 4)] },
}

export const creation: Record<string, Case> = {
  'Shape of a part': { nodes: one('Shape', { start: 1, end: -1 }), inputs: [x('N', 4, 5, 6)] },
  Size: { nodes: one('Size'), inputs: [x('N', 4)] },
  ConstantOfShape: {
    nodes: [makeNode('Shape', ['x'], ['s']), makeNode('ConstantOfShape', ['s'], ['y'], { value: makeInt64('', [1], [7]) })],
    inputs: [x('N', 4)],
  },
  'Range of numbers': {
    nodes: one('Range', {}, ['a', 'b', 'c']),
    inputs: [x('N')],
    initializers: [scalar('a', 10), scalar('b', 1), scalar('c', -2)],
  },
  EyeLike: { nodes: one('EyeLike', { dtype: 7 }), inputs: [x(3, 4)] },
  RandomUniform: { nodes: one('RandomUniform', { shape: [2, 3] }, []), inputs: [x('N')] },
  'Constants of every kind': {
    nodes: [
      makeNode('Constant', [], ['a'], { value_int: 3 }),
      makeNode('Constant', [], ['b'], { value_ints: [3, 4] }),
      makeNode('Constant', [], ['c'], { value_float: float(1) }),
      makeNode('Constant', [], ['d'], { value_floats: float([1, 2, 3]) }),
      makeNode('Constant', [], ['e'], { value: floats('', 2, 2) }),
    ],
    inputs: [x('N')],
  },
}

/** Shapes that graphs compute, as PyTorch and others export them. */
export const computed: Record<string, Case> = {
  // x.view(x.size(0), -1)
  'view by size': {
    nodes: [
      makeNode('Shape', ['x'], ['s']),
      makeNode('Gather', ['s', 'zero'], ['n'], { axis: 0 }),
      makeNode('Unsqueeze', ['n', 'axis'], ['n1']),
      makeNode('Concat', ['n1', 'rest'], ['target'], { axis: 0 }),
      makeNode('Reshape', ['x', 'target'], ['y']),
    ],
    inputs: [x('N', 4, 6)],
    initializers: [scalar('zero', 0), ints('axis', 0), ints('rest', -1)],
  },
  // F.interpolate(x, scale_factor=2) before opset 11: sizes computed in float
  'upsampling by computed sizes': {
    nodes: [
      makeNode('Shape', ['x'], ['s']),
      makeNode('Slice', ['s', 'two', 'four', 'axis'], ['hw']),
      makeNode('Cast', ['hw'], ['hwf'], { to: 1 }),
      makeNode('Mul', ['hwf', 'factor'], ['scaled']),
      makeNode('Floor', ['scaled'], ['floored']),
      makeNode('Cast', ['floored'], ['sizes'], { to: 7 }),
      makeNode('Slice', ['s', 'axis', 'two', 'axis'], ['nc']),
      makeNode('Concat', ['nc', 'sizes'], ['target'], { axis: 0 }),
      makeNode('Resize', ['x', '', '', 'target'], ['y'], { mode: 'nearest' }),
    ],
    inputs: [x('N', 3, 5, 7)],
    initializers: [ints('axis', 0), ints('two', 2), ints('four', 4), makeTensor('factor', 'float32', [], Float32Array.of(1.5))],
  },
  // F.pad(x, (1, 2, 3, 4)): the pad list is built back to front
  'computed pads': {
    nodes: [
      makeNode('ConstantOfShape', ['count'], ['zeros'], { value: makeInt64('', [1], [0]) }),
      makeNode('Concat', ['pairs', 'zeros'], ['all'], { axis: 0 }),
      makeNode('Reshape', ['all', 'twoRows'], ['matrix']),
      makeNode('Slice', ['matrix', 'last', 'beginning', 'axis', 'back'], ['reversed']),
      makeNode('Transpose', ['reversed'], ['turned'], { perm: [1, 0] }),
      makeNode('Reshape', ['turned', 'flat'], ['pads']),
      makeNode('Pad', ['x', 'pads'], ['y']),
    ],
    inputs: [x('N', 3, 5, 7)],
    initializers: [
      ints('count', 4),
      ints('pairs', 1, 2, 3, 4),
      ints('twoRows', -1, 2),
      ints('last', -1),
      makeInt64('beginning', [1], [Number.MIN_SAFE_INTEGER]),
      ints('axis', 0),
      ints('back', -1),
      ints('flat', -1),
    ],
  },
  // x.expand(-1, 4, -1)
  'expand with -1': {
    nodes: [
      makeNode('Constant', [], ['wanted'], { value: ints('', -1, 4, -1) }),
      makeNode('Shape', ['wanted'], ['rank']),
      makeNode('ConstantOfShape', ['rank'], ['ones'], { value: makeInt64('', [1], [1]) }),
      makeNode('Mul', ['ones', 'minus'], ['minuses']),
      makeNode('Equal', ['wanted', 'minuses'], ['kept']),
      makeNode('Where', ['kept', 'ones', 'wanted'], ['target']),
      makeNode('Expand', ['x', 'target'], ['y']),
    ],
    inputs: [x('N', 1, 6)],
    initializers: [scalar('minus', -1)],
  },
  // channel shuffle: sizes divided as integers
  'channel shuffle': {
    nodes: [
      makeNode('Shape', ['x'], ['s']),
      makeNode('Gather', ['s', 'one'], ['c'], { axis: 0 }),
      makeNode('Div', ['c', 'two'], ['half']),
      makeNode('Unsqueeze', ['half', 'axis'], ['half1']),
      makeNode('Concat', ['first', 'groups', 'half1', 'size', 'size'], ['target'], { axis: 0 }),
      makeNode('Reshape', ['x', 'target'], ['split']),
      makeNode('Transpose', ['split'], ['turned'], { perm: [0, 2, 1, 3, 4] }),
      makeNode('Reshape', ['turned', 'back'], ['y']),
    ],
    inputs: [x('N', 6, 5, 5)],
    initializers: [
      scalar('one', 1),
      scalar('two', 2),
      ints('axis', 0),
      ints('first', 0),
      ints('groups', 2),
      ints('size', 5),
      ints('back', 0, -1, 5, 5),
    ],
  },
  'arithmetic on sizes': {
    nodes: [
      makeNode('Shape', ['x'], ['s']),
      makeNode('ReduceProd', ['s'], ['count'], { keepdims: 1 }),
      makeNode('Sub', ['count', 'one'], ['less']),
      makeNode('Add', ['less', 'one'], ['again']),
      makeNode('Max', ['again', 'one'], ['most']),
      makeNode('Reshape', ['x', 'most'], ['flat']),
      makeNode('Size', ['x'], ['size']),
      makeNode('Range', ['zero', 'size', 'oneScalar'], ['positions']),
      makeNode('Greater', ['positions', 'oneScalar'], ['later']),
      makeNode('Not', ['later'], ['y']),
    ],
    inputs: [x('N', 4, 6)],
    initializers: [ints('one', 1), scalar('zero', 0), scalar('oneScalar', 1)],
  },
}
