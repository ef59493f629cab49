import type { LatencySeries } from '../../contract/measurement.ts'
import { formatMs, formatSpan } from '../format/durations.ts'
import { formatCount } from '../format/numbers.ts'
import { ChartFrame } from './chart-frame.tsx'
import { bandPath, linePath } from './paths.ts'
import { Plot } from './plot.tsx'
import { exactAxis, valueAxis } from './plot-axis.ts'

const HEIGHT = 240

/** Latency over the time of a run: the median of each piece as a line, its range as a band. */
export function LatencySeriesChart({ series }: { series: LatencySeries }) {
  const { offsetsMs, minMs, medianMs, maxMs, samples } = series
  const [unit, unitMs] = (offsetsMs.at(-1) ?? 0) < 2000 ? (['ms', 1] as const) : (['s', 1000] as const)
  const times = offsetsMs.map((offset) => offset / unitMs)
  const x = exactAxis(0, times.at(-1) ?? 1, { label: `time since the first sample, ${unit}` })
  const y = valueAxis([...minMs, ...maxMs], { label: 'latency, ms', count: 5, logarithmic: true })
  const perPiece = samples / Math.max(1, times.length)
  const pieces = perPiece > 1.5 ? `, about ${formatCount(perPiece)} to a piece` : ''
  return (
    <ChartFrame
      title="Latency over time"
      aside={`${formatCount(samples)} samples${pieces}`}
      height={HEIGHT}
      testId="latency-series"
      note="Line: median; band: smallest to largest. A trend means the machine became warmer, slower or busier while it was measured."
      table={{
        columns: ['offset_ms', 'min_ms', 'median_ms', 'max_ms'],
        rows: offsetsMs.map((offset, index) => [offset, minMs[index] ?? null, medianMs[index] ?? null, maxMs[index] ?? null]),
      }}
    >
      {(width) => (
        <Plot
          label="Latency over time"
          width={width}
          height={HEIGHT}
          x={x}
          y={y}
          points={times.map((time, index) => ({
            x: time,
            y: medianMs[index] ?? 0,
            lines: [
              `after ${formatSpan(time * unitMs)}`,
              `median ${formatMs(medianMs[index])}`,
              `${formatMs(minMs[index])} to ${formatMs(maxMs[index])}`,
            ],
          }))}
        >
          {(area) => {
            const line = (values: readonly number[]) => values.map((ms, index) => [area.x(times[index] ?? 0), area.y(ms)] as const)
            return (
              <>
                <path d={bandPath(line(maxMs), line(minMs))} fill="var(--es-series-0)" fillOpacity={0.22} />
                <path d={linePath(line(medianMs))} fill="none" stroke="var(--es-series-0)" strokeWidth={1.3} strokeLinejoin="round" />
              </>
            )
          }}
        </Plot>
      )}
    </ChartFrame>
  )
}
