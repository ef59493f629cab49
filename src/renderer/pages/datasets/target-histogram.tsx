import type { DatasetReport } from '../../../contract/dataset.ts'
import { ChartFrame } from '../../charts/chart-frame.tsx'
import { Plot } from '../../charts/plot.tsx'
import { exactAxis, zeroAxis } from '../../charts/plot-axis.ts'
import { formatCounted, formatSignificant } from '../../format/numbers.ts'

type Targets = NonNullable<DatasetReport['targets']>

interface TargetHistogramProps {
  readonly targets: Targets
  readonly histogram: NonNullable<Targets['histogram']>
}

const HEIGHT = 220

/** How the values to predict are spread. */
export function TargetHistogram({ targets: { width: values, mean, std }, histogram: { edges, counts } }: TargetHistogramProps) {
  const [low = 0] = edges
  const high = edges.at(-1) ?? 1
  const bins = counts.map((count, index) => ({ from: edges[index] ?? low, to: edges[index + 1] ?? high, count }))
  return (
    <ChartFrame
      title={values === 1 ? 'Target' : 'Targets'}
      aside={`mean ${formatSignificant(mean)}, standard deviation ${formatSignificant(std)}`}
      height={HEIGHT}
      testId="target-histogram"
      table={{ columns: ['from', 'to', 'values'], rows: bins.map(({ from, to, count }) => [from, to, count]) }}
      {...(values > 1 ? { note: `All ${values} values of each sample together.` } : {})}
    >
      {(width) => (
        <Plot
          label="Distribution of the targets"
          width={width}
          height={HEIGHT}
          x={exactAxis(low, high, { label: 'target' })}
          y={zeroAxis(counts, { label: 'values' })}
          points={bins.map(({ from, to, count }) => ({
            x: (from + to) / 2,
            y: count,
            lines: [`${formatSignificant(from)} to ${formatSignificant(to)}`, formatCounted(count, 'value')],
          }))}
        >
          {(area) =>
            bins.map(({ from, to, count }) => (
              <rect
                key={from}
                x={area.x(from) + 0.5}
                width={Math.max(0.5, area.x(to) - area.x(from) - 1)}
                y={area.y(count)}
                height={area.height - area.y(count)}
                fill="var(--es-series-0)"
                fillOpacity={0.75}
              />
            ))
          }
        </Plot>
      )}
    </ChartFrame>
  )
}
