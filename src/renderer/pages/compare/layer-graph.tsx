import '@xyflow/react/dist/style.css'
import { Controls, type Edge, ReactFlow, ReactFlowProvider, useReactFlow } from '@xyflow/react'
import { useEffect, useMemo, useRef } from 'react'
import type { DrawnGraph } from '../../../contract/analysis.ts'
import { plainText } from '../../format/plain-text.ts'
import type { GraphColoring } from './graph-look.ts'
import { GraphLookContext } from './graph-look-context.ts'
import { GraphNode } from './graph-node.tsx'
import { type PlacedNode, placeNodes } from './graph-places.ts'
import classes from './layers-view.module.css'

const nodeTypes = { layer: GraphNode }

interface LayerGraphProps {
  readonly graph: DrawnGraph
  readonly coloring: GraphColoring
  readonly slowestMs: number
  readonly selected: string | null
  readonly onSelect: (layer: string) => void
  readonly label: string
}

/** A graph to pan and zoom; only what is in view is in the page, so that ten thousand nodes move smoothly. */
export function LayerGraph(props: LayerGraphProps) {
  return (
    <ReactFlowProvider>
      <Drawing {...props} />
    </ReactFlowProvider>
  )
}

function Drawing({ graph, coloring, slowestMs, selected, onSelect, label }: LayerGraphProps) {
  const nodes = useMemo(() => placeNodes(graph), [graph])
  const edges = useMemo<Edge[]>(
    () => graph.edges.map(([from, to]) => ({ id: `${from}-${to}`, source: String(from), target: String(to), type: 'default' })),
    [graph],
  )
  const look = useMemo(() => ({ coloring, slowestMs, selected }), [coloring, slowestMs, selected])
  const flow = useReactFlow<PlacedNode>()
  /** A node that was clicked here stays where it is; the other graph goes to its counterpart. */
  const clicked = useRef<string | null>(null)
  useEffect(() => {
    if (selected === null) return
    if (clicked.current === selected) {
      clicked.current = null
      return
    }
    const node = nodes.find(({ data }) => data.node.layer === selected) ?? nodes.find(({ data }) => data.node.name === selected)
    if (!node) return
    // At once: an animated jump zooms out over what lies between, which would draw all of a large graph.
    void flow.setCenter(node.position.x + (node.width ?? 0) / 2, node.position.y + (node.height ?? 0) / 2, {
      zoom: Math.max(0.8, flow.getZoom()),
    })
  }, [selected, nodes, flow])
  return (
    <GraphLookContext value={look}>
      <section className={classes.flow} aria-label={`Graph of ${plainText(label, 80)}`}>
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          onNodeClick={(_, { data: { node } }) => {
            const layer = node.layer ?? node.name
            clicked.current = layer
            onSelect(layer)
          }}
          onlyRenderVisibleElements
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          disableKeyboardA11y
          defaultViewport={{ x: 24, y: 16, zoom: 0.9 }}
          minZoom={0.15}
          maxZoom={2}
          proOptions={{ hideAttribution: true }}
        >
          <Controls showInteractive={false} fitViewOptions={{ minZoom: 0.15 }} />
        </ReactFlow>
      </section>
    </GraphLookContext>
  )
}
