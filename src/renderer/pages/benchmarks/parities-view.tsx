import { IconArrowsDiff } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { AnalysisEntry } from '../../../contract/analysis.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { useNow } from '../../hooks/use-now.ts'
import { MeasuringJob } from './measuring-job.tsx'
import { NewParity } from './new-parity.tsx'
import { ParityDetail } from './parity-detail.tsx'
import { matchesWords } from './run-filter.ts'
import classes from './runs.module.css'
import { useMeasuringJobs } from './use-measuring-jobs.ts'
import { useNames } from './use-names.ts'

interface ParitiesViewProps {
  readonly query: UseQueryResult<AnalysisEntry[]>
  readonly filter: string
  /** True: the form for a new one, `id` being the model to begin with. */
  readonly form: boolean
  readonly id: string | null
}

/** All parity checks; beside them one of them, or the form for a new one. */
export function ParitiesView({ query, filter, form, id }: ParitiesViewProps) {
  const [, navigate] = useLocation()
  const now = useNow(60_000)
  const names = useNames()
  const running = useMeasuringJobs(['parity.start'])
  const columns: readonly Column<AnalysisEntry>[] = [
    {
      key: 'model',
      header: 'Model',
      sort: ({ modelId }) => names.model(modelId),
      cell: ({ modelId }) => <strong>{names.model(modelId)}</strong>,
    },
    {
      key: 'device',
      header: 'Device',
      sort: ({ deviceId }) => names.device(deviceId),
      cell: ({ deviceId }) => names.device(deviceId),
    },
    {
      key: 'dataset',
      header: 'Samples of',
      priority: 3,
      sort: ({ datasetId }) => (datasetId === null ? '' : names.dataset(datasetId)),
      cell: ({ datasetId }) => (datasetId === null ? 'made-up inputs' : names.dataset(datasetId)),
    },
    {
      key: 'created',
      header: 'When',
      align: 'right',
      priority: 2,
      sort: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => (
        <span className="es-dim" title={formatExactMoment(createdAt)}>
          {formatMoment(createdAt, now)}
        </span>
      ),
    },
  ]
  return (
    <AsyncView query={query}>
      {(parities) => {
        if (parities.length === 0 && running.length === 0 && !form && id === null) {
          return (
            <EmptyPage
              Icon={IconArrowsDiff}
              title="No parity checks yet"
              testId="parities-empty"
              actions={
                <LinkButton size="sm" href="/benchmarks/parity">
                  Check a build on a device
                </LinkButton>
              }
            >
              A parity check runs the same build on the same samples on a device and on this computer: do both give the same answers, and if
              not, which layers are to blame.
            </EmptyPage>
          )
        }
        const shown = parities.filter(({ modelId, deviceId }) => matchesWords(`${names.model(modelId)} ${names.device(deviceId)}`, filter))
        const selected = form ? undefined : parities.find((parity) => parity.id === id || parity.jobId === id)
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
                  {parities.length === 0 ? 'The first parity check appears here.' : 'No parity check matches the filter.'}
                </p>
              ) : (
                <ListTable
                  label="Parity checks"
                  columns={columns}
                  rows={shown}
                  rowKey={(parity) => parity.id}
                  selectedKey={selected?.id ?? null}
                  onSelect={(parityId) => navigate(`/benchmarks/parities/${parityId}`)}
                  rowTestId={(parity) => `parity-${parity.id}`}
                />
              )}
            </div>
          </div>
        )
        const detail = form ? (
          <NewParity modelId={id} />
        ) : selected ? (
          <ParityDetail key={selected.id} id={selected.id} />
        ) : id !== null ? (
          <MeasuringJob jobId={id} what="parity check" />
        ) : null
        return detail === null ? board : <SplitView name="parities" listSize={28} list={board} detail={detail} />
      }}
    </AsyncView>
  )
}
