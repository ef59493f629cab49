import { type Node, Position } from '@xyflow/react'
import type { DrawnGraph } from '../../../contract/analysis.ts'
import { layoutGraph } from '../../../core/graph-drawing/layout-graph.ts'

const NODE_WIDTH = 168
const NODE_HEIGHT = 44
/** Room for edges between lanes and between layers. */
const CELL_WIDTH = NODE_WIDTH + 26
const CELL_HEIGHT = NODE_HEIGHT + 26

/** A node where it is drawn; sizes and handles are given, so that nothing has to be measured in the page. */
export type PlacedNode = Node<{ readonly node: DrawnGraph['nodes'][number] }, 'layer'>

/** Places the nodes of a graph in their cells, in pixels. */
export function placeNodes(graph: DrawnGraph): PlacedNode[] {
  const cells = layoutGraph(graph)
  const handle = { x: NODE_WIDTH / 2, width: 1, height: 1, id: null }
  return graph.nodes.map((node, index) => ({
    id: String(node.id),
    type: 'layer',
    data: { node },
    position: { x: (cells[index]?.x ?? 0) * CELL_WIDTH, y: (cells[index]?.y ?? 0) * CELL_HEIGHT },
    width: NODE_WIDTH,
    height: NODE_HEIGHT,
    handles: [
      { ...handle, type: 'target', position: Position.Top, y: 0 },
      { ...handle, type: 'source', position: Position.Bottom, y: NODE_HEIGHT },
    ],
  }))
}
