import type { TooltipContentProps } from 'recharts'
import { SeriesMarker } from '../../charts/series-marker.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatPercent, formatRatio } from '../../format/shares.ts'
import type { PlottedPoint } from './plotted-point.ts'
import classes from './trade-off-chart.module.css'

/** The numbers behind a point. */
export function TradeOffTooltip({ active, payload }: TooltipContentProps) {
  const point = payload?.[0]?.payload as PlottedPoint | undefined
  if (!active || !point) return null
  const { row } = point
  const [low, high] = point.latencyInterval
  return (
    <div className={classes.tooltip}>
      <div className={classes.tooltipTitle}>
        <SeriesMarker index={point.index} />
        <span className="es-wrap">{plainText(row.model, 80)}</span>
      </div>
      <dl>
        <dt>Median</dt>
        <dd>{formatMs(point.latencyMs)}</dd>
        <dt>95 % interval</dt>
        <dd>
          {formatMs(low)} to {formatMs(high)}
        </dd>
        {row.metrics ? (
          <>
            <dt>Accuracy</dt>
            <dd>{formatPercent(row.metrics.accuracy)}</dd>
          </>
        ) : null}
        <dt>Size</dt>
        <dd>{formatBytes(row.sizeBytes)}</dd>
        {row.speedup ? (
          <>
            <dt>Speed</dt>
            <dd>
              {formatRatio(row.speedup.estimate)}, {row.speedup.verdict}
            </dd>
          </>
        ) : null}
      </dl>
      {point.dominatedBy ? (
        <div className={classes.tooltipNote}>{plainText(point.dominatedBy, 60)} is at least as good in both.</div>
      ) : null}
    </div>
  )
}
