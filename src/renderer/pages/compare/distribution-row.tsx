import { Area, ComposedChart, Line, ReferenceLine, XAxis, YAxis } from 'recharts'
import type { ComparisonRow } from '../../../contract/measurement.ts'
import { tickLabel } from '../../charts/axis-ticks.ts'
import { seriesColor } from '../../charts/series-color.ts'
import { SeriesMarker } from '../../charts/series-marker.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import classes from './latency-distributions.module.css'
import type { Outline } from './latency-histogram.ts'

const HEIGHT = 58
const AXIS_HEIGHT = 22

interface DistributionRowProps {
  readonly row: ComparisonRow
  readonly index: number
  readonly outline: Outline
  /** The baseline's outline, drawn behind; null for the baseline itself. */
  readonly reference: Outline | null
  readonly domain: readonly [number, number]
  readonly ticks: readonly number[]
  readonly width: number
  /** The last row carries the axis. */
  readonly last: boolean
  readonly pointed: boolean
  readonly onPoint: (modelId: string | null) => void
}

/** One model's latency distribution. */
export function DistributionRow({ row, index, outline, reference, domain, ticks, width, last, pointed, onPoint }: DistributionRowProps) {
  const color = seriesColor(index)
  const { p50, p95, p99 } = row.latencyMs
  // All rows share their bins, so the two outlines have the same steps.
  const steps = outline.points.map(({ ms, height }, at) => ({ ms, height, baseline: reference?.points[at]?.height ?? null }))
  const shown = (percentile: number | null): percentile is number =>
    percentile !== null && percentile >= domain[0] && percentile <= domain[1]
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointing only links what the table says as well
    <div
      className={classes.row}
      data-pointed={pointed || undefined}
      onMouseEnter={() => onPoint(row.modelId)}
      onMouseLeave={() => onPoint(null)}
    >
      <div className={classes.label}>
        <SeriesMarker index={index} />
        <span className={classes.names}>
          <span className={classes.name} title={plainText(row.model)} data-chart-text>
            {plainText(row.model, 60)}
          </span>
          <span className={classes.tail}>
            {outline.tail
              ? `${formatCount(outline.tail.count)} of ${formatCount(row.samples)} beyond ${formatMs(outline.tail.fromMs)}, up to ${formatMs(outline.tail.toMs)}`
              : `${formatCount(row.samples)} runs`}
          </span>
        </span>
      </div>
      {width > 0 ? (
        <ComposedChart
          className={classes.chart}
          width={width}
          height={HEIGHT + (last ? AXIS_HEIGHT : 0)}
          data={steps}
          margin={{ top: 8, right: 14, bottom: 0, left: 6 }}
          accessibilityLayer={false}
        >
          <XAxis
            type="number"
            dataKey="ms"
            domain={[...domain]}
            ticks={[...ticks]}
            tickFormatter={(value: number) => `${tickLabel(value, ticks)} ms`}
            height={last ? AXIS_HEIGHT : 1}
            tick={last ? { fill: 'var(--es-dim)', fontSize: 11 } : false}
            tickLine={last}
            stroke="var(--es-border)"
            interval="preserveStartEnd"
          />
          <YAxis type="number" domain={[0, 1.05]} hide />
          <Area
            dataKey="height"
            type="stepAfter"
            stroke={color}
            strokeWidth={1.4}
            fill={color}
            fillOpacity={0.22}
            isAnimationActive={false}
          />
          {reference ? (
            <Line
              dataKey="baseline"
              type="stepAfter"
              stroke="var(--es-baseline)"
              strokeWidth={1}
              strokeDasharray="3 3"
              dot={false}
              isAnimationActive={false}
            />
          ) : null}
          {shown(p50) ? <ReferenceLine x={p50} stroke={color} strokeWidth={2} /> : null}
          {shown(p95) ? <ReferenceLine x={p95} stroke={color} strokeWidth={1.2} strokeDasharray="6 2" /> : null}
          {shown(p99) ? <ReferenceLine x={p99} stroke={color} strokeWidth={1.2} strokeDasharray="2 2" /> : null}
        </ComposedChart>
      ) : null}
    </div>
  )
}
