import { totalmem } from 'node:os'
import type { NodeProto, TensorProto } from 'onnx-buf'
import type { MachinePeak } from '../../contract/analysis.ts'
import type { NamedTensors, TensorValues } from '../../core/inference-runtime.ts'
import { makeModel, makeNode, makeValueInfo } from '../../core/onnx/builders.ts'
import type { ElementType } from '../../core/onnx/data-types.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../core/onnx/tensor-values.ts'
import { profileNodes } from '../runtimes/node-profile.ts'

/** Side of the matrices: products enough to drown every set-up (57 million), and done before another program gets its turn (1.5 ms at 40 GMAC/s). */
const SIDE = 384
/** Values of a vector: three of 32 MB, beyond the caches of what we run on; of 16 MB where memory is short. */
const MOST_VALUES = 2 ** 23
const FEW_VALUES = 2 ** 22
const SHORT_MEMORY = 2 ** 31
/** Each probe runs again and again for this long, and its fastest run counts: neighbours only ever make a machine look slower. */
const PROBE_MS = 350
const MOST_RUNS = 200

/**
 * What this machine can do at most with so many threads, through the same runtime as models: float32 and 8-bit matrix products, and
 * bytes read and written by an addition of vectors beyond the cache. Times are those of ONNX Runtime's profiler for the fastest of
 * many runs; a second and a half in all.
 *
 * @param progress called between runs; may throw to stop
 */
export async function measureMachinePeak(threads: number, progress: (done: number, total: number) => void): Promise<MachinePeak> {
  const values = totalmem() < SHORT_MEMORY ? FEW_VALUES : MOST_VALUES
  const probes = [floatProduct(), integerProduct(), vectorAddition(values)]
  const fastest: number[] = []
  for (const [index, probe] of probes.entries()) {
    const { kernels } = await profileNodes(probe.model, probe.feeds, {
      threads,
      runs: MOST_RUNS,
      warmupRuns: 2,
      budgetMs: PROBE_MS,
      combine: (us) => Math.min(...us),
      onRun: (done, total) => progress(index + done / total, probes.length),
    })
    fastest.push(Math.min(...kernels.flatMap(({ op, ms }) => (op === probe.op && ms > 0 ? ms : []))))
  }
  const [floatMs, integerMs, vectorMs] = fastest as [number, number, number]
  return {
    gmacsFloat32: SIDE ** 3 / floatMs / 1e6,
    // A runtime may run the product under another name.
    gmacsInt8: Number.isFinite(integerMs) ? SIDE ** 3 / integerMs / 1e6 : null,
    // Two vectors read, one written.
    gbPerSecond: (3 * 4 * values) / vectorMs / 1e6,
  }
}

interface Probe {
  readonly op: string
  readonly model: Uint8Array
  readonly feeds: NamedTensors
}

interface ProbeInput {
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly values: TensorValues
}

/** float32 [384,384] × constant [384,384]. */
function floatProduct(): Probe {
  const weight = makeTensor('w', 'float32', [SIDE, SIDE], new Float32Array(SIDE * SIDE).fill(1 / SIDE))
  const input = { type: 'float32' as const, dims: [SIDE, SIDE], values: new Float32Array(SIDE * SIDE).fill(0.5) }
  return probe('MatMul', [makeNode('MatMul', ['x', 'w'], ['y'])], input, [weight], { type: 'float32', dims: [SIDE, SIDE] })
}

/** uint8 [384,384] × constant int8 [384,384] to int32: what every 8-bit kernel does inside. */
function integerProduct(): Probe {
  const weight = makeTensor('w', 'int8', [SIDE, SIDE], new Int8Array(SIDE * SIDE).fill(3))
  const input = { type: 'uint8' as const, dims: [SIDE, SIDE], values: new Uint8Array(SIDE * SIDE).fill(7) }
  return probe('MatMulInteger', [makeNode('MatMulInteger', ['x', 'w'], ['y'])], input, [weight], { type: 'int32', dims: [SIDE, SIDE] })
}

/** Vectors made and reduced inside the graph, so that nothing large crosses into JavaScript. */
function vectorAddition(values: number): Probe {
  const nodes = [
    makeNode('Expand', ['x', 'size'], ['a']),
    makeNode('Neg', ['a'], ['b']),
    makeNode('Add', ['a', 'b'], ['c']),
    makeNode('Add', ['c', 'a'], ['d']),
    makeNode('ReduceMax', ['d'], ['y'], { keepdims: 0 }),
  ]
  const input = { type: 'float32' as const, dims: [1], values: Float32Array.of(1) }
  return probe('Add', nodes, input, [makeInt64('size', [1], [values])], { type: 'float32', dims: [] })
}

function probe(
  op: string,
  nodes: readonly NodeProto[],
  input: ProbeInput,
  initializers: readonly TensorProto[],
  output: { readonly type: ElementType; readonly dims: readonly number[] },
): Probe {
  const model = makeModel({
    nodes,
    initializers,
    inputs: [makeValueInfo('x', input.type, input.dims)],
    outputs: [makeValueInfo('y', output.type, output.dims)],
  })
  return { op, model: encodeModel(model), feeds: { x: input } }
}
