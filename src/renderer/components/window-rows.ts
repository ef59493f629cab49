/** Which rows of a long list are in view. */
export interface RowWindow {
  readonly first: number
  /** One past the last. */
  readonly end: number
}

/**
 * Rows to draw for a scroll position: those in view and `overscan` more on both sides.
 * All lengths in pixels; the result is within [0, count].
 */
export function rowWindow(scrollTop: number, viewHeight: number, rowHeight: number, count: number, overscan: number): RowWindow {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight) - overscan
  const end = Math.ceil((Math.max(0, scrollTop) + viewHeight) / rowHeight) + overscan
  return { first: Math.min(Math.max(0, first), count), end: Math.min(Math.max(0, end), count) }
}
