import type { NodeProto } from 'onnx-buf'

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
  const named = (name: string): boolean => names.has(name) || patterns.some((pattern) => matchesGlob(name, pattern))
  return ({ name, opType }) =>
    names.has(opType) || named(name) || (name.endsWith(MERGED_SUFFIX) && named(name.slice(0, -MERGED_SUFFIX.length)))
}

/** Greedy with one step back to the last `*`: at most name × pattern steps, whatever a recipe file holds. */
export function matchesGlob(name: string, pattern: string): boolean {
  let [at, star, resume] = [0, -1, 0]
  for (let index = 0; index < name.length; ) {
    if (at < pattern.length && pattern[at] !== '*' && (pattern[at] === '?' || pattern[at] === name[index])) {
      at++
      index++
    } else if (pattern[at] === '*') {
      star = at++
      resume = index
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
