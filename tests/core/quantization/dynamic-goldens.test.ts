import { readFile } from 'node:fs/promises'
import { TensorProto_DataType } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { decodeModel } from '../../../src/core/onnx/model-file.ts'
import { floatValues, integerValues } from '../../../src/core/onnx/tensor-values.ts'
import { quantizeDynamic } from '../../../src/core/quantization/dynamic-quantization.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

type Golden = Readonly<Record<string, { readonly dims: readonly number[]; readonly values: readonly number[] }>>

const fixtures = new URL('fixtures/', import.meta.url)
const goldens = JSON.parse(await readFile(new URL('dynamic-goldens.json', fixtures), 'utf8')) as Record<'perTensor' | 'perChannel', Golden>
const source = decodeModel(await readFile(new URL('recurrent-net.onnx', fixtures)), 'recurrent-net.onnx')

describe('quantizeDynamic', () => {
  it.each(['perTensor', 'perChannel'] as const)('chooses the weights and scales of ONNX Runtime’s Python quantizer, %s', async (kind) => {
    // Full-range weights: what the Python tool does on every target.
    const { model } = await quantizeDynamic(source, onnxRuntime, { target: 'x64-vnni', perChannel: kind === 'perChannel', exclude: [] })
    const ours = new Map(model.graph!.initializer.map((tensor) => [tensor.name, tensor]))
    const expected = Object.entries(goldens[kind])
    expect(expected.map(([name]) => name)).toEqual(expect.arrayContaining(['w_quantized', 'r_scale', 'k_quantized', 'b']))
    for (const [name, { dims, values }] of expected) {
      const tensor = ours.get(name)
      expect(tensor?.dims.map(Number), name).toEqual(dims)
      expect(tensor!.dataType === TensorProto_DataType.FLOAT ? [...floatValues(tensor!)] : integerValues(tensor!), name).toEqual(values)
    }
  })
})
