import type { Noise } from '../../contract/measurement.ts'
import type { SystemRoot } from '../../platform/system-files.ts'
import { type ClockState, readClockState, readQuickClocks, throttleReasons } from './clock-state.ts'
import { busyWarning } from './measurement-warnings.ts'
import { type ProcessorTicks, readProcessorTicks, shareOfOthers } from './processor-load.ts'
import { sharedNowMs } from './shared-clock.ts'

/** The kernel counts in ticks of 10 ms: over a shorter time the share of others is mostly rounding. */
const SHORTEST_SHARE_MS = 500
/** Clocks and heat do not change faster than this matters. */
const LOOK_EVERY_MS = 500

/** How the machine was while it measured. */
export interface MachineObservations {
  readonly noise: Noise
  /** Sentences on other programs, for the warnings; also among the reasons of the noise. */
  readonly busy: string[]
  /** State after the measurement, with the highest temperature and the lowest allowed clock that were seen. */
  readonly clocks: ClockState
}

/**
 * Watches load, heat and clocks of the machine from before a measurement to its end. Looks between runs, at most twice a second, and only
 * at what is read in microseconds.
 */
export class MachineWatch {
  readonly #root: SystemRoot
  readonly #clocks: ClockState
  readonly #shareBefore: number | undefined
  #start: ProcessorTicks | undefined
  #shareDuring: number | undefined
  #nextLook = 0
  #beginMs: number | undefined
  #endMs: number | undefined
  readonly #mark: () => void
  #hottest: number | undefined
  #slowest: number | undefined

  /**
   * @param clocks and `shareBefore`: state and load just before the measurement
   * @param mark called when the measured part begins and when it ends
   */
  constructor(root: SystemRoot, clocks: ClockState, shareBefore: number | undefined, mark: () => void = () => {}) {
    this.#mark = mark
    this.#root = root
    this.#clocks = clocks
    this.#shareBefore = shareBefore
    this.#hottest = clocks.temperatureC
    this.#slowest = clocks.allowedClock
  }

  /** The measured part begins. @param childrenMs CPU time so far of processes that belong to the measurement */
  begin(childrenMs = 0): void {
    this.#start = readProcessorTicks(this.#root, childrenMs)
    this.#beginMs = sharedNowMs()
    this.#mark()
  }

  /** Called between runs, as often as one likes. */
  look(): void {
    const now = performance.now()
    if (now < this.#nextLook) return
    this.#nextLook = now + LOOK_EVERY_MS
    this.#see(readQuickClocks(this.#root))
  }

  /** The measured part is over. @param childrenMs as in {@link begin} */
  end(childrenMs = 0): void {
    if (!this.#start) throw new Error('the measured part has not begun')
    this.#endMs = sharedNowMs()
    this.#mark()
    const now = readProcessorTicks(this.#root, childrenMs)
    if (now.atMs - this.#start.atMs >= SHORTEST_SHARE_MS) this.#shareDuring = shareOfOthers(this.#start, now)
  }

  /** Begin and end of the measured part on the clock that all threads share. */
  get measuredPart(): { readonly beginMs: number; readonly endMs: number } {
    if (this.#beginMs === undefined || this.#endMs === undefined) throw new Error('the measured part has no begin or no end')
    return { beginMs: this.#beginMs, endMs: this.#endMs }
  }

  /** @param seen what held clocks down during the measured part, in words, as telemetry tells it */
  async observations(seen: readonly string[] = []): Promise<MachineObservations> {
    const after = await readClockState(this.#root)
    this.#see(after)
    const clocks = { ...after, temperatureC: this.#hottest, allowedClock: this.#slowest }
    const busy = [
      ...busyWarning(this.#shareBefore, 'just before the measurement'),
      ...busyWarning(this.#shareDuring, 'during the measurement'),
    ]
    const throttled = throttleReasons(this.#clocks, clocks)
    const unsaid = [...new Set([...seen, ...(after.cooling ?? [])])].filter((word) => !throttled.some((reason) => reason.includes(word)))
    if (unsaid.length > 0) throttled.push(`Clocks were held down during the measurement: ${unsaid.join(', ')}.`)
    const known = this.#shareBefore !== undefined || this.#shareDuring !== undefined
    const label = throttled.length > 0 ? 'throttled' : busy.length > 0 ? 'noisy' : known ? 'quiet' : 'unknown'
    return { noise: { label, reasons: [...throttled, ...busy] }, busy, clocks }
  }

  #see({ temperatureC, allowedClock }: Pick<ClockState, 'temperatureC' | 'allowedClock'>): void {
    if (temperatureC !== undefined) this.#hottest = Math.max(this.#hottest ?? temperatureC, temperatureC)
    if (allowedClock !== undefined) this.#slowest = Math.min(this.#slowest ?? allowedClock, allowedClock)
  }
}
