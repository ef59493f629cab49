import { type NodeProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { floatToHalf } from '../float16.ts'
import { type Graph, intAttribute } from '../onnx/graph.ts'
import { elementCount, floatValues } from '../onnx/tensor-values.ts'
import type { SkippedNode } from '../quantization/fusable-units.ts'

/** A weight that may be pruned: an initializer, or the tensor inside a Constant node. What is written to it is written to the model. */
export interface PrunableWeight {
  readonly tensor: TensorProto
  /** Its values as float32; written back with {@link storeValues}. */
  readonly values: Float32Array
  /** Nodes that multiply with it, with the graph each stands in. */
  readonly users: readonly { readonly scope: Graph; readonly node: NodeProto }[]
}

/** What may be pruned in a model and its sub-graphs, in graph order. */
export interface PruningCandidates {
  readonly weights: readonly PrunableWeight[]
  /** Nodes whose weights those are, by name. */
  readonly pruned: readonly string[]
  readonly skipped: readonly SkippedNode[]
}

/** Which input of an operator holds its weights. Bias and normalization are few values that matter much. */
const WEIGHT_SLOT: ReadonlyMap<string, number> = new Map([
  ['Conv', 1],
  ['ConvTranspose', 1],
  ['Gemm', 1],
  ['MatMul', 1],
])

/**
 * Finds the weights of Conv (depthwise ones left out), ConvTranspose, Gemm and MatMul.
 *
 * @param scopes the main graph and its sub-graphs
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when there are none, with the reasons
 */
export function findPrunable(scopes: readonly Graph[], excluded: (node: NodeProto) => boolean): PruningCandidates {
  const candidates = scopes.flatMap((scope) =>
    scope.nodes
      .filter(({ opType, domain }) => WEIGHT_SLOT.has(opType) && (domain === '' || domain === 'ai.onnx'))
      .map((node) => ({ scope, node, tensor: floatConstant(scope, node.input[WEIGHT_SLOT.get(node.opType)!] ?? '') })),
  )
  const untouchable = new Set(candidates.filter(({ node }) => excluded(node)).map(({ tensor }) => tensor))
  const weights = new Map<TensorProto, { values: Float32Array; users: { scope: Graph; node: NodeProto }[] }>()
  const pruned: string[] = []
  const skipped: SkippedNode[] = []
  for (const { scope, node, tensor } of candidates) {
    const reason = skipReason(node, tensor, { excluded: excluded(node), shared: untouchable.has(tensor) })
    if (reason !== undefined) skipped.push({ node: node.name, op: node.opType, reason })
    else if (tensor) {
      pruned.push(node.name)
      const known = weights.get(tensor) ?? { values: floatValues(tensor), users: [] }
      known.users.push({ scope, node })
      weights.set(tensor, known)
    }
  }
  if (weights.size === 0) throw nothingToPrune(skipped)
  return { weights: [...weights].map(([tensor, { values, users }]) => ({ tensor, values, users })), pruned, skipped }
}

function nothingToPrune(skipped: readonly SkippedNode[]): CoreError {
  const reasons = skipped.slice(0, 5).map(({ node, op, reason }) => `${op} "${node}": ${reason}`)
  return new CoreError(
    'RECIPE_NOT_APPLICABLE',
    `The model has no Conv, Gemm or MatMul with constant floating point weights to prune. ${reasons.join('; ')}`.trim(),
    {
      details: { skipped: skipped.length },
    },
  )
}

function skipReason(
  node: NodeProto,
  tensor: TensorProto | undefined,
  { excluded, shared }: { readonly excluded: boolean; readonly shared: boolean },
): string | undefined {
  if (excluded) return 'excluded by the recipe'
  if (!tensor) return 'its weights are computed while the model runs, or are no floating point values'
  if (elementCount(tensor.dims) === 0) return 'it has no weights'
  if (isDepthwise(node, tensor)) return 'a depthwise convolution has few weights, and each of them matters'
  return shared ? 'it shares its weights with a node that is left as it is' : undefined
}

/**
 * One filter for each channel: 5 % of the weights of the project's mobile network, and half pruned they cost more accuracy
 * than all others together.
 */
function isDepthwise(node: NodeProto, { dims }: TensorProto): boolean {
  const group = intAttribute(node, 'group', 1)
  return node.opType === 'Conv' && group > 1 && Number(dims[0]) === group && dims[1] === 1n
}

function floatConstant(scope: Graph, name: string): TensorProto | undefined {
  const tensor = scope.constant(name)
  const { FLOAT, FLOAT16, DOUBLE } = TensorProto_DataType
  return tensor && [FLOAT, FLOAT16, DOUBLE].includes(tensor.dataType) ? tensor : undefined
}

/** Share of values that are zero. */
export function zeroShare(weights: readonly PrunableWeight[]): number {
  const total = weights.reduce((sum, { values }) => sum + values.length, 0)
  const zeros = weights.reduce((sum, { values }) => sum + values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0), 0)
  return zeros / total
}

/** Sets those elements of a floating point tensor to zero that are zero in `values`. The bytes read from the file stay as they are. */
export function zeroWhere(tensor: TensorProto, values: Float32Array): void {
  const typed = [tensor.floatData, tensor.int32Data, tensor.doubleData].find((list) => list.length > 0)
  const raw = typed ? new Uint8Array() : new Uint8Array(tensor.rawData)
  const bytesEach = raw.length / values.length
  for (let index = 0; index < values.length; index++) {
    if (values[index] !== 0) continue
    if (typed) typed[index] = 0
    else raw.fill(0, index * bytesEach, (index + 1) * bytesEach)
  }
  if (!typed) tensor.rawData = raw
}

/** Gives a floating point tensor other values, in its own type. */
export function storeValues(tensor: TensorProto, values: Float32Array): void {
  const stored = inTypeOf(tensor, values)
  ;[tensor.floatData, tensor.int32Data, tensor.doubleData] = [[], [], []]
  tensor.rawData = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength).slice()
}

function inTypeOf({ dataType }: TensorProto, values: Float32Array): Float32Array | Float64Array | Uint16Array {
  if (dataType === TensorProto_DataType.FLOAT16) return Uint16Array.from(values, floatToHalf)
  return dataType === TensorProto_DataType.DOUBLE ? Float64Array.from(values) : values
}
