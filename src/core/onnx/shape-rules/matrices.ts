import type { ElementType } from '../data-types.ts'
import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'
import { broadcastShapes, type Dim, type Shape } from '../shapes.ts'

/** Shape of numpy.matmul(a, b): batch dimensions broadcast, a vector's added dimension goes away again. */
export function matMulShape(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (!a || !b || a.length === 0 || b.length === 0) return undefined
  const left: Shape = a.length === 1 ? [1, ...a] : a
  const right: Shape = b.length === 1 ? [...b, 1] : b
  const inner = [left.at(-1), right.at(-2)]
  if (typeof inner[0] === 'number' && typeof inner[1] === 'number' && inner[0] !== inner[1]) return undefined
  const batch = broadcastShapes([left.slice(0, -2), right.slice(0, -2)])
  return batch && [...batch, ...(a.length === 1 ? [] : [left.at(-2)]), ...(b.length === 1 ? [] : [right.at(-1)])]
}

function matMul(b: number, type: (call: OpCall) => ElementType | undefined): ShapeRule {
  return (call) => [{ type: type(call), shape: matMulShape(call.shape(0), call.shape(b)) }]
}

/** com.microsoft.FusedMatMul: either side may be transposed; with transposed batches the layout is another one. */
function fusedMatMul(call: OpCall): OutputFacts {
  const type = call.type(0)
  if (call.int('transBatchA', 0) || call.int('transBatchB', 0)) return [{ type }]
  return [
    { type, shape: matMulShape(transposeLast(call.shape(0), call.int('transA', 0)), transposeLast(call.shape(1), call.int('transB', 0))) },
  ]
}

function transposeLast(shape: Shape | undefined, flag: number): Shape | undefined {
  if (!shape || flag === 0 || shape.length < 2) return shape
  return [...shape.slice(0, -2), shape.at(-1), shape.at(-2)]
}

function gemm(b: number, type: (call: OpCall) => ElementType | undefined): ShapeRule {
  return (call) => {
    const left = transposeLast(call.shape(0), call.int('transA', 0))
    const right = transposeLast(call.shape(b), call.int('transB', 0))
    return [{ type: type(call), shape: left?.length === 2 && right?.length === 2 ? matMulShape(left, right) : undefined }]
  }
}

/** A [..., M, K] times a packed matrix of N columns. */
function matMulNBits(call: OpCall): OutputFacts {
  const a = call.shape(0)
  const n = call.int('N', 0)
  return [{ type: call.type(0), shape: a && a.length > 0 && n > 0 ? [...a.slice(0, -1), n] : undefined }]
}

/** Dimension of each label of an einsum equation without ellipsis, `undefined` when the equation or a shape is not understood. */
export function einsumDims(call: OpCall): { readonly output: string; readonly dims: ReadonlyMap<string, Dim> } | undefined {
  const equation = call.text('equation', '').replace(/\s/g, '')
  const match = /^([A-Za-z]+(?:,[A-Za-z]+)*)(?:->([A-Za-z]*))?$/.exec(equation)
  if (!match) return undefined
  const terms = (match[1] as string).split(',')
  const dims = new Map<string, Dim>()
  for (const [index, term] of terms.entries()) {
    const shape = call.shape(index)
    if (!shape || shape.length !== term.length) return undefined
    for (const [axis, label] of [...term].entries()) {
      const [known, dim] = [dims.get(label), shape[axis]]
      dims.set(label, known === undefined || known === 1 ? dim : known)
    }
  }
  const letters = terms.join('')
  const once = [...new Set(letters)].filter((label) => letters.split(label).length === 2).sort()
  return { output: match[2] ?? once.join(''), dims }
}

function einsum(call: OpCall): OutputFacts {
  const found = einsumDims(call)
  return [{ type: call.type(0), shape: found && [...found.output].map((label) => found.dims.get(label)) }]
}

function det(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  return [{ type: call.type(0), shape: shape && shape.length >= 2 ? shape.slice(0, -2) : undefined }]
}

function firstType(call: OpCall): ElementType | undefined {
  return call.type(0)
}

/** Matrix products. */
export const matrixRules: Readonly<Record<string, ShapeRule>> = {
  MatMul: matMul(1, firstType),
  MatMulInteger: matMul(1, () => 'int32'),
  // A, scale, zero point, B, scale, zero point, Y scale, Y zero point
  QLinearMatMul: matMul(3, (call) => call.type(7) ?? call.type(0)),
  Gemm: gemm(1, firstType),
  Einsum: einsum,
  Det: det,
  'com.microsoft.FusedMatMul': fusedMatMul,
  'com.microsoft.FusedGemm': gemm(1, firstType),
  'com.microsoft.DynamicQuantizeMatMul': matMul(1, () => 'float32'),
  'com.microsoft.MatMulIntegerToFloat': matMul(1, (call) => call.type(2) ?? 'float32'),
  'com.microsoft.MatMulNBits': matMulNBits,
  // A, scale, zero point, B, scale, zero point, C, Y scale, Y zero point
  'com.microsoft.QGemm': gemm(3, (call) => (call.has(8) ? call.type(8) : 'float32')),
}
