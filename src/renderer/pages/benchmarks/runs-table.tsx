import { Checkbox } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { Benchmark } from '../../../contract/measurement.ts'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { formatCounted, formatLargeCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { useNow } from '../../hooks/use-now.ts'
import { NoiseChip } from './noise-chip.tsx'
import { intervalText } from './percentile-text.ts'
import classes from './runs.module.css'
import { scenarioLabel } from './scenario-guide.ts'
import { useNames } from './use-names.ts'

interface RunsTableProps {
  readonly runs: readonly Benchmark[]
  readonly selectedId: string | null
  readonly onSelect: (id: string) => void
  readonly chosen: ReadonlySet<string>
  readonly onChoose: (id: string, chosen: boolean) => void
}

/** The history: one row a run, nothing overwritten. Ticked rows are compared. */
export function RunsTable({ runs, selectedId, onSelect, chosen, onChoose }: RunsTableProps) {
  const now = useNow(60_000)
  const names = useNames()
  const columns: readonly Column<Benchmark>[] = [
    {
      key: 'model',
      header: 'Model',
      sort: ({ modelId }) => names.model(modelId),
      cell: ({ id, modelId, warnings }) => (
        <span className={classes.model}>
          <Checkbox
            checked={chosen.has(id)}
            onChange={(event) => onChoose(id, event.currentTarget.checked)}
            onClick={(event) => event.stopPropagation()}
            aria-label={`Choose the run of ${names.model(modelId)}`}
            data-testid={`choose-${id}`}
          />
          <strong className="es-ellipsis">{names.model(modelId)}</strong>
          {warnings.length > 0 ? (
            <span
              className={classes.warning}
              role="img"
              aria-label={formatCounted(warnings.length, 'warning')}
              title={warnings.map((warning) => plainText(warning, 300)).join('\n')}
            >
              <IconAlertTriangle size={14} stroke={1.8} aria-hidden />
            </span>
          ) : null}
        </span>
      ),
    },
    {
      key: 'device',
      header: 'Device',
      priority: 4,
      sort: ({ deviceId }) => names.device(deviceId),
      cell: ({ deviceId }) => names.device(deviceId),
    },
    {
      key: 'scenario',
      header: 'Scenario',
      priority: 2,
      sort: ({ settings }) => scenarioLabel(settings),
      cell: ({ settings }) => scenarioLabel(settings),
    },
    {
      key: 'batch',
      header: 'Batch × threads',
      align: 'right',
      priority: 3,
      sort: ({ settings }) => settings.batch * 1000 + settings.threads,
      cell: ({ settings }) => `${settings.batch} × ${settings.threads}`,
    },
    {
      key: 'p50',
      header: 'Median (p50)',
      align: 'right',
      sort: ({ latencyMs }) => latencyMs.p50,
      cell: ({ latencyMs }) => (
        <span className={classes.stacked}>
          <span>{formatMs(latencyMs.p50)}</span>
          <span className={classes.interval}>{intervalText(latencyMs.ci.p50)}</span>
        </span>
      ),
    },
    {
      key: 'p95',
      header: 'p95',
      align: 'right',
      priority: 3,
      sort: ({ latencyMs }) => latencyMs.p95,
      cell: ({ latencyMs }) => formatMs(latencyMs.p95),
    },
    {
      key: 'p99',
      header: 'p99',
      align: 'right',
      priority: 4,
      sort: ({ latencyMs }) => latencyMs.p99,
      cell: ({ latencyMs }) => formatMs(latencyMs.p99),
    },
    {
      key: 'throughput',
      header: 'Throughput',
      align: 'right',
      priority: 4,
      sort: ({ throughputPerSecond }) => throughputPerSecond,
      cell: ({ throughputPerSecond }) => `${formatLargeCount(throughputPerSecond)}/s`,
    },
    { key: 'noise', header: 'Machine', priority: 2, sort: ({ noise }) => noise.label, cell: ({ noise }) => <NoiseChip noise={noise} /> },
    {
      key: 'created',
      header: 'Measured',
      align: 'right',
      sort: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => (
        <span className="es-dim" title={formatExactMoment(createdAt)}>
          {formatMoment(createdAt, now)}
        </span>
      ),
    },
  ]
  return (
    <ListTable
      label="Runs"
      columns={columns}
      rows={runs}
      rowKey={({ id }) => id}
      selectedKey={selectedId}
      onSelect={onSelect}
      rowTestId={({ id }) => `run-${id}`}
    />
  )
}
