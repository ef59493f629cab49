import { Button, Group } from '@mantine/core'
import { IconCircleCheck } from '@tabler/icons-react'
import type { Job } from '../../../contract/job.ts'
import { storedError } from '../../backend/backend-error.ts'
import { jobResult } from '../../backend/job-result.ts'
import { isActive } from '../../backend/use-jobs.ts'
import { BuildSummary } from '../../build/build-summary.tsx'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { plainText } from '../../format/plain-text.ts'
import { formatDecibels, formatShrink } from '../../format/shares.ts'
import { CompareAllOutcome } from './compare-all-outcome.tsx'
import classes from './optimize-outcome.module.css'

/** The job that was started here: its progress, then its result or its error. */
export function OptimizeOutcome({ job, onClose }: { job: Job; onClose: () => void }) {
  if (isActive(job)) return <JobProgress job={job} />
  if (job.error) return <ErrorNotice error={storedError(job.error)} onClose={onClose} />
  const compared = jobResult(job, 'compareAll.start')
  if (compared) return <CompareAllOutcome result={compared} onClose={onClose} />
  const result = jobResult(job, 'optimize.start')
  if (!result) return null
  const { model, summary } = result
  return (
    <div className={classes.outcome} data-testid="optimize-result" data-model={model.name} data-model-id={model.id}>
      <div className={classes.head}>
        <IconCircleCheck size={20} stroke={1.7} className={classes.icon} aria-hidden />
        <div className={classes.text}>
          <h2 className="es-wrap">{plainText(model.name, 120)}</h2>
          <div className="es-dim">
            {formatShrink(summary.input.sizeBytes, summary.output.sizeBytes)} · SQNR {formatDecibels(summary.fidelity.sqnrDb)} · verified by
            loading and running it
          </div>
        </div>
        <Group gap={6} wrap="nowrap">
          {model.parentId ? (
            <LinkButton href={`/compare/new/${model.parentId}/${model.id}`} data-testid="outcome-compare">
              Compare with original
            </LinkButton>
          ) : null}
          <LinkButton variant="default" href={`/deployments/new/${model.id}`} data-testid="outcome-deploy">
            Deploy
          </LinkButton>
          <Button variant="subtle" color="gray" onClick={onClose}>
            Close
          </Button>
        </Group>
      </div>
      <BuildSummary summary={summary} recipe={model.recipe} />
    </div>
  )
}
