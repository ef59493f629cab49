import { useEffect } from 'react'
import type { Deployed } from '../../../contract/deployment.ts'
import { storedError } from '../../backend/backend-error.ts'
import { jobResult } from '../../backend/job-result.ts'
import { isActive, useJob } from '../../backend/use-jobs.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { deployFailure } from './deploy-failure.ts'
import classes from './deployments-page.module.css'
import { FailureLog } from './failure-log.tsx'
import { GateChecks } from './versions/gate-checks.tsx'

interface DeployProgressProps {
  readonly jobId: string | null
  readonly onDone: (deployed: Deployed) => void
  readonly onClose: () => void
}

/** The deployment that was started here, until it is done; what was checked and the log where it failed. */
export function DeployProgress({ jobId, onDone, onClose }: DeployProgressProps) {
  const job = useJob(jobId)
  const deployed = jobResult(job, 'deploy.start')
  useEffect(() => {
    if (deployed) onDone(deployed)
  }, [deployed?.id])
  if (!job || (!isActive(job) && !job.error)) return null
  const { checks, log } = deployFailure(job.error?.details)
  return (
    <div className={classes.progress}>
      {job.error ? (
        <>
          <ErrorNotice error={storedError(job.error)} onClose={onClose} />
          {checks.length > 0 ? (
            <details>
              <summary className={classes.summary}>What was checked</summary>
              <GateChecks checks={checks} />
            </details>
          ) : null}
          <FailureLog text={log} />
        </>
      ) : (
        <JobProgress job={job} />
      )}
    </div>
  )
}
