const now: readonly [bit: number, text: string][] = [
  [0, 'under-voltage'],
  [1, 'frequency capped'],
  [2, 'throttled'],
  [3, 'soft temperature limit'],
]

/** What `vcgencmd get_throttled` says of a Raspberry Pi: bits 0 to 3 for now, 16 to 19 since boot. */
export function throttleText(bits: number): string {
  const live = now.filter(([bit]) => bits & (1 << bit)).map(([, text]) => text)
  const past = now.filter(([bit]) => bits & (1 << (bit + 16))).map(([, text]) => text)
  if (live.length === 0 && past.length === 0) return 'never since boot'
  const since = past.length > 0 ? `since boot: ${past.join(', ')}` : ''
  return live.length > 0 ? [`now: ${live.join(', ')}`, since].filter(Boolean).join('; ') : since
}
