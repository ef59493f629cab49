import type { MachinePeak, ProfileResult } from '../../../contract/analysis.ts'
import { html, type Markup } from '../blocks/html.ts'
import { formatMs, formatSignificant } from '../quantities.ts'
import { drawing, type Frame, horizontalAxis, USUAL_HEIGHT, usualFrame, verticalAxis } from './axes.ts'
import { px } from './chart-scale.ts'
import { logScale } from './log-scale.ts'

type Layer = ProfileResult['byLayer'][number]

/** A layer as a point: how much it computes for each byte it moves, and how fast. */
export interface RooflinePoint {
  readonly layer: Layer
  readonly macsPerByte: number
  readonly gmacsPerSecond: number
}

/** The layers whose work, bytes and time are all known, slowest first. */
export function rooflinePoints(layers: readonly Layer[]): RooflinePoint[] {
  return layers
    .flatMap((layer) => {
      const { macs, bytes, ms } = layer
      if (macs === null || macs <= 0 || bytes <= 0 || ms <= 0) return []
      return [{ layer, macsPerByte: macs / bytes, gmacsPerSecond: macs / (ms * 1e6) }]
    })
    .sort((a, b) => b.layer.ms - a.layer.ms)
}

/** The bound of a machine: bytes a second times work for each byte, up to what it computes at most. */
export function attainable(peak: MachinePeak, macsPerByte: number, precision: string): number {
  const compute = isInt8(precision) ? (peak.gmacsInt8 ?? peak.gmacsFloat32) : peak.gmacsFloat32
  return Math.min(compute, peak.gbPerSecond * macsPerByte)
}

/**
 * The roofline of Williams, Waterman and Patterson (2009): speed over work for each byte, both logarithmic, below the bounds of the
 * machine. The area of a point is its share of the time. Null when nothing can be placed.
 */
export function rooflineChart(points: readonly RooflinePoint[], peak: MachinePeak): Markup | null {
  const highest = Math.max(peak.gmacsFloat32, peak.gmacsInt8 ?? 0)
  if (points.length === 0 || highest <= 0 || peak.gbPerSecond <= 0) return null
  const ridge = highest / peak.gbPerSecond
  const xs = points.map(({ macsPerByte }) => macsPerByte)
  const ys = points.map(({ gmacsPerSecond }) => gmacsPerSecond)
  const frame: Frame = usualFrame
  const x = logScale(Math.min(ridge, ...xs), Math.max(ridge, ...xs), frame.left, frame.right)
  const y = logScale(Math.min(highest, ...ys), Math.max(highest, ...ys), frame.bottom, frame.top)
  const ends = [x.ticks[0] ?? ridge, x.ticks.at(-1) ?? ridge] as const
  const roof = (top: number, name: string, kind: string) => {
    const corner = Math.min(ends[1], Math.max(ends[0], top / peak.gbPerSecond))
    const start = Math.max(peak.gbPerSecond * ends[0], y.ticks[0] ?? 0)
    const corners = [
      [Math.max(ends[0], start / peak.gbPerSecond), start],
      [corner, Math.min(top, peak.gbPerSecond * corner)],
      [ends[1], Math.min(top, peak.gbPerSecond * ends[1])],
    ] as const
    const path = corners.map(([at, height]) => `${px(x.at(at))},${px(y.at(height))}`).join(' ')
    return html`<polyline class="roof ${kind}" points="${path}"/><text class="end" x="${frame.right - 4}" y="${px(y.at(Math.min(top, peak.gbPerSecond * ends[1])) - 6)}">${name}</text>`
  }
  const total = Math.max(
    1e-9,
    points.reduce((sum, { layer }) => sum + layer.ms, 0),
  )
  return drawing(
    USUAL_HEIGHT,
    'Speed of each layer over its work for each byte, below the bounds of the machine',
    html`
${horizontalAxis(x, 'multiply-accumulates for each byte')}${verticalAxis(y, 'thousand million MACs a second')}
${points.map(
  ({ layer, macsPerByte, gmacsPerSecond }) =>
    html`<g class="series-${isInt8(layer.precision) ? 2 : 1}"><circle cx="${px(x.at(macsPerByte))}" cy="${px(y.at(gmacsPerSecond))}" r="${px(3 + 12 * Math.sqrt(layer.ms / total))}" fill-opacity="0.5"><title>${layer.layer}: ${formatMs(layer.ms)}, ${formatSignificant(gmacsPerSecond)} GMAC/s</title></circle></g>`,
)}
<g class="axis">${roof(peak.gmacsFloat32, `float32, ${formatSignificant(peak.gmacsFloat32)} GMAC/s`, 'solid')}${
      peak.gmacsInt8 !== null && roof(peak.gmacsInt8, `int8, ${formatSignificant(peak.gmacsInt8)} GMAC/s`, 'dashed')
    }</g>`,
  )
}

function isInt8(precision: string): boolean {
  return /u?int8/.test(precision)
}
