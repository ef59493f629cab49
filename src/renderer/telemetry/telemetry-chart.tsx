import type { TelemetryReading } from '../../contract/telemetry.ts'
import { ChartFrame } from '../charts/chart-frame.tsx'
import { linePath } from '../charts/paths.ts'
import { Plot } from '../charts/plot.tsx'
import { exactAxis, type PlotAxis, valueAxis, zeroAxis } from '../charts/plot-axis.ts'
import { formatSpan } from '../format/durations.ts'
import { plainText } from '../format/plain-text.ts'
import { telemetryLine, throttledStretches } from './telemetry-line.ts'
import type { TelemetryMetric } from './telemetry-metrics.ts'

interface TelemetryChartProps {
  readonly metric: TelemetryMetric
  readonly readings: readonly TelemetryReading[]
  /** `before now`: the newest reading is the right end; `since start`: moments count from zero. */
  readonly time: 'before now' | 'since start'
  readonly aside?: string
}

const HEIGHT = 138
/** A live chart shows at least this much time, so that its first seconds do not stretch over all of it. */
const LEAST_LIVE_SECONDS = 60

/** One thing a machine says of itself, over time; amber where something held the clocks down. */
export function TelemetryChart({ metric, readings, time, aside }: TelemetryChartProps) {
  const end = readings.at(-1)?.atMs ?? 0
  const origin = time === 'before now' ? end : 0
  const seconds = (atMs: number) => (atMs - origin) / 1000
  const line = telemetryLine(readings, metric)
  const first = seconds(readings[0]?.atMs ?? 0)
  const x =
    time === 'before now'
      ? exactAxis(Math.min(first, -LEAST_LIVE_SECONDS), 0, { label: 'seconds before now', format: (value) => String(Math.abs(value)) })
      : exactAxis(0, seconds(end), { label: 'time since the first sample, s' })
  const read = line.filter(({ value }) => Number.isFinite(value))
  const stretches = throttledStretches(readings)
  return (
    <ChartFrame
      title={metric.label}
      aside={aside}
      height={HEIGHT}
      testId={`telemetry-${metric.key}`}
      table={{
        columns: ['seconds', metric.unit, 'throttled'],
        rows: read.map(({ atMs, value, throttled }) => [seconds(atMs), value, throttled.join(', ')]),
      }}
    >
      {(width) => (
        <Plot
          label={`${metric.label} over time`}
          width={width}
          height={HEIGHT}
          x={x}
          y={valuesAxis(
            metric,
            read.map(({ value }) => value),
          )}
          points={read.map(({ atMs, value, throttled }) => ({
            x: seconds(atMs),
            y: value,
            lines: [
              metric.format(value * metric.perUnit),
              time === 'before now' ? `${formatSpan(end - atMs)} ago` : `after ${formatSpan(atMs)}`,
              ...throttled.map((cause) => plainText(cause, 60)),
            ],
          }))}
        >
          {(area) => (
            <>
              {stretches.map(({ fromMs, toMs }) => (
                <rect
                  key={fromMs}
                  x={area.x(seconds(fromMs))}
                  width={Math.max(2, area.x(seconds(toMs)) - area.x(seconds(fromMs)))}
                  height={area.height}
                  fill="var(--es-warn)"
                  fillOpacity={0.18}
                />
              ))}
              <path
                d={linePath(line.map(({ atMs, value }) => [area.x(seconds(atMs)), area.y(value)]))}
                fill="none"
                stroke="var(--es-series-0)"
                strokeWidth={1.4}
                strokeLinejoin="round"
              />
            </>
          )}
        </Plot>
      )}
    </ChartFrame>
  )
}

function valuesAxis({ unit, range, calmSpan, perUnit }: TelemetryMetric, values: readonly number[]): PlotAxis {
  if (range === 'from zero') return zeroAxis(values, { label: unit, count: 3 })
  if (range === 'fitted') return valueAxis(withCalmSpan(values, calmSpan / perUnit), { label: unit, count: 3 })
  return exactAxis(range[0], range[1], { label: unit, count: 3 })
}

/** The values with their range widened to at least `span` around its middle, so that noise does not look like a storm. */
function withCalmSpan(values: readonly number[], span: number): readonly number[] {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  if (!(high - low < span)) return values
  const middle = (low + high) / 2
  return [...values, middle - span / 2, middle + span / 2]
}
