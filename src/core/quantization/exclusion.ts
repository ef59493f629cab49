import type { NodeProto } from 'onnx-buf'

/** Suffix of the Gemm that ONNX Runtime makes of MatMul and Add; people know the MatMul's name. */
const MERGED_SUFFIX = '/MatMulAddFusion'

/** Whether a node is among those to leave alone: by its name, or by its operator type. */
export function exclusion(exclude: readonly string[]): (node: NodeProto) => boolean {
  const names = new Set(exclude)
  return ({ name, opType }) =>
    names.has(opType) || names.has(name) || (name.endsWith(MERGED_SUFFIX) && names.has(name.slice(0, -MERGED_SUFFIX.length)))
}
