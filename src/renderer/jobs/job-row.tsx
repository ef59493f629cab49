import { ActionIcon, Badge, Tooltip } from '@mantine/core'
import { IconPlayerStop } from '@tabler/icons-react'
import type { Job } from '../../contract/job.ts'
import { useAction } from '../backend/use-action.ts'
import { isActive } from '../backend/use-jobs.ts'
import { ProgressLine } from '../components/progress-line.tsx'
import { progressText } from '../components/progress-text.ts'
import { formatElapsed } from '../format/durations.ts'
import { formatExactMoment, formatMoment } from '../format/moments.ts'
import { plainText } from '../format/plain-text.ts'
import classes from './job-row.module.css'
import { JobStateIcon } from './job-state-icon.tsx'

interface JobRowProps {
  readonly job: Job
  readonly now: number
  readonly selected: boolean
  readonly onSelect: () => void
}

/** One job: state, title, progress or outcome, running time, Cancel. */
export function JobRow({ job, now, selected, onSelect }: JobRowProps) {
  const cancel = useAction('jobs.cancel')
  const active = isActive(job)
  return (
    <li
      className={classes.row}
      data-selected={selected || undefined}
      data-testid={`job-${job.id}`}
      data-state={job.state}
      data-kind={job.kind}
    >
      <button type="button" className={classes.main} onClick={onSelect} aria-pressed={selected}>
        <JobStateIcon state={job.state} />
        <span className={classes.text}>
          <span className={classes.head}>
            <span className={`${classes.title} es-ellipsis`}>{plainText(job.title)}</span>
            {job.foreign && active ? (
              <Badge variant="default" color="gray">
                other window or command line
              </Badge>
            ) : null}
          </span>
          {job.state === 'running' ? <ProgressLine job={job} /> : null}
          <span className={`${classes.detail} es-ellipsis`}>{outcome(job)}</span>
        </span>
        <span className={classes.time}>
          <span className="es-num">{runningTime(job, now)}</span>
          <span title={formatExactMoment(job.createdAt)}>{formatMoment(job.createdAt, now)}</span>
        </span>
      </button>
      {active ? (
        <Tooltip label="Cancel">
          <ActionIcon size="sm" aria-label={`Cancel ${job.title}`} onClick={() => cancel.mutate({ id: job.id })} loading={cancel.isPending}>
            <IconPlayerStop size={15} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
      ) : (
        <span className={classes.gap} />
      )}
    </li>
  )
}

/** What the second line says. */
function outcome(job: Job): string {
  if (isActive(job)) return progressText(job)
  if (job.state === 'cancelled') return 'Cancelled'
  if (job.error) return `${plainText(job.error.code, 40)}: ${plainText(job.error.message, 300)}`
  return 'Done'
}

function runningTime(job: Job, now: number): string {
  if (!job.startedAt) return ''
  const end = job.finishedAt ? Date.parse(job.finishedAt) : now
  return formatElapsed(end - Date.parse(job.startedAt))
}
