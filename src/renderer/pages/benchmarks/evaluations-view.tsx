import { IconTargetArrow } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { Evaluation } from '../../../contract/evaluation.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { headlineText } from '../../text/metric-text.ts'
import { EvaluationDetail } from './evaluation-detail.tsx'
import { EvaluationsTable } from './evaluations-table.tsx'
import { MeasuringJob } from './measuring-job.tsx'
import { NewEvaluation } from './new-evaluation.tsx'
import { matchesWords } from './run-filter.ts'
import classes from './runs.module.css'
import { useMeasuringJobs } from './use-measuring-jobs.ts'
import { useNames } from './use-names.ts'

interface EvaluationsViewProps {
  readonly query: UseQueryResult<Evaluation[]>
  readonly filter: string
  /** True: the form for a new one, `id` being the model to begin with. */
  readonly form: boolean
  readonly id: string | null
}

/** All evaluations; beside them one of them, or the form for a new one. */
export function EvaluationsView({ query, filter, form, id }: EvaluationsViewProps) {
  const [, navigate] = useLocation()
  const names = useNames()
  const running = useMeasuringJobs(['evaluate.start'])
  return (
    <AsyncView query={query}>
      {(evaluations) => {
        if (evaluations.length === 0 && running.length === 0 && !form && id === null) {
          return (
            <EmptyPage
              Icon={IconTargetArrow}
              title="No evaluations yet"
              testId="evaluations-empty"
              actions={
                <LinkButton size="sm" href="/benchmarks/evaluate">
                  Evaluate a model
                </LinkButton>
              }
            >
              An evaluation runs a model over a dataset: accuracy with labels, errors with values to predict, and without either how far its
              outputs are from a baseline's.
            </EmptyPage>
          )
        }
        const shown = evaluations.filter(({ modelId, datasetName, deviceId, task, metrics }) =>
          matchesWords(`${names.model(modelId)} ${datasetName} ${names.device(deviceId)} ${task} ${headlineText(metrics)}`, filter),
        )
        // Those of a comparison share their job; a job that was started here has one.
        const selected = form
          ? undefined
          : evaluations.find((evaluation) => evaluation.id === id || (evaluation.jobId === id && evaluation.comparisonId === null))
        const board = (
          <div className={classes.board}>
            {running.length > 0 ? (
              <div className={classes.running}>
                {running.map((job) => (
                  <JobProgress key={job.id} job={job} />
                ))}
              </div>
            ) : null}
            <div className={classes.scroll}>
              {shown.length === 0 ? (
                <p className={classes.none}>
                  {evaluations.length === 0 ? 'The first evaluation appears here.' : 'No evaluation matches the filter.'}
                </p>
              ) : (
                <EvaluationsTable
                  evaluations={shown}
                  selectedId={selected?.id ?? null}
                  onSelect={(evaluationId) => navigate(`/benchmarks/evaluations/${evaluationId}`)}
                />
              )}
            </div>
          </div>
        )
        const detail = form ? (
          <NewEvaluation modelId={id} />
        ) : selected ? (
          <EvaluationDetail key={selected.id} evaluation={selected} evaluations={evaluations} />
        ) : id !== null ? (
          <MeasuringJob jobId={id} what="evaluation" />
        ) : null
        return detail === null ? board : <SplitView name="evaluations" listSize={34} list={board} detail={detail} />
      }}
    </AsyncView>
  )
}
