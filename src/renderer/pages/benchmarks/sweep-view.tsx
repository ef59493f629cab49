import { Button } from '@mantine/core'
import { IconFileExport, IconX } from '@tabler/icons-react'
import { useLocation } from 'wouter'
import type { Benchmark } from '../../../contract/measurement.ts'
import { SweepChart } from '../../charts/sweep-chart.tsx'
import { type CutColumn, CutTable } from '../../components/cut-table.tsx'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { Section } from '../../components/section.tsx'
import { WarningList } from '../../components/warning-list.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCounted, formatLargeCount } from '../../format/numbers.ts'
import { useTopOnMount } from '../../hooks/use-top-on-mount.ts'
import { useExportReport } from '../compare/use-export-report.tsx'
import { NoiseChip } from './noise-chip.tsx'
import { intervalText } from './percentile-text.ts'
import classes from './runs.module.css'
import { useNames } from './use-names.ts'

const columns: readonly CutColumn<Benchmark>[] = [
  { header: 'Batch', cell: ({ settings }) => settings.batch },
  { header: 'Threads', cell: ({ settings }) => settings.threads, align: 'right' },
  { header: 'Median (p50)', cell: ({ latencyMs }) => formatMs(latencyMs.p50), align: 'right' },
  { header: '95 % interval', cell: ({ latencyMs }) => intervalText(latencyMs.ci.p50), align: 'right' },
  { header: 'p95', cell: ({ latencyMs }) => formatMs(latencyMs.p95), align: 'right' },
  { header: 'Throughput', cell: ({ throughputPerSecond }) => `${formatLargeCount(throughputPerSecond)}/s`, align: 'right' },
  { header: 'Machine', cell: ({ noise }) => <NoiseChip noise={noise} /> },
  {
    header: 'Run',
    cell: ({ id }) => (
      <LinkButton variant="subtle" size="compact-xs" href={`/benchmarks/runs/${id}`}>
        Open
      </LinkButton>
    ),
  },
]

/** A model over batch sizes and threads. */
export function SweepView({ runs }: { runs: readonly Benchmark[] }) {
  const [, navigate] = useLocation()
  const names = useNames()
  const top = useTopOnMount<HTMLDivElement>()
  const { exportReport, isPending } = useExportReport()
  const sorted = [...runs].sort((a, b) => a.settings.threads - b.settings.threads || a.settings.batch - b.settings.batch)
  const [first] = sorted
  if (!first) return null
  const model = names.model(first.modelId)
  const open = (id: string) => navigate(`/benchmarks/runs/${id}`)
  return (
    <div ref={top} className={detailClasses.detail} data-testid="sweep-view" data-runs={runs.length}>
      <DetailHeader
        title={`${model}: sweep`}
        subtitle={
          <>
            <span>{names.device(first.deviceId)}</span>
            <span>{formatCounted(runs.length, 'run')}</span>
            <span>{formatExactMoment(first.createdAt)}</span>
          </>
        }
        actions={
          <>
            <Button
              leftSection={<IconFileExport size={14} />}
              loading={isPending}
              onClick={() => void exportReport(`${model} sweep`, { benchmarkIds: sorted.map(({ id }) => id) })}
            >
              Export report
            </Button>
            <Button variant="subtle" color="gray" px={8} onClick={() => navigate('/benchmarks/runs')} aria-label="Close the sweep">
              <IconX size={15} />
            </Button>
          </>
        }
      />
      <div className={detailClasses.sections}>
        <WarningList warnings={[...new Set(runs.flatMap(({ warnings }) => warnings))]} />
        <div className={classes.charts}>
          <SweepChart runs={sorted} measure="latency" onChoose={open} />
          <SweepChart runs={sorted} measure="throughput" onChoose={open} />
        </div>
        <Section title="Runs" flush>
          <CutTable columns={columns} rows={sorted} first={40} />
        </Section>
      </div>
    </div>
  )
}
