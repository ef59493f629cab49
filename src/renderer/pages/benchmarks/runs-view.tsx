import { IconStopwatch } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import type { Benchmark } from '../../../contract/measurement.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { MeasuringJob } from './measuring-job.tsx'
import { NewRun } from './new-run.tsx'
import { RunComparisonView } from './run-comparison-view.tsx'
import { RunDetail } from './run-detail.tsx'
import { hasOrigin, matchesWords, type RunOrigin, runText } from './run-filter.ts'
import { RunsBoard } from './runs-board.tsx'
import { SweepView } from './sweep-view.tsx'
import { useMeasuringJobs } from './use-measuring-jobs.ts'
import { useNames } from './use-names.ts'

interface RunsViewProps {
  readonly query: UseQueryResult<Benchmark[]>
  readonly filter: string
  readonly view: string
  readonly id: string | null
}

/** The history of runs; beside it a run, a sweep, several runs compared, or the form for a new one. */
export function RunsView({ query, filter, view, id }: RunsViewProps) {
  const [, navigate] = useLocation()
  const names = useNames()
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [origin, setOrigin] = useState<RunOrigin>('all')
  const running = useMeasuringJobs(['bench.start', 'sweep.start'])
  return (
    <AsyncView query={query}>
      {(runs) => {
        if (runs.length === 0 && running.length === 0 && view !== 'new' && id === null) {
          return (
            <EmptyPage
              Icon={IconStopwatch}
              title="No runs yet"
              testId="runs-empty"
              actions={
                <LinkButton size="sm" href="/benchmarks/new">
                  Measure a model
                </LinkButton>
              }
            >
              A run measures how fast a model answers, on this computer or on a device, and keeps every sample. Runs of comparisons are
              listed here as well.
            </EmptyPage>
          )
        }
        const shown = runs.filter(
          (run) => hasOrigin(run, origin) && matchesWords(runText(run, names.model(run.modelId), names.device(run.deviceId)), filter),
        )
        const detail = runsDetail(view, id, runs)
        const board = (
          <RunsBoard
            runs={shown}
            total={runs.length}
            running={running}
            origin={origin}
            onOrigin={setOrigin}
            selectedId={view === 'runs' ? (findRun(runs, id)?.id ?? null) : null}
            chosen={chosen}
            onChosen={setChosen}
            onSelect={(runId) => navigate(`/benchmarks/runs/${runId}`)}
          />
        )
        return detail === null ? board : <SplitView name="runs" listSize={38} list={board} detail={detail} />
      }}
    </AsyncView>
  )
}

function runsDetail(view: string, id: string | null, runs: readonly Benchmark[]): ReactNode {
  if (view === 'new') return <NewRun modelId={id} />
  if (id === null) return null
  if (view === 'compare') return <RunComparisonView key={id} ids={id.split(',')} />
  const sweep = runs.filter(({ sweepId, jobId }) => sweepId !== null && (sweepId === id || jobId === id))
  if (sweep.length > 0) return <SweepView runs={sweep} />
  const run = findRun(runs, id)
  return run ? <RunDetail key={run.id} run={run} /> : <MeasuringJob jobId={id} what="run" />
}

/** A run by its own id or, where it was measured on its own, by that of its job. */
function findRun(runs: readonly Benchmark[], id: string | null): Benchmark | undefined {
  return runs.find((run) => run.id === id || (run.jobId === id && run.comparisonId === null && run.sweepId === null))
}
