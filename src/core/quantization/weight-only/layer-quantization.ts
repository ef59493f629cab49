import { dampedInverseFactor } from '../../linear-algebra/damped-inverse.ts'
import type { LayerGram } from '../../linear-algebra/layer-gram.ts'
import { floatValues } from '../../onnx/tensor-values.ts'
import type { IntegerGrid } from './integer-grid.ts'
import { type QuantizedMatrix, roundMatrix } from './matrix-rounding.ts'
import type { WeightLayer } from './weight-layers.ts'

/** How the weights of all layers are rounded. */
export interface LayerRounding {
  readonly grid: IntegerGrid
  readonly blockSize: number
  readonly mseScales: boolean
}

/** Integers of a layer's weights, and how far they are from the weights. */
export interface QuantizedLayer extends QuantizedMatrix {
  /** 20·log10(‖w‖ / ‖w − ŵ‖); null when nothing changed. */
  readonly sqnrDb: number | null
}

/** Weights rounded at once, 64 MiB in float64: channels do not depend on each other. */
const WEIGHTS_AT_ONCE = 2 ** 23
/**
 * Rounds a layer's weights.
 *
 * @param gram of the layer's inputs: with it errors are made up for in later weights (GPTQ)
 */
export function quantizeLayer(
  layer: WeightLayer,
  { grid, blockSize, mseScales }: LayerRounding,
  gram: LayerGram | undefined,
): QuantizedLayer {
  const { size, channels } = layer
  const source = floatValues(layer.tensor)
  const inverseFactor = gram && dampedInverseFactor(gram)
  const importance = gram && Float64Array.from({ length: size }, (_, index) => gram.values[index * (size + 1)]!)
  const values = new Int8Array(channels * size)
  const groups = blockSize === 0 ? 1 : Math.ceil(size / blockSize)
  const scales = new Float32Array(channels * groups)
  const zeroPoints = grid.zeroPoints ? new Int8Array(channels * groups) : undefined
  const atOnce = Math.max(1, Math.floor(WEIGHTS_AT_ONCE / size))
  let [signal, noise] = [0, 0]
  for (let first = 0; first < channels; first += atOnce) {
    const count = Math.min(atOnce, channels - first)
    const weights = channelRows(source, layer, first, count)
    const rounded = weights.slice()
    const part = roundMatrix(rounded, count, size, { grid, blockSize, mseScales, importance, inverseFactor })
    for (let index = 0; index < weights.length; index++) {
      signal += weights[index]! ** 2
      noise += (weights[index]! - rounded[index]!) ** 2
    }
    values.set(part.values, first * size)
    scales.set(part.scales, first * groups)
    if (part.zeroPoints) zeroPoints?.set(part.zeroPoints, first * groups)
  }
  const sqnrDb = noise === 0 ? null : 10 * Math.log10(signal / noise)
  return { values, scales, zeroPoints, groupSize: blockSize === 0 ? size : blockSize, sqnrDb }
}

/** Weights of `count` output channels, one channel in a row, times Gemm's factor: [count, K]. */
function channelRows(
  source: Float32Array,
  { size, channels, transposed, factor }: WeightLayer,
  first: number,
  count: number,
): Float64Array {
  const rows = new Float64Array(count * size)
  for (let channel = 0; channel < count; channel++)
    for (let k = 0; k < size; k++)
      rows[channel * size + k] = factor * source[transposed ? (first + channel) * size + k : k * channels + first + channel]!
  return rows
}
