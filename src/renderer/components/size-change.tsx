import { formatBytes } from '../format/bytes.ts'
import classes from './size-change.module.css'

/** Two bars on one scale: the file before and after. */
export function SizeChange({ before, after }: { before: number; after: number }) {
  const longest = Math.max(before, after, 1)
  return (
    <div className={classes.bars}>
      <span className="es-dim">Before</span>
      <span className={classes.bar} style={{ width: `${(before / longest) * 100}%` }} aria-hidden />
      <span className="es-num">{formatBytes(before)}</span>
      <span className="es-dim">After</span>
      <span className={`${classes.bar} ${classes.after}`} style={{ width: `${(after / longest) * 100}%` }} aria-hidden />
      <span className="es-num">{formatBytes(after)}</span>
    </div>
  )
}
