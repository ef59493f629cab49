import { NumberInput, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { Section } from '../../components/section.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatPercent } from '../../format/shares.ts'
import type { PointedProps } from './comparison-table.tsx'
import { bestWithin, type TradeOffMeasure, tradeOffPoints } from './trade-off.ts'
import { TradeOffChart } from './trade-off-chart.tsx'
import classes from './trade-off-section.module.css'

/** Accuracy (or size) over latency, with a latency budget that picks the best model within it. */
export function TradeOffSection({ comparison, pointed, onPoint }: PointedProps) {
  const withAccuracy = comparison.rows.some(({ metrics }) => metrics !== null)
  const [measure, setMeasure] = useState<TradeOffMeasure>(withAccuracy ? 'accuracy' : 'size')
  const [budget, setBudget] = useState<number | string>('')
  const points = tradeOffPoints(comparison, measure)
  const budgetMs = typeof budget === 'number' && budget > 0 ? budget : null
  return (
    <Section
      title={measure === 'accuracy' ? 'Accuracy and latency' : 'Size and latency'}
      aside={
        <>
          {withAccuracy ? (
            <SegmentedControl
              data={[
                { value: 'accuracy', label: 'Accuracy' },
                { value: 'size', label: 'Size' },
              ]}
              value={measure}
              onChange={(value) => setMeasure(value as TradeOffMeasure)}
              aria-label="Measure against latency"
            />
          ) : null}
          <NumberInput
            value={budget}
            onChange={setBudget}
            placeholder="Latency budget"
            aria-label="Latency budget in milliseconds"
            suffix=" ms"
            min={0}
            step={0.5}
            decimalScale={3}
            w={136}
          />
        </>
      }
    >
      {withAccuracy ? null : (
        <p className={classes.note}>
          No dataset was chosen, so accuracy was not measured. The chart sets file size against latency instead.
        </p>
      )}
      <TradeOffChart points={points} measure={measure} budgetMs={budgetMs} pointed={pointed} onPoint={onPoint} />
      <p className={classes.note}>
        {budgetMs === null
          ? 'Better is top right. Whiskers are 95 % intervals; grey models are beaten in both by another one; the dashed line joins the rest.'
          : budgetText(points, measure, budgetMs)}
      </p>
    </Section>
  )
}

function budgetText(points: ReturnType<typeof tradeOffPoints>, measure: TradeOffMeasure, budgetMs: number): string {
  const best = bestWithin(points, measure, budgetMs)
  if (!best) return `No model has a median latency within ${formatMs(budgetMs)}.`
  const value = measure === 'accuracy' ? formatPercent(best.value) : formatBytes(best.value)
  const kind = measure === 'accuracy' ? 'Most accurate' : 'Smallest'
  return `${kind} within ${formatMs(budgetMs)}: ${plainText(best.row.model, 80)} (${value}, median ${formatMs(best.latencyMs)}).`
}
