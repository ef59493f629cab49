import type { CorrespondingKernels } from './corresponding-nodes.ts'
import type { ModelProfile, ProfiledKernel } from './model-profile.ts'

/**
 * Groups of kernels as they follow each other: in graph order of the baseline; what only one runtime added, or only the build has,
 * comes right behind what ran before it there.
 */
export function inGraphOrder(rows: readonly CorrespondingKernels[], baseline: ModelProfile, build: ModelProfile): CorrespondingKernels[] {
  const placeOf = new Map(
    baseline.graph
      .scopes()
      .flatMap(({ nodes }) => [...nodes])
      .map((node, place) => [node, place]),
  )
  const places = new Map<CorrespondingKernels, number>()
  for (const row of rows) {
    if (row.sources.length > 0)
      places.set(
        row,
        row.sources.reduce((first, node) => Math.min(first, placeOf.get(node)!), placeOf.size),
      )
  }
  placeBehind(rows, 'baseline', baseline.kernels, places)
  placeBehind(rows, 'build', build.kernels, places)
  return [...rows].sort((a, b) => (places.get(a) ?? placeOf.size) - (places.get(b) ?? placeOf.size))
}

/** Half a place behind the row whose kernel ran last before the row's first. */
function placeBehind(
  rows: readonly CorrespondingKernels[],
  side: 'baseline' | 'build',
  kernels: readonly ProfiledKernel[],
  places: Map<CorrespondingKernels, number>,
): void {
  const rowOf = new Map(rows.flatMap((row) => row[side].map((kernel) => [kernel, row] as const)))
  let before = -1
  for (const kernel of kernels) {
    const row = rowOf.get(kernel)
    if (!row) continue
    if (!places.has(row)) places.set(row, before + 0.5)
    // Kernels of one row may be apart; only what has a place of its own in the model moves on.
    if (row.sources.length > 0) before = Math.floor(places.get(row)!)
  }
}
