import type { ReactNode } from 'react'
import { plainText } from '../format/plain-text.ts'
import classes from './notice-text.module.css'

interface NoticeTextProps {
  readonly text: string
  readonly hint?: string | undefined
  readonly code?: string
  readonly action?: ReactNode
}

/** The body of a notification. */
export function NoticeText({ text, hint, code, action }: NoticeTextProps) {
  return (
    <div className={classes.body}>
      <div className="es-wrap">{plainText(text, 600)}</div>
      {hint ? <div className="es-wrap es-dim">{plainText(hint, 600)}</div> : null}
      {code ? <div className={classes.code}>{plainText(code, 60)}</div> : null}
      {action ? <div className={classes.action}>{action}</div> : null}
    </div>
  )
}
