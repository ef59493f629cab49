import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'
import { type Dim, isStatic, type Shape } from '../shapes.ts'

/** Kernel, strides, dilations, pads and automatic padding of a convolution or pooling node. */
interface Windows {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
  readonly autoPad: string
}

function windows(call: OpCall, kernel: readonly number[] | undefined): Windows | undefined {
  if (!kernel) return undefined
  const ones = kernel.map(() => 1)
  const strides = call.ints('strides') ?? ones
  const dilations = call.ints('dilations') ?? ones
  const pads = call.ints('pads') ?? [...kernel, ...kernel].map(() => 0)
  const fits = strides.length === kernel.length && dilations.length === kernel.length && pads.length === 2 * kernel.length
  const positive = [...kernel, ...strides, ...dilations].every((value) => value > 0)
  return fits && positive ? { kernel, strides, dilations, pads, autoPad: call.text('auto_pad', 'NOTSET') } : undefined
}

/** Sizes after sliding windows over `spatial`; `undefined` when one would be empty. */
function slide(spatial: Shape, { kernel, strides, dilations, pads, autoPad }: Windows, ceil: boolean): Shape | undefined {
  const rank = kernel.length
  if (spatial.length !== rank) return undefined
  const out: Dim[] = []
  for (let axis = 0; axis < rank; axis++) {
    const size = spatial[axis]
    const stride = strides[axis] as number
    const extent = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1
    const same = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER'
    const [before, after] = autoPad === 'NOTSET' ? [pads[axis] as number, pads[axis + rank] as number] : [0, 0]
    if (typeof size !== 'number') {
      const unchanged = stride === 1 && (same || before + after === extent - 1)
      out.push(unchanged ? size : undefined)
      continue
    }
    if (same) {
      out.push(Math.ceil(size / stride))
      continue
    }
    const room = size + before + after - extent
    if (room < 0) return undefined
    let count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
    // A last window that would start in the padding behind the image is left out.
    if (ceil && (count - 1) * stride >= size + before) count--
    out.push(count)
  }
  return out
}

function kernelOf(call: OpCall, weight: Shape | undefined): readonly number[] | undefined {
  const spatial = weight?.slice(2)
  const attribute = call.ints('kernel_shape')
  if (!isStatic(spatial)) return attribute
  return attribute && attribute.join() !== spatial.join() ? undefined : spatial
}

function convolution(weightInput: number, outputType: (call: OpCall) => OutputFacts[number]): ShapeRule {
  return (call) => {
    const x = call.shape(0)
    const w = call.shape(weightInput)
    const base = outputType(call)
    if (!x || x.length < 3 || (w && w.length !== x.length)) return [base]
    const described = windows(call, kernelOf(call, w))
    const spatial = described ? slide(x.slice(2), described, false) : x.slice(2).map(() => undefined)
    const [channels, perGroup] = [x[1], w?.[1]]
    const group = call.int('group', 1)
    if (typeof channels === 'number' && typeof perGroup === 'number' && channels !== perGroup * group) return [base]
    return [{ ...base, shape: spatial && [x[0], w?.[0], ...spatial] }]
  }
}

function convTranspose(call: OpCall): OutputFacts {
  const x = call.shape(0)
  const w = call.shape(1)
  const type = call.type(0)
  if (!x || !w || x.length < 3 || w.length !== x.length) return [{ type }]
  const perGroup = w[1]
  const channels = typeof perGroup === 'number' ? perGroup * call.int('group', 1) : undefined
  return [{ type, shape: [x[0], channels, ...transposedSpatial(call, x.slice(2), windows(call, kernelOf(call, w)))] }]
}

function transposedSpatial(call: OpCall, spatial: Shape, described: Windows | undefined): Shape {
  const unknown = spatial.map(() => undefined)
  const given = call.ints('output_shape')
  // Some exporters write the whole shape, batch and channels included.
  if (given && given.length > 0) return given.length >= spatial.length ? given.slice(-spatial.length) : unknown
  if (!described || described.kernel.length !== spatial.length) return unknown
  const { kernel, strides, dilations, pads, autoPad } = described
  const extra = call.ints('output_padding') ?? kernel.map(() => 0)
  const same = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER'
  const sizes = spatial.map((size, axis): Dim => {
    if (typeof size !== 'number') return undefined
    const stride = strides[axis] as number
    if (same) return extra[axis] === 0 ? size * stride : undefined
    const padding = autoPad === 'NOTSET' ? (pads[axis] as number) + (pads[axis + kernel.length] as number) : 0
    const extent = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1
    return (size - 1) * stride + (extra[axis] ?? 0) + extent - padding
  })
  return sizes.some((size) => typeof size === 'number' && size < 1) ? unknown : sizes
}

function pooling(call: OpCall): OutputFacts {
  const x = call.shape(0)
  const described = windows(call, call.ints('kernel_shape'))
  const spatial = x && described && x.length >= 3 ? slide(x.slice(2), described, call.int('ceil_mode', 0) !== 0) : undefined
  const shape = x && spatial && [x[0], x[1], ...spatial]
  return [
    { type: call.type(0), shape },
    { type: 'int64', shape },
  ]
}

function globalPooling(call: OpCall): OutputFacts {
  const x = call.shape(0)
  return [{ type: call.type(0), shape: x && x.length >= 2 ? x.map((dim, axis) => (axis < 2 ? dim : 1)) : undefined }]
}

/** com.microsoft.QLinear…AveragePool: `channels_last` moves the channels to the end. */
function quantizedPooling(rule: ShapeRule): ShapeRule {
  return (call) => (call.int('channels_last', 0) === 0 ? rule(call) : [{ type: call.type(0) }])
}

function sameType(call: OpCall): OutputFacts[number] {
  return { type: call.type(0) }
}

/** Convolutions and pooling: sizes by ONNX's formulas, checked against ONNX Runtime in tests/core/onnx/shape-inference.test.ts. */
export const windowRules: Readonly<Record<string, ShapeRule>> = {
  Conv: convolution(1, sameType),
  DeformConv: convolution(1, sameType),
  ConvInteger: convolution(1, () => ({ type: 'int32' })),
  // X, scale, zero point, W, scale, zero point, Y scale, Y zero point, B
  QLinearConv: convolution(3, (call) => ({ type: call.type(7) ?? call.type(0) })),
  'com.microsoft.FusedConv': convolution(1, sameType),
  ConvTranspose: convTranspose,
  MaxPool: pooling,
  AveragePool: pooling,
  LpPool: pooling,
  GlobalAveragePool: globalPooling,
  GlobalMaxPool: globalPooling,
  GlobalLpPool: globalPooling,
  'com.microsoft.QLinearAveragePool': quantizedPooling((call) => pooling(call).slice(0, 1)),
  'com.microsoft.QLinearGlobalAveragePool': quantizedPooling(globalPooling),
}
