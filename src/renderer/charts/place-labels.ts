/** A point that wants a label beside it; lengths in pixels. */
export interface LabelledPoint {
  readonly x: number
  readonly y: number
  readonly width: number
}

/** Where a label goes; null where there is no room without covering another one. */
export type LabelSide = 'right' | 'left' | 'above' | 'below' | null

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Half the height of a label and the radius of a marker with a little air. */
const HALF_HEIGHT = 8
const MARKER = 12

const sides = ['right', 'left', 'above', 'below'] as const

/** Greedy placement in the given order: the first side that stays inside [0, width] × [0, height] and covers no marker and no label. */
export function placeLabels(points: readonly LabelledPoint[], width: number, height: number): LabelSide[] {
  const taken: Box[] = points.map(({ x, y }) => ({ left: x - MARKER, right: x + MARKER, top: y - MARKER, bottom: y + MARKER }))
  return points.map((point, index) => {
    const side = sides.find((candidate) => {
      const box = labelBox(point, candidate)
      const inside = box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height
      return inside && !taken.some((other, at) => at !== index && overlap(box, other))
    })
    if (side) taken.push(labelBox(point, side))
    return side ?? null
  })
}

function labelBox({ x, y, width }: LabelledPoint, side: NonNullable<LabelSide>): Box {
  switch (side) {
    case 'right':
      return { left: x + MARKER, right: x + MARKER + width, top: y - HALF_HEIGHT, bottom: y + HALF_HEIGHT }
    case 'left':
      return { left: x - MARKER - width, right: x - MARKER, top: y - HALF_HEIGHT, bottom: y + HALF_HEIGHT }
    case 'above':
      return { left: x - width / 2, right: x + width / 2, top: y - MARKER - 2 * HALF_HEIGHT, bottom: y - MARKER }
    case 'below':
      return { left: x - width / 2, right: x + width / 2, top: y + MARKER, bottom: y + MARKER + 2 * HALF_HEIGHT }
  }
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
