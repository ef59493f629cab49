import { linearTicks } from '../../charts/axis-ticks.ts'
import { ChartFrame } from '../../charts/chart-frame.tsx'
import { baselineRowOf } from './comparison-outcome.ts'
import type { PointedProps } from './comparison-table.tsx'
import { DistributionRow } from './distribution-row.tsx'
import classes from './latency-distributions.module.css'
import { histogramOutline } from './latency-histogram.ts'

/** Width of the names beside the curves. */
const NAME_WIDTH = 190
const ROW_HEIGHT = 58

/** The latency distribution of every model on one axis, each over the baseline's outline. */
export function LatencyDistributions({ comparison, pointed, onPoint }: PointedProps) {
  const baseline = baselineRowOf(comparison)
  const outlines = comparison.rows.map(({ histogram }) => histogramOutline(histogram))
  const reference = baseline ? histogramOutline(baseline.histogram) : null
  const edges = outlines.flatMap(({ points }) => points.map(({ ms }) => ms))
  if (edges.length === 0) return null
  const domain = [Math.min(...edges), Math.max(...edges)] as const
  const [first] = comparison.rows
  return (
    <ChartFrame
      title="Latency distribution"
      note="Dashed outline: baseline. Lines: p50, p95, p99. Heights are scaled to each peak."
      height={comparison.rows.length * ROW_HEIGHT}
      testId="latency-distributions"
      table={{
        columns: ['from_ms', 'to_ms', ...comparison.rows.map(({ model }) => `${model}_samples`)],
        rows: (first?.histogram.counts ?? []).map((_, bin) => [
          first?.histogram.edgesMs[bin] ?? null,
          first?.histogram.edgesMs[bin + 1] ?? null,
          ...comparison.rows.map(({ histogram }) => histogram.counts[bin] ?? null),
        ]),
      }}
    >
      {(width) => {
        const chartWidth = Math.max(0, width - NAME_WIDTH)
        const ticks = linearTicks(domain[0], domain[1], Math.max(3, Math.round(chartWidth / 90)))
        return (
          <div className={classes.rows}>
            {comparison.rows.map((row, index) => (
              <DistributionRow
                key={row.modelId}
                row={row}
                index={index}
                outline={outlines[index] ?? { points: [], tail: null }}
                reference={index === 0 ? null : reference}
                domain={domain}
                ticks={ticks}
                width={chartWidth}
                last={index === comparison.rows.length - 1}
                pointed={row.modelId === pointed}
                onPoint={onPoint}
              />
            ))}
          </div>
        )
      }}
    </ChartFrame>
  )
}
