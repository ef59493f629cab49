import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { Job } from '../../contract/job.ts'
import { fetchJobs, jobsKey } from './job-cache.ts'

/** Queued or running. */
export function isActive(job: Job): boolean {
  return job.state === 'queued' || job.state === 'running'
}

/** All recent jobs, newest first; kept up to date by events. */
export function useJobs(): UseQueryResult<Job[]> {
  return useQuery({ queryKey: jobsKey, queryFn: fetchJobs })
}

/** One job by its id, as events bring it; undefined while it is not known. */
export function useJob(id: string | null): Job | undefined {
  const { data: jobs } = useJobs()
  return id === null ? undefined : jobs?.find((job) => job.id === id)
}

/** Jobs of one procedure that have not ended. */
export function useActiveJobs(kind: string): Job[] {
  const { data: jobs } = useJobs()
  return (jobs ?? []).filter((job) => job.kind === kind && isActive(job))
}
