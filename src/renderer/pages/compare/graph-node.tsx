import { Handle, type NodeProps, Position } from '@xyflow/react'
import { memo, use } from 'react'
import { formatMs } from '../../format/durations.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatDecibels } from '../../format/shares.ts'
import { nodeLook } from './graph-look.ts'
import { GraphLookContext } from './graph-look-context.ts'
import type { PlacedNode } from './graph-places.ts'
import classes from './layers-view.module.css'

/** A node of a graph: operator, name, time; nodes without a counterpart have a border of their own. */
export const GraphNode = memo(function GraphNode({ data: { node } }: NodeProps<PlacedNode>) {
  const { coloring, slowestMs, selected } = use(GraphLookContext)
  const look = nodeLook(node, coloring, slowestMs)
  const isSelected = selected !== null && (node.layer ?? node.name) === selected
  // What the runtime fused into another node of its own graph has no time; only what takes some stands out.
  const border = node.layer !== null ? '' : node.ms === null ? classes.fused : classes.unmatched
  const facts = [
    plainText(node.name, 300),
    node.ms === null ? 'computed as part of another node' : formatMs(node.ms),
    node.precision ?? '',
    node.sqnrDb === null ? '' : formatDecibels(node.sqnrDb),
    node.layer === null ? 'without a counterpart' : '',
  ]
  return (
    <div
      className={`${classes.node} ${border}`}
      style={look ? { background: `color-mix(in srgb, ${look.color} ${look.percent.toFixed(0)}%, var(--es-panel))` } : undefined}
      data-selected={isSelected || undefined}
      data-layer={node.layer ?? undefined}
      title={facts.filter(Boolean).join('\n')}
    >
      <Handle type="target" position={Position.Top} className={classes.port} isConnectable={false} />
      <span className={classes.op}>
        <span className="es-ellipsis">{plainText(node.op, 30)}</span>
        <span className="es-num">{node.ms === null ? '' : formatMs(node.ms)}</span>
      </span>
      <span className={`${classes.nodeName} es-ellipsis`}>{plainText(node.name, 60)}</span>
      <Handle type="source" position={Position.Bottom} className={classes.port} isConnectable={false} />
    </div>
  )
})
