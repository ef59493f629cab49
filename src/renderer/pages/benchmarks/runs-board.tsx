import { Button, SegmentedControl } from '@mantine/core'
import { IconFileExport, IconScale } from '@tabler/icons-react'
import { useLocation } from 'wouter'
import type { Job } from '../../../contract/job.ts'
import type { Benchmark } from '../../../contract/measurement.ts'
import { JobProgress } from '../../components/job-progress.tsx'
import { formatCounted } from '../../format/numbers.ts'
import { useExportReport } from '../compare/use-export-report.tsx'
import type { RunOrigin } from './run-filter.ts'
import classes from './runs.module.css'
import { RunsTable } from './runs-table.tsx'

/** The contract compares at most this many runs, and reports at most 200. */
const MAX_COMPARED = 12

interface RunsBoardProps {
  readonly runs: readonly Benchmark[]
  /** Without the filter. */
  readonly total: number
  readonly running: readonly Job[]
  readonly origin: RunOrigin
  readonly onOrigin: (origin: RunOrigin) => void
  readonly selectedId: string | null
  readonly onSelect: (id: string) => void
  readonly chosen: ReadonlySet<string>
  readonly onChosen: (chosen: ReadonlySet<string>) => void
}

/** The history with what can be done to ticked runs. */
export function RunsBoard({ runs, total, running, origin, onOrigin, selectedId, onSelect, chosen, onChosen }: RunsBoardProps) {
  const [, navigate] = useLocation()
  const { exportReport, isPending } = useExportReport()
  // In the order of the board: the first is what the others are compared with.
  const ids = runs.filter(({ id }) => chosen.has(id)).map(({ id }) => id)
  return (
    <div className={classes.board}>
      <div className={classes.bar}>
        <span className="es-dim" aria-live="polite">
          {ids.length > 0
            ? `${formatCounted(ids.length, 'run')} chosen${ids.length > MAX_COMPARED ? `, at most ${MAX_COMPARED} can be compared` : ''}`
            : `${runs.length === total ? formatCounted(total, 'run') : `${runs.length} of ${formatCounted(total, 'run')}`}. Tick two or more to compare`}
        </span>
        {ids.length > 0 ? (
          <>
            <Button
              variant="filled"
              leftSection={<IconScale size={14} />}
              disabled={ids.length < 2 || ids.length > MAX_COMPARED}
              onClick={() => navigate(`/benchmarks/compare/${ids.join(',')}`)}
              data-testid="compare-runs"
            >
              Compare
            </Button>
            <Button
              variant="default"
              leftSection={<IconFileExport size={14} />}
              loading={isPending}
              onClick={() => void exportReport(`Benchmarks, ${formatCounted(ids.length, 'run')}`, { benchmarkIds: ids })}
            >
              Report
            </Button>
            <Button variant="subtle" color="gray" onClick={() => onChosen(new Set())}>
              Clear
            </Button>
          </>
        ) : (
          <SegmentedControl
            data={[
              { value: 'all', label: 'All' },
              { value: 'own', label: 'Own' },
              { value: 'comparison', label: 'Of comparisons' },
            ]}
            value={origin}
            onChange={(value) => onOrigin(value as RunOrigin)}
            aria-label="Where runs come from"
          />
        )}
      </div>
      {running.length > 0 ? (
        <div className={classes.running}>
          {running.map((job) => (
            <JobProgress key={job.id} job={job} />
          ))}
        </div>
      ) : null}
      <div className={classes.scroll}>
        {runs.length === 0 ? (
          <p className={classes.none}>{total === 0 ? 'The first run appears here.' : 'No run matches the filter.'}</p>
        ) : (
          <RunsTable
            runs={runs}
            selectedId={selectedId}
            onSelect={onSelect}
            chosen={chosen}
            onChoose={(id, ticked) => {
              const next = new Set(chosen)
              if (ticked) next.add(id)
              else next.delete(id)
              onChosen(next)
            }}
          />
        )}
      </div>
    </div>
  )
}
