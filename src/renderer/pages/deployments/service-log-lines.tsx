import { memo } from 'react'
import { formatClock, formatExactMoment } from '../../format/moments.ts'
import { plainText } from '../../format/plain-text.ts'
import { type LogLine, logLines } from './log-line.ts'
import classes from './service-log.module.css'

/** Characters of a line. */
const LONGEST = 2000

/** A service's log, line by line: when, what, and the rest of it. */
export const ServiceLogLines = memo(({ text }: { readonly text: string }) => {
  const lines = logLines(text)
  if (lines.length === 0) return <div className="es-dim">The log is empty.</div>
  return lines.map((line, index) => <Line key={index} line={line} />)
})

function Line({ line: { at, level, event, text } }: { line: LogLine }) {
  return (
    <div className={classes.line} data-level={level}>
      {at === null ? null : (
        <span className={classes.at} title={formatExactMoment(at)}>
          {formatClock(at)}
        </span>
      )}
      <span className={classes.text}>
        {event === '' ? null : <strong>{plainText(event, 60)} </strong>}
        {plainText(text, LONGEST)}
      </span>
    </div>
  )
}
