import { readFile } from 'node:fs/promises'
import type { ModelProto, TensorProto } from 'onnx-buf'
import { TensorProto_DataType } from 'onnx-buf'
import { expect, it } from 'vitest'
import { decodeModel } from '../../../src/core/onnx/model-file.ts'
import { floatValues, integerValues } from '../../../src/core/onnx/tensor-values.ts'
import { StaticQuantization } from '../../../src/core/quantization/static-quantization.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

interface Goldens {
  readonly samples: readonly (readonly number[])[]
  readonly initializers: Readonly<Record<string, readonly number[]>>
}

const fixtures = new URL('fixtures/', import.meta.url)

/**
 * Values, scales and zero points of a quantized model under the names ONNX Runtime's tool gives them: those of the float
 * tensor (activations), or of the float constant with `_quantized`.
 */
function namedLikeTheTool(model: ModelProto): Map<string, number[]> {
  const { node, initializer } = model.graph!
  const values = new Map(initializer.map((tensor) => [tensor.name, valuesOf(tensor)]))
  const named = new Map<string, number[]>()
  for (const { opType, input, output } of node) {
    if (opType !== 'DequantizeLinear') continue
    const [quantized, scale, zeroPoint] = input as [string, string, string?]
    const stored = values.get(quantized)
    const base = stored ? quantized.replace(/_quantized$/, '') : output[0]!.replace(/_dequantized$/, '')
    const prefix = base.startsWith('b') ? `${base}_quantized` : base
    if (stored) named.set(quantized, stored)
    named.set(`${prefix}_scale`, values.get(scale)!)
    // No zero point is a zero point of 0.
    named.set(`${prefix}_zero_point`, (zeroPoint && values.get(zeroPoint)) || new Array<number>(values.get(scale)!.length).fill(0))
  }
  return named
}

function valuesOf(tensor: TensorProto): number[] {
  return tensor.dataType === TensorProto_DataType.FLOAT ? [...floatValues(tensor)] : integerValues(tensor)
}

it('chooses the scales, zero points, weights and biases of ONNX Runtime’s Python quantizer where the settings coincide', async () => {
  const model = decodeModel(await readFile(new URL('conv-net.onnx', fixtures)), 'conv-net.onnx')
  const goldens = JSON.parse(await readFile(new URL('quantizer-goldens.json', fixtures), 'utf8')) as Goldens
  const samples = {
    feeds: goldens.samples.length,
    read: async (index: number) => ({
      x: { type: 'float32' as const, dims: [1, 3, 6, 6], values: Float32Array.from(goldens.samples[index]!) },
    }),
  }
  // Full-range weights, uint8 activations: what the Python tool does on every target.
  const quantization = await StaticQuantization.calibrated(model, samples, onnxRuntime, {
    target: 'x64-vnni',
    perChannel: true,
    exclude: [],
  })
  const ours = namedLikeTheTool(quantization.quantize().model)

  // The last Gemm gives float32 here; the Python tool quantizes the model's output as well.
  const expected = Object.entries(goldens.initializers).filter(([name]) => !name.startsWith('y_'))
  expect(expected).toHaveLength(34)
  for (const [name, values] of expected) expect(ours.get(name), name).toEqual(values)
})
