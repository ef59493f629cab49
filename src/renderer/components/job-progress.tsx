import { Button } from '@mantine/core'
import type { Job } from '../../contract/job.ts'
import { useAction } from '../backend/use-action.ts'
import { formatElapsed } from '../format/durations.ts'
import { plainText } from '../format/plain-text.ts'
import { useNow } from '../hooks/use-now.ts'
import classes from './job-progress.module.css'
import { ProgressLine } from './progress-line.tsx'
import { progressText } from './progress-text.ts'

/** A running or waiting job where its result will be: what it does, how far it is, Cancel. */
export function JobProgress({ job }: { job: Job }) {
  const now = useNow(1000)
  const cancel = useAction('jobs.cancel')
  const since = job.startedAt ?? job.createdAt
  return (
    <div className={classes.box} data-testid="job-progress">
      <div className={classes.head}>
        <span className={`${classes.title} es-ellipsis`}>{plainText(job.title)}</span>
        <Button variant="default" size="compact-xs" onClick={() => cancel.mutate({ id: job.id })} loading={cancel.isPending}>
          Cancel
        </Button>
      </div>
      <ProgressLine job={job} />
      <div className={classes.foot}>
        <span className="es-ellipsis">{progressText(job)}</span>
        <span className="es-num">{formatElapsed(now - Date.parse(since))}</span>
      </div>
    </div>
  )
}
