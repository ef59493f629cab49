import type { Job } from '../../contract/job.ts'
import { type JobProcedureName, type JobResult, procedures } from '../../contract/procedures.ts'

/** The result of a succeeded job of that procedure; undefined when it has none, is of another kind or was made by another version. */
export function jobResult<N extends JobProcedureName>(job: Job | undefined, name: N): JobResult<N> | undefined {
  if (job?.state !== 'succeeded' || job.kind !== name) return undefined
  const parsed = procedures[name].job.safeParse(job.result)
  return parsed.success ? (parsed.data as JobResult<N>) : undefined
}
