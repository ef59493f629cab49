import type { Benchmark } from '../../../contract/measurement.ts'
import { Facts } from '../../components/facts.tsx'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { formatCount, formatLargeCount, NOTHING } from '../../format/numbers.ts'
import { formatRoughPercent } from '../../format/shares.ts'
import { intervalText, statisticLines } from './percentile-text.ts'
import classes from './runs.module.css'

/** Latency with its intervals, then everything else that was measured: throughput, start, processor time, memory. */
export function RunNumbers({ run }: { run: Benchmark }) {
  return (
    <>
      <Section title="Latency" aside={`${formatCount(run.samples)} samples, all kept · 95 % intervals by order statistics`} flush>
        <table className={tableClasses.table} data-testid="run-statistics">
          <thead>
            <tr>
              <th scope="col">Statistic</th>
              <th scope="col" className={classes.right}>
                Value
              </th>
              <th scope="col" className={classes.right}>
                95 % interval
              </th>
            </tr>
          </thead>
          <tbody>
            {statisticLines(run.latencyMs).map(({ name, ms, interval, missing }) => (
              <tr key={name}>
                <td>{name}</td>
                {missing ? (
                  <td colSpan={2} className={`${classes.right} es-dim`}>
                    {missing}
                  </td>
                ) : (
                  <>
                    <td className={`${classes.right} es-num`}>{formatMs(ms)}</td>
                    <td className={`${classes.right} es-num es-dim`}>{intervalText(interval)}</td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      <Section title="Throughput, start and memory">
        <Facts
          facts={[
            { label: 'Throughput', value: `${formatLargeCount(run.throughputPerSecond)} samples/s` },
            { label: 'Cold load', value: formatMs(run.loadMs) },
            { label: 'First inference', value: formatMs(run.firstInferenceMs) },
            { label: 'CPU time', value: `${formatMs(run.cpuMsPerInference)} per inference` },
            { label: 'Peak memory', value: formatBytes(run.peakRssBytes) },
            { label: 'Before loading', value: formatBytes(run.idleRssBytes) },
            { label: 'After the last run', value: run.steadyRssBytes === null ? 'not measured' : formatBytes(run.steadyRssBytes) },
            { label: 'Growth while measuring', value: growthText(run.memoryGrowthBytes) },
            { label: 'Warm-up', value: `${formatCount(run.warmupRuns)} runs` },
            { label: 'Steady after warm-up', value: run.steady === null ? 'too short to tell' : run.steady ? 'yes' : 'no' },
            { label: 'Outliers', value: run.outlierShare === null ? NOTHING : `${formatRoughPercent(run.outlierShare)}, none dropped` },
          ]}
        />
      </Section>
    </>
  )
}

function growthText(bytes: number | null): string {
  if (bytes === null) return 'not measured'
  return bytes > 0 ? `+${formatBytes(bytes)}` : formatBytes(bytes)
}
