import { NumberInput, Select } from '@mantine/core'
import { useState } from 'react'
import type { PointedProps } from './comparison-table.tsx'
import { type CostMeasure, chosenPoint, type GainMeasure, sharedMetric, tradeOffPoints } from './trade-off.ts'
import { TradeOffChart } from './trade-off-chart.tsx'
import classes from './trade-off-section.module.css'
import { atLeast, budgetText, measureLabel } from './trade-off-text.ts'

const costs: readonly CostMeasure[] = ['p50', 'p95', 'size', 'memory']
const gains: readonly GainMeasure[] = ['metric', 'size', 'memory']

/** What builds cost against what they give, with budgets that pick the best build. */
export function TradeOffSection({ comparison, pointed, onPoint }: PointedProps) {
  const shared = sharedMetric(comparison)
  const [cost, setCost] = useState<CostMeasure>('p50')
  const [gain, setGain] = useState<GainMeasure>(shared ? 'metric' : 'size')
  const [maxCost, setMaxCost] = useState<number | null>(null)
  const [limit, setLimit] = useState<number | null>(null)
  const points = tradeOffPoints(comparison, cost, gain)
  const floor = atLeast(gain, shared)
  const budgeted = maxCost !== null || limit !== null
  const chosen = budgeted ? chosenPoint(points, { maxCost, minGain: limit === null ? null : floor ? limit : -limit }) : undefined
  const measured = costs.filter(
    (measure) => measure !== gain && (measure !== 'p95' || comparison.rows.some(({ latencyMs }) => latencyMs.p95 !== null)),
  )
  return (
    <TradeOffChart
      points={points}
      cost={cost}
      gain={gain}
      shared={shared}
      maxCost={maxCost}
      onMaxCost={setMaxCost}
      limit={limit}
      onLimit={setLimit}
      chosenId={chosen?.row.modelId ?? null}
      pointed={pointed}
      onPoint={onPoint}
      controls={
        <>
          <Select
            size="xs"
            w={150}
            aria-label="Upward axis"
            data={gains
              .filter((measure) => measure !== cost && (measure !== 'metric' || shared))
              .map((value) => ({ value, label: measureLabel(value, shared) }))}
            value={gain}
            onChange={(value) => {
              setGain((value as GainMeasure | null) ?? 'size')
              setLimit(null)
            }}
            allowDeselect={false}
            data-testid="axis-gain"
          />
          <Select
            size="xs"
            w={164}
            aria-label="Sideways axis"
            data={measured.map((value) => ({ value, label: measureLabel(value, shared) }))}
            value={cost}
            onChange={(value) => {
              setCost((value as CostMeasure | null) ?? 'p50')
              setMaxCost(null)
            }}
            allowDeselect={false}
            data-testid="axis-cost"
          />
          {cost === 'p50' || cost === 'p95' ? (
            <NumberInput
              value={maxCost === null ? '' : Number(maxCost.toPrecision(4))}
              onChange={(value) => setMaxCost(typeof value === 'number' && value > 0 ? value : null)}
              placeholder="Latency budget"
              aria-label="Latency budget in milliseconds"
              suffix=" ms"
              min={0}
              step={0.5}
              decimalScale={4}
              w={124}
            />
          ) : null}
        </>
      }
      note={
        <span data-testid="budget-text" data-best={chosen?.row.model ?? ''}>
          {shared ? '' : 'No metric was measured, so the chart sets costs against each other. '}
          {budgeted ? (
            <strong className={classes.best}>{budgetText({ cost, gain, shared, maxCost, limit, chosen })}</strong>
          ) : (
            'Better is top right. Drag the orange lines, or move them with the arrow keys, to find the best build within a budget. Whiskers are 95 % intervals; grey builds are beaten in both; the dashed line joins the rest.'
          )}
        </span>
      }
    />
  )
}
