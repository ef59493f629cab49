import { useEffect } from 'react'
import { storedError } from '../../backend/backend-error.ts'
import { jobResult } from '../../backend/job-result.ts'
import { isActive, useJob } from '../../backend/use-jobs.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import classes from './deployments-page.module.css'

interface DeployProgressProps {
  readonly jobId: string | null
  readonly onDone: (deploymentId: string) => void
  readonly onClose: () => void
}

/** The deployment that was started here, until it is done. */
export function DeployProgress({ jobId, onDone, onClose }: DeployProgressProps) {
  const job = useJob(jobId)
  const deploymentId = jobResult(job, 'deploy.start')?.id
  useEffect(() => {
    if (deploymentId !== undefined) onDone(deploymentId)
  }, [deploymentId])
  if (!job || (!isActive(job) && !job.error)) return null
  return (
    <div className={classes.progress}>
      {job.error ? <ErrorNotice error={storedError(job.error)} onClose={onClose} /> : <JobProgress job={job} />}
    </div>
  )
}
