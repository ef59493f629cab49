import type { NodeProto } from 'onnx-buf'
import { matchesWildcards } from '../wildcards.ts'

/** Suffix of the Gemm that ONNX Runtime makes of MatMul and Add; people know the MatMul's name. */
const MERGED_SUFFIX = '/MatMulAddFusion'

/**
 * Whether a node is to be left alone: it matches one of `exclude`, or `include` is given and it matches none of it.
 * An entry is an operator type, a node name, or a pattern for names in which `*` stands for any characters, `?` for one.
 */
export function exclusion(exclude: readonly string[], include: readonly string[] = []): (node: NodeProto) => boolean {
  const [excluded, included] = [matcher(exclude), matcher(include)]
  return (node) => excluded(node) || (include.length > 0 && !included(node))
}

function matcher(entries: readonly string[]): (node: NodeProto) => boolean {
  const names = new Set(entries)
  const patterns = entries.filter((entry) => /[*?]/.test(entry))
  const named = (name: string): boolean => names.has(name) || patterns.some((pattern) => matchesWildcards(pattern, name))
  return ({ name, opType }) =>
    names.has(opType) || named(name) || (name.endsWith(MERGED_SUFFIX) && named(name.slice(0, -MERGED_SUFFIX.length)))
}
