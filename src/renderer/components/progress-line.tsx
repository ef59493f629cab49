import type { Job } from '../../contract/job.ts'
import classes from './progress-line.module.css'
import { progressShare } from './progress-text.ts'

/** A thin progress bar; it moves without a length while the total is not known, and rests while the job waits. */
export function ProgressLine({ job }: { job: Job }) {
  const share = progressShare(job)
  const moving = share === null && job.state === 'running'
  return (
    <div
      className={classes.track}
      role="progressbar"
      aria-label={job.title}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}
    >
      <div
        className={moving ? `${classes.bar} ${classes.moving}` : classes.bar}
        style={{ width: moving ? '30%' : `${(share ?? 0) * 100}%` }}
      />
    </div>
  )
}
