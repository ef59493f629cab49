import { memo } from 'react'
import type { DeviceLogLine } from '../../../contract/device-link.ts'
import { formatClock, formatExactMoment } from '../../format/moments.ts'
import { plainText } from '../../format/plain-text.ts'
import classes from './device-log.module.css'

/** Characters of a line; the backend cuts there as well. */
const LONGEST = 2000

/** The lines of a log. Text of devices is text from strangers: shown plainly, whatever it holds. */
export const DeviceLogLines = memo(({ lines }: { readonly lines: readonly DeviceLogLine[] }) =>
  lines.length === 0 ? (
    <div className={classes.empty}>Nothing happened yet. Connections, what is sent, and measurements are written here.</div>
  ) : (
    lines.map((line) => <LogLine key={line.number} line={line} />)
  ),
)

const LogLine = memo(({ line: { at, text } }: { readonly line: DeviceLogLine }) => (
  <div className={classes.line}>
    <span className={classes.at} title={formatExactMoment(at)}>
      {formatClock(at)}
    </span>
    <span className={classes.text}>{plainText(text, LONGEST)}</span>
  </div>
))
