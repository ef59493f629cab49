/** Of an output's size. Float32 kernels differ by some millionths of it, half precision by a thousandth: neither may look like a difference. */
const SMALLEST_SHARE = 0.1

/**
 * What differences between two machines' answers are measured by: the range of an output's values or, where they hardly change (a single
 * sample may have been all there was), a tenth of their size. 1 for an output that is always 0.
 */
export function outputSpan(low: number, high: number): number {
  return Math.max(high - low, SMALLEST_SHARE * Math.max(Math.abs(low), Math.abs(high))) || 1
}
