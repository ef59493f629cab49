import { seriesColor } from './series-color.ts'
import classes from './series-marker.module.css'

/** The number of a row on its colour: the same in charts, table and report. The baseline is a square. */
export function SeriesMarker({ index }: { index: number }) {
  return (
    <span className={index === 0 ? `${classes.marker} ${classes.baseline}` : classes.marker} style={{ background: seriesColor(index) }}>
      {index + 1}
    </span>
  )
}
