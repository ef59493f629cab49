/** Farther away than this, in pixels, the pointer is at no point. */
const REACH = 28

/** The point nearest to a place, by distance along x or in both directions; null when none is within reach (x: when there is none). */
export function nearestPoint(
  points: readonly { readonly x: number; readonly y: number }[],
  x: number,
  y: number,
  by: 'x' | 'both',
): number | null {
  let best: number | null = null
  let least = by === 'x' ? Number.POSITIVE_INFINITY : REACH ** 2
  points.forEach((point, index) => {
    // Points at one x: the one nearer in y, with a weight that never outvotes a pixel of x.
    const distance = (point.x - x) ** 2 + (by === 'x' ? 1e-6 : 1) * (point.y - y) ** 2
    if (!(distance < least)) return
    best = index
    least = distance
  })
  return best
}

/** Where a key leads from a point: arrows by one, Page Up and Down by a twentieth, Home and End; undefined for other keys. */
export function nextPoint(index: number | null, key: string, count: number): number | undefined {
  if (count === 0) return undefined
  const page = Math.max(2, Math.round(count / 20))
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowUp: 1,
    ArrowLeft: -1,
    ArrowDown: -1,
    PageUp: page,
    PageDown: -page,
  }
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  const step = steps[key]
  if (step === undefined) return undefined
  if (index === null) return step > 0 ? 0 : count - 1
  return Math.min(count - 1, Math.max(0, index + step))
}
