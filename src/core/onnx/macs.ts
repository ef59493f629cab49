import type { OpCall } from './op-call.ts'
import { einsumDims } from './shape-rules/matrices.ts'
import { recurrentSizes } from './shape-rules/recurrent.ts'
import { type Dim, elementsOf, type Shape, type TensorFact } from './shapes.ts'

/** Counts multiply-accumulates from shapes; `undefined` where one is not known. */
type MacRule = (call: OpCall, output: Shape | undefined) => number | undefined

/**
 * Multiply-accumulates of one run of a node: a bias, activations and element-wise work are not counted.
 *
 * Worked example: Conv, output [1,16,28,28], weight [16,1,3,3] → 1·16·28·28 · (1·3·3) = 112,896.
 *
 * @param output what is known of the node's first output
 * @returns 0 for operators that do no matrix work, `null` for one that does and whose shapes are not known
 */
export function countMacs(call: OpCall, output: TensorFact | undefined): number | null {
  const { domain, opType } = call.node
  const key = domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`
  const rule = macRules.get(key)
  if (!rule) return uncountable.has(key) ? null : 0
  const macs = rule(call, output?.shape)
  return macs !== undefined && Number.isSafeInteger(macs) ? macs : null
}

function times(...factors: Dim[]): number | undefined {
  return factors.every((factor) => typeof factor === 'number') ? factors.reduce((product, factor) => product * factor, 1) : undefined
}

/** Output elements × weight elements that make one of them: [M, C/group, k…] without M. */
function convolution(weight: number): MacRule {
  return (call, output) => times(elementsOf(output), elementsOf(call.shape(weight)?.slice(1)))
}

/** Every input element meets [M/group, k…] weights. */
function convTranspose(call: OpCall): number | undefined {
  return times(elementsOf(call.shape(0)), elementsOf(call.shape(1)?.slice(1)))
}

/** Output elements × inner dimension (the last of A, or the one before it when A is transposed). */
function matrix(transposed?: string): MacRule {
  return (call, output) => {
    const a = call.shape(0)
    const inner = transposed !== undefined && call.int(transposed, 0) !== 0 ? a?.at(-2) : a?.at(-1)
    return times(elementsOf(output), inner)
  }
}

/** Steps × batch × directions × gates × hidden × (input + hidden). */
function recurrent(gates: number): MacRule {
  return (call) => {
    const x = call.shape(0)
    const { directions, hidden } = recurrentSizes(call)
    const width = x?.[2]
    if (x?.length !== 3 || typeof width !== 'number' || typeof hidden !== 'number') return undefined
    return times(x[0], x[1], directions, gates, hidden, width + hidden)
  }
}

/** Two operands: one multiply-accumulate for every combination of all labels. */
function einsum(call: OpCall): number | undefined {
  if (call.inputCount !== 2) return undefined
  const found = einsumDims(call)
  return found && times(...found.dims.values())
}

const macRules: ReadonlyMap<string, MacRule> = new Map(
  Object.entries<MacRule>({
    Conv: convolution(1),
    ConvInteger: convolution(1),
    QLinearConv: convolution(3),
    'com.microsoft.FusedConv': convolution(1),
    ConvTranspose: convTranspose,
    Gemm: matrix('transA'),
    MatMul: matrix(),
    MatMulInteger: matrix(),
    QLinearMatMul: matrix(),
    Einsum: einsum,
    LSTM: recurrent(4),
    GRU: recurrent(3),
    RNN: recurrent(1),
    'com.microsoft.DynamicQuantizeLSTM': (call, output) => (call.attribute('hidden_size') ? recurrent(4)(call, output) : undefined),
    'com.microsoft.FusedMatMul': matrix('transA'),
    'com.microsoft.FusedGemm': matrix('transA'),
    'com.microsoft.QGemm': matrix('transA'),
    'com.microsoft.DynamicQuantizeMatMul': matrix(),
    'com.microsoft.MatMulIntegerToFloat': matrix(),
    'com.microsoft.MatMulNBits': matrix(),
  }),
)

/** Operators that do matrix work in a way this file does not count. */
const uncountable: ReadonlySet<string> = new Set([
  'Attention',
  'DeformConv',
  ...[
    ...['Attention', 'QAttention', 'MultiHeadAttention', 'GroupQueryAttention', 'DecoderAttention', 'DecoderMaskedMultiHeadAttention'],
    ...['DecoderMaskedSelfAttention', 'LongformerAttention', 'PackedAttention', 'PackedMultiHeadAttention', 'SparseAttention'],
    ...[
      'QOrderedAttention',
      'QOrderedMatMul',
      'NhwcConv',
      'NhwcFusedConv',
      'NhwcQLinearConv',
      'QLinearConvTranspose',
      'ConvTransposeWithDynamicPads',
    ],
    ...[
      'TransposeMatMul',
      'MatMulBnb4',
      'MatMulFpQ4',
      'GemmFloat8',
      'GemmFastGelu',
      'SparseToDenseMatMul',
      'QuickAttention',
      'MoE',
      'QMoE',
    ],
    ...['ConvInteger', 'AttnLSTM', 'CDist'],
  ].map((op) => `com.microsoft.${op}`),
])
