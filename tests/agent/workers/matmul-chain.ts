import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'

/**
 * A model that takes its time: `layers` multiplications of [n, size] by [size, size], each followed by Tanh, so that values stay small. x [n, size]
 * and y [n, size]; with `inputs` and `outputs` x and y have so many values, and one multiplication more at each end.
 */
export function matmulChain(layers: number, size: number, inputs = size, outputs = size): Uint8Array {
  const weights = (rows: number, columns: number) =>
    Float32Array.from({ length: rows * columns }, (_, index) => Math.sin(index) / Math.sqrt(rows))
  const widths = [...(inputs === size ? [] : [inputs]), ...new Array<number>(layers + 1).fill(size), ...(outputs === size ? [] : [outputs])]
  const steps = widths.slice(1).map((to, step) => ({ from: widths[step] as number, to }))
  const names = new Map(steps.map(({ from, to }) => [`w_${from}_${to}`, [from, to] as const]))
  return encodeModel(
    makeModel({
      nodes: steps.flatMap(({ from, to }, step) => [
        makeNode('MatMul', [step === 0 ? 'x' : `y${step}`, `w_${from}_${to}`], [`m${step}`]),
        makeNode('Tanh', [`m${step}`], [step === steps.length - 1 ? 'y' : `y${step + 1}`]),
      ]),
      inputs: [makeValueInfo('x', 'float32', ['n', inputs])],
      outputs: [makeValueInfo('y', 'float32', ['n', outputs])],
      initializers: [...names].map(([name, [from, to]]) => makeTensor(name, 'float32', [from, to], weights(from, to))),
    }),
  )
}
