/** An SVG path through points, with two decimals; points that are no numbers leave a gap. */
export function linePath(points: readonly (readonly [number, number])[]): string {
  let path = ''
  let open = false
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      open = false
      continue
    }
    path += `${open ? 'L' : 'M'}${x.toFixed(2)} ${y.toFixed(2)}`
    open = true
  }
  return path
}

/** A closed path between an upper and a lower line. */
export function bandPath(upper: readonly (readonly [number, number])[], lower: readonly (readonly [number, number])[]): string {
  const path = linePath([...upper, ...[...lower].reverse()])
  return path === '' ? '' : `${path}Z`
}

/** Steps of a histogram: `edges` has one entry more than `heights`; begins and ends on the ground. */
export function stepPoints(edges: readonly number[], heights: readonly number[]): [number, number][] {
  const points: [number, number][] = []
  heights.forEach((height, bin) => {
    const [from, to] = [edges[bin], edges[bin + 1]]
    if (from === undefined || to === undefined) return
    if (bin === 0) points.push([from, 0])
    points.push([from, height], [to, height])
    if (bin === heights.length - 1) points.push([to, 0])
  })
  return points
}
