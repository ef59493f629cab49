import { useComputedColorScheme } from '@mantine/core'
import { type ReactNode, useMemo, useState } from 'react'
import { ChartSurface } from './chart-surface.tsx'
import { heatMapImage } from './heat-map-image.ts'

/** The frame around the cells, in pixels. */
export interface HeatMapMargins {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

interface HeatMapProps {
  readonly label: string
  readonly rows: number
  readonly columns: number
  readonly width: number
  readonly height: number
  readonly margins: HeatMapMargins
  /** Strength of a cell, 0 to 1, and the CSS variable of its colour. */
  readonly cell: (row: number, column: number) => { readonly strength: number; readonly color: HeatMapColor }
  readonly lines: (row: number, column: number) => readonly string[]
  readonly onChoose?: ((row: number, column: number) => void) | undefined
  /** Axes and labels, in the coordinates of the whole drawing; `size` is that of a cell. */
  readonly children: (size: { readonly width: number; readonly height: number }) => ReactNode
}

/** Colours that cells may have. */
export type HeatMapColor = '--es-series-0' | '--es-bad' | '--es-good'

/** A grid of cells, row 0 at the top. Drawn as one picture, so that 40,000 cells cost as much as ten. */
export function HeatMap(props: HeatMapProps) {
  const { label, rows, columns, width, height, margins, cell, lines, onChoose, children } = props
  const scheme = useComputedColorScheme('light')
  const [cursor, setCursor] = useState<number | null>(null)
  // The colours behind the variables change with the scheme.
  const href = useMemo(() => heatMapImage(rows, columns, cell), [rows, columns, cell, scheme])
  const size = { width: (width - margins.left - margins.right) / columns, height: (height - margins.top - margins.bottom) / rows }
  const place = cursor === null ? null : { row: Math.floor(cursor / columns), column: cursor % columns }
  const left = (column: number) => margins.left + column * size.width
  const top = (row: number) => margins.top + row * size.height
  return (
    <ChartSurface
      label={label}
      width={width}
      height={height}
      cursor={cursor}
      onCursor={setCursor}
      tip={
        place
          ? { x: left(place.column) + size.width / 2, y: top(place.row) + size.height / 2, lines: lines(place.row, place.column) }
          : null
      }
      nearest={(x, y) => {
        const [column, row] = [Math.floor((x - margins.left) / size.width), Math.floor((y - margins.top) / size.height)]
        return column >= 0 && column < columns && row >= 0 && row < rows ? row * columns + column : null
      }}
      next={(index, key) => nextCell(index, key, rows, columns)}
      onChoose={onChoose ? (index) => onChoose(Math.floor(index / columns), index % columns) : undefined}
    >
      <image
        href={href}
        x={margins.left}
        y={margins.top}
        width={size.width * columns}
        height={size.height * rows}
        preserveAspectRatio="none"
        style={{ imageRendering: 'pixelated' }}
      />
      <rect
        x={margins.left}
        y={margins.top}
        width={size.width * columns}
        height={size.height * rows}
        fill="none"
        stroke="var(--es-border)"
      />
      {children(size)}
      {place ? (
        <rect
          data-transient
          x={left(place.column)}
          y={top(place.row)}
          width={size.width}
          height={size.height}
          fill="none"
          stroke="var(--es-text)"
          strokeWidth={1.5}
          pointerEvents="none"
        />
      ) : null}
    </ChartSurface>
  )
}

function nextCell(index: number | null, key: string, rows: number, columns: number): number | undefined {
  const steps: Readonly<Record<string, readonly [number, number]>> = {
    ArrowRight: [0, 1],
    ArrowLeft: [0, -1],
    ArrowDown: [1, 0],
    ArrowUp: [-1, 0],
    PageDown: [10, 0],
    PageUp: [-10, 0],
    Home: [0, -columns],
    End: [0, columns],
  }
  const step = steps[key]
  if (!step) return undefined
  if (index === null) return 0
  const row = Math.min(rows - 1, Math.max(0, Math.floor(index / columns) + step[0]))
  const column = Math.min(columns - 1, Math.max(0, (index % columns) + step[1]))
  return row * columns + column
}
