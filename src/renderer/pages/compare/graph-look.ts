import type { DrawnGraph } from '../../../contract/analysis.ts'
import { precisionColor } from '../../charts/precision-color.ts'

/** What the colour of a node stands for. */
export type GraphColoring = 'time' | 'precision' | 'sqnr'

type DrawnNode = DrawnGraph['nodes'][number]

/** Colour of a node, and how strong it is (percent of it over the panel); null for one that has no such value. */
export interface NodeLook {
  readonly color: string
  readonly percent: number
}

/** Steps of signal to noise: below the first the output is mostly noise, above the last it is hardly changed. */
export const sqnrSteps: readonly { readonly from: number; readonly color: string; readonly label: string }[] = [
  { from: Number.NEGATIVE_INFINITY, color: 'var(--es-bad)', label: 'below 10 dB' },
  { from: 10, color: 'var(--es-ember)', label: '10 to 20 dB' },
  { from: 20, color: 'var(--es-warn)', label: '20 to 30 dB' },
  { from: 30, color: 'var(--es-good)', label: '30 dB and more' },
]

/** The longest time of a node in some graphs, so that they share a scale. */
export function slowestNodeMs(graphs: readonly DrawnGraph[]): number {
  return graphs.reduce((slowest, { nodes }) => nodes.reduce((most, { ms }) => Math.max(most, ms ?? 0), slowest), 0)
}

/** How a node looks. Time grows with its square root, so that small parts stay visible. */
export function nodeLook(node: DrawnNode, coloring: GraphColoring, slowestMs: number): NodeLook | null {
  switch (coloring) {
    case 'time':
      return node.ms === null || slowestMs <= 0 ? null : { color: 'var(--es-ember)', percent: 6 + 74 * Math.sqrt(node.ms / slowestMs) }
    case 'precision':
      return node.precision === null ? null : { color: precisionColor(node.precision), percent: 34 }
    case 'sqnr': {
      const { sqnrDb } = node
      if (sqnrDb === null) return null
      return { color: sqnrSteps.findLast(({ from }) => sqnrDb >= from)?.color ?? 'var(--es-bad)', percent: 36 }
    }
  }
}
