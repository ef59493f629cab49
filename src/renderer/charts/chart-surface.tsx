import { type KeyboardEvent, type PointerEvent, type ReactNode, useState } from 'react'
import classes from './chart-surface.module.css'

/** What is said about the place under the cursor. */
export interface ChartTip {
  /** Place in pixels. */
  readonly x: number
  readonly y: number
  /** First line is the heading. */
  readonly lines: readonly string[]
}

interface ChartSurfaceProps {
  /** What the chart shows, for screen readers. */
  readonly label: string
  readonly width: number
  readonly height: number
  readonly cursor: number | null
  readonly onCursor: (index: number | null) => void
  readonly tip: ChartTip | null
  /** What the pointer is at; null for nothing. */
  readonly nearest: (x: number, y: number) => number | null
  /** Where a key leads; undefined for keys that do nothing here. */
  readonly next: (index: number | null, key: string) => number | undefined
  /** Enter or a click on what is under the cursor. */
  readonly onChoose?: ((index: number) => void) | undefined
  readonly children: ReactNode
}

/** The drawing of a chart with its cursor: by pointer, or by arrow keys, Home and End when it has the focus; what it is at is said aloud. */
export function ChartSurface(props: ChartSurfaceProps) {
  const { label, width, height, cursor, onCursor, tip, nearest, next, onChoose, children } = props
  const [said, setSaid] = useState(false)

  function move(event: PointerEvent<HTMLDivElement>): void {
    const box = event.currentTarget.getBoundingClientRect()
    setSaid(false)
    onCursor(nearest(event.clientX - box.left, event.clientY - box.top))
  }
  function press(event: KeyboardEvent<HTMLDivElement>): void {
    // Keys inside a handle of the chart belong to the handle.
    if (event.target !== event.currentTarget) return
    const chosen = (event.key === 'Enter' || event.key === ' ') && cursor !== null && onChoose !== undefined
    const index = event.key === 'Escape' ? null : next(cursor, event.key)
    if (!chosen && index === undefined) return
    event.preventDefault()
    if (chosen) onChoose(cursor)
    else if (index !== undefined) {
      setSaid(true)
      onCursor(index)
    }
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms; this groups the parts of a drawing
    <div
      className={classes.surface}
      style={{ width, height }}
      role="group"
      aria-label={`${label}. Arrow keys go from point to point.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: points have to be reachable by keyboard
      tabIndex={0}
      onKeyDown={press}
      onPointerMove={move}
      onPointerLeave={() => onCursor(null)}
      onBlur={() => onCursor(null)}
      onClick={() => {
        if (cursor !== null) onChoose?.(cursor)
      }}
    >
      <svg
        data-chart
        width={width}
        height={height}
        role="presentation"
        className={onChoose && cursor !== null ? classes.choice : undefined}
      >
        {children}
      </svg>
      {tip ? (
        <div
          className={classes.tip}
          aria-hidden
          style={{
            left: tip.x,
            top: tip.y,
            transform: `translate(${tip.x > width / 2 ? 'calc(-100% - 12px)' : '12px'}, ${tip.y > height / 2 ? 'calc(-100% - 6px)' : '6px'})`,
          }}
        >
          {tip.lines.map((line, index) => (
            <div key={line} className={index === 0 ? classes.heading : undefined}>
              {line}
            </div>
          ))}
        </div>
      ) : null}
      <div className={classes.said} aria-live="polite">
        {said && tip ? tip.lines.join(', ') : ''}
      </div>
    </div>
  )
}
