import type { ServiceReading } from '../../../backend/service-readings.ts'
import { formatBytes } from '../../../format/bytes.ts'
import { formatMs } from '../../../format/durations.ts'
import { formatCount, formatSignificant } from '../../../format/numbers.ts'
import classes from './live.module.css'
import { LiveChart } from './live-chart.tsx'
import { rateLines, readLines } from './live-lines.ts'

const perSecond = (value: number) => `${formatSignificant(value)}/s`

/** Requests, latency, errors, work in flight, memory and processor time of a service, over the last minutes. */
export function LiveCharts({ readings }: { readings: readonly ServiceReading[] }) {
  return (
    <div className={classes.charts} data-testid="service-charts" data-readings={readings.length}>
      <LiveChart
        title="Requests"
        unit="per second"
        format={perSecond}
        chart={rateLines(readings, { requests: ({ requests }) => requests })}
        testId="chart-requests"
      />
      <LiveChart
        title="Latency"
        unit="ms"
        format={formatMs}
        chart={readLines(readings, {
          p50: ({ latencyP50Ms }) => latencyP50Ms,
          p95: ({ latencyP95Ms }) => latencyP95Ms,
          p99: ({ latencyP99Ms }) => latencyP99Ms,
        })}
        nothing="No prediction was answered yet."
        testId="chart-latency"
      />
      <LiveChart
        title="Refused and failed"
        unit="per second"
        format={perSecond}
        chart={rateLines(readings, { failed: ({ errors }) => errors, refused: ({ rejected }) => rejected })}
        testId="chart-errors"
      />
      <LiveChart
        title="In flight"
        unit="at once"
        format={formatCount}
        chart={readLines(readings, {
          requests: ({ predictionsInFlight }) => predictionsInFlight,
          'samples waiting or run': ({ queueDepth }) => queueDepth,
        })}
        testId="chart-in-flight"
      />
      <LiveChart
        title="Memory"
        unit="MB"
        perUnit={1e6}
        format={formatBytes}
        chart={readLines(readings, { resident: ({ rssBytes }) => rssBytes })}
        testId="chart-memory"
      />
      <LiveChart
        title="Processor"
        unit="cores"
        perUnit={1000}
        format={(millisecondsPerSecond) => `${formatSignificant(millisecondsPerSecond / 1000)} cores`}
        chart={rateLines(readings, { busy: ({ cpuMs }) => cpuMs })}
        testId="chart-processor"
      />
    </div>
  )
}
