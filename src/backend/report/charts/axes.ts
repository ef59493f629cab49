import { html, type Markup } from '../blocks/html.ts'
import { px, type Scale } from './chart-scale.ts'

/** Where the plot lies in a drawing, in its units. */
export interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Width of every drawing. */
export const CHART_WIDTH = 720
/** A frame with room for the ticks and titles of both axes. */
export const usualFrame: Frame = { left: 70, right: CHART_WIDTH - 20, top: 20, bottom: 330 }
/** Height of a drawing with {@link usualFrame}. */
export const USUAL_HEIGHT = 380

/** Grid lines, ticks and title of the axis at the bottom. */
export function horizontalAxis(scale: Scale, title: string, frame: Frame = usualFrame): Markup {
  return html`<g class="axis">${scale.ticks.map((tick) => {
    const x = px(scale.at(tick))
    return html`<line class="grid" x1="${x}" x2="${x}" y1="${frame.top}" y2="${frame.bottom}"/><text class="middle" x="${x}" y="${frame.bottom + 18}">${scale.label(tick)}</text>`
  })}<text class="middle" x="${(frame.left + frame.right) / 2}" y="${frame.bottom + 40}">${title}</text></g>`
}

/** Grid lines, ticks and title of the axis at the left. */
export function verticalAxis(scale: Scale, title: string, frame: Frame = usualFrame): Markup {
  return html`<g class="axis">${scale.ticks.map((tick) => {
    const y = px(scale.at(tick))
    return html`<line class="grid" x1="${frame.left}" x2="${frame.right}" y1="${y}" y2="${y}"/><text class="end" x="${frame.left - 8}" y="${px(y + 4)}">${scale.label(tick)}</text>`
  })}<text class="middle" transform="translate(${frame.left - 54} ${(frame.top + frame.bottom) / 2}) rotate(-90)">${title}</text></g>`
}

/** A drawing as tall as its content; `label` says to readers who cannot see it what it shows. */
export function drawing(height: number, label: string, content: Markup): Markup {
  return html`<svg class="chart" viewBox="0 0 ${CHART_WIDTH} ${height}" role="img" aria-label="${label}">${content}</svg>`
}
