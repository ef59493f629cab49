/**
 * At most `most` readings of a series, in order: neighbours are put together, each group being its middle reading with every word
 * that any of the group says. First and last reading stay.
 */
export function thinReadings<T extends { readonly throttled: readonly string[] }>(readings: readonly T[], most: number): T[] {
  if (readings.length <= most) return [...readings]
  return Array.from({ length: most }, (_, index) => {
    const from = Math.floor((index * readings.length) / most)
    const to = Math.floor(((index + 1) * readings.length) / most)
    const group = readings.slice(from, to)
    const at = index === 0 ? 0 : index === most - 1 ? group.length - 1 : Math.floor(group.length / 2)
    const words = [...new Set(group.flatMap(({ throttled }) => throttled))].slice(0, MOST_WORDS)
    return { ...(group[at] as T), throttled: words }
  })
}

/** As many words as a reading may hold. */
const MOST_WORDS = 8
