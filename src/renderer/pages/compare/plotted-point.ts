import type { LabelPlace } from '../../charts/place-labels.ts'
import { seriesColor } from '../../charts/series-color.ts'
import type { TradeOffPoint } from './trade-off.ts'

/** A point as the chart library wants it: error bars as distances below and above. */
export interface PlottedPoint extends TradeOffPoint {
  /** Where the name is written; null where there is no room for it. */
  readonly label: LabelPlace | null
  /** Where it goes while the point is pointed at: over whatever is there. */
  readonly pointedLabel: LabelPlace
  readonly latencyError: readonly [number, number]
  readonly valueError: readonly [number, number]
}

/** Dominated models are grey; the baseline keeps its own colour. */
export function markerColor({ dominatedBy, index }: TradeOffPoint): string {
  return dominatedBy !== null && index !== 0 ? 'var(--es-faint)' : seriesColor(index)
}
