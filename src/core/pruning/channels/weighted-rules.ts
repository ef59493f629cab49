import { type TensorProto, TensorProto_DataType } from 'onnx-buf'
import type { Labels } from './channel-classes.ts'
import type { Axes, CouplingRule, NodeCall } from './node-call.ts'

const NOT_CONSTANT = 'has weights that are computed while the model runs'
const MIXES_POSITIONS = 'mixes what lies on that axis'

/** The weight, `undefined` when the node is a barrier: not constant, of a strange type or shape. */
function weightOf(call: NodeCall, index: number, rank: (rank: number) => boolean): TensorProto | undefined {
  const weight = call.constant(index)
  const { FLOAT, FLOAT16, DOUBLE } = TensorProto_DataType
  if (weight && [FLOAT, FLOAT16, DOUBLE].includes(weight.dataType) && rank(weight.dims.length) && weight.dims.every((dim) => dim > 0n))
    return weight
  call.barrier(NOT_CONSTANT)
  return undefined
}

/** Labels of the channel axis of a [N, C, …] input when there are `channels` of them; what lies on other axes but the batch is frozen. */
function channelInput(call: NodeCall, channels: number): Labels | undefined {
  const axes = call.axes(0)
  for (const labels of axes?.slice(2) ?? []) call.freeze(labels, MIXES_POSITIONS)
  const labels = axes?.[1]
  if (!labels || labels.length === channels) return labels
  call.freeze(labels, 'has weights for another number of channels')
  return undefined
}

function channelOutput(call: NodeCall, output: Labels | undefined, weightRank: number): undefined {
  call.setAxes([call.axes(0)?.[0], output, ...new Array<undefined>(weightRank - 2).fill(undefined)])
}

/** The bias along the output channels; its name when it is a constant that shrinks with them. */
function registerBias(call: NodeCall, index: number, output: Labels | undefined, count: number): string | undefined {
  if (call.input(index) === '') return undefined
  const bias = call.constant(index)
  if (!bias || Number(bias.dims.at(-1) ?? 0n) !== count || bias.dims.slice(0, -1).some((dim) => dim !== 1n)) {
    // A scalar or a computed one: whatever it is, it does not shrink along.
    if (!bias || bias.dims.some((dim) => dim !== 1n)) call.freeze(output, 'has a bias that cannot shrink')
    return undefined
  }
  call.register(index, [...bias.dims.slice(1).map(() => undefined), output])
  return call.input(index)
}

function conv(call: NodeCall): undefined {
  const weight = weightOf(call, 1, (rank) => rank >= 3)
  if (!weight) return
  const [outputs, perGroup] = [Number(weight.dims[0]), Number(weight.dims[1])]
  const groups = call.int('group', 1)
  if (groups < 1 || outputs % groups !== 0) return call.barrier('has an impossible number of groups')
  const input = channelInput(call, perGroup * groups)
  const rest = weight.dims.slice(2).map(() => undefined)
  const layer = { weight: call.input(1), groups, inputAxis: 1, outputAxis: 0, input }
  if (groups > 1 && perGroup === 1) {
    // The filters of a channel go with it; without channels that can go the number of groups stays.
    const multiplier = outputs / groups
    const output = input && Int32Array.from({ length: outputs }, (_, index) => input[Math.floor(index / multiplier)]!)
    call.register(1, [output, undefined, ...rest])
    if (input) call.rewriteGroup(input)
    call.addLayer({ ...layer, kind: 'depthwise', inputAxis: 0, output, bias: registerBias(call, 2, output, outputs) })
    return channelOutput(call, output, weight.dims.length)
  }
  const output = call.classes.add(outputs)
  if (groups > 1) {
    tieGroups(call, output, groups)
    if (input) tieGroups(call, input, groups)
  }
  // The same input channel of every group goes: the axis is as long as one group.
  call.register(1, [output, input?.slice(0, perGroup), ...rest])
  call.addLayer({ ...layer, kind: groups > 1 ? 'grouped' : 'dense', output, bias: registerBias(call, 2, output, outputs) })
  channelOutput(call, output, weight.dims.length)
}

/** Groups must stay equally large: channels at the same place of each group go together. */
function tieGroups(call: NodeCall, labels: Labels, groups: number): void {
  const size = labels.length / groups
  for (let index = size; index < labels.length; index++)
    call.classes.tie(labels[index]!, labels[index % size]!, `${call.title} needs groups of equal size`)
}

function convTranspose(call: NodeCall): undefined {
  const weight = weightOf(call, 1, (rank) => rank >= 3)
  if (!weight) return
  const [inputs, perGroup] = [Number(weight.dims[0]), Number(weight.dims[1])]
  const groups = call.int('group', 1)
  if (groups < 1 || inputs % groups !== 0) return call.barrier('has an impossible number of groups')
  const input = channelInput(call, inputs)
  const rest = weight.dims.slice(2).map(() => undefined)
  const layer = { weight: call.input(1), groups, inputAxis: 0, outputAxis: 1, input }
  if (groups > 1 && inputs === groups) {
    const output = input && Int32Array.from({ length: groups * perGroup }, (_, index) => input[Math.floor(index / perGroup)]!)
    call.register(1, [input, undefined, ...rest])
    if (input) call.rewriteGroup(input)
    call.addLayer({ ...layer, kind: 'depthwise', outputAxis: 0, output, bias: registerBias(call, 2, output, groups * perGroup) })
    return channelOutput(call, output, weight.dims.length)
  }
  if (groups > 1 && input) tieGroups(call, input, groups)
  // Each group has the same columns of the weight: they go in all groups or in none.
  const columns = call.classes.add(perGroup)
  const output = Int32Array.from({ length: perGroup * groups }, (_, index) => columns[index % perGroup]!)
  call.register(1, [input, columns, ...rest])
  call.addLayer({ ...layer, kind: groups > 1 ? 'grouped' : 'dense', output, bias: registerBias(call, 2, output, output.length) })
  channelOutput(call, output, weight.dims.length)
}

function gemm(call: NodeCall): undefined {
  const weight = weightOf(call, 1, (rank) => rank === 2)
  if (!weight) return
  const [transA, transB] = [call.int('transA', 0) !== 0, call.int('transB', 0) !== 0]
  const axes = call.axes(0) ?? []
  if (axes.length !== 2) return call.barrier('has an input of unknown shape')
  const [rows, inner] = transA ? [axes[1], axes[0]] : [axes[0], axes[1]]
  product(call, weight, { input: inner, inputAxis: transB ? 1 : 0, outputAxis: transB ? 0 : 1, before: [rows] }, (output, count) => {
    if (call.input(2) === '') return undefined
    if (rows && call.constant(2)?.dims.length === 2 && call.constant(2)?.dims[0] !== 1n) call.freeze(rows, 'has a bias that cannot shrink')
    return registerBias(call, 2, output, count)
  })
}

function matMul(call: NodeCall): undefined {
  const axes = call.axes(0)
  if (call.constant(1)?.dims.length !== 2 || call.constant(0) || !axes || axes.length < 2) return activationProduct(call)
  const weight = weightOf(call, 1, () => true)
  if (weight) product(call, weight, { input: axes.at(-1), inputAxis: 0, outputAxis: 1, before: axes.slice(0, -1) }, () => undefined)
}

interface Product {
  readonly input: Labels | undefined
  readonly inputAxis: number
  readonly outputAxis: number
  readonly before: Axes
}

function product(
  call: NodeCall,
  weight: TensorProto,
  { input, inputAxis, outputAxis, before }: Product,
  bias: (output: Labels, count: number) => string | undefined,
): undefined {
  const count = Number(weight.dims[outputAxis])
  if (input && input.length !== Number(weight.dims[inputAxis])) return call.barrier('has weights for another number of channels')
  const output = call.classes.add(count)
  call.register(1, inputAxis === 0 ? [input, output] : [output, input])
  const name = bias(output, count)
  call.addLayer({ weight: call.input(1), bias: name, kind: 'dense', groups: 1, inputAxis, outputAxis, input, output })
  call.setAxes([...before, output])
}

/** Two activations (or a matrix in front): what is summed over stays, rows of the left and columns of the right pass. */
function activationProduct(call: NodeCall): undefined {
  const [left, right, output] = [call.axes(0), call.axes(1), call.outputShape()]
  if (!left || !right || !output || left.length < 2 || right.length < 2) return call.barrier('cannot be followed')
  for (const labels of [left.at(-1), right.at(-2), ...left.slice(0, -2), ...right.slice(0, -2)]) call.freeze(labels, 'sums over that axis')
  call.setAxes([...new Array<undefined>(Math.max(left.length, right.length) - 2).fill(undefined), left.at(-2), right.at(-1)])
}

/** Statistics for each channel, as many as there are channels. */
function perChannel(parameters: number): CouplingRule {
  return (call) => {
    const axes = call.axes(0)
    if (!axes || axes.length < 2) return call.barrier('has an input of unknown shape')
    const labels = axes[1]
    const indices = Array.from({ length: parameters }, (_, index) => index + 1)
    const fits = indices.every((index) => {
      const tensor = call.constant(index)
      return tensor?.dims.length === 1 && (!labels || Number(tensor.dims[0]) === labels.length)
    })
    if (!fits) return call.barrier(NOT_CONSTANT)
    for (const index of indices) call.register(index, [labels])
    if (call.node.output.slice(1).some((name) => name !== '')) call.barrier('gives out its statistics')
    call.setAxes(axes)
  }
}

/** InstanceNormalization: statistics over the positions of each channel. */
function instanceNormalization(call: NodeCall): undefined {
  for (const labels of call.axes(0)?.slice(2) ?? []) call.freeze(labels, MIXES_POSITIONS)
  perChannel(2)(call)
}

/** Recurrent layers take inputs they have weights for; making them smaller is left to others. */
function recurrent(call: NodeCall): undefined {
  call.barrier('is a recurrent layer, whose weights stay whole')
}

export const weightedRules: Readonly<Record<string, CouplingRule>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  Gemm: gemm,
  MatMul: matMul,
  BatchNormalization: perChannel(4),
  InstanceNormalization: instanceNormalization,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
}
