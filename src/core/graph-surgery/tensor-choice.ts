import { CoreError } from '../core-error.ts'
import type { Graph } from '../onnx/graph.ts'
import { quoteName, quoteNames } from '../onnx/quote-name.ts'
import { matchesWildcards } from '../wildcards.ts'
import { nearNames } from './near-names.ts'

/** Names that an error lists where nothing is near. */
const LISTED = 12

/** Tensors of a main graph that can become inputs or outputs: its inputs, then what its nodes write, in file order. */
export function boundaryTensors(graph: Graph): string[] {
  const written = graph.nodes.flatMap(({ output }) => output.filter((name) => name !== ''))
  return [...graph.inputs.map(({ name }) => name), ...written]
}

/**
 * The tensors that names and patterns (`*`, `?`) stand for, each once; those of a pattern in the order of `tensors`. A name
 * that exists is never taken for a pattern.
 *
 * @param what how the message calls them ("input", "output")
 * @throws CoreError `RECIPE_NOT_APPLICABLE` for an entry that stands for none, with names like it
 */
export function chosenTensors(entries: readonly string[], tensors: readonly string[], what: string): string[] {
  const known = new Set(tensors)
  const chosen = new Set<string>()
  for (const entry of entries) {
    const matches = known.has(entry) ? [entry] : /[*?]/.test(entry) ? tensors.filter((name) => matchesWildcards(entry, name)) : []
    if (matches.length === 0) throw unknownTensor(entry, tensors, what)
    for (const name of matches) chosen.add(name)
  }
  return [...chosen]
}

/** An error about a name that is no tensor: says which are like it, or which there are. */
export function unknownTensor(entry: string, tensors: readonly string[], what: string): CoreError {
  const near = nearNames(entry, tensors)
  const others = near.length > 0 ? `Did you mean ${quoteNames(near)}?` : `There are ${quoteNames(tensors, LISTED)}.`
  return new CoreError('RECIPE_NOT_APPLICABLE', `No tensor ${quoteName(entry)} can be ${what}. ${others}`, {
    hint: 'Names are those of the file, with * and ? as wildcards; ONNX viewers such as Netron show them.',
    details: { tensor: entry.slice(0, 1000), near, count: tensors.length },
  })
}
