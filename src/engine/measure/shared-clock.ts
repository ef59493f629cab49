/** Milliseconds since 1970 on a steady clock that is the same for all threads; `performance.now()` alone counts from the start of each. */
export function sharedNowMs(): number {
  return performance.timeOrigin + performance.now()
}
