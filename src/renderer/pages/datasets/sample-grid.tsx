import { type KeyboardEvent, useRef } from 'react'
import type { SampleView } from '../../../contract/dataset.ts'
import { PictureCanvas } from '../../components/picture-canvas.tsx'
import { nextTile } from './next-tile.ts'
import { sampleCaption } from './sample-caption.ts'
import classes from './sample-grid.module.css'

interface SampleGridProps {
  readonly samples: readonly SampleView[]
  readonly selectedIndex: number | null
  readonly onSelect: (index: number) => void
}

/** Thumbnails in rows: click or arrow keys select, Home and End go to the ends. */
export function SampleGrid({ samples, selectedIndex, onSelect }: SampleGridProps) {
  const grid = useRef<HTMLDivElement>(null)
  function onKeyDown(event: KeyboardEvent): void {
    const tiles = Array.from(grid.current?.querySelectorAll<HTMLElement>('[role=option]') ?? [])
    const at = samples.findIndex(({ index }) => index === selectedIndex)
    const next = nextTile(event.key, at, tiles.length, columnsOf(tiles))
    const sample = next === undefined ? undefined : samples[next]
    if (next === undefined || !sample) return
    event.preventDefault()
    tiles[next]?.focus()
    tiles[next]?.scrollIntoView({ block: 'nearest' })
  }
  return (
    <div className={classes.grid} ref={grid} role="listbox" aria-label="Samples" onKeyDown={onKeyDown} data-testid="sample-grid">
      {samples.map((sample) => (
        <div
          key={sample.index}
          role="option"
          className={classes.tile}
          aria-selected={sample.index === selectedIndex}
          tabIndex={sample.index === selectedIndex ? 0 : -1}
          data-testid={`sample-${sample.index}`}
          onFocus={() => onSelect(sample.index)}
        >
          <div className={classes.picture}>
            {sample.picture ? <PictureCanvas picture={sample.picture} label={null} /> : <span className="es-dim">no image</span>}
          </div>
          <span className={`${classes.caption} es-ellipsis`}>{sampleCaption(sample)}</span>
        </div>
      ))}
    </div>
  )
}

/** Tiles in the first row, by where they stand. */
function columnsOf(tiles: readonly HTMLElement[]): number {
  const top = tiles[0]?.offsetTop
  const other = tiles.findIndex((tile) => tile.offsetTop !== top)
  return other < 0 ? Math.max(1, tiles.length) : other
}
