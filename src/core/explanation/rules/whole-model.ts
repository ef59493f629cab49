import { TensorProto_DataType as T } from 'onnx-buf'
import type { Graph } from '../../onnx/graph.ts'
import { elementCount } from '../../onnx/tensor-values.ts'
import { findWeights } from '../../onnx/weights.ts'
import { countZeros } from '../../onnx/zero-count.ts'
import { worksIn8Bits } from '../kernel-kinds.ts'
import { kernelLabel, type ModelProfile, mainNode, nodeLabel } from '../model-profile.ts'
import { floatRows, int8Rows, type SlowdownContext, type SlowdownFinding } from '../slowdown-context.ts'
import { counted, inMs, inPercent, someNodes } from '../wording.ts'

/** Matrix layers that gain more than this in 8 bits leave nothing to explain. */
const GOOD_GAIN = 1.5
/** Share of a build's time from which fixed costs or reading weights are worth a word. */
const NOTABLE_SHARE = 0.25
/** More zeros than the baseline by this share of all weights: somebody pruned. */
const PRUNED_SHARE = 0.2
/** The same where the build has 8-bit weights: rounding makes zeros of small ones, up to a quarter was seen. */
const PRUNED_SHARE_8_BIT = 0.4
/** A kernel shorter than this is over before another thread has woken up. */
const SHORT_FOR_THREADS_MS = 0.05

/** Instruction sets for products of 8-bit numbers, by processor: any of them will do. */
const DOT_PRODUCTS: Readonly<Record<string, { readonly any: readonly string[]; readonly words: string }>> = {
  x64: { any: ['avx512_vnni', 'avx_vnni', 'avx_vnni_int8', 'amx_int8'], words: 'VNNI (avx_vnni or avx512_vnni)' },
  arm64: { any: ['asimddp', 'i8mm'], words: 'the dot product extension (asimddp)' },
}

/** A processor without instructions for 8-bit dot products gains little. */
export function missingCpuFeature(context: SlowdownContext): SlowdownFinding[] {
  const { machine } = context
  const needed = DOT_PRODUCTS[machine.architecture]
  if (!needed || machine.features.length === 0 || needed.any.some((feature) => machine.features.includes(feature))) return []
  const rows = int8Rows(context).filter(({ build }) => build.some(({ op }) => /^(QLinearConv|QGemm|.*MatMul.*|ConvInteger)$/.test(op)))
  const [baselineMs, buildMs] = [rows.reduce((sum, row) => sum + row.baselineMs, 0), rows.reduce((sum, row) => sum + row.buildMs, 0)]
  if (rows.length === 0 || buildMs === 0 || baselineMs / buildMs >= GOOD_GAIN) return []
  return [
    {
      rule: 'missing-cpu-feature',
      message: `This processor lacks ${needed.words}, which multiplies and adds four 8-bit numbers at once. Without it the ${counted(rows.length, 'layer')} that ${rows.length === 1 ? 'multiplies' : 'multiply'} in 8 bits ${rows.length === 1 ? 'takes' : 'take'} ${inMs(buildMs)}, against ${inMs(baselineMs)} in the baseline.`,
      nodes: [],
      lostMs: null,
    },
  ]
}

/** Models of many short kernels: most of the time is what every kernel costs. */
export function fixedCosts({ baseline, build, buildMs }: SlowdownContext): SlowdownFinding[] {
  const floor = Math.min(...[...baseline.kernels, ...build.kernels].map(({ ms }) => ms).filter((ms) => ms > 0))
  const fixed = floor * build.kernels.length
  if (!Number.isFinite(floor) || build.kernels.length < 4 || fixed < NOTABLE_SHARE * buildMs) return []
  return [
    {
      rule: 'fixed-costs',
      message: `Calling a kernel costs about ${inMs(floor)} here, whatever it computes. The build runs ${counted(build.kernels.length, 'kernel')} (the baseline ${baseline.kernels.length}), which makes ${inPercent(fixed, buildMs)} of its time: smaller numbers cannot shorten that, fewer layers can.`,
      nodes: [],
      lostMs: null,
    },
  ]
}

/** float16 weights that are computed in float32. */
export function halfComputesInFloat({ build, machine }: SlowdownContext): SlowdownFinding[] {
  const halves = tensorTypes(build.graph).get(T.FLOAT16) ?? 0
  const inHalf = build.kernels.filter(({ op, inputs }) => op !== 'Cast' && inputs.some(({ type }) => type === 'float16'))
  if (halves === 0 || inHalf.length > 0) return []
  return [
    {
      rule: 'half-precision-computes-in-float32',
      message: `The build stores ${counted(halves, 'tensor')} in float16, and ONNX Runtime computes everything in float32 on ${machine.architecture}: the file is smaller, the arithmetic is the baseline's.`,
      nodes: [],
      lostMs: null,
    },
  ]
}

/** Zeros that kernels multiply like any number. */
export function zerosCostTime({ baseline, build }: SlowdownContext): SlowdownFinding[] {
  const [before, after] = [zeroShare(baseline), zeroShare(build)]
  const rounded = [T.INT8, T.UINT8, T.INT4, T.UINT4].some((type) => tensorTypes(build.graph).has(type))
  if (after - before < (rounded ? PRUNED_SHARE_8_BIT : PRUNED_SHARE)) return []
  return [
    {
      rule: 'zeros-cost-time',
      message: `${inPercent(after, 1)} of the weights are zero (${inPercent(before, 1)} in the baseline), and ONNX Runtime's kernels multiply zeros like any number: the download gets smaller, not the work.`,
      nodes: [],
      lostMs: null,
    },
  ]
}

/** One row times a large matrix: the time goes into reading weights. */
export function memoryBound(context: SlowdownContext): SlowdownFinding[] {
  const { build, buildMs } = context
  const rows = floatRows(context).flatMap((row) => {
    const kernel = row.build.find(({ op }) => /^(Fused)?(Gemm|MatMul)$/.test(op))
    const shape = kernel?.inputs[0]?.shape
    const node = kernel?.nodes.find(({ opType }) => opType === 'Gemm' || opType === 'MatMul')
    const weight = node && build.graph.constant(node.input[1] ?? '')
    if (!shape || !weight || weight.dataType !== T.FLOAT || shape.slice(0, -1).some((dim) => dim !== 1)) return []
    return [{ row, bytes: 4 * elementCount(weight.dims) }]
  })
  const ms = rows.reduce((sum, { row }) => sum + row.buildMs, 0)
  if (rows.length === 0 || ms < NOTABLE_SHARE * buildMs) return []
  const bytes = rows.reduce((sum, entry) => sum + entry.bytes, 0)
  const nodes = rows.flatMap(({ row }) => mainNode(row.sources) ?? [])
  return [
    {
      rule: 'memory-bound',
      message: `${counted(rows.length, 'matrix product')} of a single row ${rows.length === 1 ? 'takes' : 'take'} ${inMs(ms)} (${inPercent(ms, buildMs)} of the build), which goes into reading ${(bytes / 1e6).toPrecision(3)} MB of float32 weights (${(bytes / 1e6 / ms).toPrecision(2)} GB/s): ${someNodes(nodes)}. Only weights of fewer bits make that faster.`,
      nodes: nodes.map(nodeLabel),
      lostMs: null,
    },
  ]
}

/** Threads that find nothing to do. */
export function threadsIdle({ build, buildMs, machine }: SlowdownContext): SlowdownFinding[] {
  const mean = buildMs / Math.max(1, build.kernels.length)
  if (machine.threads < 2 || build.kernels.length === 0 || mean >= SHORT_FOR_THREADS_MS) return []
  return [
    {
      rule: 'threads-idle',
      message: `The kernels take ${inMs(mean)} on average, too short for ${machine.threads} threads to share; waking them costs as much. Measure with one thread.`,
      nodes: [],
      lostMs: null,
    },
  ]
}

/** Nothing was changed that decides speed. */
export function sameKernels({ baseline, build }: SlowdownContext): SlowdownFinding[] {
  const [before, after] = [kernelCounts(baseline), kernelCounts(build)]
  if (build.kernels.some(worksIn8Bits) || before !== after) return []
  return [
    {
      rule: 'same-kernels',
      message: `Both models run the same ${counted(build.kernels.length, 'kernel')} in float32 on this computer: there is nothing that could make one faster.`,
      nodes: [],
      lostMs: null,
    },
  ]
}

function kernelCounts({ kernels }: ModelProfile): string {
  const work = (kernel: ModelProfile['kernels'][number]) => kernel.outputs.map(({ shape }) => shape.join('x')).join()
  return kernels
    .map((kernel) => `${kernelLabel(kernel)} ${work(kernel)}`)
    .sort()
    .join('\n')
}

/** Constants of a graph by element type. */
function tensorTypes(graph: Graph): Map<number, number> {
  const counts = new Map<number, number>()
  for (const tensor of findWeights(graph.model).keys()) counts.set(tensor.dataType, (counts.get(tensor.dataType) ?? 0) + 1)
  return counts
}

function zeroShare({ graph }: ModelProfile): number {
  let [zeros, of] = [0, 0]
  for (const weight of findWeights(graph.model).values()) {
    const count = countZeros(weight)
    zeros += count?.zeros ?? 0
    of += count?.of ?? 0
  }
  return of > 0 ? zeros / of : 0
}
