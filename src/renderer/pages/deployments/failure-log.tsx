import { CopyValue } from '../../components/copy-value.tsx'
import classes from './service-log.module.css'
import { ServiceLogLines } from './service-log-lines.tsx'

/** The end of a service's log when a release failed, closed until somebody wants to read it. Nothing where there is none. */
export function FailureLog({ text }: { text: string }) {
  if (text.trim() === '') return null
  return (
    <details>
      <summary className={classes.summary}>Log at that time</summary>
      <div className={classes.excerpt}>
        <div
          className={classes.excerptLines}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label="Log at that time"
          data-testid="failure-log"
        >
          <ServiceLogLines text={text} />
        </div>
        <div className={classes.copy}>
          <CopyValue value={text} what="log" />
        </div>
      </div>
    </details>
  )
}
