import classes from './state-dot.module.css'

/** How something is doing. */
export type Condition = 'good' | 'busy' | 'off' | 'bad' | 'warn'

/** A coloured dot with a word: the word carries the meaning. */
export function StateDot({ condition, children }: { condition: Condition; children: string }) {
  return (
    <span className={classes.state}>
      <span className={`${classes.dot} ${classes[condition]}`} aria-hidden />
      {children}
    </span>
  )
}
