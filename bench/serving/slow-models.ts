import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../src/core/onnx/tensor-values.ts'

/** Features, classes of models that take their time. */
export const [INPUTS, OUTPUTS] = [52, 10] as const
const CHANNELS = 64

/**
 * A convolutional network, x [n, 52] to y [n, 10]: as most models it computes much with few weights. `layers` convolutions 3 × 3 of 64 channels over
 * `side` × `side` points have 147 kB of weights each, which ONNX Runtime keeps once for each.
 */
export function smallCnn(layers: number, side: number): Uint8Array {
  const points = CHANNELS * side * side
  const weights = (count: number, from: number) => Float32Array.from({ length: count }, (_, index) => Math.sin(index) / Math.sqrt(from))
  const convolutions = Array.from({ length: layers }, (_, layer) => [
    makeNode('Conv', [layer === 0 ? 'spread' : `r${layer}`, 'w'], [`c${layer}`], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    makeNode('Relu', [`c${layer}`], [`r${layer + 1}`]),
  ])
  return encodeModel(
    makeModel({
      nodes: [
        makeNode('MatMul', ['x', 'w_first'], ['flat']),
        makeNode('Reshape', ['flat', 'shape'], ['spread']),
        ...convolutions.flat(),
        makeNode('GlobalAveragePool', [`r${layers}`], ['pooled']),
        makeNode('Flatten', ['pooled'], ['features']),
        makeNode('MatMul', ['features', 'w_last'], ['y']),
      ],
      inputs: [makeValueInfo('x', 'float32', ['n', INPUTS])],
      outputs: [makeValueInfo('y', 'float32', ['n', OUTPUTS])],
      initializers: [
        makeTensor('w_first', 'float32', [INPUTS, points], weights(INPUTS * points, INPUTS)),
        makeInt64('shape', [4], [-1, CHANNELS, side, side]),
        makeTensor('w', 'float32', [CHANNELS, CHANNELS, 3, 3], weights(CHANNELS * CHANNELS * 9, CHANNELS * 9)),
        makeTensor('w_last', 'float32', [CHANNELS, OUTPUTS], weights(CHANNELS * OUTPUTS, CHANNELS)),
      ],
    }),
  )
}
