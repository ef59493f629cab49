/** A point that wants a label beside it; lengths in pixels. */
export interface LabelledPoint {
  readonly x: number
  readonly y: number
  readonly width: number
}

/** Where a label begins (`start`) or ends (`end`), as distances from its point, and its baseline. */
export interface LabelPlace {
  readonly dx: number
  readonly dy: number
  readonly anchor: 'start' | 'end'
}

/** Diagonal, because whiskers go straight up, down and sideways. */
const places: readonly LabelPlace[] = [
  { dx: 9, dy: -9, anchor: 'start' },
  { dx: -9, dy: -9, anchor: 'end' },
  { dx: 9, dy: 18, anchor: 'start' },
  { dx: -9, dy: 18, anchor: 'end' },
]

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Height of a label's letters above their baseline and of the rest below it. */
const ASCENT = 11
const DESCENT = 4
/** Radius of a marker. */
const MARKER = 10

/**
 * Greedy placement in the given order: the first place that stays inside [0, width] × [0, height] and covers no marker and no label;
 * null where there is none.
 */
export function placeLabels(points: readonly LabelledPoint[], width: number, height: number): (LabelPlace | null)[] {
  const taken: Box[] = points.map(({ x, y }) => ({ left: x - MARKER, right: x + MARKER, top: y - MARKER, bottom: y + MARKER }))
  return points.map((point, index) => {
    const place = places.find((candidate) => {
      const box = labelBox(point, candidate)
      const inside = box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height
      return inside && !taken.some((other, at) => at !== index && overlap(box, other))
    })
    if (place) taken.push(labelBox(point, place))
    return place ?? null
  })
}

function labelBox({ x, y, width }: LabelledPoint, { dx, dy, anchor }: LabelPlace): Box {
  const left = anchor === 'start' ? x + dx : x + dx - width
  return { left, right: left + width, top: y + dy - ASCENT, bottom: y + dy + DESCENT }
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
