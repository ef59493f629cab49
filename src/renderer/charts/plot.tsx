import { type ReactNode, useId, useState } from 'react'
import { ChartSurface } from './chart-surface.tsx'
import { type PlotAxis, positionOn } from './plot-axis.ts'
import { nearestPoint, nextPoint } from './plot-cursor.ts'

/** A point that can be pointed at and read. */
export interface PlotPoint {
  readonly x: number
  readonly y: number
  /** First line is the heading. */
  readonly lines: readonly string[]
}

/** The area between the axes: its size, and where values lie in it, in pixels. */
export interface PlotArea {
  readonly width: number
  readonly height: number
  readonly x: (value: number) => number
  readonly y: (value: number) => number
}

interface PlotProps {
  readonly label: string
  readonly width: number
  readonly height: number
  readonly x: PlotAxis
  readonly y: PlotAxis
  /** In the order the arrow keys go. */
  readonly points: readonly PlotPoint[]
  /** Whether the pointer finds points by their distance along x or in both directions. */
  readonly nearest?: 'x' | 'both'
  /** Told when the cursor moves. */
  readonly onPoint?: ((index: number | null) => void) | undefined
  readonly onChoose?: ((index: number) => void) | undefined
  /** Room for the numbers of the y axis. */
  readonly yWidth?: number
  /** Draws in the area. What is outside of it is cut, except in `over`. */
  readonly children: (area: PlotArea) => ReactNode
  /** Drawn over everything, not cut: labels, handles. */
  readonly over?: (area: PlotArea) => ReactNode
}

const TOP = 8
const RIGHT = 14
const BOTTOM = 38

/** Two axes with a grid, and a cursor that goes from point to point. */
export function Plot(props: PlotProps) {
  const { label, width, height, x, y, points, nearest = 'x', onPoint, onChoose, yWidth = 58, children, over } = props
  const [cursor, setCursor] = useState<number | null>(null)
  const areaWidth = Math.max(10, width - yWidth - RIGHT)
  const areaHeight = Math.max(10, height - TOP - BOTTOM)
  const area: PlotArea = {
    width: areaWidth,
    height: areaHeight,
    x: (value) => positionOn(x, value) * areaWidth,
    y: (value) => (1 - positionOn(y, value)) * areaHeight,
  }
  const placed = points.map((point) => ({ x: area.x(point.x) + yWidth, y: area.y(point.y) + TOP }))
  const at = cursor === null ? undefined : placed[cursor]
  const point = cursor === null ? undefined : points[cursor]
  const clip = useId()
  return (
    <ChartSurface
      label={label}
      width={width}
      height={height}
      cursor={cursor}
      onCursor={(index) => {
        if (index === cursor) return
        setCursor(index)
        onPoint?.(index)
      }}
      tip={at && point ? { x: at.x, y: at.y, lines: point.lines } : null}
      nearest={(px, py) => nearestPoint(placed, px, py, nearest)}
      next={(index, key) => nextPoint(index, key, points.length)}
      onChoose={onChoose}
    >
      <clipPath id={clip}>
        <rect width={areaWidth} height={areaHeight} />
      </clipPath>
      <g transform={`translate(${yWidth} ${TOP})`}>
        <Axes x={x} y={y} area={area} yWidth={yWidth} />
        <g clipPath={`url(#${clip})`}>{children(area)}</g>
        {over?.(area)}
        {point ? (
          <circle
            data-transient
            cx={area.x(point.x)}
            cy={area.y(point.y)}
            r={6}
            fill="none"
            stroke="var(--es-text)"
            strokeWidth={1.6}
            pointerEvents="none"
          />
        ) : null}
      </g>
    </ChartSurface>
  )
}

interface AxesProps {
  readonly x: PlotAxis
  readonly y: PlotAxis
  readonly area: PlotArea
  readonly yWidth: number
}

/** Average width of a digit of the tick labels, pixels. */
const DIGIT = 6.4

function Axes({ x, y, area, yWidth }: AxesProps) {
  const { width, height } = area
  return (
    <g fontSize={11} fill="var(--es-dim)">
      {y.ticks.map((tick) => (
        <g key={tick} transform={`translate(0 ${area.y(tick)})`}>
          <line x2={width} stroke="var(--es-border)" strokeDasharray="2 4" />
          <text x={-7} dy="0.32em" textAnchor="end">
            {y.format(tick)}
          </text>
        </g>
      ))}
      {withoutOverlap(x, area).map((tick) => (
        <g key={tick} transform={`translate(${area.x(tick)} 0)`}>
          <line y2={height} stroke="var(--es-border)" strokeDasharray="2 4" />
          <text y={height + 15} textAnchor="middle">
            {x.format(tick)}
          </text>
        </g>
      ))}
      <line y1={height} y2={height} x2={width} stroke="var(--es-faint)" />
      <text x={width / 2} y={height + 32} textAnchor="middle">
        {x.label}
      </text>
      <text transform={`translate(${11 - yWidth} ${height / 2}) rotate(-90)`} textAnchor="middle">
        {y.label}
      </text>
    </g>
  )
}

/** Ticks whose labels fit beside each other. */
function withoutOverlap(axis: PlotAxis, area: PlotArea): number[] {
  const kept: number[] = []
  let end = Number.NEGATIVE_INFINITY
  for (const tick of [...axis.ticks].sort((a, b) => area.x(a) - area.x(b))) {
    const half = (axis.format(tick).length * DIGIT) / 2
    if (area.x(tick) - half < end + 6) continue
    kept.push(tick)
    end = area.x(tick) + half
  }
  return kept
}
