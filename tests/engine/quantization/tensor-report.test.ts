import { arch } from 'node:process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NamedTensors } from '../../../src/core/inference-runtime.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import type { CalibrationSamples } from '../../../src/core/quantization/calibration-samples.ts'
import { saturationLoss } from '../../../src/core/quantization/saturation-loss.ts'
import { countSaturated, type QuantizedTensor, reportTensors, worstFirst } from '../../../src/core/quantization/tensor-report.ts'
import { dequantizedConstant, reportWeights } from '../../../src/core/quantization/weight-report.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, model } from '../explanation/plain-models.ts'

const samplesOf = (...rows: number[][]): CalibrationSamples => {
  const feeds = rows.map((row): NamedTensors => ({ x: { type: 'float32', dims: [1, row.length], values: Float32Array.from(row) } }))
  return { feeds: rows.length, read: async (index) => feeds[index]! }
}
const byte = (name: string, value: number) => makeTensor(name, 'uint8', [], Uint8Array.of(value))

/** Relu, then a product with 2; the build rounds what Relu gives. */
const float = model(
  [1, 4],
  [makeNode('Relu', ['x'], ['r'], {}, { name: 'relu' }), makeNode('Mul', ['r', 'two'], ['y'], {}, { name: 'double' })],
  [constant('two', [], [2])],
  { y: [1, 4] },
)
const build = model(
  [1, 4],
  [
    makeNode('Relu', ['x'], ['raw'], {}, { name: 'relu' }),
    makeNode('QuantizeLinear', ['raw', 's', 'z'], ['q']),
    makeNode('DequantizeLinear', ['q', 's', 'z'], ['r']),
    makeNode('Mul', ['r', 'two'], ['y'], {}, { name: 'double' }),
  ],
  [constant('two', [], [2]), constant('s', [], [0.125]), byte('z', 0)],
  { y: [1, 4] },
)
const relu: QuantizedTensor = { tensor: 'r', before: 'raw', after: 'r', scale: 0.125, zeroPoint: 0, type: 'uint8' }

describe('reportTensors', () => {
  it('compares before with behind, and with the float model, over all samples', async () => {
    // 0.125 × 255 = 31.875 is the largest value: 33 loses 1.125; 0.25 and 4 are kept.
    const [report, ...others] = await reportTensors(
      { float, build, tensors: [relu] },
      samplesOf([-1, 0.25, 4, 33], [0, 0, 0, 3]),
      onnxRuntime,
    )
    expect(others).toEqual([])
    const signal = 0.25 ** 2 + 16 + 33 ** 2 + 9
    expect(report).toMatchObject({ tensor: 'r', node: 'relu', op: 'Relu', scale: 0.125, zeroPoint: 0, saturated: 1, values: 8 })
    expect(report!.localSqnrDb).toBeCloseTo(10 * Math.log10(signal / 1.125 ** 2), 6)
    expect(report!.sqnrDb).toBeCloseTo(report!.localSqnrDb!, 6)
    expect(report!.cosine).toBeGreaterThan(0.99)
  })

  it('tells the error of a tensor from the error of those before it', async () => {
    // What comes in is rounded to whole numbers first; the second pair keeps them as they are.
    const twice = model(
      [1, 4],
      [
        makeNode('QuantizeLinear', ['x', 'one', 'z'], ['q0']),
        makeNode('DequantizeLinear', ['q0', 'one', 'z'], ['x_dequantized']),
        makeNode('Relu', ['x_dequantized'], ['raw'], {}, { name: 'relu' }),
        makeNode('QuantizeLinear', ['raw', 'one', 'z'], ['q']),
        makeNode('DequantizeLinear', ['q', 'one', 'z'], ['r']),
        makeNode('Mul', ['r', 'two'], ['y'], {}, { name: 'double' }),
      ],
      [constant('two', [], [2]), constant('one', [], [1]), byte('z', 0)],
      { y: [1, 4] },
    )
    const tensors = [
      { tensor: 'x', before: 'x', after: 'x_dequantized', scale: 1, zeroPoint: 0, type: 'uint8' as const },
      { ...relu, scale: 1 },
    ]
    const [input, second] = await reportTensors({ float, build: twice, tensors }, samplesOf([10.25, 20, 30, 40]), onnxRuntime)
    expect(input).toMatchObject({ tensor: 'x', node: '', op: '' })
    expect(input!.localSqnrDb).toBeCloseTo(10 * Math.log10((10.25 ** 2 + 400 + 900 + 1600) / 0.0625), 6)
    expect(second!.localSqnrDb).toBeNull()
    expect(second!.sqnrDb).toBeCloseTo(input!.sqnrDb!, 6)
    expect(worstFirst([{ ...second!, sqnrDb: 5 }, input!, { ...second!, sqnrDb: null }]).map(({ sqnrDb }) => sqnrDb)).toEqual([
      5,
      input!.sqnrDb,
      null,
    ])
  })

  it('reports progress, and leaves out what never held a value or is not there', async () => {
    const seen: [number, number][] = []
    const missing = { ...relu, tensor: 'nowhere' }
    const reports = await reportTensors(
      { float, build, tensors: [missing, relu] },
      samplesOf([1, 2, 3, 4], [0, 0, 0, 1]),
      onnxRuntime,
      (...at) => seen.push(at),
    )
    expect(reports.map(({ tensor }) => tensor)).toEqual(['r'])
    expect(seen).toEqual([
      [1, 2],
      [2, 2],
    ])
    expect(await reportTensors({ float, build, tensors: [] }, samplesOf([1, 2, 3, 4]), onnxRuntime)).toEqual([])
  })
})

describe('countSaturated', () => {
  it('counts what rounds to an integer outside the type (worked example)', () => {
    const parameters = { scale: 0.1, zeroPoint: 0 }
    expect(countSaturated(Float32Array.of(25.5, 25.54, 25.56, -0.04, -0.06), parameters, 'uint8')).toBe(2)
    expect(countSaturated(Float32Array.of(12.7, 12.8, -12.8, -12.9), parameters, 'int8')).toBe(2)
  })
})

describe('reportWeights', () => {
  const source = model([1, 2], [makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'layer' })], [constant('w', [2, 2], [1, 2, 3, 4])], {
    y: [1, 2],
  })
  const stored = (values: number[]) => makeTensor('w8', 'int8', [2, 2], Int8Array.from(values))
  const quantized = (values: number[]) =>
    model(
      [1, 2],
      [
        makeNode('DequantizeLinear', ['w8', 'ws', 'wz'], ['wf'], { axis: 1 }),
        makeNode('MatMul', ['x', 'wf'], ['y'], {}, { name: 'layer' }),
      ],
      [stored(values), constant('ws', [2], [0.5, 1]), makeTensor('wz', 'int8', [2], Int8Array.of(0, 1))],
      { y: [1, 2] },
    )

  it('finds weights by node and place, and compares them (worked example)', () => {
    // Columns: (2, 6) × 0.5 = (1, 3); (3, 6) − 1 = (2, 5): 5 instead of 4, noise 1, signal 30.
    const [report, ...others] = reportWeights(source, quantized([2, 3, 6, 6]))
    expect(others).toEqual([])
    expect(report).toMatchObject({ node: 'layer', op: 'MatMul', tensor: 'w' })
    expect(report!.sqnrDb).toBeCloseTo(10 * Math.log10(30), 6)
    expect(reportWeights(source, quantized([2, 3, 6, 5]))).toEqual([{ node: 'layer', op: 'MatMul', tensor: 'w', sqnrDb: null }])
    expect(reportWeights(source, source)).toEqual([])
  })

  it('decodes constants as ONNX Runtime does: per tensor, per axis, in blocks', async () => {
    const shapes = fc.record({
      dims: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 })),
      axis: fc.integer({ min: -3, max: 2 }),
      kind: fc.constantFrom('tensor', 'axis', 'blocks' as const),
      seed: fc.integer({ min: 1, max: 10_000 }),
    })
    await fc.assert(
      fc.asyncProperty(shapes, async ({ dims, axis, kind, seed }) => {
        const count = dims.reduce((product, dim) => product * dim, 1)
        const at = (axis + 3) % 3
        const blockSize = 16
        const scaleDims =
          kind === 'tensor'
            ? []
            : kind === 'axis'
              ? [dims[at]!]
              : dims.map((dim, index) => (index === at ? Math.ceil(dim / blockSize) : dim))
        const scales = scaleDims.reduce((product, dim) => product * dim, 1)
        const values = Int8Array.from({ length: count }, (_, index) => ((index * 37 + seed) % 256) - 128)
        const built = model(
          [1, 1],
          [
            makeNode('DequantizeLinear', ['q', 's', 'z'], ['w'], kind === 'blocks' ? { axis, block_size: blockSize } : { axis }),
            makeNode('Identity', ['x'], ['y']),
          ],
          [
            makeTensor('q', 'int8', dims, values),
            constant(
              's',
              scaleDims,
              Array.from({ length: scales }, (_, index) => (index + 1) / 8),
            ),
            makeTensor(
              'z',
              'int8',
              scaleDims,
              Int8Array.from({ length: scales }, (_, index) => (index * 5 + seed) % 100),
            ),
          ],
          { y: [1, 1], w: dims },
          { opset: 21 },
        )
        const loaded = await onnxRuntime.load(encodeModel(built), { optimization: 'disabled' })
        const { w } = await loaded.run({ x: { type: 'float32', dims: [1, 1], values: Float32Array.of(0) } })
        await loaded.close()
        expect(dequantizedConstant(new Graph(built), 'w')).toEqual(w!.values)
      }),
      { numRuns: 60 },
    )
  })

  it('decodes 4-bit weights, and gives up where anything is not constant', () => {
    const built = model(
      [1, 1],
      [
        makeNode('DequantizeLinear', ['q', 's'], ['w']),
        makeNode('DequantizeLinear', ['x', 's'], ['v']),
        makeNode('Identity', ['x'], ['y']),
      ],
      [constant('s', [], [0.5])],
      { y: [1, 1] },
    )
    // Low half first: −8, 7, 3; the last half is padding.
    const tensor = makeTensor('q', 'uint8', [2], Uint8Array.of(0x78, 0x03))
    built.graph!.initializer.push(Object.assign(tensor, { dataType: 22, dims: [3n] }))
    const graph = new Graph(decodeModel(encodeModel(built), 'm'))
    expect([...dequantizedConstant(graph, 'w')!]).toEqual([-4, 3.5, 1.5])
    expect(dequantizedConstant(graph, 'v')).toBeUndefined()
    expect(dequantizedConstant(graph, 'y')).toBeUndefined()
  })
})

describe('saturationLoss', () => {
  /** One row of 32 products; with both values at their largest two of them exceed 16 bits. */
  const gemm = (weight: number) =>
    encodeModel(
      model(
        [1, 32],
        [
          makeNode('QuantizeLinear', ['x', 's', 'z'], ['xq']),
          makeNode('DequantizeLinear', ['xq', 's', 'z'], ['xd']),
          makeNode('DequantizeLinear', ['w', 's', 'wz'], ['wd']),
          makeNode('MatMul', ['xd', 'wd'], ['raw']),
          makeNode('QuantizeLinear', ['raw', 'ys', 'z'], ['yq']),
          makeNode('DequantizeLinear', ['yq', 'ys', 'z'], ['y']),
        ],
        [
          constant('s', [], [1]),
          byte('z', 0),
          makeTensor('w', 'int8', [32, 16], new Int8Array(512).fill(weight)),
          makeTensor('wz', 'int8', [], Int8Array.of(0)),
          constant('ys', [], [8192]),
        ],
        { y: [1, 16] },
      ),
    )
  const full = samplesOf(new Array(32).fill(255))

  it('is no difference where nothing saturates', async () => {
    expect(await saturationLoss(gemm(60), full, onnxRuntime)).toBeNull()
  })

  it('sees 16-bit saturation where the processor has it', async () => {
    const loss = await saturationLoss(gemm(127), full, onnxRuntime)
    // 32 × 255 × 127 = 1,036,320 exactly; saturated 16 × 32,767 = 524,272: half. Processors with VNNI and arm64 add exactly.
    if (arch === 'x64' && loss !== null) expect(loss).toBeCloseTo(6, 0)
    else expect(loss).toBeNull()
  })
})
