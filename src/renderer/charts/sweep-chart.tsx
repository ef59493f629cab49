import type { Benchmark } from '../../contract/measurement.ts'
import { formatMs } from '../format/durations.ts'
import { formatCounted, formatLargeCount } from '../format/numbers.ts'
import { ChartFrame } from './chart-frame.tsx'
import { linePath } from './paths.ts'
import { Plot } from './plot.tsx'
import { listAxis, valueAxis, zeroAxis } from './plot-axis.ts'
import { seriesColor } from './series-color.ts'

const HEIGHT = 250

interface SweepChartProps {
  readonly runs: readonly Benchmark[]
  readonly measure: 'latency' | 'throughput'
  readonly onChoose: (id: string) => void
}

/** Latency (p50 with its interval) or throughput over the batch size, one line for each number of threads. */
export function SweepChart({ runs, measure, onChoose }: SweepChartProps) {
  const sorted = [...runs].sort((a, b) => a.settings.threads - b.settings.threads || a.settings.batch - b.settings.batch)
  const threadCounts = [...new Set(sorted.map(({ settings }) => settings.threads))]
  const latency = measure === 'latency'
  const value = (run: Benchmark) => (latency ? run.latencyMs.p50 : run.throughputPerSecond)
  const interval = (run: Benchmark) => (latency ? run.latencyMs.ci.p50 : undefined)
  const x = listAxis(
    sorted.map(({ settings }) => settings.batch),
    { label: 'batch size' },
  )
  const y = latency
    ? valueAxis(
        sorted.flatMap((run) => interval(run) ?? [run.latencyMs.p50]),
        { label: 'median latency, ms', count: 5, logarithmic: true },
      )
    : zeroAxis(sorted.map(value), { label: 'samples a second', count: 5, format: formatLargeCount })
  const title = latency ? 'Latency over batch size' : 'Throughput over batch size'
  const color = (threads: number) => seriesColor(threadCounts.indexOf(threads) + 1)
  return (
    <ChartFrame
      title={title}
      height={HEIGHT}
      testId={`sweep-${measure}`}
      aside={threadCounts.map((threads) => (
        <span key={threads} style={{ color: color(threads), fontWeight: 600 }}>
          {formatCounted(threads, 'thread')}
        </span>
      ))}
      table={{
        columns: ['threads', 'batch', 'p50_ms', 'p50_low_ms', 'p50_high_ms', 'p95_ms', 'samples_per_second'],
        rows: sorted.map(({ settings, latencyMs, throughputPerSecond }) => [
          settings.threads,
          settings.batch,
          latencyMs.p50,
          latencyMs.ci.p50?.[0] ?? null,
          latencyMs.ci.p50?.[1] ?? null,
          latencyMs.p95,
          throughputPerSecond,
        ]),
      }}
    >
      {(width) => (
        <Plot
          label={title}
          width={width}
          height={HEIGHT}
          x={x}
          y={y}
          nearest="both"
          points={sorted.map((run) => ({
            x: run.settings.batch,
            y: value(run),
            lines: [
              `batch ${run.settings.batch}, ${formatCounted(run.settings.threads, 'thread')}`,
              `median ${formatMs(run.latencyMs.p50)}`,
              `${formatLargeCount(run.throughputPerSecond)} samples a second`,
            ],
          }))}
          onChoose={(index) => {
            const run = sorted[index]
            if (run) onChoose(run.id)
          }}
        >
          {(area) =>
            threadCounts.map((threads) => {
              const line = sorted.filter(({ settings }) => settings.threads === threads)
              return (
                <g key={threads} stroke={color(threads)} fill={color(threads)}>
                  <path d={linePath(line.map((run) => [area.x(run.settings.batch), area.y(value(run))]))} fill="none" strokeWidth={1.6} />
                  {line.map((run) => {
                    const between = interval(run)
                    const at = area.x(run.settings.batch)
                    return (
                      <g key={run.id}>
                        {between ? <line x1={at} x2={at} y1={area.y(between[0])} y2={area.y(between[1])} strokeWidth={1.4} /> : null}
                        <circle cx={at} cy={area.y(value(run))} r={3.6} stroke="none" />
                      </g>
                    )
                  })}
                </g>
              )
            })
          }
        </Plot>
      )}
    </ChartFrame>
  )
}
