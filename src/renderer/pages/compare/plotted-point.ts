import type { LabelPlace } from '../../charts/place-labels.ts'
import { seriesColor } from '../../charts/series-color.ts'
import type { TradeOffPoint } from './trade-off.ts'

/** A point with the places of its name. */
export interface PlottedPoint extends TradeOffPoint {
  /** Where the name is written; null where there is no room for it. */
  readonly label: LabelPlace | null
  /** Where it goes while the point is pointed at: over whatever is there. */
  readonly pointedLabel: LabelPlace
}

/** Dominated models are grey; the baseline keeps its own colour. */
export function markerColor({ dominatedBy, index }: TradeOffPoint): string {
  return dominatedBy !== null && index !== 0 ? 'var(--es-faint)' : seriesColor(index)
}
