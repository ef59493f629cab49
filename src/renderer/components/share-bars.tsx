import { plainText } from '../format/plain-text.ts'
import classes from './share-bars.module.css'

/** A bar: its name, how long it is, and the number as text. */
export interface ShareBar {
  readonly name: string
  readonly amount: number
  readonly text: string
}

interface ShareBarsProps {
  readonly bars: readonly ShareBar[]
  /** Longest first, at most this many; the rest is counted in one line. */
  readonly limit?: number
}

/** Horizontal bars on one scale: operators, weight types, classes. */
export function ShareBars({ bars, limit = 40 }: ShareBarsProps) {
  const shown = bars.slice(0, limit)
  const longest = Math.max(...shown.map(({ amount }) => amount), Number.MIN_VALUE)
  return (
    <ul className={classes.bars}>
      {shown.map(({ name, amount, text }, index) => (
        <li key={`${index} ${name}`} className={classes.row}>
          <span className={`${classes.name} es-ellipsis`} title={plainText(name)}>
            {plainText(name, 60)}
          </span>
          <span className={classes.track} aria-hidden>
            <span className={classes.bar} style={{ width: `${(amount / longest) * 100}%` }} />
          </span>
          <span className={classes.text}>{text}</span>
        </li>
      ))}
      {bars.length > shown.length ? <li className={classes.rest}>and {bars.length - shown.length} more</li> : null}
    </ul>
  )
}
