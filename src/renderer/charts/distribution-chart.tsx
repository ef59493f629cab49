import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { RunComparison } from '../../contract/measurement.ts'
import { formatMs } from '../format/durations.ts'
import { formatCount } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import { formatRoughPercent } from '../format/shares.ts'
import { ChartFrame } from './chart-frame.tsx'
import { densities, drawnRange } from './distribution-shape.ts'
import { linePath, stepPoints } from './paths.ts'
import { Plot, type PlotPoint } from './plot.tsx'
import { valueAxis, zeroAxis } from './plot-axis.ts'

const HEIGHT = 260
const FAR_APART = 12

type Run = RunComparison['runs'][number]

interface DistributionChartProps {
  readonly runs: readonly Run[]
  /** Names of the runs, in their order. */
  readonly names: readonly string[]
  readonly colors: readonly string[]
}

/** Latency distributions over each other: as histograms of equal area, or as the share of samples below each latency. */
export function DistributionChart({ runs, names, colors }: DistributionChartProps) {
  const [low, high] = drawnRange(runs.map(({ quantilesMs }) => quantilesMs))
  // Runs far apart on one linear axis would all be lines.
  const [kind, setKind] = useState<'histogram' | 'ecdf'>(runs.length > 1 && high > low * FAR_APART ? 'ecdf' : 'histogram')
  const beyond = runs.map(({ histogram: { edgesMs, counts } }) =>
    counts.reduce((sum, count, bin) => sum + ((edgesMs[bin] ?? 0) >= high ? count : 0), 0),
  )
  const cut = beyond.flatMap((count, index) => (count > 0 ? [`${plainText(names[index] ?? '', 40)}: ${formatCount(count)}`] : []))
  const title = runs.length > 1 ? 'Latency distributions' : 'Latency distribution'
  return (
    <ChartFrame
      title={title}
      height={HEIGHT}
      testId="distribution-chart"
      aside={
        <SegmentedControl
          size="xs"
          data={[
            { value: 'histogram', label: 'Histogram' },
            { value: 'ecdf', label: 'Cumulative' },
          ]}
          value={kind}
          onChange={(value) => setKind(value === 'ecdf' ? 'ecdf' : 'histogram')}
          aria-label="Kind of distribution"
        />
      }
      note={
        cut.length > 0
          ? `Slower than ${formatMs(high)} and not drawn – ${cut.join('; ')} samples. None is left out of the numbers.`
          : undefined
      }
      table={
        kind === 'ecdf'
          ? {
              columns: ['percent', ...names.map((name) => `${name}_ms`)],
              rows: Array.from({ length: 101 }, (_, percent) => [percent, ...runs.map(({ quantilesMs }) => quantilesMs[percent] ?? null)]),
            }
          : {
              columns: ['from_ms', 'to_ms', ...names.map((name) => `${name}_samples`)],
              rows: (runs[0]?.histogram.counts ?? []).map((_, bin) => [
                runs[0]?.histogram.edgesMs[bin] ?? null,
                runs[0]?.histogram.edgesMs[bin + 1] ?? null,
                ...runs.map(({ histogram }) => histogram.counts[bin] ?? null),
              ]),
            }
      }
    >
      {(width) =>
        kind === 'histogram' ? (
          <Histograms runs={runs} names={names} colors={colors} range={[low, high]} width={width} title={title} />
        ) : (
          <Cumulative runs={runs} names={names} colors={colors} range={[low, high]} width={width} title={title} />
        )
      }
    </ChartFrame>
  )
}

interface DrawnProps extends DistributionChartProps {
  readonly range: readonly [number, number]
  readonly width: number
  readonly title: string
}

function Histograms({ runs, names, colors, range, width, title }: DrawnProps) {
  const shapes = runs.map(({ histogram }) => densities(histogram))
  const x = valueAxis(range, { label: 'latency, ms', count: Math.max(3, Math.round(width / 110)) })
  const inView = shapes.flatMap((shape, run) => shape.filter((_, bin) => (runs[run]?.histogram.edgesMs[bin] ?? 0) < range[1]))
  const y = zeroAxis(inView, { label: 'share of samples per ms', count: 4, format: () => '' })
  const points = runs.flatMap(({ histogram: { edgesMs, counts } }, run) => {
    const total = counts.reduce((sum, count) => sum + count, 0)
    return counts.flatMap((count, bin): PlotPoint[] => {
      const [from = 0, to = 0] = [edgesMs[bin], edgesMs[bin + 1]]
      if (count === 0 || from >= range[1]) return []
      return [
        {
          x: (from + Math.min(to, range[1])) / 2,
          y: shapes[run]?.[bin] ?? 0,
          lines: [
            plainText(names[run] ?? '', 60),
            `${formatMs(from)} to ${formatMs(to)}`,
            `${formatCount(count)} samples, ${formatRoughPercent(count / total)}`,
          ],
        },
      ]
    })
  })
  return (
    <Plot label={title} width={width} height={HEIGHT} x={x} y={y} points={points} yWidth={26}>
      {(area) =>
        runs.map(({ benchmark, histogram }, run) => {
          const steps = stepPoints(histogram.edgesMs, shapes[run] ?? []).map(([ms, share]) => [area.x(ms), area.y(share)] as const)
          const { p50, p95, p99 } = benchmark.latencyMs
          return (
            <g key={benchmark.id}>
              <path d={linePath(steps)} fill={colors[run]} fillOpacity={0.16} stroke={colors[run]} strokeWidth={1.4} />
              {[p50, p95, p99].map((ms, index) =>
                ms === null ? null : (
                  <line
                    key={['p50', 'p95', 'p99'][index]}
                    x1={area.x(ms)}
                    x2={area.x(ms)}
                    y2={area.height}
                    stroke={colors[run]}
                    strokeWidth={index === 0 ? 1.8 : 1.1}
                    strokeDasharray={index === 0 ? undefined : index === 1 ? '6 2' : '2 2'}
                  />
                ),
              )}
            </g>
          )
        })
      }
    </Plot>
  )
}

function Cumulative({ runs, names, colors, range, width, title }: DrawnProps) {
  const x = valueAxis(range, { label: 'latency, ms', count: Math.max(3, Math.round(width / 110)), logarithmic: true })
  const y = zeroAxis([100 / 1.08], { label: 'share of samples below', count: 5, format: (value) => `${value}%` })
  const points = runs.flatMap(({ quantilesMs }, run) =>
    quantilesMs.map((ms, percent) => ({
      x: ms,
      y: percent,
      lines: [plainText(names[run] ?? '', 60), `${percent}% within ${formatMs(ms)}`],
    })),
  )
  return (
    <Plot label={title} width={width} height={HEIGHT} x={x} y={y} points={points} nearest="both">
      {(area) =>
        runs.map(({ benchmark, quantilesMs }, run) => (
          <path
            key={benchmark.id}
            d={linePath(quantilesMs.map((ms, percent) => [area.x(ms), area.y(percent)]))}
            fill="none"
            stroke={colors[run]}
            strokeWidth={1.6}
          />
        ))
      }
    </Plot>
  )
}
