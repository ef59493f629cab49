import type { QueryClient } from '@tanstack/react-query'
import type { Job } from '../../contract/job.ts'
import { call } from './call.ts'

/** How many jobs the tray shows. */
const JOB_LIMIT = 200

export const jobsKey = ['jobs.list'] as const

/** Jobs that events brought since the running fetch began: they are newer than what it answers. */
const arrived = new Map<string, Job>()

/** Puts newer versions of jobs into a list (newest first), adding those it does not have. */
export function withJobs(list: readonly Job[], newer: Iterable<Job>): Job[] {
  const merged = new Map(list.map((job) => [job.id, job]))
  for (const job of newer) merged.set(job.id, job)
  return [...merged.values()].sort((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, JOB_LIMIT)
}

/** All recent jobs, with everything that events told meanwhile. */
export async function fetchJobs(): Promise<Job[]> {
  arrived.clear()
  const list = await call('jobs.list', { limit: JOB_LIMIT })
  return withJobs(list, arrived.values())
}

/** Takes a job from an event into the list that is shown. */
export function receiveJob(client: QueryClient, job: Job): void {
  arrived.set(job.id, job)
  client.setQueryData<Job[]>(jobsKey, (list) => (list ? withJobs(list, [job]) : list))
}
