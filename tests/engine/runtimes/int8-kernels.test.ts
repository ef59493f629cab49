import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { countInt8Kernels } from '../../../src/engine/runtimes/int8-kernels.ts'

const scalar = (name: string, value: number) => makeTensor(name, 'float32', [], Float32Array.of(value))

/** x → Q → DQ → Conv (int8 weights) → [Q → DQ] → y */
function convModel(activation: 'uint8' | 'int8', quantizedOutput: boolean) {
  const zero = activation === 'uint8' ? Uint8Array.of(0) : Int8Array.of(0)
  const pair = (from: string, to: string) => [
    makeNode('QuantizeLinear', [from, 's', 'z'], [`${from}_q`], {}, { name: `${from}_Q` }),
    makeNode('DequantizeLinear', [`${from}_q`, 's', 'z'], [to], {}, { name: `${from}_DQ` }),
  ]
  return encodeModel(
    makeModel({
      nodes: [
        ...pair('x', 'x_dq'),
        makeNode('DequantizeLinear', ['w', 's', 'wz'], ['w_dq'], {}, { name: 'w_DQ' }),
        makeNode('Conv', ['x_dq', 'w_dq'], [quantizedOutput ? 'h' : 'y'], {}, { name: 'conv' }),
        ...(quantizedOutput ? pair('h', 'y') : []),
      ],
      inputs: [makeValueInfo('x', 'float32', [1, 4, 5, 5])],
      outputs: [makeValueInfo('y', 'float32', [1, 2, 3, 3])],
      initializers: [
        makeTensor('w', 'int8', [2, 4, 3, 3], new Int8Array(72).fill(3)),
        scalar('s', 0.1),
        makeTensor('z', activation, [], zero),
        makeTensor('wz', 'int8', [], Int8Array.of(0)),
      ],
    }),
  )
}

describe('countInt8Kernels', () => {
  it('finds the kernel and the node it came from', async () => {
    expect(await countInt8Kernels(convModel('uint8', true))).toEqual({
      kernels: [{ node: 'conv', op: 'QLinearConv' }],
      byOp: { QLinearConv: 1 },
      others: new Set(),
    })
  })

  it('says which nodes stay in float32', async () => {
    const { kernels, others } = await countInt8Kernels(convModel('uint8', false))
    expect(kernels).toEqual([])
    expect([...others]).toEqual(['conv'])
  })

  it('counts int8 activations as a processor with kernels for them would', async () => {
    expect((await countInt8Kernels(convModel('int8', true), { signedActivations: true })).byOp).toEqual({ QLinearConv: 1 })
  })

  it('finds nothing in a float32 model', async () => {
    const model = await readFile(new URL('../../core/quantization/fixtures/conv-net.onnx', import.meta.url))
    const { kernels, others } = await countInt8Kernels(model)
    expect(kernels).toEqual([])
    expect(others.has('fc2')).toBe(true)
  })
})
