import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'

/** Time, and waiting for a moment of it. Tests put their own in its place, so that they need no time at all. */
export interface Pacer {
  /** Milliseconds since any start. */
  now(): number
  /** Settles at `atMs` or within some microseconds after it; at once when that is past. */
  waitUntil(atMs: number): Promise<void>
}

/** A timer may fire this late; the rest of a wait is spent looking at the clock. */
const TIMER_MS = 2

/**
 * The real clock. Sleeps while the moment is far, then looks at the clock without pause: timers alone are up to two milliseconds late,
 * which is more than many models take.
 *
 * @param yielding whether other work of this thread (sockets) goes on in the last stretch; without it the moment is met more exactly
 */
export function realPacer(yielding: boolean): Pacer {
  const now = () => performance.now()
  return {
    now,
    waitUntil: async (atMs) => {
      for (let left = atMs - now(); left > TIMER_MS; left = atMs - now()) await sleep(left - TIMER_MS / 2)
      if (yielding) while (now() < atMs) await turn()
      else while (now() < atMs);
    },
  }
}
