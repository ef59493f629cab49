import type { ReactNode } from 'react'
import classes from './facts.module.css'

/** One line of {@link Facts}: a label and its value. */
export interface Fact {
  readonly label: string
  readonly value: ReactNode
  /** Long values (paths, hashes, lists) take the whole width. */
  readonly wide?: boolean
}

/** Labels and values in as many columns as fit. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(({ label, value, wide }) => (
        <div key={label} className={wide ? `${classes.fact} ${classes.wide}` : classes.fact}>
          <dt>{label}</dt>
          <dd className="es-wrap">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
