import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { plainText } from '../../format/plain-text.ts'
import { metricLabel, metricValue } from '../../text/metric-text.ts'
import type { CostMeasure, GainMeasure, SharedMetric, TradeOffPoint } from './trade-off.ts'

/** What a measure is called on an axis. */
export function measureLabel(measure: CostMeasure | GainMeasure, shared: SharedMetric | null): string {
  switch (measure) {
    case 'p50':
      return 'Median latency (p50)'
    case 'p95':
      return 'Latency, p95'
    case 'size':
      return 'File size'
    case 'memory':
      return 'Peak memory'
    case 'metric':
      return shared ? metricLabel(shared.metric) : 'Accuracy'
  }
}

/** A value of a measure with its unit. */
export function measureText(measure: CostMeasure | GainMeasure, shared: SharedMetric | null, value: number): string {
  if (measure === 'p50' || measure === 'p95') return formatMs(value)
  return measure === 'metric' ? metricValue(shared?.metric ?? '', value) : formatBytes(value)
}

interface BudgetWords {
  readonly cost: CostMeasure
  readonly gain: GainMeasure
  readonly shared: SharedMetric | null
  readonly maxCost: number | null
  /** In the unit of the measure, not turned. */
  readonly limit: number | null
  readonly chosen: TradeOffPoint | undefined
}

/** Which build is best within the budget, in a sentence. */
export function budgetText({ cost, gain, shared, maxCost, limit, chosen }: BudgetWords): string {
  const limits = [
    ...(maxCost === null ? [] : [`${measureLabel(cost, shared).toLowerCase()} within ${measureText(cost, shared, maxCost)}`]),
    ...(limit === null
      ? []
      : [`${nameInSentence(gain, shared)} ${atLeast(gain, shared) ? 'at least' : 'at most'} ${measureText(gain, shared, limit)}`]),
  ].join(' and ')
  if (!chosen) return `No build has ${limits}.`
  const values = `${measureText(gain, shared, chosen.value)}, ${measureText(cost, shared, chosen.cost)}`
  return `Best build with ${limits}: ${plainText(chosen.row.model, 80)} (${values}).`
}

/** Whether a limit on the measure is a floor. */
export function atLeast(gain: GainMeasure, shared: SharedMetric | null): boolean {
  return gain === 'metric' && shared?.better === 'higher'
}

function nameInSentence(gain: GainMeasure, shared: SharedMetric | null): string {
  const label = measureLabel(gain, shared)
  return /^[A-Z][a-z]/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label
}
