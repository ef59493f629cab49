import { firmwareWords } from '../../../core/telemetry/vcgencmd.ts'

/** What `vcgencmd get_throttled` says of a Raspberry Pi: bits 0 to 3 for now, 16 to 19 since boot. */
export function throttleText(bits: number): string {
  const [live, past] = [firmwareWords(bits), firmwareWords(bits >>> 16)]
  if (live.length === 0 && past.length === 0) return 'never since boot'
  const since = past.length > 0 ? `since boot: ${past.join(', ')}` : ''
  return live.length > 0 ? [`now: ${live.join(', ')}`, since].filter(Boolean).join('; ') : since
}
