/**
 * Where the weights of one output channel lie in a tensor, in the order in which a kernel multiplies and adds them up:
 * weight `k` of channel `c` is element `c × channelStride + order[k]`.
 */
export interface WeightLayout {
  readonly channels: number
  readonly channelStride: number
  readonly order: Int32Array
  /** The axis that DequantizeLinear names for one scale per channel. */
  readonly axis: number
}

/**
 * Conv weights [M, C/group, k…]: ONNX Runtime runs convolutions channels-last, so a channel's products are added in the
 * order (kernel position, input channel), not in the order of the file.
 */
export function convLayout(dims: readonly number[]): WeightLayout {
  const [channels = 0, inChannels = 0, ...kernel] = dims
  const positions = kernel.reduce((product, dim) => product * dim, 1)
  const order = new Int32Array(inChannels * positions)
  for (let position = 0, k = 0; position < positions; position++)
    for (let channel = 0; channel < inChannels; channel++, k++) order[k] = channel * positions + position
  return { channels, channelStride: order.length, order, axis: 0 }
}

/** MatMul and Gemm weights [K, N]. */
export function columnsLayout([rows = 0, columns = 0]: readonly number[]): WeightLayout {
  return { channels: columns, channelStride: 1, order: Int32Array.from({ length: rows }, (_, k) => k * columns), axis: 1 }
}

/** Gemm weights [N, K] (transB = 1). */
export function rowsLayout([rows = 0, columns = 0]: readonly number[]): WeightLayout {
  return { channels: rows, channelStride: columns, order: Int32Array.from({ length: columns }, (_, k) => k), axis: 0 }
}
