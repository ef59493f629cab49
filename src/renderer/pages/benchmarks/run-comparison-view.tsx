import { Button } from '@mantine/core'
import { IconFileExport, IconX } from '@tabler/icons-react'
import { useLocation } from 'wouter'
import type { RunComparison } from '../../../contract/measurement.ts'
import { useCall } from '../../backend/use-call.ts'
import { DistributionChart } from '../../charts/distribution-chart.tsx'
import { seriesColor } from '../../charts/series-color.ts'
import { SeriesMarker } from '../../charts/series-marker.tsx'
import { AsyncView } from '../../components/async-view.tsx'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { VerdictChip } from '../../components/verdict-chip.tsx'
import { WarningList } from '../../components/warning-list.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCounted, formatLargeCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRatio } from '../../format/shares.ts'
import { useTopOnMount } from '../../hooks/use-top-on-mount.ts'
import { deviceNameLabel } from '../../text/device-label.ts'
import { useExportReport } from '../compare/use-export-report.tsx'
import { NoiseChip } from './noise-chip.tsx'
import { intervalText } from './percentile-text.ts'
import classes from './runs.module.css'
import { scenarioGuide } from './scenario-guide.ts'

/** Stored runs beside each other: distributions, ratios to the first, and what limits the conclusion. */
export function RunComparisonView({ ids }: { ids: readonly string[] }) {
  const [, navigate] = useLocation()
  const top = useTopOnMount<HTMLDivElement>()
  const query = useCall('runs.compare', { ids: [...ids] })
  const { exportReport, isPending } = useExportReport()
  return (
    <div ref={top} className={detailClasses.detail} data-testid="run-comparison" data-runs={ids.length}>
      <DetailHeader
        title={`${formatCounted(ids.length, 'run')} beside each other`}
        subtitle={<span>Measured at different times: for a verdict make a comparison, which measures in turns</span>}
        actions={
          <>
            <Button
              leftSection={<IconFileExport size={14} />}
              loading={isPending}
              onClick={() => void exportReport(`${ids.length} runs`, { benchmarkIds: [...ids] })}
            >
              Export report
            </Button>
            <Button variant="subtle" color="gray" px={8} onClick={() => navigate('/benchmarks/runs')} aria-label="Close the comparison">
              <IconX size={15} />
            </Button>
          </>
        }
      />
      <AsyncView query={query}>{(comparison) => <ComparedRuns comparison={comparison} />}</AsyncView>
    </div>
  )
}

function ComparedRuns({ comparison: { runs, ratios, sameMachine, caveats } }: { comparison: RunComparison }) {
  const colors = runs.map((_, index) => seriesColor(index))
  // The same model may be measured more than once.
  const names = runs.map(({ model }, index) => `${index + 1} ${plainText(model, 60)}`)
  return (
    <div className={detailClasses.sections} data-testid="compared-runs" data-same-machine={sameMachine}>
      {sameMachine ? null : (
        <WarningList
          warnings={[
            'These runs are from different machines. Their latencies are shown, but no ratio: it would be one of machines, not of models.',
          ]}
        />
      )}
      <DistributionChart runs={runs} names={names} colors={colors} />
      <Section title="Numbers" aside="Ratios against the first run; above 1 is faster" flush>
        <table className={tableClasses.table}>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">Machine</th>
              <th scope="col">Scenario</th>
              <th scope="col">Median (p50)</th>
              <th scope="col">p95</th>
              <th scope="col">Throughput</th>
              <th scope="col">Ratio</th>
            </tr>
          </thead>
          <tbody>
            {runs.map(({ benchmark, model, device }, index) => {
              const ratio = index === 0 ? null : (ratios[index - 1] ?? null)
              return (
                <tr key={benchmark.id} data-testid={`compared-run-${benchmark.id}`}>
                  <td className={classes.named}>
                    <span className={classes.model}>
                      <SeriesMarker index={index} />
                      <span className="es-wrap">{plainText(model, 60)}</span>
                    </span>
                    <div className="es-dim">{formatExactMoment(benchmark.createdAt)}</div>
                  </td>
                  <td>
                    {deviceNameLabel(benchmark.deviceId, device)} <NoiseChip noise={benchmark.noise} />
                  </td>
                  <td className="es-num">
                    {scenarioGuide[benchmark.settings.scenario].label}, {benchmark.settings.batch} × {benchmark.settings.threads}
                  </td>
                  <td className="es-num">
                    {formatMs(benchmark.latencyMs.p50)}
                    <div className="es-dim">{intervalText(benchmark.latencyMs.ci.p50)}</div>
                  </td>
                  <td className="es-num">{formatMs(benchmark.latencyMs.p95)}</td>
                  <td className="es-num">{formatLargeCount(benchmark.throughputPerSecond)}/s</td>
                  <td className="es-num">
                    {index === 0 ? (
                      <span className="es-dim">compared with</span>
                    ) : ratio ? (
                      <>
                        {formatRatio(ratio.estimate)} [{formatRatio(ratio.ci95[0])}, {formatRatio(ratio.ci95[1])}]
                        <div>
                          <VerdictChip verdict={ratio.verdict} />
                        </div>
                      </>
                    ) : (
                      <span className="es-dim">another machine</span>
                    )}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Section>
      {caveats.length > 0 ? (
        <Section title="What limits the conclusion">
          <ul className={classes.reasons}>
            {caveats.map((caveat) => (
              <li key={caveat} className="es-wrap">
                {plainText(caveat, 400)}
              </li>
            ))}
          </ul>
        </Section>
      ) : null}
    </div>
  )
}
