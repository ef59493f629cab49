import { Graph } from '../../core/onnx/graph.ts'
import { decodeModel } from '../../core/onnx/model-file.ts'
import { rewrittenModel } from './onnx-runtime.ts'

/** What ONNX Runtime makes of weights that are stored in 8 or 4 bits. */
export interface PackedKernels {
  /** Nodes that multiply packed weights (MatMulNBits), by the name of the model's node, sub-graphs included. */
  readonly fused: ReadonlySet<string>
  /** Names of DequantizeLinear nodes that are left: they give floats again in each inference. */
  readonly dequantizers: ReadonlySet<string>
}

/** What ONNX Runtime's own merging of MatMul and Add appends to a node's name. */
const MERGED_SUFFIX = '/MatMulAddFusion'

/**
 * Loads a model as a program would and looks which DequantizeLinear nodes ONNX Runtime fused to MatMulNBits on this computer.
 * @throws EdgesmithError `MODEL_LOAD_FAILED` and relatives
 */
export async function countPackedKernels(model: Uint8Array): Promise<PackedKernels> {
  const rewritten = new Graph(decodeModel(await rewrittenModel(model, 'extended'), 'the rewritten model'))
  const nodes = rewritten.scopes().flatMap((scope) => scope.nodes)
  const named = (op: string): string[] => nodes.filter(({ opType }) => opType === op).map(({ name }) => name)
  return {
    fused: new Set(named('MatMulNBits').map((name) => (name.endsWith(MERGED_SUFFIX) ? name.slice(0, -MERGED_SUFFIX.length) : name))),
    dequantizers: new Set(named('DequantizeLinear')),
  }
}
