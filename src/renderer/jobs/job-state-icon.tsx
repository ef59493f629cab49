import { Loader } from '@mantine/core'
import { IconAlertCircle, IconBan, IconCircleCheck, IconClock } from '@tabler/icons-react'
import type { JobState } from '../../contract/job.ts'

/** The state of a job as a sign; each has its own shape. */
export function JobStateIcon({ state }: { state: JobState }) {
  switch (state) {
    case 'queued':
      return <IconClock size={16} stroke={1.7} color="var(--es-dim)" aria-label="Waiting" />
    case 'running':
      return <Loader size={15} aria-label="Running" />
    case 'succeeded':
      return <IconCircleCheck size={16} stroke={1.7} color="var(--es-good)" aria-label="Succeeded" />
    case 'failed':
      return <IconAlertCircle size={16} stroke={1.7} color="var(--es-bad)" aria-label="Failed" />
    case 'cancelled':
      return <IconBan size={16} stroke={1.7} color="var(--es-dim)" aria-label="Cancelled" />
  }
}
