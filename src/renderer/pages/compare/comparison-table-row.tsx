import { Button } from '@mantine/core'
import { IconPin } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { headlineMetric } from '../../../contract/evaluation.ts'
import type { ComparisonRow } from '../../../contract/measurement.ts'
import { differenceVerdict, isAccuracyDifferenceShown } from '../../../core/comparison/difference-verdict.ts'
import { SeriesMarker } from '../../charts/series-marker.tsx'
import { VerdictChip } from '../../components/verdict-chip.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { formatLargeCount, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatPoints, formatPValue, formatRatio, formatShrink } from '../../format/shares.ts'
import { headlineText, metricDifferenceText, metricInterval, metricLabel, metricValue } from '../../text/metric-text.ts'
import type { AnalysedRow } from './analysed-row.ts'
import classes from './comparison-table.module.css'
import { RowActions } from './row-actions.tsx'
import { showExplanation } from './slower-explanations.tsx'

interface ComparisonTableRowProps {
  readonly row: ComparisonRow
  readonly index: number
  readonly baseline: ComparisonRow | undefined
  readonly withAccuracy: boolean
  readonly pointed: boolean
  readonly onPoint: (modelId: string | null) => void
  readonly onAnalyse: (analysed: AnalysedRow) => void
}

/** One model of a comparison. The data attributes hold the numbers as they are stored. */
export function ComparisonTableRow({ row, index, baseline, withAccuracy, pointed, onPoint, onAnalyse }: ComparisonTableRowProps) {
  const { latencyMs, speedup, metrics } = row
  const isBaseline = row.modelId === baseline?.modelId
  return (
    <tr
      data-testid={`comparison-row-${plainText(row.model)}`}
      data-p50={latencyMs.p50}
      data-accuracy={metrics?.accuracy ?? ''}
      data-speedup={speedup?.estimate ?? ''}
      data-verdict={speedup?.verdict ?? 'baseline'}
      data-size={row.sizeBytes}
      data-pointed={pointed || undefined}
      onMouseEnter={() => onPoint(row.modelId)}
      onMouseLeave={() => onPoint(null)}
    >
      <td className={classes.sticky}>
        <span className={classes.model}>
          <SeriesMarker index={index} />
          <span className={classes.names}>
            <Link href={`/models/${row.modelId}`} className={`${classes.name} es-ellipsis`} title={plainText(row.model)}>
              {plainText(row.model, 80)}
            </Link>
            <span className={`${classes.second} es-ellipsis`}>{row.recipe ? plainText(row.recipe, 60) : 'original'}</span>
          </span>
          <RowActions row={row} isBaseline={isBaseline} onAnalyse={onAnalyse} />
        </span>
      </td>
      <td>
        {speedup ? (
          <Cell
            first={
              <span className={classes.verdict}>
                {row.explanation ? (
                  <Button
                    variant="subtle"
                    size="compact-xs"
                    onClick={() => showExplanation(row.modelId)}
                    aria-label={`Why ${plainText(row.model, 80)} is slower`}
                  >
                    Why?
                  </Button>
                ) : null}
                <VerdictChip verdict={speedup.verdict} />
              </span>
            }
            second={`${formatRatio(speedup.estimate)}  [${formatRatio(speedup.ci95[0])}, ${formatRatio(speedup.ci95[1])}]`}
          />
        ) : isBaseline ? (
          <span className={classes.pin}>
            <IconPin size={13} aria-hidden /> baseline
          </span>
        ) : null}
      </td>
      {withAccuracy ? (
        <td>
          <MetricCell row={row} />
        </td>
      ) : null}
      <td>
        <Cell first={formatBytes(row.sizeBytes)} second={isBaseline || !baseline ? '' : formatShrink(baseline.sizeBytes, row.sizeBytes)} />
      </td>
      <LatencyCell value={latencyMs.p50} interval={latencyMs.ci.p50} />
      <LatencyCell value={latencyMs.p95} interval={latencyMs.ci.p95} />
      <LatencyCell value={latencyMs.p99} interval={latencyMs.ci.p99} />
      <td>
        <Cell first={`${formatLargeCount(row.throughputPerSecond)}/s`} second="" />
      </td>
      <td>
        <Cell first={formatBytes(row.peakRssBytes)} second="" />
      </td>
      <td>
        <Cell first={formatMs(row.cpuMsPerInference)} second="per inference" />
      </td>
      <td>
        <Cell first={formatMs(row.loadMs)} second={`first run ${formatMs(row.firstInferenceMs)}`} />
      </td>
    </tr>
  )
}

function Cell({ first, second }: { first: ReactNode; second: string }) {
  return (
    <span className={classes.cell}>
      <span>{first}</span>
      <span className={classes.second}>{second}</span>
    </span>
  )
}

/** A percentile is missing when there were too few runs for it. */
function LatencyCell({ value, interval }: { value: number | null; interval: readonly [number, number] | undefined }) {
  if (value === null) return <td className={classes.missing}>too few runs</td>
  return (
    <td>
      <Cell first={formatMs(value)} second={interval ? `[${formatMs(interval[0])}, ${formatMs(interval[1])}]`.replace(' ms,', ',') : ''} />
    </td>
  )
}

/** The headline metric, and how far it is from the baseline's on the same samples. */
function MetricCell({ row }: { row: ComparisonRow }) {
  const { metrics, accuracyDifference, metricDifference } = row
  if (!metrics) return <span className="es-dim">not measured</span>
  const headline = headlineMetric(metrics)
  const interval = headline && metricInterval(metrics, headline.metric)
  const first = headlineText(metrics).replace(/^Accuracy /, '')
  const difference = metricDifference ?? null
  if (accuracyDifference) {
    const look = !isAccuracyDifferenceShown(accuracyDifference) ? '' : accuracyDifference.difference < 0 ? classes.worse : classes.better
    return (
      <span
        className={classes.cell}
        title={`Only the baseline right: ${accuracyDifference.onlyBaseline}; only this one right: ${accuracyDifference.onlyBuild}; exact McNemar test`}
      >
        <span>
          {first} <span className={look}>{formatPoints(accuracyDifference.difference)}</span>
        </span>
        <span className={classes.second}>
          {isAccuracyDifferenceShown(accuracyDifference)
            ? formatPValue(accuracyDifference.pValue)
            : `${formatPValue(accuracyDifference.pValue)}, not shown`}
        </span>
      </span>
    )
  }
  const verdict = differenceVerdict(difference)
  if (difference && verdict) {
    const look = verdict === 'no difference shown' ? '' : verdict === 'worse' ? classes.worse : classes.better
    const range = difference.ci95
      ? `[${metricDifferenceText(difference.metric, difference.ci95[0])}, ${metricDifferenceText(difference.metric, difference.ci95[1])}]`
      : ''
    // Errors are tested by their RMSE, whatever the headline is.
    const name = difference.metric === headline?.metric ? '' : `${metricLabel(difference.metric)} `
    return (
      <span className={classes.cell} title={`${metricLabel(difference.metric)} against the baseline: ${difference.test} over samples`}>
        <span>
          {first}{' '}
          <span className={look}>
            {name}
            {metricDifferenceText(difference.metric, difference.difference)}
          </span>
        </span>
        <span className={classes.second}>
          {[range, formatPValue(difference.pValue), verdict === 'no difference shown' ? 'not shown' : '']
            .filter((part) => part && part !== NOTHING)
            .join(' ')}
        </span>
      </span>
    )
  }
  if (headline && interval) {
    return <Cell first={first} second={`[${metricValue(headline.metric, interval[0])}, ${metricValue(headline.metric, interval[1])}]`} />
  }
  return <Cell first={first} second={metrics.cosine === undefined ? '' : `cosine ${metricValue('cosine', metrics.cosine)}`} />
}
