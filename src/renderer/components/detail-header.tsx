import type { ReactNode } from 'react'
import { plainText } from '../format/plain-text.ts'
import classes from './detail-header.module.css'

interface DetailHeaderProps {
  readonly title: string
  /** Under the title: a state, an address. */
  readonly subtitle?: ReactNode
  readonly actions?: ReactNode
}

/** Name and actions at the top of a detail panel. */
export function DetailHeader({ title, subtitle, actions }: DetailHeaderProps) {
  return (
    <div className={classes.header}>
      <div className={classes.names}>
        <h2 className={`${classes.title} es-ellipsis`} title={plainText(title)}>
          {plainText(title, 120)}
        </h2>
        {subtitle ? <div className={classes.subtitle}>{subtitle}</div> : null}
      </div>
      {actions ? <div className={classes.actions}>{actions}</div> : null}
    </div>
  )
}
