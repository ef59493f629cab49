import { ActionIcon, Loader, Tooltip } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import type { Job } from '../../contract/job.ts'
import { storedError } from '../backend/backend-error.ts'
import { useCall } from '../backend/use-call.ts'
import { isActive } from '../backend/use-jobs.ts'
import { ErrorNotice } from '../components/error-notice.tsx'
import { formatClock } from '../format/moments.ts'
import { plainText } from '../format/plain-text.ts'
import classes from './job-log.module.css'

/** Lines drawn at most; the newest are kept. */
const MAX_LINES = 2000

/** What a job wrote, and its error when it failed. Read again when the job enters another phase and when it ends. */
export function JobLog({ job }: { job: Job }) {
  const log = useCall('jobs.log', { id: job.id })
  const box = useRef<HTMLDivElement>(null)
  const stage = `${job.state} ${job.progress?.phase ?? ''}`
  const seen = useRef(stage)
  const { refetch } = log
  useEffect(() => {
    if (seen.current === stage) return
    seen.current = stage
    void refetch()
  }, [stage, refetch])
  const lines = (log.data ?? []).slice(-MAX_LINES)
  useEffect(() => {
    if (box.current && lines.length > 0) box.current.scrollTop = box.current.scrollHeight
  }, [lines.length])
  return (
    <section className={classes.log} aria-label="Log">
      <div className={classes.head}>
        <span className="es-ellipsis">Log · {plainText(job.title)}</span>
        <Tooltip label="Read again">
          <ActionIcon size="sm" aria-label="Read the log again" onClick={() => void refetch()}>
            {log.isFetching ? <Loader size={12} /> : <IconRefresh size={14} />}
          </ActionIcon>
        </Tooltip>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard */}
      <div className={classes.lines} ref={box} tabIndex={0} data-testid="job-log">
        {job.error ? <ErrorNotice error={storedError(job.error)} /> : null}
        {log.isError ? <ErrorNotice error={log.error} /> : null}
        {lines.map((line, index) => (
          <div key={index} className={classes.line}>
            <span className={classes.at}>{formatClock(line.at)}</span>
            <span className="es-wrap">{plainText(line.text, 2000)}</span>
          </div>
        ))}
        {log.data && lines.length === 0 ? (
          <div className="es-dim">{isActive(job) ? 'Nothing written yet.' : 'This job wrote nothing.'}</div>
        ) : null}
      </div>
    </section>
  )
}
