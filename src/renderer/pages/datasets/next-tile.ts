/**
 * Where a key leads in a grid of tiles, row by row; undefined for keys that do nothing there.
 *
 * @param at the tile that is selected, −1 for none
 */
export function nextTile(key: string, at: number, count: number, columns: number): number | undefined {
  if (count === 0) return undefined
  const within = (place: number) => Math.min(count - 1, Math.max(0, place))
  switch (key) {
    case 'ArrowRight':
      return within(at + 1)
    case 'ArrowLeft':
      return within(at - 1)
    // A step that would leave the grid stays where it is.
    case 'ArrowDown':
      return at + columns < count ? within(at + columns) : within(at)
    case 'ArrowUp':
      return at - columns >= 0 ? at - columns : within(at)
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return undefined
  }
}
