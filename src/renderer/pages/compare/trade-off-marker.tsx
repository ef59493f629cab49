import { plainText } from '../../format/plain-text.ts'
import { markerColor, type PlottedPoint } from './plotted-point.ts'

interface TradeOffMarkerProps {
  readonly cx: number | undefined
  readonly cy: number | undefined
  readonly point: PlottedPoint
  readonly pointed: boolean
}

/** The number of a row at its place, square for the baseline, with its name where there is room or when it is pointed at. */
export function TradeOffMarker({ cx, cy, point, pointed }: TradeOffMarkerProps) {
  if (cx === undefined || cy === undefined) return null
  const color = markerColor(point)
  const label = point.label ?? (pointed ? point.pointedLabel : null)
  return (
    <g>
      {pointed ? <circle cx={cx} cy={cy} r={14} fill="none" stroke={color} strokeWidth={1.5} opacity={0.6} /> : null}
      {point.index === 0 ? (
        <rect x={cx - 9} y={cy - 9} width={18} height={18} rx={3} fill={color} stroke="var(--es-panel)" strokeWidth={1.5} />
      ) : (
        <circle cx={cx} cy={cy} r={9.5} fill={color} stroke="var(--es-panel)" strokeWidth={1.5} />
      )}
      <text pointerEvents="none" x={cx} y={cy + 3.8} textAnchor="middle" fontSize={10.5} fontWeight={700} fill="var(--es-panel)">
        {point.index + 1}
      </text>
      {label ? (
        <text
          pointerEvents="none"
          x={cx + label.dx}
          y={cy + label.dy}
          textAnchor={label.anchor}
          fontSize={11.5}
          fill={point.dominatedBy !== null && point.index !== 0 ? 'var(--es-dim)' : 'var(--es-text)'}
          stroke="var(--es-panel)"
          strokeWidth={3}
          paintOrder="stroke"
        >
          {plainText(point.row.model, 32)}
        </text>
      ) : null}
    </g>
  )
}
