import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import type { PlotArea } from '../../charts/plot.tsx'
import { type PlotAxis, positionOn, valueAt } from '../../charts/plot-axis.ts'
import classes from './budget-line.module.css'

interface BudgetLineProps {
  readonly axis: PlotAxis
  readonly direction: 'x' | 'y'
  readonly area: PlotArea
  /** Null: no limit; the line waits at the worst end of the axis. */
  readonly value: number | null
  readonly onChange: (value: number | null) => void
  readonly label: string
  readonly text: (value: number) => string
  readonly testId: string
}

/** Steps of the arrow keys, as parts of the axis. */
const STEP = 0.01
const LARGE_STEP = 0.1

/**
 * A limit that is drawn over a plot and moved with the pointer or the arrow keys; Home takes it away. Better is always at the right and
 * at the top, so the worst end is where an axis begins.
 */
export function BudgetLine({ axis, direction, area, value, onChange, label, text, testId }: BudgetLineProps) {
  const handle = useRef<SVGGElement>(null)
  const share = value === null ? 0 : Math.min(1, Math.max(0, positionOn(axis, value)))
  const across = direction === 'x'
  const at = across ? share * area.width : (1 - share) * area.height

  function place(position: number): void {
    // At the very end there is no limit: every point is within.
    onChange(position <= 0.002 ? null : valueAt(axis, Math.min(1, position)))
  }
  function drag(event: PointerEvent<SVGGElement>): void {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    event.stopPropagation()
    const svg = event.currentTarget.ownerSVGElement
    const matrix = (handle.current?.parentNode as SVGGElement | null)?.getScreenCTM()
    if (!svg || !matrix) return
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse())
    place(across ? point.x / area.width : 1 - point.y / area.height)
  }
  function press(event: KeyboardEvent): void {
    const step = event.shiftKey ? LARGE_STEP : STEP
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: step,
      ArrowUp: step,
      ArrowLeft: -step,
      ArrowDown: -step,
      PageUp: LARGE_STEP,
      PageDown: -LARGE_STEP,
      Home: -1,
      End: 1,
    }
    const by = steps[event.key]
    if (by === undefined) return
    event.preventDefault()
    event.stopPropagation()
    place(share + by)
  }
  const shown = value === null ? 'no limit' : text(value)
  return (
    <g
      ref={handle}
      className={`${classes.handle} ${across ? classes.across : classes.along}`}
      transform={across ? `translate(${at} 0)` : `translate(0 ${at})`}
      // A line that limits nothing is a handle, and not part of a copied picture.
      data-transient={value === null || undefined}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-orientation={across ? 'horizontal' : 'vertical'}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      aria-valuetext={shown}
      data-testid={testId}
      data-value={value ?? ''}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        event.stopPropagation()
      }}
      onPointerMove={drag}
      onKeyDown={press}
      onClick={(event) => event.stopPropagation()}
    >
      <line
        x1={0}
        y1={0}
        x2={across ? 0 : area.width}
        y2={across ? area.height : 0}
        stroke="var(--es-ember)"
        strokeWidth={1.6}
        strokeDasharray={value === null ? '2 5' : undefined}
      />
      <line x1={0} y1={0} x2={across ? 0 : area.width} y2={across ? area.height : 0} stroke="transparent" strokeWidth={13} />
      <rect
        className={classes.grip}
        x={across ? -5 : area.width / 2 - 11}
        y={across ? area.height / 2 - 11 : -5}
        width={across ? 10 : 22}
        height={across ? 22 : 10}
        rx={3}
        fill="var(--es-ember)"
      />
      {value === null ? null : (
        <text
          x={across ? (share > 0.75 ? -8 : 8) : area.width - 6}
          y={across ? 12 : share > 0.9 ? 14 : -6}
          textAnchor={across ? (share > 0.75 ? 'end' : 'start') : 'end'}
          fontSize={11}
          fill="var(--es-ember)"
          stroke="var(--es-panel)"
          strokeWidth={3}
          paintOrder="stroke"
        >
          {shown}
        </text>
      )}
    </g>
  )
}
