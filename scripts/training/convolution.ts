import { reshape, slice, sumOver, transpose } from './elementary.ts'
import type { Tape, Value } from './tape.ts'

/** Square stride and symmetric zero padding; `groups` divides both channel counts (depthwise: groups = channels). */
export interface ConvOptions {
  readonly stride?: number
  readonly padding?: number
  readonly groups?: number
}

interface ConvGeometry {
  readonly batch: number
  readonly inChannels: number
  readonly outChannels: number
  readonly height: number
  readonly width: number
  readonly outHeight: number
  readonly outWidth: number
  readonly kernelHeight: number
  readonly kernelWidth: number
  readonly stride: number
  readonly padding: number
  readonly groups: number
}

/** Length of a convolution's output along one axis. */
export function convOutputLength(length: number, kernel: number, stride: number, padding: number): number {
  return Math.floor((length + 2 * padding - kernel) / stride) + 1
}

/**
 * 2-D convolution with its gradient.
 *
 * @param x images [N,C,H,W]
 * @param weight kernels [O,C/groups,kH,kW]
 * @param bias [O], optional
 * @returns [N,O,H',W']
 */
export function conv(tape: Tape, x: Value, weight: Value, bias: Value | undefined, options: ConvOptions = {}): Value {
  const geometry = convGeometry(x, weight, options)
  const { batch, outChannels, outHeight, outWidth } = geometry
  const inputs = bias ? [x, weight, bias] : [x, weight]
  const y = tape.emit('Conv', inputs, [batch, outChannels, outHeight, outWidth], convAttributes(geometry))
  return tape.record(y, inputs, (dy) => [
    inputGradient(tape, dy, weight, geometry),
    geometry.groups === 1 ? weightGradientByColumns(tape, x, dy, geometry) : weightGradientByGroups(tape, x, dy, geometry),
    bias && sumOver(tape, dy, [0, 2, 3]),
  ])
}

function convGeometry(x: Value, weight: Value, options: ConvOptions): ConvGeometry {
  const [batch, inChannels, height, width] = x.shape as [number, number, number, number]
  const [outChannels, channelsPerGroup, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number]
  const { stride = 1, padding = 0, groups = 1 } = options
  if (channelsPerGroup * groups !== inChannels || outChannels % groups !== 0) {
    throw new Error(`Conv with ${groups} groups: kernels [${weight.shape}] do not fit images [${x.shape}]`)
  }
  const outHeight = convOutputLength(height, kernelHeight, stride, padding)
  const outWidth = convOutputLength(width, kernelWidth, stride, padding)
  return { batch, inChannels, outChannels, height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding, groups }
}

function convAttributes({ kernelHeight, kernelWidth, stride, padding, groups }: ConvGeometry) {
  return {
    kernel_shape: [kernelHeight, kernelWidth],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
    group: groups,
  }
}

/** The gradient with respect to the images is the transposed convolution; rows that no window reached get zeros by `output_padding`. */
function inputGradient(tape: Tape, dy: Value, weight: Value, geometry: ConvGeometry): Value {
  const { batch, inChannels, height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding } = geometry
  const unreached = (length: number, out: number, kernel: number) => length + 2 * padding - kernel - (out - 1) * stride
  return tape.emit('ConvTranspose', [dy, weight], [batch, inChannels, height, width], {
    ...convAttributes(geometry),
    output_padding: [unreached(height, outHeight, kernelHeight), unreached(width, outWidth, kernelWidth)],
  })
}

/**
 * Gradient with respect to the kernels, one group: the shifted images as the rows of a matrix ("im2col"), then one matrix
 * product over batch and positions. Measured 1.1 to 2 times faster in ONNX Runtime than a convolution of transposed tensors,
 * whose matrix products are only kH·kW columns wide.
 */
function weightGradientByColumns(tape: Tape, x: Value, dy: Value, geometry: ConvGeometry): Value {
  const { batch, inChannels, outChannels, outHeight, outWidth, kernelHeight, kernelWidth } = geometry
  const positions = batch * outHeight * outWidth
  const dyRows = reshape(tape, channelsFirst(tape, dy), [outChannels, positions])
  const shifts = shiftedImages(tape, channelsFirst(tape, x), geometry)
  const columns = shifts.map((shift) => reshape(tape, shift, [inChannels, positions]))
  const kernelSize = kernelHeight * kernelWidth
  const matrix =
    columns.length === 1 ? (columns[0] as Value) : tape.emit('Concat', columns, [kernelSize * inChannels, positions], { axis: 0 })
  const product = tape.emit('Gemm', [dyRows, matrix], [outChannels, kernelSize * inChannels], { transB: 1 })
  const split = reshape(tape, product, [outChannels, kernelHeight, kernelWidth, inChannels])
  return transpose(tape, split, [0, 3, 1, 2])
}

/** For each kernel position the part of the padded images (given as [C,N,H,W]) that it is multiplied with: kH·kW tensors [C,N,H',W']. */
function shiftedImages(tape: Tape, x: Value, geometry: ConvGeometry): Value[] {
  const { stride, padding, outHeight, outWidth, kernelHeight, kernelWidth } = geometry
  const padded = padImages(tape, x, padding)
  const shifts: Value[] = []
  for (let row = 0; row < kernelHeight; row++) {
    for (let column = 0; column < kernelWidth; column++) {
      const ends = [row + (outHeight - 1) * stride + 1, column + (outWidth - 1) * stride + 1]
      shifts.push(slice(tape, padded, { axes: [2, 3], starts: [row, column], ends, steps: [stride, stride] }))
    }
  }
  return shifts
}

function padImages(tape: Tape, x: Value, padding: number): Value {
  if (padding === 0) return x
  const [first, second, height, width] = x.shape as [number, number, number, number]
  const pads = [0, 0, padding, padding, 0, 0, padding, padding]
  return tape.emit('Pad', [x, tape.integers(pads)], [first, second, height + 2 * padding, width + 2 * padding])
}

/**
 * Gradient with respect to the kernels, several groups (depthwise above all): a grouped convolution in which batch and
 * channels change places, the output gradient is the kernel, and the stride becomes the dilation.
 */
function weightGradientByGroups(tape: Tape, x: Value, dy: Value, geometry: ConvGeometry): Value {
  const { batch, inChannels, outChannels, height, width, outHeight, outWidth, kernelHeight, kernelWidth, stride, padding, groups } =
    geometry
  const perGroup = inChannels / groups
  const split = reshape(tape, x, [batch, groups, perGroup, height * width])
  const images = reshape(tape, transpose(tape, split, [2, 1, 0, 3]), [perGroup, groups * batch, height, width])
  const fullHeight = height + 2 * padding - (outHeight - 1) * stride
  const fullWidth = width + 2 * padding - (outWidth - 1) * stride
  const full = tape.emit('Conv', [images, channelsFirst(tape, dy)], [perGroup, outChannels, fullHeight, fullWidth], {
    kernel_shape: [outHeight, outWidth],
    dilations: [stride, stride],
    pads: [padding, padding, padding, padding],
    group: groups,
  })
  // With a stride, the last rows and columns may belong to no window; what comes out for them is no kernel position.
  const exact = fullHeight === kernelHeight && fullWidth === kernelWidth
  const cut = { axes: [2, 3], starts: [0, 0], ends: [kernelHeight, kernelWidth], steps: [1, 1] }
  return channelsFirst(tape, exact ? full : slice(tape, full, cut))
}

/** Swaps the first two axes: [N,C,H,W] to [C,N,H,W]. */
function channelsFirst(tape: Tape, x: Value): Value {
  return transpose(tape, x, [1, 0, 2, 3])
}
