import type { Job } from '../../contract/job.ts'
import { ProgressLine } from '../components/progress-line.tsx'
import { progressText } from '../components/progress-text.ts'
import { formatElapsed } from '../format/durations.ts'
import { plainText } from '../format/plain-text.ts'
import { useNow } from '../hooks/use-now.ts'
import classes from './job-summary.module.css'

/** The job that runs now, in one line; says so when there is none. */
export function JobSummary({ job, others }: { job: Job | undefined; others: number }) {
  const now = useNow(job ? 1000 : null)
  if (!job) return <div className={`${classes.summary} es-dim`}>Nothing is running</div>
  return (
    <div className={classes.summary} data-testid="job-summary">
      <span className={`${classes.title} es-ellipsis`}>{plainText(job.title)}</span>
      <div className={classes.line}>
        <ProgressLine job={job} />
      </div>
      <span className={`${classes.phase} es-ellipsis es-dim`}>{progressText(job)}</span>
      <span className="es-num es-dim">{formatElapsed(now - Date.parse(job.startedAt ?? job.createdAt))}</span>
      {others > 0 ? <span className="es-dim es-num">+{others}</span> : null}
    </div>
  )
}
