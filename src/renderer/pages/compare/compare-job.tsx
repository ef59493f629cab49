import { Button, Group, Loader } from '@mantine/core'
import { useLocation } from 'wouter'
import { storedError } from '../../backend/backend-error.ts'
import { isActive, useJob } from '../../backend/use-jobs.ts'
import detailClasses from '../../components/detail.module.css'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'

/** A comparison that is being measured, or that failed; its result takes this place when it is there. */
export function CompareJob({ jobId }: { jobId: string | null }) {
  const [, navigate] = useLocation()
  const job = useJob(jobId)
  return (
    <div className={detailClasses.sections}>
      {job && isActive(job) ? (
        <>
          <JobProgress job={job} />
          <p className="es-dim">
            Models are measured in turns, in blocks of a fresh process each, so that a machine that becomes warmer or busier treats all of
            them alike. Nothing else is run on that machine meanwhile.
          </p>
        </>
      ) : job?.state === 'succeeded' ? (
        // The list of comparisons is on its way.
        <Loader size="sm" />
      ) : job?.error ? (
        <ErrorNotice error={storedError(job.error)} />
      ) : (
        <p className="es-dim">This comparison is not in the workspace.</p>
      )}
      {job && (isActive(job) || job.state === 'succeeded') ? null : (
        <Group>
          <Button variant="default" onClick={() => navigate('/compare/new')}>
            New comparison
          </Button>
        </Group>
      )}
    </div>
  )
}
