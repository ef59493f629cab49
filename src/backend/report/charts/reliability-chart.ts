import type { ClassificationDetail } from '../../../contract/evaluation.ts'
import { html, type Markup } from '../blocks/html.ts'
import { formatCounted, formatPercent } from '../quantities.ts'
import { drawing, horizontalAxis, USUAL_HEIGHT, usualFrame, verticalAxis } from './axes.ts'
import { linearScale, px } from './chart-scale.ts'

type Bins = NonNullable<ClassificationDetail['calibration']>['bins']

/**
 * Accuracy over confidence, a bar for each bin with samples, against the diagonal of a model that is right as often as it claims.
 * Circles stand at the mean confidence of a bin; their area is its share of the samples.
 */
export function reliabilityChart(bins: Bins): Markup {
  const { left, right, top, bottom } = usualFrame
  const x = linearScale(0, 1, left, right)
  const y = linearScale(0, 1, bottom, top)
  const total = Math.max(
    1,
    bins.reduce((sum, { count }) => sum + count, 0),
  )
  return drawing(
    USUAL_HEIGHT,
    'Accuracy over confidence, against the diagonal of a well calibrated model',
    html`
${horizontalAxis(x, 'confidence')}${verticalAxis(y, 'accuracy')}
<g class="series-1">${bins
      .filter(({ count }) => count > 0)
      .map(
        ({ from, to, count, accuracy, confidence }) =>
          html`<rect class="bar" x="${px(x.at(from) + 1)}" width="${px(Math.max(1, x.at(to) - x.at(from) - 2))}" y="${px(y.at(accuracy))}" height="${px(Math.max(0, bottom - y.at(accuracy)))}"><title>${formatCounted(count, 'sample')}, confidence ${formatPercent(confidence)}, right ${formatPercent(accuracy)}</title></rect><circle cx="${px(x.at(confidence))}" cy="${px(y.at(accuracy))}" r="${px(3 + 12 * Math.sqrt(count / total))}" fill-opacity="0.5"/>`,
      )}</g>
<g class="axis"><line class="unity" x1="${left}" y1="${bottom}" x2="${right}" y2="${top}"/></g>`,
  )
}
