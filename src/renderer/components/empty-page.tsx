import type { IconBox } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import classes from './empty-page.module.css'

interface EmptyPageProps {
  readonly Icon: typeof IconBox
  readonly title: string
  /** What belongs here and how it gets here, in two sentences. */
  readonly children: ReactNode
  readonly actions?: ReactNode
  readonly testId?: string
}

/** What a page shows before there is anything to show. */
export function EmptyPage({ Icon, title, children, actions, testId }: EmptyPageProps) {
  return (
    <div className={classes.empty} data-testid={testId}>
      <div className={classes.icon}>
        <Icon size={26} stroke={1.4} aria-hidden />
      </div>
      <h2 className={classes.title}>{title}</h2>
      <div className={classes.text}>{children}</div>
      {actions ? <div className={classes.actions}>{actions}</div> : null}
    </div>
  )
}
