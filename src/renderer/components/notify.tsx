import { notifications } from '@mantine/notifications'
import type { ReactNode } from 'react'
import type { Job } from '../../contract/job.ts'
import { reportOf } from '../backend/backend-error.ts'
import { plainText } from '../format/plain-text.ts'
import { NoticeText } from './notice-text.tsx'

/** Shows an error until it is closed: nobody should miss what to do about it. */
export function notifyError(error: unknown, title?: string): void {
  const report = reportOf(error)
  notifications.show({
    color: 'red',
    title: title ? plainText(title, 120) : undefined,
    message: <NoticeText text={report.message} hint={report.hint} code={report.code} />,
    autoClose: false,
  })
}

/** Tells that a job failed, once, by its title. */
export function notifyFailedJob(job: Job): void {
  if (!job.error) return
  notifications.show({
    id: `job-${job.id}`,
    color: 'red',
    title: plainText(job.title, 120),
    message: <NoticeText text={job.error.message} hint={job.error.hint} code={job.error.code} />,
    autoClose: false,
  })
}

/** One offer at a time: several of them would fill the corner, and an error behind them would not be seen. */
const OFFER_ID = 'offer'

/** Says that something worked, for a moment; `action` may hold a button. */
export function notifyDone(message: string, action?: ReactNode): void {
  if (action) notifications.hide(OFFER_ID)
  notifications.show({
    ...(action ? { id: OFFER_ID } : {}),
    color: 'teal',
    message: action ? <NoticeText text={message} action={action} /> : plainText(message, 400),
    autoClose: action ? 20_000 : 4000,
  })
}
