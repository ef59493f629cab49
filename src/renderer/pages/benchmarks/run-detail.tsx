import { Button } from '@mantine/core'
import { IconFileExport, IconRefresh, IconX } from '@tabler/icons-react'
import { Link, useLocation } from 'wouter'
import type { Benchmark } from '../../../contract/measurement.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { DistributionChart } from '../../charts/distribution-chart.tsx'
import { LatencySeriesChart } from '../../charts/latency-series-chart.tsx'
import { AsyncView } from '../../components/async-view.tsx'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import { WarningList } from '../../components/warning-list.tsx'
import { formatExactMoment } from '../../format/moments.ts'
import { useTopOnMount } from '../../hooks/use-top-on-mount.ts'
import { useExportReport } from '../compare/use-export-report.tsx'
import { RunConditions } from './run-conditions.tsx'
import { RunLoad } from './run-load.tsx'
import { RunMethod } from './run-method.tsx'
import { RunNumbers } from './run-numbers.tsx'
import { RunTelemetry } from './run-telemetry.tsx'
import { RunTensorRt } from './run-tensorrt.tsx'
import classes from './runs.module.css'
import { scenarioLabel } from './scenario-guide.ts'
import { useNames } from './use-names.ts'

/** One run: its numbers with intervals, how they came about over time, and the conditions. */
export function RunDetail({ run }: { run: Benchmark }) {
  const [, navigate] = useLocation()
  const names = useNames()
  const top = useTopOnMount<HTMLDivElement>()
  const series = useCall('benchmarks.series', { id: run.id, points: 1000 })
  const distribution = useCall('runs.compare', { ids: [run.id] })
  const start = useAction('bench.start')
  const { exportReport, isPending } = useExportReport()
  const model = names.model(run.modelId)
  return (
    <div ref={top} className={detailClasses.detail} data-testid="run-detail" data-run-id={run.id} data-p50={run.latencyMs.p50}>
      <DetailHeader
        title={model}
        subtitle={
          <>
            <span>{names.device(run.deviceId)}</span>
            <span>{scenarioLabel(run.settings)}</span>
            <span>{formatExactMoment(run.createdAt)}</span>
            {run.comparisonId ? (
              <Link className={classes.link} href={`/compare/${run.comparisonId}`}>
                part of a comparison
              </Link>
            ) : null}
            {run.sweepId ? (
              <Link className={classes.link} href={`/benchmarks/sweep/${run.sweepId}`}>
                part of a sweep
              </Link>
            ) : null}
          </>
        }
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconRefresh size={14} />}
              loading={start.isPending}
              onClick={() =>
                start.mutate(
                  { modelId: run.modelId, deviceId: run.deviceId, settings: run.settings },
                  { onSuccess: ({ jobId }) => navigate(`/benchmarks/runs/${jobId}`) },
                )
              }
              data-testid="run-again"
            >
              Run again
            </Button>
            <Button
              leftSection={<IconFileExport size={14} />}
              loading={isPending}
              onClick={() => void exportReport(`${model} ${run.createdAt.slice(0, 10)}`, { benchmarkIds: [run.id] })}
              data-testid="run-report"
            >
              Export report
            </Button>
            <Button variant="subtle" color="gray" px={8} onClick={() => navigate('/benchmarks/runs')} aria-label="Close the run">
              <IconX size={15} />
            </Button>
          </>
        }
      />
      <div className={detailClasses.sections}>
        <WarningList warnings={run.warnings} />
        <RunNumbers run={run} />
        {run.load ? <RunLoad load={run.load} /> : null}
        {run.tensorRt ? <RunTensorRt run={run.tensorRt} /> : null}
        <div className={classes.charts}>
          <AsyncView query={series}>{(found) => <LatencySeriesChart series={found} />}</AsyncView>
          <AsyncView query={distribution}>
            {({ runs }) => <DistributionChart runs={runs} names={[model]} colors={['var(--es-series-0)']} />}
          </AsyncView>
        </div>
        <RunTelemetry run={run} />
        <RunConditions run={run} />
        <RunMethod run={run} model={model} device={names.device(run.deviceId)} />
      </div>
    </div>
  )
}
