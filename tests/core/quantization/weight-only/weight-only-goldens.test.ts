import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { decodeBase64 } from '../../../../src/core/base64.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../../src/core/onnx/builders.ts'
import { elementTypeName } from '../../../../src/core/onnx/data-types.ts'
import { Graph } from '../../../../src/core/onnx/graph.ts'
import { floatValues, makeTensor } from '../../../../src/core/onnx/tensor-values.ts'
import { INTEGER_GRIDS } from '../../../../src/core/quantization/weight-only/integer-grid.ts'
import { quantizeLayer } from '../../../../src/core/quantization/weight-only/layer-quantization.ts'
import { findWeightUses } from '../../../../src/core/quantization/weight-only/weight-layers.ts'
import { storeMatrix } from '../../../../src/core/quantization/weight-only/weight-writer.ts'

/** What fixtures/make-goldens.py writes: the choices of ONNX Runtime's own quantizer. */
interface Goldens {
  readonly K: number
  readonly N: number
  readonly weights: string
  readonly cases: readonly {
    readonly blockSize: number
    readonly symmetric: boolean
    readonly type: string
    readonly values: string
    readonly scaleDims: readonly number[]
    readonly scales: string
    readonly zeroPoints: string | null
  }[]
}

const goldens: Goldens = JSON.parse(readFileSync(fileURLToPath(new URL('./fixtures/weight-only-goldens.json', import.meta.url)), 'utf8'))
const floats = (text: string) => new Float32Array(decodeBase64(text).slice().buffer)

function layerGraph(): Graph {
  return new Graph(
    makeModel({
      opset: 21,
      nodes: [makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'layer' })],
      inputs: [makeValueInfo('x', 'float32', ['N', goldens.K])],
      outputs: [makeValueInfo('y', 'float32', ['N', goldens.N])],
      initializers: [makeTensor('w', 'float32', [goldens.K, goldens.N], floats(goldens.weights))],
    }),
  )
}

describe.each(goldens.cases)('4 bits in blocks of $blockSize, symmetric: $symmetric', (golden) => {
  it('has the values, scales and zero points of ONNX Runtime’s quantizer, byte for byte', () => {
    const graph = layerGraph()
    const [layer] = findWeightUses([graph], () => undefined, { bits: 4, blockSize: golden.blockSize }).layers
    const grid = golden.symmetric ? INTEGER_GRIDS.int4 : INTEGER_GRIDS.uint4
    const quantized = quantizeLayer(layer!, { grid, blockSize: golden.blockSize, mseScales: false }, undefined)
    const stored = storeMatrix(layer!, quantized, grid, golden.blockSize).map((name) => graph.initializer(name)!)
    const [values, scales, zeroPoints] = stored
    expect(elementTypeName(values!.dataType)).toBe(golden.type.toLowerCase())
    expect([...floatValues(scales!)]).toEqual([...floats(golden.scales)])
    expect(scales!.dims.map(Number)).toEqual(golden.scaleDims)
    expect([...values!.rawData]).toEqual([...decodeBase64(golden.values)])
    expect(zeroPoints && [...zeroPoints.rawData]).toEqual(golden.zeroPoints === null ? undefined : [...decodeBase64(golden.zeroPoints)])
  })
})
