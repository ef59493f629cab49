import type { Job } from '../../../contract/job.ts'
import { isActive, useJobs } from '../../backend/use-jobs.ts'

/** Jobs of some procedures that have not ended, newest first. */
export function useMeasuringJobs(kinds: readonly string[]): Job[] {
  const { data: jobs } = useJobs()
  return (jobs ?? []).filter((job) => kinds.includes(job.kind) && isActive(job))
}
