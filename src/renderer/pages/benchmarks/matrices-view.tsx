import { IconGridDots } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { Matrix } from '../../../contract/matrix.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { useNow } from '../../hooks/use-now.ts'
import { MatrixDetail } from './matrix-detail.tsx'
import { matrixTitle } from './matrix-title.ts'
import { MeasuringJob } from './measuring-job.tsx'
import { NewMatrix } from './new-matrix.tsx'
import { matchesWords } from './run-filter.ts'
import classes from './runs.module.css'
import { useMeasuringJobs } from './use-measuring-jobs.ts'

interface MatricesViewProps {
  readonly query: UseQueryResult<Matrix[]>
  readonly filter: string
  /** True: the form for a new one, `id` being the model to begin with. */
  readonly form: boolean
  readonly id: string | null
}

/** All matrices; beside them one of them, or the form for a new one. */
export function MatricesView({ query, filter, form, id }: MatricesViewProps) {
  const [, navigate] = useLocation()
  const now = useNow(60_000)
  const running = useMeasuringJobs(['matrix.start'])
  const columns: readonly Column<Matrix>[] = [
    { key: 'title', header: 'Builds on devices', sort: matrixTitle, cell: (matrix) => <strong>{matrixTitle(matrix)}</strong> },
    {
      key: 'cells',
      header: 'Measured',
      align: 'right',
      sort: measuredCells,
      cell: (matrix) => (
        <span className={measuredCells(matrix) < matrix.cells.length ? classes.failed : undefined}>
          {measuredCells(matrix)} of {matrix.cells.length}
        </span>
      ),
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
      {(matrices) => {
        if (matrices.length === 0 && running.length === 0 && !form && id === null) {
          return (
            <EmptyPage
              Icon={IconGridDots}
              title="No matrices yet"
              testId="matrices-empty"
              actions={
                <LinkButton size="sm" href="/benchmarks/matrix">
                  Measure on several devices
                </LinkButton>
              }
            >
              A matrix measures several builds on several devices in one go: which build for which board. Devices work at the same time; one
              that fails does not stop the others.
            </EmptyPage>
          )
        }
        const shown = matrices.filter((matrix) =>
          matchesWords([...matrix.models, ...matrix.devices].map(({ name }) => name).join(' '), filter),
        )
        const selected = form ? undefined : matrices.find((matrix) => matrix.id === id || matrix.jobId === id)
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
                <p className={classes.none}>{matrices.length === 0 ? 'The first matrix appears here.' : 'No matrix matches the filter.'}</p>
              ) : (
                <ListTable
                  label="Matrices"
                  columns={columns}
                  rows={shown}
                  rowKey={(matrix) => matrix.id}
                  selectedKey={selected?.id ?? null}
                  onSelect={(matrixId) => navigate(`/benchmarks/matrices/${matrixId}`)}
                  rowTestId={(matrix) => `matrix-${matrix.id}`}
                />
              )}
            </div>
          </div>
        )
        const detail = form ? (
          <NewMatrix modelId={id} />
        ) : selected ? (
          <MatrixDetail key={selected.id} matrix={selected} />
        ) : id !== null ? (
          <MeasuringJob jobId={id} what="matrix" />
        ) : null
        return detail === null ? board : <SplitView name="matrices" listSize={26} list={board} detail={detail} />
      }}
    </AsyncView>
  )
}

function measuredCells({ cells }: Matrix): number {
  return cells.filter(({ benchmarkId }) => benchmarkId !== null).length
}
