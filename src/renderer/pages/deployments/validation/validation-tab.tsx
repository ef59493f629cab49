import { Select } from '@mantine/core'
import { useState } from 'react'
import type { Deployment } from '../../../../contract/deployment.ts'
import { storedError } from '../../../backend/backend-error.ts'
import { startedWith } from '../../../backend/started-jobs.ts'
import { useCall } from '../../../backend/use-call.ts'
import { isActive, useJobs } from '../../../backend/use-jobs.ts'
import { AsyncView } from '../../../components/async-view.tsx'
import detailClasses from '../../../components/detail.module.css'
import { ErrorNotice } from '../../../components/error-notice.tsx'
import { JobProgress } from '../../../components/job-progress.tsx'
import { formatExactMoment } from '../../../format/moments.ts'
import { formatCounted } from '../../../format/numbers.ts'
import classes from './validation.module.css'
import { ValidationForm } from './validation-form.tsx'
import { ValidationResult } from './validation-result.tsx'

/** Checks a service before production, and keeps what was found. */
export function ValidationTab({ deployment, running }: { deployment: Deployment; running: boolean }) {
  const validations = useCall('validations.list', { deploymentId: deployment.id })
  const { data: jobs } = useJobs()
  const [chosen, setChosen] = useState<string | null>(null)
  const [dismissed, setDismissed] = useState<string | null>(null)
  const last = jobs?.find(({ id, kind }) => kind === 'validate.start' && startedWith(id, 'validate.start')?.deploymentId === deployment.id)
  const active = last && isActive(last) ? last : undefined
  const failed = last?.error && last.id !== dismissed ? last.error : null
  return (
    <div className={detailClasses.sections}>
      {active ? <JobProgress job={active} /> : null}
      {failed ? <ErrorNotice error={storedError(failed)} onClose={() => setDismissed(last?.id ?? null)} /> : null}
      <AsyncView query={validations}>
        {(list) => {
          const shown = list.find(({ id }) => id === chosen) ?? list[0]
          return (
            <>
              {shown ? <ValidationResult validation={shown} /> : null}
              {list.length > 1 ? (
                <Select
                  label={formatCounted(list.length, 'validation')}
                  data={list.map(({ id, createdAt, passed }) => ({
                    value: id,
                    label: `${formatExactMoment(createdAt)}: ${passed ? 'passed' : 'not passed'}`,
                  }))}
                  value={shown?.id ?? null}
                  onChange={setChosen}
                  allowDeselect={false}
                  className={classes.history}
                  data-testid="validation-history"
                />
              ) : null}
            </>
          )
        }}
      </AsyncView>
      <ValidationForm deploymentId={deployment.id} disabled={!running || active !== undefined} />
    </div>
  )
}
