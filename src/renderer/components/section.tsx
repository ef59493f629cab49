import type { ReactNode } from 'react'
import { ScrollBox } from './scroll-box.tsx'
import classes from './section.module.css'

interface SectionProps {
  readonly title: string
  /** Small text or controls at the right of the title. */
  readonly aside?: ReactNode
  readonly children: ReactNode
  /** Without the box, for content that has its own (tables that touch the edges). */
  readonly flush?: boolean
}

/** A titled box in a detail panel. */
export function Section({ title, aside, children, flush = false }: SectionProps) {
  return (
    <section className={classes.section} aria-label={title}>
      <div className={classes.head}>
        <h3 className={classes.title}>{title}</h3>
        {aside ? <div className={classes.aside}>{aside}</div> : null}
      </div>
      {flush ? <ScrollBox label={title}>{children}</ScrollBox> : <div className={classes.body}>{children}</div>}
    </section>
  )
}
