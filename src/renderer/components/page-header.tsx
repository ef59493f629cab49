import type { ReactNode } from 'react'
import classes from './page-header.module.css'

interface PageHeaderProps {
  readonly title: string
  /** Shown beside the title: tabs, a filter. */
  readonly children?: ReactNode
  /** Buttons at the right end. */
  readonly actions?: ReactNode
}

/** The bar at the top of a page. */
export function PageHeader({ title, children, actions }: PageHeaderProps) {
  return (
    <header className={classes.header}>
      <h1 className={classes.title}>{title}</h1>
      <div className={classes.middle}>{children}</div>
      <div className={classes.actions}>{actions}</div>
    </header>
  )
}
