import { ActionIcon } from '@mantine/core'
import { IconAlertTriangle, IconBan, IconX } from '@tabler/icons-react'
import { reportOf } from '../backend/backend-error.ts'
import { plainText } from '../format/plain-text.ts'
import classes from './error-notice.module.css'

interface ErrorNoticeProps {
  readonly error: unknown
  readonly onClose?: () => void
}

/** An error for people: code, what happened, what to do. */
export function ErrorNotice({ error, onClose }: ErrorNoticeProps) {
  const report = reportOf(error)
  // The user wanted it: no alarm.
  const cancelled = report.code === 'JOB_CANCELLED'
  const Icon = cancelled ? IconBan : IconAlertTriangle
  return (
    <div
      className={cancelled ? `${classes.notice} ${classes.calm}` : classes.notice}
      role={cancelled ? 'status' : 'alert'}
      data-testid="error-notice"
      data-code={report.code}
    >
      <Icon size={16} stroke={1.8} className={classes.icon} aria-hidden />
      <div className={classes.text}>
        <div className="es-wrap">{plainText(report.message, 1000)}</div>
        {report.hint ? <div className={`${classes.hint} es-wrap`}>{plainText(report.hint, 1000)}</div> : null}
        <div className={classes.code}>{plainText(report.code, 60)}</div>
      </div>
      {onClose ? (
        <ActionIcon size="sm" aria-label="Dismiss" onClick={onClose}>
          <IconX size={14} />
        </ActionIcon>
      ) : null}
    </div>
  )
}
