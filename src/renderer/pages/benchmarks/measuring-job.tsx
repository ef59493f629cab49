import { Loader } from '@mantine/core'
import { storedError } from '../../backend/backend-error.ts'
import { isActive, useJob } from '../../backend/use-jobs.ts'
import detailClasses from '../../components/detail.module.css'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'

/** A measurement on its way, or one that failed; its result takes this place when it is there. `what` names it: run, evaluation, profile. */
export function MeasuringJob({ jobId, what }: { jobId: string; what: string }) {
  const job = useJob(jobId)
  return (
    <div className={detailClasses.sections} data-testid="measuring-job" data-state={job?.state ?? 'unknown'}>
      {job && isActive(job) ? (
        <>
          <JobProgress job={job} />
          <p className="es-dim">Nothing else of Edgesmith runs on that machine meanwhile. The job goes on when you look at another page.</p>
        </>
      ) : job?.state === 'succeeded' ? (
        // The list is on its way.
        <Loader size="sm" />
      ) : job?.error ? (
        <ErrorNotice error={storedError(job.error)} />
      ) : (
        <p className="es-dim">{job?.state === 'cancelled' ? `This ${what} was cancelled.` : `This ${what} is not in the workspace.`}</p>
      )}
    </div>
  )
}
